//! The conductor: who does what when, and whether all agreed.
//!
//! In: lines, and a screen to tell events to. Out: a tally.
//! Always: a step ends when every member has reported on it; the next one begins after that.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    agreement::{Heard, Said, reading, same_view},
    cast::Cast,
    event::{Commit, Event},
    member::{Goal, Name, News, Order, View},
    screen::Screen,
    script::Script,
    trouble::Trouble,
};

/// Lines between renewals of keys, at least.
const RENEW_EVERY: usize = 4;
/// Renewals in what is known of the input, about: long input has them further apart.
const RENEWALS: usize = 50;
/// Fewest members of a group of which one can be removed: two go on talking.
const ENOUGH_TO_REMOVE: usize = 3;
/// Fewest lines with a half-way between them.
const ENOUGH_TO_HALVE: usize = 4;

/// What it came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Tally {
    /// Lines that were said, and compared.
    pub(crate) messages: u64,
    pub(crate) epochs: u64,
    pub(crate) conflicts: u64,
    /// Whether everybody agreed about everything so far.
    pub(crate) agreed: bool,
}

impl Tally {
    /// Nothing was said, and nobody disagrees.
    pub(crate) const START: Self = Self { messages: 0, epochs: 0, conflicts: 0, agreed: true };
}

/// A conversation that is going on.
pub(crate) struct Conductor<'a> {
    cast: Cast,
    /// Members of the group, in the order of their leaves.
    roster: Vec<Name>,
    /// Who was removed.
    removed: Option<Name>,
    /// Whether somebody spoke since then.
    spoken_since: bool,
    /// Whose turn it is to do something other than speaking.
    turn: usize,
    screen: &'a mut Screen,
    tally: &'a mut Tally,
}

impl<'a> Conductor<'a> {
    pub(crate) fn new(cast: Cast, screen: &'a mut Screen, tally: &'a mut Tally) -> Self {
        let roster = cast.names().to_vec();
        Self { cast, roster, removed: None, spoken_since: false, turn: 0, screen, tally }
    }

    /// The whole conversation. What it came to so far is in the tally, also on an error.
    pub(crate) fn hold(mut self, script: &mut Script) -> Result<(), Trouble> {
        self.begin()?;
        let plan = Plan::new(script.known().0, self.roster.len());
        let mut said = 0_usize;
        while let Some(line) = script.next_line().map_err(Trouble::Input)? {
            let from = pick(&self.roster, said)?;
            self.say(&from, &line, true)?;
            if plan.renews_after(said) {
                self.renew()?;
            }
            said = said.saturating_add(1);
            if plan.remove_after == Some(said) {
                self.remove()?;
            }
            self.screen.progress(said);
        }
        self.finish()
    }

    /// A new group, or the one of an earlier run.
    fn begin(&mut self) -> Result<(), Trouble> {
        let founder = self.roster.first().cloned().ok_or(Trouble::Confused)?;
        let views = self.cast.views().to_vec();
        let names = self.cast.names().to_vec();
        let Some((_, view)) = views.iter().find(|(name, _)| *name == founder) else {
            // What others remember of a group without its founder is of no use.
            self.forget(&names)?;
            return self.found();
        };
        let (present, absent): (Vec<_>, Vec<_>) =
            names.iter().cloned().partition(|name| view.members.iter().any(|member| **member == **name));
        let present_views: Vec<_> = views.iter().filter(|(name, _)| present.contains(name)).cloned().collect();
        if !same_view(view.epoch, &present_views, &present) {
            return Err(Trouble::Interrupted);
        }
        self.cast.resume(view.epoch, &present);
        let commit = Commit { by: Arc::clone(&founder), goal: Goal::Resume, conflicts: 0 };
        let members = view.members.iter().map(String::as_str).collect();
        let authenticator = hex(&view.authenticator);
        self.screen.show(&Event::Epoch { epoch: view.epoch, members, authenticator, commit: &commit })?;
        if absent.is_empty() { Ok(()) } else { self.invite(&founder, absent) }
    }

    /// Whoever is missing is invited again.
    fn invite(&mut self, founder: &Name, absent: Vec<Name>) -> Result<(), Trouble> {
        self.forget(&absent)?;
        let goal = Goal::Invite(absent);
        self.cast.order(founder, Order::Stage(goal.clone()))?;
        match self.cast.next()?.news {
            News::Staged => {}
            _ => return Err(Trouble::Confused),
        }
        self.cast.order(founder, Order::Submit)?;
        self.watch(&goal, 1)
    }

    fn forget(&self, names: &[Name]) -> Result<(), Trouble> {
        for name in names {
            self.cast.order(name, Order::Forget)?;
            match self.cast.next()?.news {
                News::Ready(None) => {}
                _ => return Err(Trouble::Confused),
            }
        }
        Ok(())
    }

    fn found(&mut self) -> Result<(), Trouble> {
        let (founder, others) = self.roster.split_first().ok_or(Trouble::Confused)?;
        let goal = Goal::Invite(others.to_vec());
        self.cast.order(founder, Order::Found(goal.clone()))?;
        self.watch(&goal, 1)
    }

    /// Two members want new keys in the same epoch. One is first; the other follows, and tries again.
    fn renew(&mut self) -> Result<(), Trouble> {
        let racers = [self.next_turn()?, self.next_turn()?];
        for racer in &racers {
            self.cast.order(racer, Order::Stage(Goal::Renew))?;
        }
        // Only when both have a commit for this epoch do they submit, so that one of them has to lose.
        for _ in &racers {
            match self.cast.next()?.news {
                News::Staged => {}
                _ => return Err(Trouble::Confused),
            }
        }
        for racer in &racers {
            self.cast.order(racer, Order::Submit)?;
        }
        self.watch(&Goal::Renew, racers.len())
    }

    fn remove(&mut self) -> Result<(), Trouble> {
        let who = self.roster.get(3).or(self.roster.last()).cloned().ok_or(Trouble::Confused)?;
        self.roster.retain(|name| *name != who);
        let by = self.next_turn()?;
        let goal = Goal::Remove(Arc::clone(&who));
        self.cast.order(&who, Order::Cling)?;
        self.cast.order(&by, Order::Stage(goal.clone()))?;
        match self.cast.next()?.news {
            News::Staged => {}
            _ => return Err(Trouble::Confused),
        }
        self.cast.order(&by, Order::Submit)?;
        (self.removed, self.spoken_since) = (Some(who), false);
        self.watch(&goal, 1)
    }

    /// One message to all others. `shown` if it is one of the lines.
    fn say(&mut self, from: &Name, text: &str, shown: bool) -> Result<(), Trouble> {
        self.cast.order(from, Order::Say(text.to_owned()))?;
        let mut sent = None;
        let mut heard: Vec<Heard> = Vec::new();
        let mut positions = Vec::new();
        while sent.is_none() || heard.len() < self.roster.len() {
            let report = self.cast.next()?;
            match report.news {
                News::Sent { position, epoch } => sent = Some((position, epoch)),
                News::Heard { position, hearing } => {
                    positions.push(position);
                    heard.push((report.by, hearing));
                }
                _ => return Err(Trouble::Confused),
            }
        }
        let (position, epoch) = sent.ok_or(Trouble::Confused)?;
        let outcome = reading(&Said { epoch, from, text }, &heard, &self.roster);
        let agreed = outcome.agreed && positions.iter().all(|heard_at| *heard_at == position);
        self.judge(agreed, || format!("envelope {position} in epoch {epoch} was not read alike by all"));
        self.spoken_since = true;
        if !shown {
            return Ok(());
        }
        self.tally.messages = self.tally.messages.saturating_add(1);
        let read_by = outcome.read_by.iter().map(|name| &**name).collect();
        self.screen.show(&Event::Message { epoch, from, text, read_by })
    }

    /// Follows `count` commits for the same goal, until all members are in the epoch of the last one.
    fn watch(&mut self, goal: &Goal, count: usize) -> Result<(), Trouble> {
        let mut commits = BTreeMap::new();
        let mut views: BTreeMap<u64, Vec<(Name, View)>> = BTreeMap::new();
        let expected = count.saturating_mul(self.roster.len());
        while commits.len() < count || views.values().map(Vec::len).sum::<usize>() < expected {
            let report = self.cast.next()?;
            match report.news {
                News::Entered(view) => views.entry(view.epoch).or_default().push((report.by, view)),
                News::Committed { epoch, conflicts } => {
                    commits.insert(epoch, Commit { by: report.by, goal: goal.clone(), conflicts });
                }
                _ => return Err(Trouble::Confused),
            }
        }
        self.judge(views.len() == commits.len(), || "members are in epochs that nobody began".to_owned());
        for (epoch, commit) in &commits {
            self.tally.conflicts = self.tally.conflicts.saturating_add(commit.conflicts.into());
            self.announce(*epoch, views.get(epoch).map_or(&[], Vec::as_slice), commit)?;
        }
        Ok(())
    }

    fn announce(&mut self, epoch: u64, views: &[(Name, View)], commit: &Commit) -> Result<(), Trouble> {
        self.judge(same_view(epoch, views, &self.roster), || format!("members see epoch {epoch} differently"));
        self.tally.epochs = self.tally.epochs.saturating_add(1);
        let Some((_, view)) = views.first() else { return Ok(()) };
        let members = view.members.iter().map(String::as_str).collect();
        self.screen.show(&Event::Epoch { epoch, members, authenticator: hex(&view.authenticator), commit })
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        let Some(who) = self.removed.take() else { return Ok(()) };
        if !self.spoken_since {
            // Too few lines to have one left: something has to be there that cannot be read.
            let from = self.next_turn()?;
            self.say(&from, "Can you still read this?", false)?;
        }
        self.confess(&who)
    }

    fn confess(&mut self, who: &Name) -> Result<(), Trouble> {
        self.cast.order(who, Order::Confess)?;
        let News::Tried { attempts, successes } = self.cast.next()?.news else { return Err(Trouble::Confused) };
        self.judge(attempts > 0 && successes == 0, || {
            format!("{who} read {successes} of {attempts} after its removal")
        });
        self.screen.show(&Event::Removed { who, could_read: successes > 0, attempts })
    }

    /// Remembers a disagreement, and says what it is about.
    fn judge(&mut self, holds: bool, about: impl FnOnce() -> String) {
        if !holds {
            self.tally.agreed = false;
            self.screen.notice(&format!("disagreement: {}; please report it with the input that leads here", about()));
        }
    }

    fn next_turn(&mut self) -> Result<Name, Trouble> {
        self.turn = self.turn.saturating_add(1);
        pick(&self.roster, self.turn)
    }
}

/// When what happens, in lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Plan {
    renew_every: usize,
    remove_after: Option<usize>,
}

impl Plan {
    /// For so many lines that are known of; more may follow.
    fn new(lines: usize, members: usize) -> Self {
        let halfway = if lines < ENOUGH_TO_HALVE { lines } else { lines.div_euclid(2) };
        Self {
            renew_every: RENEW_EVERY.max(lines.div_euclid(RENEWALS)),
            remove_after: (members >= ENOUGH_TO_REMOVE).then_some(halfway),
        }
    }

    /// Whether keys are renewed after this line, the first being 0: then, and at regular distances.
    fn renews_after(self, line: usize) -> bool {
        line.checked_rem(self.renew_every) == Some(0)
    }
}

/// The one whose turn it is.
fn pick(roster: &[Name], turn: usize) -> Result<Name, Trouble> {
    let index = turn.checked_rem(roster.len()).ok_or(Trouble::Confused)?;
    roster.get(index).cloned().ok_or(Trouble::Confused)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
