//! Who plays whom.
//!
//! In: how many clients and actors there are. Out: assignments of a client to each actor.
//! Always: every assignment where they can be counted; of large casts those in which all take turns, from each beginning.

/// Which assignments to play.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Assignments {
    /// All; of casts with more than [`Assignments::MOST`] those in which all take turns, from each beginning.
    #[default]
    All,
    /// Each client alone, and all taking turns, from each beginning.
    Turns,
    /// One that this seed draws.
    Random(u64),
}

impl Assignments {
    /// The most assignments that are all played.
    pub const MOST: usize = 1_024;
}

/// A client for each actor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Assignment {
    pub(super) players: Vec<usize>,
    /// What it is called, if its players are too many to name.
    short: Option<String>,
}

impl Assignment {
    /// Its players' names in the order of the actors' names, or what it is called.
    pub(super) fn label(&self, names: &[&str]) -> String {
        let alone = self.players.first().filter(|first| self.players.iter().all(|player| player == *first));
        match (alone.and_then(|player| names.get(*player)), &self.short) {
            (Some(name), _) => format!("all {name}"),
            (None, Some(short)) => short.clone(),
            (None, None) => {
                let players: Vec<&str> = self.players.iter().filter_map(|player| names.get(*player).copied()).collect();
                players.join(", ")
            }
        }
    }
}

/// The assignments of a plan.
pub(super) fn assignments(clients: usize, actors: usize, which: Assignments) -> Vec<Assignment> {
    let count = u32::try_from(actors).ok().and_then(|actors| clients.checked_pow(actors));
    match which {
        Assignments::All => match count.filter(|count| *count <= Assignments::MOST) {
            Some(count) => (0..count).map(|number| counted(number, clients, actors)).collect(),
            None => by_turns(clients, actors),
        },
        Assignments::Turns => alone(clients, actors).into_iter().chain(mixed(clients, actors)).collect(),
        Assignments::Random(seed) => vec![random(seed, clients, actors)],
    }
}

/// Each client in every role.
fn alone(clients: usize, actors: usize) -> Vec<Assignment> {
    (0..clients).map(|client| Assignment { players: vec![client; actors], short: None }).collect()
}

/// All take turns, beginning with each; alone if there is one.
fn by_turns(clients: usize, actors: usize) -> Vec<Assignment> {
    if clients == 1 { alone(clients, actors) } else { mixed(clients, actors) }
}

fn mixed(clients: usize, actors: usize) -> Vec<Assignment> {
    let first = if clients > 1 { clients } else { 0 };
    let turn = |first| Assignment {
        players: (0..clients).cycle().skip(first).take(actors).collect(),
        short: (actors > FEW).then(|| format!("taking turns from client {first}")),
    };
    (0..first).map(turn).collect()
}

/// The digits of `number` to the base of `clients`.
fn counted(number: usize, clients: usize, actors: usize) -> Assignment {
    let mut rest = number;
    let mut players = Vec::new();
    for _ in 0..actors {
        players.push(rest.checked_rem(clients).unwrap_or(0));
        rest = rest.checked_div(clients).unwrap_or(0);
    }
    Assignment { players, short: None }
}

fn random(seed: u64, clients: usize, actors: usize) -> Assignment {
    // SplitMix64 (Steele, Lea, Flood 2014): enough to mix clients.
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0)
    };
    let players = (0..actors).map(|_| next().checked_rem(clients).unwrap_or(0)).collect();
    Assignment { players, short: Some(format!("drawn with seed {seed}")) }
}

/// Actors whose players are named one by one.
const FEW: usize = 12;

#[cfg(test)]
mod tests;
