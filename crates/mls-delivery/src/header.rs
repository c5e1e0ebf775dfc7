//! What a delivery service reads from a message: its group, its epoch and its kind (RFC 9420, Section 6).
//!
//! In: the bytes of an MLSMessage. Out: the header. Always: it is the message that says so, whatever a client claims.

use mls_engine::{
    codec::decode_exact,
    message::{ContentType, MlsMessage, Sender},
};

use crate::{GroupId, Rejection};

/// What a message is for the order of its group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MessageKind {
    /// It ends an epoch.
    Commit,
    /// It is for the next commit.
    Proposal,
    /// It is for people.
    Application,
}

/// The head of a PublicMessage or PrivateMessage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Which group.
    pub group_id: GroupId,
    /// Which epoch.
    pub epoch: u64,
    /// What it is.
    pub kind: MessageKind,
    /// Whether its content can be read by anybody.
    pub public: bool,
    /// Whether it comes from a client that is no member yet, which only a public message can tell.
    pub joining: bool,
}

impl Header {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Rejection::Malformed`]; [`Rejection::WrongKind`] for a Welcome, GroupInfo or KeyPackage, and for application data
    /// in the open, which Section 6 forbids.
    pub fn read(message: &[u8]) -> Result<Self, Rejection> {
        match decode_exact(message).map_err(|_| Rejection::Malformed)? {
            MlsMessage::PublicMessage(message) => {
                let content = message.content;
                let kind = match content.content.content_type() {
                    ContentType::Commit => MessageKind::Commit,
                    ContentType::Proposal => MessageKind::Proposal,
                    ContentType::Application => return Err(Rejection::WrongKind),
                };
                let joining = matches!(content.sender, Sender::NewMemberCommit | Sender::NewMemberProposal);
                let group_id = GroupId::new(content.group_id);
                Ok(Self { group_id, epoch: content.epoch, kind, public: true, joining })
            }
            MlsMessage::PrivateMessage(message) => {
                let kind = match message.content_type {
                    ContentType::Commit => MessageKind::Commit,
                    ContentType::Proposal => MessageKind::Proposal,
                    ContentType::Application => MessageKind::Application,
                };
                let group_id = GroupId::new(message.group_id);
                Ok(Self { group_id, epoch: message.epoch, kind, public: false, joining: false })
            }
            _ => Err(Rejection::WrongKind),
        }
    }
}

/// Refuses what is no Welcome.
pub(crate) fn check_welcome(message: &[u8]) -> Result<(), Rejection> {
    match decode_exact(message).map_err(|_| Rejection::Malformed)? {
        MlsMessage::Welcome(_) => Ok(()),
        _ => Err(Rejection::WrongKind),
    }
}

/// Refuses what is no GroupInfo of this group and epoch.
pub(crate) fn check_group_info(message: &[u8], group_id: &GroupId, epoch: u64) -> Result<(), Rejection> {
    let MlsMessage::GroupInfo(info) = decode_exact(message).map_err(|_| Rejection::Malformed)? else {
        return Err(Rejection::WrongKind);
    };
    let context = &info.group_context;
    let ours = context.group_id.as_slice() == group_id.as_slice() && context.epoch == epoch;
    if ours { Ok(()) } else { Err(Rejection::Mislabelled) }
}
