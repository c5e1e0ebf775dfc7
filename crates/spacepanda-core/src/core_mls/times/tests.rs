use mls_engine::{group::Event, math::LeafIndex};

use super::{Notes, Times};
use crate::core_mls::store::{MemoryStore, Revision, Section, Space, StateStore};

fn save(store: &MemoryStore, expected: Revision, notes: &Notes) -> Revision {
    store.apply(&[Section { space: Space::Client, expected, writes: notes.writes() }]).unwrap()
}

#[test]
fn notes_who_came_and_who_went() {
    let store = MemoryStore::new();
    let mut times = Times::begin(10);
    let revision = save(&store, Revision::NONE, &times.first_notes());
    let mut notes = Notes::default();
    let leaf = LeafIndex::new;
    times.note(&[Event::Added(leaf(1)), Event::Added(leaf(2)), Event::EpochAdvanced(1)], leaf(0), 20, &mut notes);
    times.note(&[Event::Removed(leaf(2)), Event::Updated(leaf(0))], leaf(0), 30, &mut notes);
    assert_eq!((times.created_at, times.updated_at, times.rotated_at), (10, 20, 30));
    assert_eq!((times.joined_at(0), times.joined_at(1), times.joined_at(2)), (10, 20, 10));
    save(&store, revision, &notes);
    assert_eq!(Times::load(&store, &Space::Client).unwrap(), times);
}

#[test]
fn rotation_is_our_own() {
    let mut times = Times::begin(10);
    times.note(&[Event::Updated(LeafIndex::new(1))], LeafIndex::new(0), 20, &mut Notes::default());
    assert_eq!(times.rotated_at, 10);
}
