//! What the service is told: by flags, then by the environment, then by a file, and else by default.
//!
//! In: options. Out: settings that are complete.
//! Always: what is unknown in the file is an error; what is printed can be used as a file, and says the same.

use std::{
    env, fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use mls_delivery::{Digest, Enrolment, Invite, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Trouble, directory::PeerSetting};

/// Run a delivery service, which lets people on different machines talk.
///
/// It orders the messages of groups and keeps them until everybody has them; it can read none of them. Everything is in
/// one folder. On addresses that others can reach it wants a certificate, or to be told that a proxy has one.
///
/// Each option can also be given in a file, under its name without the dashes. An option wins over the environment, and
/// both over the file.
#[derive(Args, Debug)]
pub(crate) struct ServeOptions {
    /// File with settings, TOML
    #[arg(long, value_name = "FILE", env = "PANDA_SERVE_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Print the settings that would be used, as such a file, and end
    #[arg(long)]
    pub(crate) print_config: bool,

    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) wishes: Box<Wishes>,
}

/// What may be left out.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Wishes {
    /// Folder of the service: its keys and its database
    #[arg(long, value_name = "DIR", env = "PANDA_SERVE_DATA")]
    data: Option<PathBuf>,

    /// PostgreSQL in place of the folder's database, for more than one node: `postgres://user@host,host/name?sslmode=require`.
    /// One with a password does not belong on a command line: it goes into PANDA_SERVE_DATABASE, or into the file
    ///
    /// Given more than once, groups are spread over the databases; the first one is home to devices and mailboxes, and stays
    /// the first
    #[arg(long, value_name = "URL")]
    #[serde(deserialize_with = "one_or_more")]
    database: Option<Vec<String>>,

    /// Whose certificate of the database to believe, PEM
    #[arg(long, value_name = "FILE", env = "PANDA_SERVE_DATABASE_CA")]
    database_ca: Option<PathBuf>,

    /// Connections to the database at a time
    #[arg(long, value_name = "N", env = "PANDA_SERVE_DATABASE_CONNECTIONS")]
    database_connections: Option<u32>,

    /// Where to listen: 127.0.0.1:8470 if nothing else is said
    #[arg(long, value_name = "ADDRESS:PORT", env = "PANDA_SERVE_LISTEN")]
    listen: Option<SocketAddr>,

    /// The name that devices log in to, mostly the host's; on this machine `localhost`. One that two services share lets
    /// each log in to the other as whoever logs in to it
    #[arg(long, env = "PANDA_SERVE_NAME")]
    name: Option<String>,

    /// Where to answer `GET /metrics`, for Prometheus: nowhere if nothing is said. Best where only the operator can connect
    #[arg(long, value_name = "ADDRESS:PORT", env = "PANDA_SERVE_METRICS")]
    metrics: Option<SocketAddr>,

    /// Chain of certificates, PEM
    #[arg(long, value_name = "FILE", env = "PANDA_SERVE_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,

    /// Private key of the first certificate, PEM
    #[arg(long, value_name = "FILE", env = "PANDA_SERVE_TLS_KEY")]
    tls_key: Option<PathBuf>,

    /// A proxy that speaks TLS stands in front
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "PANDA_SERVE_BEHIND_PROXY")]
    behind_proxy: Option<bool>,

    /// Connections at a time
    #[arg(long, value_name = "N", env = "PANDA_SERVE_CONNECTIONS")]
    connections: Option<u32>,

    /// Connections at a time from one address
    #[arg(long, value_name = "N", env = "PANDA_SERVE_CONNECTIONS_PER_ADDRESS")]
    connections_per_address: Option<u32>,

    /// Who may enrol a device: `open` if only this machine can connect, else `closed`
    #[arg(long, value_enum, env = "PANDA_SERVE_ENROLMENT")]
    enrolment: Option<EnrolmentKind>,

    /// Users who may enrol, for `--enrolment users`
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', env = "PANDA_SERVE_USERS")]
    users: Option<Vec<String>>,

    /// Only in the file: they are secrets' digests with counts.
    #[arg(skip)]
    invites: Option<Vec<InviteSetting>>,

    /// Only in the file: each has an address and a key.
    #[arg(skip)]
    peers: Option<Vec<PeerSetting>>,
}

/// Who may enrol.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EnrolmentKind {
    /// Nobody
    Closed,
    /// Everybody who can connect
    Open,
    /// Users on the list
    Users,
    /// Whoever has an invite that the file lists
    Invites,
}

/// An invite, known by the digest of its token.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct InviteSetting {
    /// SHA-256 of the token, in hexadecimal digits.
    token_sha256: Digest,
    /// How many devices may use it.
    uses: u64,
    /// Until when, in seconds since 1970.
    expires: u64,
}

/// Settings that are complete.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    /// Not shown if it holds a password.
    #[serde(skip_serializing_if = "is_secret", serialize_with = "one_or_all")]
    pub(crate) database: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database_ca: Option<PathBuf>,
    pub(crate) database_connections: u32,
    pub(crate) listen: SocketAddr,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) behind_proxy: bool,
    pub(crate) connections: u32,
    pub(crate) connections_per_address: u32,
    pub(crate) enrolment: EnrolmentKind,
    users: Vec<String>,
    invites: Vec<InviteSetting>,
    /// Services whose directories are followed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) peers: Vec<PeerSetting>,
}

impl Settings {
    /// Options over environment over file over defaults. `folder` is where data is kept if nothing is said.
    pub(crate) fn gather(options: &ServeOptions, folder: impl FnOnce() -> Option<PathBuf>) -> Result<Self, Trouble> {
        let file = options.config.as_deref().map(read).transpose()?.unwrap_or_default();
        if options.wishes.database.iter().flatten().any(|address| has_password(address)) {
            return Err(Trouble::PasswordShown);
        }
        let mut wishes = Wishes::clone(&options.wishes);
        // Not left to the parser of options, which would not tell it from the command line.
        let listed = |list: String| list.split_whitespace().map(str::to_owned).collect();
        wishes.database = wishes.database.or_else(|| env::var("PANDA_SERVE_DATABASE").ok().map(listed));
        let wishes = wishes.or(file);
        let listen = wishes.listen.unwrap_or(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 8470));
        let behind_proxy = wishes.behind_proxy.unwrap_or(false);
        let alone = listen.ip().is_loopback() && !behind_proxy;
        let name = wishes.name.or_else(|| alone.then(|| "localhost".to_owned())).ok_or(Trouble::NoName)?;
        let usual = if alone { EnrolmentKind::Open } else { EnrolmentKind::Closed };
        if wishes.tls_certificate.is_some() != wishes.tls_key.is_some() {
            return Err(Trouble::HalfTls);
        }
        Ok(Self {
            data: wishes.data.or_else(folder).ok_or(Trouble::NoFolder)?,
            database: wishes.database.unwrap_or_default(),
            database_ca: wishes.database_ca,
            database_connections: wishes.database_connections.unwrap_or(16),
            listen,
            name,
            metrics: wishes.metrics,
            tls_certificate: wishes.tls_certificate,
            tls_key: wishes.tls_key,
            behind_proxy,
            connections: wishes.connections.unwrap_or(16_384),
            // Behind a proxy all connections come from its address.
            connections_per_address: wishes.connections_per_address.unwrap_or(if behind_proxy { 16_384 } else { 64 }),
            enrolment: wishes.enrolment.unwrap_or(usual),
            users: wishes.users.unwrap_or_default(),
            invites: wishes.invites.unwrap_or_default(),
            peers: wishes.peers.unwrap_or_default(),
        })
    }

    /// As a file.
    pub(crate) fn to_toml(&self) -> Result<String, Trouble> {
        toml::to_string(self).map_err(|_| Trouble::Unprintable)
    }

    /// Who may enrol.
    pub(crate) fn enrolment(&self) -> Enrolment {
        match self.enrolment {
            EnrolmentKind::Closed => Enrolment::Closed,
            EnrolmentKind::Open => Enrolment::Open,
            EnrolmentKind::Users => {
                Enrolment::Users(self.users.iter().map(|name| UserId::new(name.as_bytes())).collect())
            }
            EnrolmentKind::Invites => Enrolment::Invites(self.invites.iter().map(InviteSetting::invite).collect()),
        }
    }
}

impl Wishes {
    fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            database: self.database.or(other.database),
            database_ca: self.database_ca.or(other.database_ca),
            database_connections: self.database_connections.or(other.database_connections),
            listen: self.listen.or(other.listen),
            name: self.name.or(other.name),
            metrics: self.metrics.or(other.metrics),
            tls_certificate: self.tls_certificate.or(other.tls_certificate),
            tls_key: self.tls_key.or(other.tls_key),
            behind_proxy: self.behind_proxy.or(other.behind_proxy),
            connections: self.connections.or(other.connections),
            connections_per_address: self.connections_per_address.or(other.connections_per_address),
            enrolment: self.enrolment.or(other.enrolment),
            users: self.users.or(other.users),
            invites: self.invites.or(other.invites),
            peers: self.peers.or(other.peers),
        }
    }
}

impl InviteSetting {
    const fn invite(&self) -> Invite {
        Invite { token: self.token_sha256, uses: self.uses, expires: self.expires }
    }
}

/// Whether an address of a database holds a password, in front of the host or among the parameters.
fn has_password(address: &str) -> bool {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest).split(['/', '?']).next();
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':')) || address.contains("password")
}

fn is_secret(addresses: &[String]) -> bool {
    addresses.is_empty() || addresses.iter().any(|address| has_password(address))
}

/// One address, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Some(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(address) => vec![address],
        OneOrMore::More(addresses) => addresses,
    }))
}

fn one_or_all<S: Serializer>(addresses: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match addresses {
        [address] => address.serialize(serializer),
        all => all.serialize(serializer),
    }
}

fn read(file: &Path) -> Result<Wishes, Trouble> {
    let text = fs::read_to_string(file).map_err(Trouble::Config)?;
    toml::from_str(&text).map_err(|error| Trouble::ConfigText(Box::new(error)))
}
