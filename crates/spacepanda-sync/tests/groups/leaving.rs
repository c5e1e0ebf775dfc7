//! Leaving: others let us go, whoever they are and whatever they want themselves.

use spacepanda_sync::{News, Wish};

use crate::world::{World, agree, group_of};

#[test]
fn who_leaves_is_out_once_anybody_else_is_there() {
    let world = World::new();
    let people = group_of(&world, &["bob", "carol"]);
    let [alice, bob, carol] = people.as_slice() else { panic!("three") };
    bob.wish(Wish::Leave);
    bob.sync();
    assert!(bob.account.is_leaving(&bob.group()).unwrap());
    carol.sync();
    assert!(bob.sync().contains(&News::Left));
    alice.sync();
    assert_eq!(alice.members(), ["alice", "carol"]);
    agree(&[alice, carol]);
}

/// Each waits for the other to let it go: one of them does, and then nobody is there to be asked.
#[test]
fn the_last_two_can_both_leave() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    for person in &people {
        person.wish(Wish::Leave);
        person.cut_after(6, false);
        // Both have asked before either hears of the other.
        let _cut = crate::world::now(person.account.sync());
        person.mend();
    }
    let news: Vec<News> = (0..3).flat_map(|_| [alice.sync(), bob.sync()].concat()).collect();
    assert_eq!(news.iter().filter(|news| **news == News::Left).count(), 2, "{news:?}");
    for person in &people {
        let groups = person.account.client().groups().unwrap();
        let group = groups.first().map(|id| person.account.client().group(id).unwrap());
        assert!(group.is_none_or(|group| !person.account.is_member(&group)), "{}", person.name);
    }
}

/// The same with more: all are out, and none of them waits for one who is away.
#[test]
fn all_can_leave_at_once() {
    let world = World::new();
    let people = group_of(&world, &["bob", "carol", "dave"]);
    for person in &people {
        person.wish(Wish::Leave);
    }
    let left = |person: &crate::world::Person| {
        let groups = person.account.client().groups().unwrap();
        let group = groups.first().map(|id| person.account.client().group(id).unwrap());
        group.is_none_or(|group| !person.account.is_member(&group))
    };
    for _ in 0..6 {
        people.iter().for_each(|person| drop(person.sync()));
    }
    assert!(people.iter().all(left));
}
