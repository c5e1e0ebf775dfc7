//! Catching up: many application messages in one call (RFC 9420, Sections 6.3, 9.1 and 15).
//!
//! In: messages that have waited. Out: what each says, and one step that uses up all their keys.
//! Always: each is judged as [`Group::process`] and [`Group::record`] judge it, one after the other: late ones first, then
//! those of each sender in order of their generations. A ratchet is walked once, signatures are verified in batches, on all that `env.parallel`
//! offers, and a record is written once.

use std::collections::BTreeMap;

use super::{
    Group, Opened, SpentMessage,
    application::Letter,
    records::secret_tree_changes,
    transition::{Effect, Step},
};
use crate::{
    codec::decode_exact,
    error::{DecodeError, ProcessError},
    framing::{Unverified, authenticate_all, open_content},
    math::LeafIndex,
    message::{ContentType, MlsMessage, Sender},
    policy::Env,
    schedule::{MessageKey, MessageKeyId, RatchetKind, SecretTree, Spent, Walk},
};

/// What a message was, or the rule it breaks; `None` for a handshake.
type Outcome = Result<Option<Opened>, ProcessError>;

/// Position and bytes of a message, and the letter if it is one.
type Found<'a> = (usize, &'a [u8], Result<Option<Letter<'a>>, ProcessError>);

/// Epoch, sender and generation: the order in which keys are used.
type Place = (u64, LeafIndex, u32);

/// A letter, its position among the messages, and its bytes.
struct Numbered<'a> {
    position: usize,
    bytes: &'a [u8],
    letter: Letter<'a>,
}

/// With the key of its content.
struct Keyed<'a> {
    numbered: Numbered<'a>,
    message_key: MessageKey,
    spent: Spent,
}

/// A message that is authentic, or why it is not, with its place and the keys of its epoch.
struct Read<'a> {
    position: usize,
    place: Place,
    secret_tree: &'a SecretTree,
    result: Result<Opened, ProcessError>,
}

impl Numbered<'_> {
    fn place(&self) -> Place {
        let sender_data = &self.letter.sender_data;
        (self.letter.message.epoch, sender_data.leaf_index, sender_data.generation)
    }
}

impl Group {
    /// Opens application messages of this and of past epochs; the result for each, in their order. Nothing changes; give
    /// all that is `spent` to [`Group::record_all`].
    ///
    /// `None` stands for a proposal or a commit, of which nothing was checked: it is for [`Group::process`], and what
    /// comes behind a commit may be for the next epoch. Of messages that use one key, the first that is authentic counts,
    /// and those behind it are replays.
    ///
    /// # Errors
    /// For each message as [`Group::process`]. If a message is not authentic and its key is used or too far as well,
    /// either may be named.
    pub fn open_all<'a>(&'a self, env: &Env<'_>, messages: &[&'a [u8]]) -> Vec<Result<Option<Opened>, ProcessError>> {
        let mut outcomes: Vec<Outcome> = messages.iter().map(|_| Ok(None)).collect();
        let mut place = |position: usize, outcome: Outcome| {
            if let Some(slot) = outcomes.get_mut(position) {
                *slot = outcome;
            }
        };
        let mut letters = Vec::new();
        for (position, bytes, found) in self.letters(env, messages) {
            match found {
                Ok(Some(letter)) => letters.push(Numbered { position, bytes, letter }),
                Ok(None) => {}
                Err(error) => place(position, Err(error)),
            }
        }
        letters.sort_by_key(|letter| (letter.place(), letter.position));
        for (position, result) in self.read_all(env, letters) {
            place(position, result.map(Some));
        }
        outcomes
    }

    /// Works out what recording many used keys changes, in one step; see [`Group::record`].
    ///
    /// # Errors
    /// As [`Group::record`], if one of them cannot be recorded; record them one by one then.
    pub fn record_all(&self, env: &Env<'_>, mut spent: Vec<SpentMessage>) -> Result<Step, ProcessError> {
        // Keys kept from before go first: those that the others pass over may take their room.
        spent.sort_by_key(|message| (message.epoch, !message.spent.was_kept(), message.spent.id()));
        let mut changes = Vec::new();
        for of_epoch in spent.chunk_by(|one, next| one.epoch == next.epoch) {
            let Some(SpentMessage { epoch, .. }) = of_epoch.first() else { continue };
            let each = of_epoch.iter().map(|message| &message.spent);
            let tree = self.receiving_tree(*epoch)?;
            let planned = tree.plan_all(self.suite.as_ref(), each, env.limits, env.now)?;
            changes.extend(secret_tree_changes(*epoch, planned));
        }
        Ok(Step { revision: self.revision, changes, effect: Effect::SpendAll(spent) })
    }

    /// Decodes messages and opens their sender data, in parallel.
    fn letters<'a>(&'a self, env: &Env<'_>, messages: &[&'a [u8]]) -> Vec<Found<'a>> {
        let numbered = messages.iter().copied().enumerate().collect();
        let pieces = env.parallel.in_pieces(numbered, &|piece: Vec<(usize, &'a [u8])>| {
            let find = |(position, bytes)| (position, bytes, self.find_letter(env, bytes));
            piece.into_iter().map(find).collect::<Vec<_>>()
        });
        pieces.into_iter().flatten().collect()
    }

    /// An application message; `None` for a handshake.
    fn find_letter(&self, env: &Env<'_>, bytes: &[u8]) -> Result<Option<Letter<'_>>, ProcessError> {
        let message = match decode_exact(self.within_limit(env, bytes)?)? {
            MlsMessage::PrivateMessage(message) => *message,
            MlsMessage::PublicMessage(_) => return Ok(None),
            _ => return Err(DecodeError::UnsupportedWireFormat.into()),
        };
        if message.content_type != ContentType::Application {
            return Ok(None);
        }
        let current = message.epoch == self.epoch();
        let letter = self.letter(env, message, bytes)?;
        // FRM-20
        match self.own_message(Sender::Member(letter.sender_data.leaf_index), bytes) {
            Some(own) if current => own.map(|_| None),
            _ => Ok(Some(letter)),
        }
    }

    /// Opens letters, sorted by place and position. Of copies of one message, only the first is looked at.
    fn read_all<'a>(&'a self, env: &Env<'_>, letters: Vec<Numbered<'a>>) -> Vec<(usize, Result<Opened, ProcessError>)> {
        let mut originals: Vec<Numbered<'a>> = Vec::with_capacity(letters.len());
        let mut copies = Vec::new();
        for letter in letters {
            let mut same_place = originals.iter().rev().take_while(|original| original.place() == letter.place());
            match same_place.find(|original| original.bytes == letter.bytes) {
                Some(original) => copies.push((letter.position, letter.place(), original.position)),
                None => originals.push(letter),
            }
        }
        let (keyed, mut read) = self.find_keys(env, originals);
        let pieces = env.parallel.in_pieces(keyed, &|piece| self.read_piece(env, piece));
        read.extend(pieces.into_iter().flatten());
        read.sort_by_key(|read| (read.place, read.position));
        check_reach(env, &mut read);
        check_replays(&mut read);
        let errors: BTreeMap<usize, ProcessError> =
            read.iter().filter_map(|read| Some((read.position, read.result.as_ref().err()?.clone()))).collect();
        let copies = copies.into_iter().map(|(position, place, original)| {
            (position, Err(errors.get(&original).cloned().unwrap_or_else(|| replay(place))))
        });
        read.into_iter().map(|read| (read.position, read.result)).chain(copies).collect()
    }

    /// The key of each letter; along one walk for each sender.
    fn find_keys<'a>(&self, env: &Env<'_>, letters: Vec<Numbered<'a>>) -> (Vec<Keyed<'a>>, Vec<Read<'a>>) {
        let (mut keyed, mut failed) = (Vec::with_capacity(letters.len()), Vec::new());
        let (mut walk, mut epoch) = (Walk::default(), None);
        for numbered in letters {
            let place = numbered.place();
            if epoch.replace(place.0) != Some(place.0) {
                walk = Walk::default();
            }
            let secret_tree = numbered.letter.keys.secret_tree;
            match walk.peek(self.suite.as_ref(), secret_tree, key_id(place), env.limits) {
                Ok((message_key, spent)) => keyed.push(Keyed { numbered, message_key, spent }),
                Err(error) => {
                    failed.push(Read { position: numbered.position, place, secret_tree, result: Err(error) });
                }
            }
        }
        (keyed, failed)
    }

    /// Opens the contents of some letters and verifies their signatures in one batch.
    fn read_piece<'a>(&self, env: &Env<'_>, piece: Vec<Keyed<'a>>) -> Vec<Read<'a>> {
        let suite = self.suite.as_ref();
        let (mut claims, mut sealed, mut read) = (Vec::with_capacity(piece.len()), Vec::new(), Vec::new());
        for Keyed { numbered, message_key, spent } in piece {
            let (position, place) = (numbered.position, numbered.place());
            let Letter { keys, sender_data, message } = numbered.letter;
            let content = open_content(suite, &message_key, &sender_data, message);
            match content.and_then(Unverified::new) {
                Ok(claim) => {
                    claims.push((claim, &keys.leaf.signature_key, keys.encoded_context));
                    sealed.push((position, place, keys, spent));
                }
                Err(error) => {
                    read.push(Read { position, place, secret_tree: keys.secret_tree, result: Err(error) });
                }
            }
        }
        for ((position, place, keys, spent), authenticated) in sealed.into_iter().zip(authenticate_all(suite, claims)) {
            let result = authenticated.and_then(|authenticated| keys.opened(env, authenticated, spent));
            read.push(Read { position, place, secret_tree: keys.secret_tree, result });
        }
        read
    }
}

/// X-DOS-05: a message moves its sender's ratchet from where the last *authentic* one left it, so one that was reached
/// over a message which is not may be too far.
fn check_reach(env: &Env<'_>, read: &mut [Read<'_>]) {
    for of_sender in read.chunk_by_mut(|one, next| (one.place.0, one.place.1) == (next.place.0, next.place.1)) {
        let mut head = None;
        for of_key in of_sender.chunk_by_mut(|one, next| one.place == next.place) {
            let mut behind = head;
            for message in of_key.iter_mut().filter(|message| message.result.is_ok()) {
                match message.secret_tree.reach(head, key_id(message.place), env.limits) {
                    Ok(next) => behind = Some(next),
                    Err(error) => message.result = Err(error),
                }
            }
            head = behind;
        }
    }
}

/// PM-10: of messages with one key, the first that is authentic uses it up, whatever those behind it are.
fn check_replays(read: &mut [Read<'_>]) {
    for of_key in read.chunk_by_mut(|one, next| one.place == next.place) {
        let first = of_key.iter().position(|message| message.result.is_ok());
        for message in of_key.iter_mut().skip(first.map_or(usize::MAX, |first| first.saturating_add(1))) {
            message.result = Err(replay(message.place));
        }
    }
}

/// FRM-01, PM-06: application data has a ratchet of its own.
fn key_id((_, leaf, generation): Place) -> MessageKeyId {
    MessageKeyId::new(leaf, RatchetKind::Application, generation)
}

fn replay((_, leaf, generation): Place) -> ProcessError {
    ProcessError::ReplayDetected { leaf, generation }
}
