//! What can be said about a request without any state: form, caps, kinds, signatures.

use std::collections::BTreeSet;

use mls_crypto::Opaque;
use mls_engine::{
    codec::decode_exact,
    message::{LeafNodeSource, MlsMessage},
};

use super::Rules;
use crate::{
    DeviceId, Digest, GroupId, Header, Limits, MessageKind, Rejection, Seq, Timestamp,
    access::{Access, Shown},
    header::{check_group_info, check_welcome},
    limits::length,
    request::{
        AcknowledgeLog, AcknowledgeMailbox, ClaimKeyPackages, CommitBundle, CreateGroup, DeliverDirect, Enrol,
        EpochStart, FetchGroupInfo, FetchLog, FetchMailbox, LeaveGroup, ListGroups, Pass, PublishKeyPackages,
        ReportInvalid, Request, SetPass, SubmitCommit, SubmitMessage,
    },
    rows::KeyPackageRow,
    shard::Inner,
};

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Enrol(Enrol),
    Publish(Vec<KeyPackageRow>),
    Claim(ClaimKeyPackages),
    Create(Box<CreateGroup>),
    Commit(Box<CheckedCommit>),
    Message(CheckedMessage),
    Direct(DeliverDirect),
    FetchLog(FetchLog),
    FetchMailbox(FetchMailbox),
    AcknowledgeLog(AcknowledgeLog),
    AcknowledgeMailbox(AcknowledgeMailbox),
    FetchInfo(CheckedInfo),
    Report(CheckedReport),
    ListGroups(ListGroups),
    Leave(LeaveGroup),
    Pass(CheckedPass),
    Inner(Box<Inner>),
}

/// A commit bundle.
#[derive(Clone, Debug)]
pub(super) struct CheckedCommit {
    pub(super) header: Header,
    pub(super) digest: Digest,
    pub(super) bundle: CommitBundle,
    pub(super) shown: Shown,
    /// Which of the invited has a full mailbox, if they are kept elsewhere.
    pub(super) full: Option<u64>,
}

/// A message or proposal.
#[derive(Clone, Debug)]
pub(super) struct CheckedMessage {
    pub(super) header: Header,
    pub(super) digest: Digest,
    pub(super) message: Opaque,
    pub(super) shown: Shown,
}

/// A request for a GroupInfo.
#[derive(Clone, Debug)]
pub(super) struct CheckedInfo {
    pub(super) group_id: GroupId,
    pub(super) shown: Shown,
}

/// A report of an invalid commit.
#[derive(Clone, Debug)]
pub(super) struct CheckedReport {
    pub(super) group_id: GroupId,
    pub(super) epoch: u64,
    pub(super) seq: Seq,
    pub(super) digest: Digest,
    pub(super) shown: Shown,
}

/// A pass of a group.
#[derive(Clone, Debug)]
pub(super) struct CheckedPass {
    pub(super) group_id: GroupId,
    pub(super) epoch: u64,
    pub(super) pass: Pass,
    pub(super) shown: Shown,
}

impl Work {
    /// The group that it is about.
    pub(super) fn group(&self) -> Option<&GroupId> {
        match self {
            Self::Create(create) => Some(&create.group_id),
            Self::Commit(commit) => Some(&commit.header.group_id),
            Self::Message(message) => Some(&message.header.group_id),
            Self::FetchLog(fetch) => Some(&fetch.group_id),
            Self::AcknowledgeLog(seen) => Some(&seen.group_id),
            Self::FetchInfo(fetch) => Some(&fetch.group_id),
            Self::Report(report) => Some(&report.group_id),
            Self::Leave(leave) => Some(&leave.group_id),
            Self::Pass(set) => Some(&set.group_id),
            _ => None,
        }
    }
}

impl CheckedMessage {
    pub(super) const fn is_proposal(&self) -> bool {
        matches!(self.header.kind, MessageKind::Proposal)
    }
}

pub(super) fn check(rules: &Rules, caller: DeviceId, request: Request, now: Timestamp) -> Result<Work, Rejection> {
    let limits = &rules.limits;
    Ok(match request {
        Request::Enrol(enrol) => Work::Enrol(check_enrol(rules, caller, enrol)?),
        Request::PublishKeyPackages(publish) => Work::Publish(check_packages(rules, publish, now)?),
        Request::ClaimKeyPackages(claim) => {
            Limits::check_len(claim.user.as_slice(), limits.max_name)?;
            Work::Claim(claim)
        }
        Request::CreateGroup(create) => {
            check_group_id(limits, &create.group_id)?;
            check_epoch(create.epoch)?;
            check_start(limits, &create.start, &create.group_id, create.epoch)?;
            Work::Create(Box::new(create))
        }
        Request::SubmitCommit(submit) => Work::Commit(Box::new(check_commit(rules, submit)?)),
        Request::SubmitMessage(submit) => Work::Message(check_message(rules, submit)?),
        Request::DeliverDirect(direct) => {
            Limits::check_len(direct.message.as_slice(), limits.max_message)?;
            decode_exact::<MlsMessage>(direct.message.as_slice()).map_err(|_| Rejection::Malformed)?;
            Work::Direct(direct)
        }
        Request::FetchLog(fetch) => Work::FetchLog(fetch),
        Request::FetchMailbox(fetch) => Work::FetchMailbox(fetch),
        Request::AcknowledgeLog(seen) => Work::AcknowledgeLog(seen),
        Request::AcknowledgeMailbox(seen) => Work::AcknowledgeMailbox(seen),
        Request::FetchGroupInfo(fetch) => Work::FetchInfo(check_info(rules, fetch)?),
        Request::ReportInvalid(report) => Work::Report(check_report(rules, report)?),
        Request::ListGroups(list) => Work::ListGroups(list),
        Request::LeaveGroup(leave) => Work::Leave(leave),
        Request::SetPass(set) => Work::Pass(check_pass(rules, set)?),
    })
}

fn check_enrol(rules: &Rules, caller: DeviceId, enrol: Enrol) -> Result<Enrol, Rejection> {
    let limit = rules.limits.max_name;
    let Enrol { user, key, invite, voucher: _ } = &enrol;
    for bytes in [user.as_slice(), key.public_key.as_slice(), invite.as_slice()] {
        Limits::check_len(bytes, limit)?;
    }
    // A device enrols itself: whoever logged in with another key asks for somebody else.
    if key.device(&rules.crypto)? == caller { Ok(enrol) } else { Err(Rejection::Forbidden) }
}

fn check_packages(rules: &Rules, publish: PublishKeyPackages, now: Timestamp) -> Result<Vec<KeyPackageRow>, Rejection> {
    Limits::check_count(publish.key_packages.len(), rules.limits.max_key_packages)?;
    let single = publish.key_packages.into_iter().map(|package| (package, false));
    let last = publish.last_resort.into_iter().map(|package| (package, true));
    single.chain(last).map(|(package, last_resort)| check_package(rules, package, last_resort, now)).collect()
}

/// Whoever claims a package checks it as RFC 9420, Section 10.1 says; the service looks at what it needs to hand it out.
fn check_package(
    rules: &Rules,
    key_package: Opaque,
    last_resort: bool,
    now: Timestamp,
) -> Result<KeyPackageRow, Rejection> {
    let bytes = key_package.as_slice();
    Limits::check_len(bytes, rules.limits.max_key_package)?;
    let MlsMessage::KeyPackage(package) = decode_exact(bytes).map_err(|_| Rejection::Malformed)? else {
        return Err(Rejection::WrongKind);
    };
    let LeafNodeSource::KeyPackage(lifetime) = &package.leaf_node.source else {
        return Err(Rejection::WrongKind);
    };
    if lifetime.not_after <= now || lifetime.not_before > lifetime.not_after {
        return Err(Rejection::KeyPackageExpired);
    }
    Ok(KeyPackageRow {
        digest: rules.crypto.digest(bytes),
        cipher_suite: package.cipher_suite,
        last_resort,
        expires: lifetime.not_after,
        key_package,
    })
}

fn check_commit(rules: &Rules, submit: SubmitCommit) -> Result<CheckedCommit, Rejection> {
    let SubmitCommit { group_id, bundle, access } = submit;
    check_caps(&rules.limits, &bundle)?;
    let header = check_label(&group_id, bundle.commit.as_slice())?;
    if header.kind != MessageKind::Commit {
        return Err(Rejection::WrongKind);
    }
    for invitation in &bundle.invitations {
        check_welcome(invitation.welcome.as_slice())?;
    }
    check_start(&rules.limits, &bundle.next, &group_id, header.epoch.saturating_add(1))?;
    check_epoch(header.epoch)?;
    let shown = access.check(&rules.crypto, &bundle.intent(&rules.crypto, &header)?)?;
    if matches!(shown, Shown::Join(_)) && !header.joining {
        return Err(Rejection::Forbidden);
    }
    let digest = rules.crypto.digest(bundle.commit.as_slice());
    Ok(CheckedCommit { header, digest, bundle, shown, full: None })
}

fn check_message(rules: &Rules, submit: SubmitMessage) -> Result<CheckedMessage, Rejection> {
    let SubmitMessage { group_id, message, access } = submit;
    Limits::check_len(message.as_slice(), rules.limits.max_message)?;
    let header = check_label(&group_id, message.as_slice())?;
    if header.kind == MessageKind::Commit {
        return Err(Rejection::WrongKind);
    }
    let shown = access.check(&rules.crypto, &SubmitMessage::intent(&rules.crypto, &header, &message)?)?;
    if matches!(shown, Shown::Join(_)) && !header.joining {
        return Err(Rejection::Forbidden);
    }
    let digest = rules.crypto.digest(message.as_slice());
    Ok(CheckedMessage { header, digest, message, shown })
}

fn check_info(rules: &Rules, fetch: FetchGroupInfo) -> Result<CheckedInfo, Rejection> {
    let FetchGroupInfo { group_id, access } = fetch;
    let epoch = match &access {
        Access::Member { epoch, .. } => *epoch,
        Access::Join(_) => 0,
    };
    let shown = access.check(&rules.crypto, &FetchGroupInfo::intent(&rules.crypto, &group_id, epoch)?)?;
    Ok(CheckedInfo { group_id, shown })
}

fn check_report(rules: &Rules, report: ReportInvalid) -> Result<CheckedReport, Rejection> {
    let ReportInvalid { group_id, epoch, seq, digest, access } = report;
    let intent = ReportInvalid::intent(&rules.crypto, (&group_id, epoch), seq, digest)?;
    match access.check(&rules.crypto, &intent)? {
        shown @ Shown::Member { .. } => Ok(CheckedReport { group_id, epoch, seq, digest, shown }),
        Shown::Join(_) => Err(Rejection::Forbidden),
    }
}

fn check_pass(rules: &Rules, set: SetPass) -> Result<CheckedPass, Rejection> {
    let SetPass { group_id, epoch, pass, access } = set;
    if let Some(user) = &pass.user {
        Limits::check_len(user.as_slice(), rules.limits.max_name)?;
    }
    let intent = SetPass::intent(&rules.crypto, (&group_id, epoch), &pass)?;
    match access.check(&rules.crypto, &intent)? {
        shown @ Shown::Member { .. } => Ok(CheckedPass { group_id, epoch, pass, shown }),
        Shown::Join(_) => Err(Rejection::Forbidden),
    }
}

/// The message says which group it is of. A service that trusted the label would put it into another group's order.
fn check_label(group_id: &GroupId, message: &[u8]) -> Result<Header, Rejection> {
    let header = Header::read(message)?;
    if header.group_id == *group_id { Ok(header) } else { Err(Rejection::Mislabelled) }
}

/// Stores count to 2^63; no group that began at 0 comes near.
fn check_epoch(epoch: u64) -> Result<(), Rejection> {
    if epoch < MAX_EPOCH { Ok(()) } else { Err(Rejection::Malformed) }
}

fn check_group_id(limits: &Limits, group_id: &GroupId) -> Result<(), Rejection> {
    Limits::check_len(group_id.as_slice(), limits.max_name)
}

fn check_caps(limits: &Limits, bundle: &CommitBundle) -> Result<(), Rejection> {
    let CommitBundle { commit, next, invitations, removed } = bundle;
    Limits::check_len(commit.as_slice(), limits.max_handshake)?;
    let invited = invitations.iter().map(|invitation| invitation.recipients.len());
    Limits::check_count(invited.fold(0, usize::saturating_add), limits.max_recipients)?;
    Limits::check_count(invitations.len(), limits.max_recipients)?;
    Limits::check_count(removed.len(), limits.max_recipients)?;
    let recipients = invitations.iter().flat_map(|invitation| &invitation.recipients);
    let distinct: BTreeSet<&DeviceId> = recipients.clone().collect();
    if distinct.len() != recipients.count() {
        return Err(Rejection::Malformed);
    }
    let info = [&next.group_info, &next.ratchet_tree].into_iter().flatten();
    let welcomes = invitations.iter().map(|invitation| &invitation.welcome);
    let mut total = length(commit.as_slice());
    for part in info.chain(welcomes) {
        Limits::check_len(part.as_slice(), limits.max_handshake)?;
        total = total.saturating_add(length(part.as_slice()));
    }
    if total > limits.max_bundle {
        return Err(Rejection::TooLarge { len: total, limit: limits.max_bundle });
    }
    Ok(())
}

fn check_start(limits: &Limits, start: &EpochStart, group_id: &GroupId, epoch: u64) -> Result<(), Rejection> {
    let EpochStart { write_key, join_token: _, group_info, ratchet_tree } = start;
    Limits::check_len(write_key.as_slice(), limits.max_name)?;
    for part in [group_info, ratchet_tree].into_iter().flatten() {
        Limits::check_len(part.as_slice(), limits.max_handshake)?;
    }
    match group_info {
        Some(info) => check_group_info(info.as_slice(), group_id, epoch),
        None => Ok(()),
    }
}

const MAX_EPOCH: u64 = 1 << 62;
