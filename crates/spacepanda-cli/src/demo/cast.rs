//! The cast: members on their threads, and the line to each of them.
//!
//! In: orders. Out: reports, in the order they arrive.
//! Always: a member that fails or vanishes is an error at once, and silence is one after [`PATIENCE`]; when the cast is
//! dropped, all threads have ended.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use spacepanda_core::core_mls::MlsConfig;

use super::{
    delivery::Delivery,
    member::{Input, Member, Name, News, Order, Report, View},
    place::Place,
    trouble::Trouble,
};

/// How long nothing at all may happen.
const PATIENCE: Duration = Duration::from_secs(300);

/// Names of the first members; the others are numbered.
const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

/// All members, those who were removed included.
pub(crate) struct Cast {
    names: Vec<Name>,
    delivery: Arc<Delivery<Input>>,
    /// How members that were in the group before see it.
    views: Vec<(Name, View)>,
    inboxes: Vec<Sender<Input>>,
    threads: Vec<JoinHandle<()>>,
    reports: Receiver<Report>,
}

impl Cast {
    /// Starts `count` members, and waits until each says where it stands; who is in no group has published a key package.
    pub(crate) fn start(count: usize, config: &MlsConfig, place: &Place) -> Result<Self, Trouble> {
        let delivery = Arc::new(Delivery::new(Input::Parcel));
        let (report, reports) = channel();
        let mut cast =
            Self { names: Vec::new(), delivery, views: Vec::new(), inboxes: Vec::new(), threads: Vec::new(), reports };
        for number in 1..=count {
            cast.enter(number, config, place, report.clone())?;
        }
        drop(report);
        for _ in 0..count {
            let report = cast.next()?;
            match report.news {
                News::Ready(Some(view)) => cast.views.push((report.by, view)),
                News::Ready(None) => {}
                _ => return Err(Trouble::Confused),
            }
        }
        Ok(cast)
    }

    fn enter(
        &mut self,
        number: usize,
        config: &MlsConfig,
        place: &Place,
        report: Sender<Report>,
    ) -> Result<(), Trouble> {
        let name: Name = name(number).into();
        let (sender, inbox) = channel();
        self.delivery.connect(&name, sender.clone());
        let member =
            Member::new(Arc::clone(&name), (config.clone(), place.store(&name)?), Arc::clone(&self.delivery), report)
                .map_err(|error| Trouble::Member { name: Arc::clone(&name), fault: error.into() })?;
        let thread = thread::Builder::new().name(name.to_string());
        self.threads.push(thread.spawn(move || member.run(&inbox)).map_err(Trouble::Thread)?);
        self.names.push(name);
        self.inboxes.push(sender);
        Ok(())
    }

    /// Names of all members, the founder first.
    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }

    /// How members that were in the group before see it, in the order in which they said so.
    pub(crate) fn views(&self) -> &[(Name, View)] {
        &self.views
    }

    /// The delivery goes on at this epoch, for these members.
    pub(crate) fn resume(&self, epoch: u64, roster: &[Name]) {
        self.delivery.resume(epoch, roster);
    }

    /// Tells one member what to do.
    pub(crate) fn order(&self, name: &Name, order: Order) -> Result<(), Trouble> {
        let mut lines = self.names.iter().zip(&self.inboxes);
        let (_, inbox) = lines.find(|(known, _)| *known == name).ok_or(Trouble::Confused)?;
        inbox.send(Input::Order(order)).map_err(|_| Trouble::Vanished(Arc::clone(name)))
    }

    /// The next report, unless it is bad news.
    pub(crate) fn next(&self) -> Result<Report, Trouble> {
        match self.reports.recv_timeout(PATIENCE) {
            Ok(Report { by, news: News::Failed(fault) }) => Err(Trouble::Member { name: by, fault }),
            Ok(Report { by, news: News::Gone }) => Err(Trouble::Vanished(by)),
            Ok(report) => Ok(report),
            Err(RecvTimeoutError::Timeout) => Err(Trouble::Silence(PATIENCE)),
            Err(RecvTimeoutError::Disconnected) => Err(Trouble::Confused),
        }
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        for inbox in &self.inboxes {
            // Whoever has gone already needs not be told.
            let _ = inbox.send(Input::Order(Order::Leave));
        }
        for thread in self.threads.drain(..) {
            // A panic was reported when the member vanished.
            let _ = thread.join();
        }
    }
}

/// The name of a member, counted from 1.
pub(crate) fn name(number: usize) -> String {
    NAMES.get(number.saturating_sub(1)).map_or_else(|| format!("member-{number}"), |name| (*name).to_owned())
}
