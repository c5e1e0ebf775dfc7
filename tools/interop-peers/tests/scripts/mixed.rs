//! Both stacks as one: a cast says whose an actor is, by name.

use interop::{
    Answer, Change, CommitParams, Committed, ExternalJoinParams, Invitation, Outside, Published, Stack, SubgroupParams,
    message::{CreateGroupRequest, Extension, PreSharedKey},
};
use interop_peers::{
    MlsRs, MlsRsJoiner, MlsRsMember, MlsRsSigner, MlsRsSuccessor, OpenMls, OpenMlsJoiner, OpenMlsMember, OpenMlsSigner,
};

/// Whose somebody is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Peer {
    OpenMls,
    MlsRs,
}

/// Whose alice is, and whose everybody else is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cast {
    pub alice: Peer,
    pub others: Peer,
}

pub const OPEN_MLS: Cast = Cast { alice: Peer::OpenMls, others: Peer::OpenMls };
pub const MLS_RS: Cast = Cast { alice: Peer::MlsRs, others: Peer::MlsRs };
pub const OPEN_MLS_FIRST: Cast = Cast { alice: Peer::OpenMls, others: Peer::MlsRs };
pub const MLS_RS_FIRST: Cast = Cast { alice: Peer::MlsRs, others: Peer::OpenMls };

impl Cast {
    pub const ALL: [Self; 4] = [OPEN_MLS, MLS_RS, OPEN_MLS_FIRST, MLS_RS_FIRST];

    pub fn name(self) -> &'static str {
        match self {
            OPEN_MLS => "openmls",
            MLS_RS => "mls-rs",
            OPEN_MLS_FIRST => "openmls_first",
            _ => "mls-rs_first",
        }
    }

    fn peer(self, identity: &[u8]) -> Peer {
        if identity == b"alice" { self.alice } else { self.others }
    }

    pub fn suites(self) -> Vec<u16> {
        let of = |peer| match peer {
            Peer::OpenMls => OpenMls::default().cipher_suites(),
            Peer::MlsRs => MlsRs::default().cipher_suites(),
        };
        let others = of(self.others);
        of(self.alice).into_iter().filter(|suite| others.contains(suite)).collect()
    }
}

pub struct Mixed {
    cast: Cast,
    openmls: OpenMls,
    mls_rs: MlsRs,
}

impl Mixed {
    pub fn new(cast: Cast) -> Self {
        Self { cast, openmls: OpenMls::default(), mls_rs: MlsRs::default() }
    }
}

pub enum Either<O, M> {
    O(O),
    M(M),
}

impl<O, M> Either<O, M> {
    fn left<T>((value, rest): (O, T)) -> (Self, T) {
        (Self::O(value), rest)
    }

    fn right<T>((value, rest): (M, T)) -> (Self, T) {
        (Self::M(value), rest)
    }
}

/// One call, on whichever it is.
macro_rules! on {
    ($self:ident, $who:expr, $who2:ident => $method:ident($($argument:expr),*)) => {
        match $who {
            Either::O($who2) => $self.openmls.$method($who2, $($argument),*),
            Either::M($who2) => $self.mls_rs.$method($who2, $($argument),*),
        }
    };
}

/// A call that makes somebody, by identity.
macro_rules! make {
    ($self:ident, $identity:expr => $method:ident($($argument:expr),*)) => {
        match $self.cast.peer($identity) {
            Peer::OpenMls => $self.openmls.$method($($argument),*).map(Either::left),
            Peer::MlsRs => $self.mls_rs.$method($($argument),*).map(Either::right),
        }
    };
}

impl Stack for Mixed {
    type Member = Either<OpenMlsMember, MlsRsMember>;
    type Joiner = Either<OpenMlsJoiner, MlsRsJoiner>;
    type Successor = MlsRsSuccessor;
    type Signer = Either<OpenMlsSigner, MlsRsSigner>;

    fn name(&self) -> &str {
        self.cast.name()
    }

    fn cipher_suites(&self) -> Vec<u16> {
        self.cast.suites()
    }

    fn create_group(&self, call: &CreateGroupRequest) -> Answer<Self::Member> {
        match self.cast.peer(&call.identity) {
            Peer::OpenMls => self.openmls.create_group(call).map(Either::O),
            Peer::MlsRs => self.mls_rs.create_group(call).map(Either::M),
        }
    }

    fn create_key_package(&self, suite: u16, identity: &[u8]) -> Answer<(Self::Joiner, Published)> {
        make!(self, identity => create_key_package(suite, identity))
    }

    fn join(&self, joiner: &mut Self::Joiner, invitation: Invitation<'_>, encrypted: bool) -> Answer<Self::Member> {
        match joiner {
            Either::O(joiner) => self.openmls.join(joiner, invitation, encrypted).map(Either::O),
            Either::M(joiner) => self.mls_rs.join(joiner, invitation, encrypted).map(Either::M),
        }
    }

    fn join_external(&self, params: &ExternalJoinParams<'_>) -> Answer<(Self::Member, Vec<u8>)> {
        make!(self, params.identity => join_external(params))
    }

    fn group_info(&self, member: &mut Self::Member, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        on!(self, member, member => group_info(external_tree))
    }

    fn epoch_authenticator(&self, member: &Self::Member) -> Answer<Vec<u8>> {
        on!(self, member, member => epoch_authenticator())
    }

    fn export(&self, member: &mut Self::Member, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>> {
        on!(self, member, member => export(label, context, len))
    }

    fn protect(&self, member: &mut Self::Member, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        on!(self, member, member => protect(authenticated_data, plaintext))
    }

    fn unprotect(&self, member: &mut Self::Member, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        on!(self, member, member => unprotect(ciphertext))
    }

    fn store_psk(&self, member: &mut Self::Member, psk: &PreSharedKey) -> Answer<()> {
        on!(self, member, member => store_psk(psk))
    }

    fn store_psk_to_join(&self, joiner: &mut Self::Joiner, psk: &PreSharedKey) -> Answer<()> {
        on!(self, joiner, joiner => store_psk_to_join(psk))
    }

    fn propose(&self, member: &mut Self::Member, change: Change) -> Answer<Vec<u8>> {
        on!(self, member, member => propose(change))
    }

    fn commit(&self, member: &mut Self::Member, params: CommitParams) -> Answer<Committed> {
        on!(self, member, member => commit(params))
    }

    fn handle_pending_commit(&self, member: &mut Self::Member) -> Answer<()> {
        on!(self, member, member => handle_pending_commit())
    }

    fn handle_commit(&self, member: &mut Self::Member, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        on!(self, member, member => handle_commit(proposals, commit))
    }

    fn begin_reinit(&self, member: Self::Member) -> Answer<(Self::Successor, Vec<u8>)> {
        match member {
            Either::O(member) => match self.openmls.begin_reinit(member)? {},
            Either::M(member) => self.mls_rs.begin_reinit(member),
        }
    }

    fn reinit_welcome(
        &self,
        successor: &mut Self::Successor,
        params: &SubgroupParams<'_>,
    ) -> Answer<(Self::Member, Committed)> {
        self.mls_rs.reinit_welcome(successor, params).map(Either::right)
    }

    fn handle_reinit_welcome(
        &self,
        successor: &mut Self::Successor,
        invitation: Invitation<'_>,
    ) -> Answer<Self::Member> {
        self.mls_rs.handle_reinit_welcome(successor, invitation).map(Either::M)
    }

    fn create_branch(
        &self,
        parent: &mut Self::Member,
        place: (&[u8], &[Extension]),
        params: &SubgroupParams<'_>,
    ) -> Answer<(Self::Member, Committed)> {
        match parent {
            Either::O(parent) => self.openmls.create_branch(parent, place, params).map(Either::left),
            Either::M(parent) => self.mls_rs.create_branch(parent, place, params).map(Either::right),
        }
    }

    fn handle_branch(
        &self,
        parent: &mut Self::Member,
        joiner: &mut Self::Joiner,
        invitation: Invitation<'_>,
    ) -> Answer<Self::Member> {
        match (parent, joiner) {
            (Either::O(parent), Either::O(joiner)) => {
                self.openmls.handle_branch(parent, joiner, invitation).map(Either::O)
            }
            (Either::M(parent), Either::M(joiner)) => {
                self.mls_rs.handle_branch(parent, joiner, invitation).map(Either::M)
            }
            _ => panic!("one actor is one peer's"),
        }
    }

    fn new_member_add_proposal(&self, group_info: &[u8], identity: &[u8]) -> Answer<(Self::Joiner, Published)> {
        make!(self, identity => new_member_add_proposal(group_info, identity))
    }

    fn create_external_signer(&self, suite: u16, identity: &[u8]) -> Answer<(Self::Signer, Vec<u8>)> {
        make!(self, identity => create_external_signer(suite, identity))
    }

    fn external_signer_proposal(&self, signer: &Self::Signer, group: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        on!(self, signer, signer => external_signer_proposal(group, change))
    }
}
