//! Where a group stands among its members.
//!
//! In: beacons, the signed words of members about which epochs they have. Out: [`Health`].
//! Always: a beacon moves no group and spends no key; what it shows is durable before it counts.

use mls_engine::group::{MessageOptions, Status};

use super::MlsHandle;
use crate::core_mls::{
    Health, beacon,
    cell::Serial,
    chronicle::Evidence,
    envelope::{MessageType, MlsEnvelope},
    error::{MlsError, MlsResult},
    passing::Beside,
    types::Incoming,
};

impl MlsHandle {
    /// Where the group stands, as far as we know. Only [`Health::Removed`] is certain by itself; a fork is found when members
    /// hear each other's beacons ([`MlsHandle::send_beacon`]), and healed with [`MlsHandle::heal`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Health, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.health()?, Health::InSync);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted, [`MlsError::Store`].
    pub fn health(&self) -> MlsResult<Health> {
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        self.health_in(&serial)
    }

    pub(super) fn health_in(&self, serial: &Serial) -> MlsResult<Health> {
        let (removed, epoch) = self.cell.look(|group| Ok((*group.status() == Status::Removed, group.epoch())))?;
        if removed {
            return Ok(Health::Removed);
        }
        Ok(self.cell.chronicle().health(epoch, serial.inbox.latest()))
    }

    /// Our beacon: our latest epochs, each by a hash of its authenticator (RFC 9420, Section 8.7), signed with the key of our
    /// leaf. For channels of the application's own; [`MlsHandle::send_beacon`] sends it inside the group. It tells who we are
    /// and how far we are to whoever reads it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Health, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// assert_eq!(joined.hear_beacon(&group.beacon()?)?, Health::InSync);
    /// // Alice goes on, and Bob does not hear of it until he hears her beacon.
    /// group.rotate()?;
    /// assert_eq!(joined.hear_beacon(&group.beacon()?)?, Health::Behind { epoch: 2 });
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NotAMember`], [`MlsError::CryptoError`] if signing fails.
    pub fn beacon(&self) -> MlsResult<Vec<u8>> {
        self.cell.glance(self.inner());
        self.cell.look(|group| match group.status() {
            Status::Removed => Err(MlsError::NotAMember),
            _ => Ok(()),
        })?;
        let keys = (&self.client.signature_private_key(), self.client.signature_key());
        beacon::sign(self.cell.suite(), keys, &self.cell.id, &self.cell.chronicle().latest())
    }

    /// Our beacon in a message of the group that says nothing else. Members that stand elsewhere, and cannot decrypt what we
    /// send, can read it all the same: it travels authenticated and in the open. Send one now and then, as once a day, and
    /// after a message that could not be decrypted.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Health, Incoming, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let Incoming::Beacon { sender, health } = joined.handle_incoming(&group.send_beacon()?)? else { unreachable!() };
    /// assert_eq!((&sender[..], health), (&b"alice"[..], Health::InSync));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::send_message`].
    pub fn send_beacon(&self) -> MlsResult<MlsEnvelope> {
        let authenticated_data = self.beacon()?;
        let (envelope, _) = self.change(|group, env| {
            let options = MessageOptions {
                padding: self.cell.terms().parameters.padding,
                authenticated_data: authenticated_data.clone(),
                ..MessageOptions::default()
            };
            let sealed = group.sender()?.send(env, &[], &options)?;
            let id = self.cell.message_id(&sealed.message);
            let envelope = MlsEnvelope::wrap_application(sealed.message)?;
            // Nothing is lost with it, and it needs no answer when it comes back.
            Ok((envelope, sealed.step, Beside { handled: Some(id), ..Beside::default() }))
        })?;
        Ok(envelope)
    }

    /// Compares a member's beacon with our own epochs; what it shows stays known across restarts. Returns where the group
    /// stands with that.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let mallory = Client::new(b"mallory", Arc::new(TrustOnFirstUse::new()))?;
    /// let (group, other) = (alice.create_group(None)?, mallory.create_group(None)?);
    /// assert_eq!(group.hear_beacon(&other.beacon()?), Err(MlsError::GroupMismatch));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::GroupMismatch`]; [`MlsError::UnknownIdentity`] if no member has this key; [`MlsError::CryptoError`] for a
    /// wrong signature; [`MlsError::Malformed`], [`MlsError::TooLarge`], [`MlsError::UnsupportedVersion`];
    /// [`MlsError::NotAMember`]; [`MlsError::Store`].
    pub fn hear_beacon(&self, beacon: &[u8]) -> MlsResult<Health> {
        self.hear(beacon, &Beside::default).map(|(_, health)| health)
    }

    /// A message with a beacon beside it, from whichever epoch.
    pub(super) fn take_beacon(&self, envelope: &MlsEnvelope) -> MlsResult<Option<Incoming>> {
        if envelope.message_type() != MessageType::Application {
            return Ok(None);
        }
        let Some(data) = envelope.readable_data()?.filter(|data| beacon::is_beacon(data)) else { return Ok(None) };
        let handled = Some(self.cell.message_id(envelope.payload()));
        let (sender, health) = self.hear(&data, &|| Beside { handled, ..Beside::default() })?;
        Ok(Some(Incoming::Beacon { sender, health }))
    }

    fn hear(&self, beacon: &[u8], beside: &dyn Fn() -> Beside) -> MlsResult<(Vec<u8>, Health)> {
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        if self.health_in(&serial)? == Health::Removed {
            return Err(MlsError::NotAMember);
        }
        let (claims, sender) = beacon::verify(self.cell.suite(), &self.cell.public(), beacon)?;
        let evidence = self.cell.chronicle().hear(&claims);
        if evidence == self.cell.chronicle().evidence {
            self.cell.note(self.inner(), &mut serial, beside)?;
        } else {
            let first_bad = evidence.first_bad().filter(|_| self.cell.chronicle().evidence.first_bad().is_none());
            self.keep_evidence(&mut serial, evidence, beside)?;
            first_bad.into_iter().for_each(|epoch| self.inner().watch.forked(&self.cell.id, epoch));
        }
        Ok((sender, self.health_in(&serial)?))
    }

    /// Durable first, then known.
    pub(super) fn keep_evidence(
        &self,
        serial: &mut Serial,
        evidence: Evidence,
        beside: &dyn Fn() -> Beside,
    ) -> MlsResult<()> {
        let (key, record) = evidence.record()?;
        self.cell.note(self.inner(), serial, || {
            let mut beside = beside();
            beside.more.push((key.clone(), record.as_ref().map(mls_crypto::Secret::duplicate)));
            beside
        })?;
        self.cell.set_evidence(evidence);
        Ok(())
    }
}
