//! A home that is open, and the person who lives in it.

use std::{fs::File, sync::Arc};

use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{DeliveryService, ServiceCrypto};
use mls_delivery_client::Remote;
use spacepanda_core::core_mls::{Client, ClientBuilder, MlsConfig, MlsError, MlsHandle, store::StateStore};
use spacepanda_sync::{Account, DeviceTrust, News, SyncError};

use super::{
    Common, Printer, Trouble, groups,
    link::{Unreachable, connect},
    news,
    printer::hex,
    profile::Profile,
    roles,
};
use crate::home::Home;

/// Everything that a command needs.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) profile: Profile,
    pub(crate) account: Account,
    /// The service, once it was reached.
    remote: Option<Remote>,
    /// Others of this home wait until it is dropped.
    turn: Option<File>,
}

impl Session {
    /// Opens a home in which somebody lives. The service is not asked.
    pub(crate) fn offline(common: &Common) -> Result<Self, Trouble> {
        if !Home::has(&common.home, STORE)? {
            return Err(Trouble::NoIdentity);
        }
        let store = open_store(common, &Printer::new(common.json))?;
        let profile = Profile::load(&store)?.ok_or(Trouble::NoIdentity)?;
        let client = client(profile.user.as_slice(), &store)?;
        let crypto = crypto()?;
        let service = Arc::new(Unreachable(mls_delivery::Rejection::Unavailable));
        let account = Account::new(client, service, crypto, Arc::new(OsRandom))?;
        Ok(Self { store, profile, account, remote: None, turn: None })
    }

    /// The same with the service, if it can be reached; if not, whoever asks for it learns why. Waits for its turn: of the
    /// programs that use this home one at a time talks to the service.
    pub(crate) async fn open(common: &Common) -> Result<Self, Trouble> {
        let mut session = Self::offline(common)?;
        session.turn = Some(Home::turn(&common.home)?);
        session.reconnect().await?;
        Ok(session)
    }

    /// Tries to reach the service.
    pub(crate) async fn reconnect(&mut self) -> Result<(), Trouble> {
        let (client, crypto) = (self.account.client().clone(), crypto()?);
        let service: Arc<dyn DeliveryService> = match connect(&self.profile, &client, &crypto).await {
            Ok(remote) => {
                if let Some(token) = Profile::token(&self.store)? {
                    remote.resume(token);
                }
                self.remote = Some(remote.clone());
                Arc::new(remote)
            }
            Err(Trouble::Service(rejection)) => Arc::new(Unreachable(rejection)),
            Err(trouble) => return Err(trouble),
        };
        self.account = Account::new(client, service, crypto, Arc::new(OsRandom))?;
        Ok(())
    }

    /// Lets others have their turn.
    pub(crate) fn pause(&mut self) {
        self.turn = None;
    }

    /// Waits for its turn again.
    pub(crate) fn resume(&mut self, common: &Common) -> Result<(), Trouble> {
        self.turn = Some(Home::turn(&common.home)?);
        Ok(())
    }

    /// Keeps the token of a login for the next program of this home.
    fn keep_token(&self) -> Result<(), Trouble> {
        let Some(token) = self.remote.as_ref().and_then(Remote::token) else { return Ok(()) };
        if Profile::token(&self.store)?.as_ref() == Some(&token) {
            Ok(())
        } else {
            Profile::save_token(&self.store, &token)
        }
    }

    /// Enrols the device if the service does not know it.
    pub(crate) async fn enrol_if_needed(&mut self) -> Result<(), Trouble> {
        if self.profile.enrolled == 0 {
            self.account.enrol(b"", None).await?;
            self.enrolled()?;
        }
        Ok(())
    }

    /// Keeps that the service knows this device, and which service it was.
    pub(crate) fn enrolled(&mut self) -> Result<(), Trouble> {
        let key = self.account.service().capabilities().service_key;
        self.profile.service_key = Some(key.as_slice().into());
        self.profile.enrolled = 1;
        self.profile.save(&self.store)?;
        self.keep_token()
    }

    /// Brings everything into step, and tells what happened elsewhere. Errors of one group are told too, and are this command's
    /// only if it is about that group, or all.
    pub(crate) async fn sync(&mut self, printer: &Printer, about: Option<&MlsHandle>) -> Result<Vec<News>, Trouble> {
        self.sync_telling(about, &mut |line| printer.talk(&line)).await
    }

    /// The same, with what is told given to somebody.
    pub(crate) async fn sync_telling(
        &mut self,
        about: Option<&MlsHandle>,
        tell: &mut dyn FnMut(String),
    ) -> Result<Vec<News>, Trouble> {
        self.enrol_if_needed().await?;
        let mut ours = Vec::new();
        let mut end = Ok(());
        let synced = self.account.sync().await;
        self.keep_token()?;
        for report in synced? {
            let group = match self.account.client().group(&report.group_id) {
                // Nobody else was in it, and we left.
                Err(MlsError::UnknownGroup) => {
                    tell("you left a group that nobody else was in".to_owned());
                    continue;
                }
                group => group?,
            };
            let name = groups::name(&group);
            news::lines(&name, &report.news).into_iter().for_each(&mut *tell);
            let asked = about.is_none_or(|about| about.group_id() == report.group_id);
            match report.end {
                Err(error) if asked && end.is_ok() => end = Err(roles::explain(&group, error)),
                Err(error) => tell(format!("{name}: {}", roles::explain(&group, error))),
                Ok(()) => {}
            }
            if asked {
                ours.extend(report.news);
            }
        }
        end?;
        Ok(ours)
    }

    /// The group of this name, or whose id begins so.
    pub(crate) fn group(&self, wanted: &str) -> Result<MlsHandle, Trouble> {
        let mut found: Vec<MlsHandle> = Vec::new();
        for id in self.account.client().groups()? {
            let group = self.account.client().group(&id)?;
            let by_id = wanted.len() >= SHORT_ID && hex(&id).starts_with(&wanted.to_ascii_lowercase());
            if by_id || group.group_name().as_deref() == Some(wanted) {
                found.push(group);
            }
        }
        if found.len() > 1 {
            // A group that we left does not stand in the way of one that we are in.
            found.retain(|group| self.account.is_member(group));
        }
        match found.len() {
            0 => Err(Trouble::NoGroup(wanted.to_owned())),
            1 => found.pop().ok_or_else(|| Trouble::NoGroup(wanted.to_owned())),
            _ => Err(Trouble::Ambiguous(wanted.to_owned())),
        }
    }

    /// The group of this name; if there is none, it may be one that we are invited to.
    pub(crate) async fn find(&mut self, wanted: &str, printer: &Printer) -> Result<MlsHandle, Trouble> {
        match self.own_group(wanted) {
            Ok(group) => Ok(group),
            Err(missing) => {
                let synced = self.sync(printer, None).await;
                // Without the service there may be one, and nobody knows: that it is not here is what can be said.
                self.group(wanted).map_err(|_| synced.err().filter(|_| self.lonely()).unwrap_or(missing))
            }
        }
    }

    /// Whether there is no group at all here.
    fn lonely(&self) -> bool {
        self.account.client().groups().is_ok_and(|groups| groups.is_empty())
    }

    /// The same, if we are in it.
    pub(crate) fn own_group(&self, wanted: &str) -> Result<MlsHandle, Trouble> {
        let group = self.group(wanted)?;
        if self.account.is_member(&group) { Ok(group) } else { Err(SyncError::NotAMember.into()) }
    }
}

/// The store of a home, made if it is not there.
pub(crate) fn open_store(common: &Common, printer: &Printer) -> Result<Arc<dyn StateStore>, Trouble> {
    let home = Home::open(&common.home, || printer.talk("another program opens this home; waiting for it"))?;
    Ok(Arc::new(home.store(STORE)?))
}

/// The client of a store.
pub(crate) fn client(user: &[u8], store: &Arc<dyn StateStore>) -> Result<Client, Trouble> {
    Ok(builder(user, store)?.open()?)
}

/// The same, not open yet.
pub(crate) fn builder(user: &[u8], store: &Arc<dyn StateStore>) -> Result<ClientBuilder, Trouble> {
    let policy = Arc::new(DeviceTrust::open(Arc::clone(store))?);
    let mut config = MlsConfig::default();
    // What we said comes back from the queue, and not from an echo; and few people are invited to 100 groups at once.
    config.own_echo = false;
    // Where a group is open its policy says so; to others nobody is given what it takes.
    config.external_joins = true;
    (config.key_package_target, config.key_package_low_water) = (KEY_PACKAGES, KEY_PACKAGES_LOW);
    Ok(Client::builder(user, policy).config(config).store(Arc::clone(store)))
}

pub(crate) fn crypto() -> Result<ServiceCrypto, Trouble> {
    Ok(ServiceCrypto::new(Arc::new(AwsLc::default()))?)
}

/// The folder of the store, inside the home.
pub(crate) const STORE: &str = "me";
/// Digits of an id that are enough to name a group.
const SHORT_ID: usize = 6;
const KEY_PACKAGES: usize = 20;
const KEY_PACKAGES_LOW: usize = 8;
