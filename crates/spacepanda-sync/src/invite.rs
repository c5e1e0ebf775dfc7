//! Invites: codes with which people ask to be let in, and what they allow.
//!
//! In: who may use it, how often, until when. Out: a code to be handed over by other means.
//! Always: whoever made the invite lets people in, by a commit like any other; the code alone opens nothing, and no service can
//! use it. Whether it is used up, over or taken back is decided where it was made. Invites to groups that are open are another
//! kind: see [`Account::invite_open`].

use mls_crypto::{Opaque, Secret};
use mls_delivery::DeviceId;
use mls_engine::codec::{decode_exact, encode};
use spacepanda_core::core_mls::{ApplicationRow, MlsHandle};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    Account, SyncError, SyncResult,
    rows::{decode, put},
};

/// An invite as its maker keeps it.
#[derive(Clone, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Invite {
    /// Its name: not secret.
    pub id: [u8; 16],
    pub(crate) secret: Opaque,
    /// How many devices it lets in.
    pub uses: u32,
    /// Until when, in seconds since 1970.
    pub expires: u64,
    /// Whom it is for; everybody who knows it if empty.
    pub target: Opaque,
    /// 1 once it was taken back.
    pub revoked: u8,
    /// Whom it has let in.
    pub used_by: Vec<DeviceId>,
    /// 1 if others join with it by themselves; the service counts them.
    pub open: u8,
}

/// What is handed over.
#[derive(Clone, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct InviteCode {
    pub(crate) group_id: Opaque,
    pub(crate) inviter: DeviceId,
    pub(crate) id: [u8; 16],
    pub(crate) secret: Opaque,
    pub(crate) open: u8,
}

impl Invite {
    /// Whether it lets in this device of this user at this time.
    pub fn allows(&self, user: &[u8], device: DeviceId, now: u64) -> bool {
        let used = u32::try_from(self.used_by.len()).unwrap_or(u32::MAX);
        let for_them = self.target.as_slice().is_empty() || self.target.as_slice() == user;
        self.revoked == 0 && now < self.expires && for_them && (used < self.uses || self.used_by.contains(&device))
    }
}

impl InviteCode {
    /// As text that survives being pasted: lower-case letters and digits.
    ///
    /// # Errors
    /// [`SyncError::NotACode`] if it is too long.
    pub fn to_text(&self) -> SyncResult<String> {
        let bytes = encode(self).map_err(|_| SyncError::NotACode)?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{PREFIX}{hex}"))
    }

    /// Reads the text; what stands around it is ignored.
    ///
    /// # Errors
    /// [`SyncError::NotACode`].
    pub fn from_text(text: &str) -> SyncResult<Self> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(SyncError::NotACode)?.as_bytes();
        let (pairs, rest) = digits.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(SyncError::NotACode);
        }
        let byte = |pair: &[u8; 2]| {
            let text = core::str::from_utf8(pair).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
            u8::from_str_radix(text, 16).ok()
        };
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        decode_exact(&bytes.ok_or(SyncError::NotACode)?).map_err(|_| SyncError::NotACode)
    }

    /// Whether it lets us join by ourselves: [`Account::join_open`], and not [`Account::ask_to_join`].
    pub const fn is_open(&self) -> bool {
        self.open == 1
    }

    /// Which group it leads to.
    pub fn group_id(&self) -> &[u8] {
        self.group_id.as_slice()
    }
}

impl core::fmt::Debug for Invite {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { id: _, secret: _, uses, expires, target: _, revoked, used_by, open } = self;
        let used = used_by.len();
        write!(f, "Invite {{ uses: {uses}, used: {used}, expires: {expires}, revoked: {revoked}, open: {open}, .. }}")
    }
}

impl core::fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("InviteCode(..)")
    }
}

impl Account {
    /// Makes an invite. It is for `uses` devices, until `expires` (seconds since 1970, as the service's clock has it), and for
    /// `target` only if one is named.
    ///
    /// # Errors
    /// [`SyncError::NotAMember`]; [`SyncError::Group`] if randomness or the store fails.
    pub fn invite(
        &self,
        group: &MlsHandle,
        uses: u32,
        expires: u64,
        target: Option<&[u8]>,
    ) -> SyncResult<(Invite, InviteCode)> {
        self.check_member(group)?;
        let (invite, code) = self.draw_invite(group, (uses, expires), (target, 0))?;
        group.write_application_rows(vec![put_invite(&invite)?])?;
        Ok((invite, code))
    }

    pub(crate) fn draw_invite(
        &self,
        group: &MlsHandle,
        (uses, expires): (u32, u64),
        (target, open): (Option<&[u8]>, u8),
    ) -> SyncResult<(Invite, InviteCode)> {
        let secret = Secret::copy_from(&self.draw::<32>()?);
        let (id, secret) = (self.draw()?, Opaque::from(secret.as_slice()));
        let target = target.unwrap_or_default().into();
        let used_by = Vec::new();
        let invite = Invite { id, secret: secret.clone(), uses, expires, target, revoked: 0, used_by, open };
        let code = InviteCode { group_id: group.group_id().into(), inviter: self.device(), id, secret, open };
        Ok((invite, code))
    }

    /// The invites that were made here for a group, also those that are over.
    ///
    /// # Errors
    /// [`SyncError::Group`], [`SyncError::InvalidRow`].
    pub fn invites(&self, group: &MlsHandle) -> SyncResult<Vec<Invite>> {
        let rows = group.application_rows()?.into_iter().filter(|row| row.key.first() == Some(&INVITE));
        rows.filter_map(|row| row.value).map(|value| decode(&value)).collect()
    }

    /// Takes an invite back: nobody gets in with it any more. Whether there was one of this name that was not.
    ///
    /// # Errors
    /// [`SyncError::Group`], [`SyncError::InvalidRow`].
    pub fn revoke_invite(&self, group: &MlsHandle, id: &[u8]) -> SyncResult<bool> {
        let invites = self.invites(group)?;
        let Some(invite) = invites.into_iter().find(|invite| invite.id == id && invite.revoked == 0) else {
            return Ok(false);
        };
        group.write_application_rows(vec![put_invite(&Invite { revoked: 1, ..invite })?])?;
        Ok(true)
    }
}

pub(crate) fn put_invite(invite: &Invite) -> SyncResult<ApplicationRow> {
    let mut key = vec![INVITE];
    key.extend(invite.id);
    put(key, invite)
}

const PREFIX: &str = "panda1";
const INVITE: u8 = b'i';
