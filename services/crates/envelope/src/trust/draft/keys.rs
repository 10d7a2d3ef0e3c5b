//! Adds, rotates and revokes the keys of a draft list.

use std::time::Duration;

use rovuma_schemas::{AgencyCode, Timestamp};

use super::{DraftFault, KeyTerm, TrustListDraft};
use crate::{
    Algorithm, KeyId, PublicKey, SealingRecipient,
    trust::{Revocation, RevocationReason, SealingKeyEntry, SigningKeyEntry},
};

impl TrustListDraft {
    /// Adds a signing key.
    ///
    /// # Errors
    /// [`DraftFault::UnknownAgency`]. A key that the list already has is refused when the list is signed.
    pub fn add_signing_key(
        &mut self,
        code: &AgencyCode,
        key: PublicKey,
        term: KeyTerm,
    ) -> Result<(), DraftFault> {
        self.agency(code)?.signing_keys.push(SigningKeyEntry {
            kid: *key.key_id(),
            alg: Algorithm::EdDsa,
            key,
            not_before: term.not_before,
            not_after: term.not_after,
            revoked: None,
        });
        Ok(())
    }

    /// Adds a sealing key.
    ///
    /// # Errors
    /// [`DraftFault::UnknownAgency`].
    pub fn add_sealing_key(
        &mut self,
        code: &AgencyCode,
        recipient: SealingRecipient,
        term: KeyTerm,
    ) -> Result<(), DraftFault> {
        let KeyTerm { not_before, not_after } = term;
        let entry = SealingKeyEntry { recipient, not_before, not_after, revoked: None };
        self.agency(code)?.sealing_keys.push(entry);
        Ok(())
    }

    /// Adds a signing key and ends the present ones `overlap` after the new one begins.
    ///
    /// # Errors
    /// [`DraftFault::UnknownAgency`].
    pub fn rotate_signing_key(
        &mut self,
        code: &AgencyCode,
        key: PublicKey,
        term: KeyTerm,
        overlap: Duration,
    ) -> Result<(), DraftFault> {
        let end = term.not_before.plus(overlap);
        for entry in &mut self.agency(code)?.signing_keys {
            shorten(entry.not_before, &mut entry.not_after, end);
        }
        self.add_signing_key(code, key, term)
    }

    /// Adds a sealing key and ends the present ones `overlap` after the new one begins. The owner keeps
    /// the old private key 90 days longer, to open bundles that are still under way.
    ///
    /// # Errors
    /// [`DraftFault::UnknownAgency`].
    pub fn rotate_sealing_key(
        &mut self,
        code: &AgencyCode,
        recipient: SealingRecipient,
        term: KeyTerm,
        overlap: Duration,
    ) -> Result<(), DraftFault> {
        let end = term.not_before.plus(overlap);
        for entry in &mut self.agency(code)?.sealing_keys {
            shorten(entry.not_before, &mut entry.not_after, end);
        }
        self.add_sealing_key(code, recipient, term)
    }

    /// Revokes a signing key. A key revoked for another reason may later be revoked as compromised, never
    /// the other way round.
    ///
    /// # Errors
    /// [`DraftFault`] for an unknown agency or key, or a key already revoked as compromised.
    pub fn revoke_signing_key(
        &mut self,
        code: &AgencyCode,
        kid: &KeyId,
        revocation: Revocation,
    ) -> Result<(), DraftFault> {
        let key = kid.to_string();
        let entries = &mut self.agency(code)?.signing_keys;
        let entry = entries.iter_mut().find(|entry| entry.kid == *kid);
        revoke(code, key, entry.map(|entry| &mut entry.revoked), revocation)
    }

    /// Revokes a sealing key.
    ///
    /// # Errors
    /// [`DraftFault`] for an unknown agency or key, or a key already revoked as compromised.
    pub fn revoke_sealing_key(
        &mut self,
        code: &AgencyCode,
        recipient: &SealingRecipient,
        revocation: Revocation,
    ) -> Result<(), DraftFault> {
        let entries = &mut self.agency(code)?.sealing_keys;
        let entry = entries.iter_mut().find(|entry| entry.recipient == *recipient);
        revoke(code, recipient.to_string(), entry.map(|entry| &mut entry.revoked), revocation)
    }
}

/// Moves a key's end to `end`, but never later than it was and not before its beginning.
fn shorten(not_before: Timestamp, not_after: &mut Timestamp, end: Timestamp) {
    if end > not_before {
        *not_after = end.min(*not_after);
    }
}

fn revoke(
    code: &AgencyCode,
    key: String,
    entry: Option<&mut Option<Revocation>>,
    revocation: Revocation,
) -> Result<(), DraftFault> {
    let slot = entry.ok_or_else(|| DraftFault::UnknownKey { agency: code.clone(), key: key.clone() })?;
    let is_final = |revocation: &Revocation| revocation.reason == RevocationReason::Compromised;
    if slot.as_ref().is_some_and(is_final) {
        return Err(DraftFault::RevokedAlready { agency: code.clone(), key });
    }
    *slot = Some(revocation);
    Ok(())
}
