//! What goes on behind the screen: one thread that keeps the home in step with the service, and tells what is new.
//!
//! In: orders. Out: events.
//! Always: what was said is durable before anything is sent; other programs of the same home have their turn while nothing happens
//! here; without the service everything but the news goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::Sender,
    time::Duration,
};

use mls_delivery::{GroupId, Rejection, Seq, Watch, hub::Topic};
use spacepanda_core::core_mls::MlsHandle;
use spacepanda_sync::safety_number;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    super::{Common, Trouble, groups, roles, session::Session},
    model::{Event, Group, Link, Member, Said},
};

/// From the screen.
#[derive(Debug)]
pub(super) enum Order {
    Say { group: Vec<u8>, text: String },
    Seen { group: Vec<u8>, seq: u64 },
}

/// To the screen.
#[derive(Debug)]
pub(super) enum Report {
    /// The home is open: who lives there, and which group is to be shown.
    Ready {
        who: String,
        selected: Option<Vec<u8>>,
    },
    Event(Event),
    /// Nothing more comes.
    Ended,
}

/// Until there are no more orders to come, or the home fails.
pub(super) async fn work(
    common: &Common,
    wanted: Option<&str>,
    mut orders: UnboundedReceiver<Order>,
    out: &Sender<Report>,
) -> Result<(), Trouble> {
    let session = Session::offline(common)?;
    let selected = wanted.map(|wanted| session.group(wanted).map(|group| group.group_id())).transpose()?;
    let _shown = out.send(Report::Ready { who: session.profile.user(), selected });
    let mut worker = Worker { session, common, out, known: BTreeMap::new(), watch: None, up: false };
    worker.tell_news()?;
    let mut waiting = Vec::new();
    loop {
        worker.round(core::mem::take(&mut waiting)).await?;
        if !worker.rest(&mut orders, &mut waiting).await {
            return Ok(());
        }
    }
}

/// What was read of a group's history, up to a place of its log.
#[derive(Default)]
struct Known {
    processed: Option<Seq>,
    messages: Vec<Said>,
}

/// Hints about these groups.
type Watched = (BTreeSet<Vec<u8>>, Box<dyn Watch>);

struct Worker<'a> {
    session: Session,
    common: &'a Common,
    out: &'a Sender<Report>,
    known: BTreeMap<Vec<u8>, Known>,
    watch: Option<Watched>,
    /// Whether the service was there when it was last asked.
    up: bool,
}

impl Worker<'_> {
    fn send(&self, event: Event) {
        // Without a screen nobody has to know.
        let _shown = self.out.send(Report::Event(event));
    }

    /// Takes orders, brings everything into step, and tells what is new.
    async fn round(&mut self, orders: Vec<Order>) -> Result<(), Trouble> {
        self.session.resume(self.common)?;
        let ordered = !orders.is_empty();
        for order in orders {
            self.take(order)?;
        }
        if ordered {
            self.tell_news()?;
        }
        if !self.up {
            self.session.reconnect().await?;
        }
        let mut told = Vec::new();
        let synced = self.session.sync_telling(None, &mut |line| told.push(line)).await;
        self.up = match synced {
            Ok(_) => true,
            Err(Trouble::Service(rejection)) if gone(&rejection) => false,
            Err(trouble) => {
                told.push(trouble.to_string());
                true
            }
        };
        if !self.up {
            self.watch = None;
        }
        told.into_iter().for_each(|line| self.send(Event::Told(line)));
        self.send(Event::Link(if self.up { Link::Up } else { Link::Down }));
        self.tell_news()?;
        self.session.pause();
        Ok(())
    }

    fn take(&self, order: Order) -> Result<(), Trouble> {
        let account = &self.session.account;
        match order {
            Order::Say { group, text } => {
                let group = account.client().group(&group)?;
                if let Err(error) = account.queue_message(&group, text.as_bytes()) {
                    let why = roles::explain(&group, error).to_string();
                    self.send(Event::Refused { text, why });
                }
            }
            Order::Seen { group, seq } => {
                account.mark_seen(&account.client().group(&group)?, Seq::new(seq))?;
            }
        }
        Ok(())
    }

    /// Waits for an order, or for something to fetch; false if there are no more orders to come.
    async fn rest(&mut self, orders: &mut UnboundedReceiver<Order>, taken: &mut Vec<Order>) -> bool {
        let hint = async {
            match &mut self.watch {
                Some((_, watch)) => drop(tokio::time::timeout(PATIENCE, watch.next()).await),
                None => tokio::time::sleep(PAUSE).await,
            }
        };
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => taken.push(order),
                None => return false,
            },
            () = hint => {}
        }
        while let Ok(order) = orders.try_recv() {
            taken.push(order);
        }
        true
    }

    /// Tells how all groups are now, and watches those that there are.
    fn tell_news(&mut self) -> Result<(), Trouble> {
        let mut all = Vec::new();
        let ids = self.session.account.client().groups()?;
        for id in &ids {
            let group = self.session.account.client().group(id)?;
            all.push(self.describe(&group)?);
        }
        all.sort_by(|first, second| (&first.name, &first.id).cmp(&(&second.name, &second.id)));
        self.send(Event::News(all));
        let ids: BTreeSet<Vec<u8>> = ids.into_iter().collect();
        if self.up && self.watch.as_ref().is_none_or(|(watched, _)| *watched != ids) {
            let mut topics = vec![Topic::Mailbox(self.session.account.device())];
            topics.extend(ids.iter().map(|id| Topic::Log(GroupId::new(id.clone()))));
            self.watch = Some((ids, self.session.account.service().watch(topics)));
        }
        Ok(())
    }

    fn describe(&mut self, group: &MlsHandle) -> Result<Group, Trouble> {
        let (session, id) = (&self.session, group.group_id());
        let known = self.known.entry(id.clone()).or_default();
        let processed = session.account.processed(group)?;
        if known.processed != processed || processed.is_none() {
            let own = group.own_identity();
            let said = session.account.history(group)?.into_iter().map(|said| Said {
                seq: said.seq.get(),
                from: String::from_utf8_lossy(said.sender.as_slice()).into_owned(),
                text: String::from_utf8_lossy(said.text.as_slice()).into_owned(),
                own: said.sender.as_slice() == own,
            });
            *known = Known { processed, messages: said.collect() };
        }
        let (messages, wishes) = session.account.waiting(group)?;
        let state = groups::state(session, group)?;
        let usual = matches!(state, "in step" | "waiting to send");
        Ok(Group {
            id,
            name: groups::name(group),
            epoch: group.epoch(),
            safety: group.epoch_authenticator().map(|bytes| safety_number(&bytes)).unwrap_or_default(),
            state: if usual { String::new() } else { state.to_owned() },
            members: people(group),
            messages: known.messages.clone(),
            waiting: messages.saturating_add(wishes),
            seen: session.account.seen(group)?.map_or(0, Seq::get),
        })
    }
}

/// The people of a group, each with all devices.
fn people(group: &MlsHandle) -> Vec<Member> {
    let mut people: Vec<Member> = Vec::new();
    for member in group.members() {
        let name = String::from_utf8_lossy(&member.identity).into_owned();
        match people.iter_mut().find(|known| known.name == name) {
            Some(known) => known.devices = known.devices.saturating_add(1),
            None => people.push(Member { name, role: member.role.map(roles::name), devices: 1, trust: "" }),
        }
    }
    people
}

fn gone(rejection: &Rejection) -> bool {
    rejection.retryable() || *rejection == Rejection::Unauthenticated
}

/// Longer than the service answers a watch.
const PATIENCE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_secs(2);
