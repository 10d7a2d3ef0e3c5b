//! Adds, rotates and revokes the keys of a draft list.

use std::time::Duration;

use rovuma_schemas::{AgencyCode, Timestamp};

use super::{DraftFault, KeyTerm, TrustListDraft};
use crate::{
    Algorithm, KeyId, PublicKey, SealingRecipient,
    trust::{ContentFault, ListedAgency, Revocation, RevocationReason, SealingKeyEntry, SigningKeyEntry},
};

impl TrustListDraft {
    /// Adds a signing key.
    ///
    /// # Errors
    /// [`DraftFault::UnknownAgency`], or [`ContentFault::KeyTwice`] when the list has the key already, of whichever agency.
    pub fn add_signing_key(
        &mut self,
        code: &AgencyCode,
        key: PublicKey,
        term: KeyTerm,
    ) -> Result<(), DraftFault> {
        self.agency(code)?;
        let has_key = |agency: &&ListedAgency| agency.signing_keys.iter().any(|entry| entry.key == key);
        if let Some(owner) = self.content.agencies.iter().find(has_key) {
            let (agency, key) = (owner.code.clone(), key.key_id().to_string());
            return Err(ContentFault::KeyTwice { agency, key }.into());
        }
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
    /// [`DraftFault::UnknownAgency`], or [`ContentFault::KeyTwice`] when the list has the key already, of whichever agency.
    pub fn add_sealing_key(
        &mut self,
        code: &AgencyCode,
        recipient: SealingRecipient,
        term: KeyTerm,
    ) -> Result<(), DraftFault> {
        self.agency(code)?;
        let has_key =
            |agency: &&ListedAgency| agency.sealing_keys.iter().any(|entry| entry.recipient == recipient);
        if let Some(owner) = self.content.agencies.iter().find(has_key) {
            let (agency, key) = (owner.code.clone(), recipient.to_string());
            return Err(ContentFault::KeyTwice { agency, key }.into());
        }
        let KeyTerm { not_before, not_after } = term;
        let entry = SealingKeyEntry { recipient, not_before, not_after, revoked: None };
        self.agency(code)?.sealing_keys.push(entry);
        Ok(())
    }

    /// Takes a signing key out, with all entries that it has. Only for a key that no signed list has had: what an earlier key
    /// signed is verified by it still, so such a key is revoked or ends.
    ///
    /// # Errors
    /// [`DraftFault`] for an unknown agency or key.
    pub fn remove_signing_key(&mut self, code: &AgencyCode, kid: &KeyId) -> Result<(), DraftFault> {
        let entries = &mut self.agency(code)?.signing_keys;
        let before = entries.len();
        entries.retain(|entry| entry.kid != *kid);
        if entries.len() < before { Ok(()) } else { Err(unknown(code, kid.to_string())) }
    }

    /// Takes a sealing key out, with all entries that it has. Only for a key that no signed list has had.
    ///
    /// # Errors
    /// [`DraftFault`] for an unknown agency or key.
    pub fn remove_sealing_key(
        &mut self,
        code: &AgencyCode,
        recipient: &SealingRecipient,
    ) -> Result<(), DraftFault> {
        let entries = &mut self.agency(code)?.sealing_keys;
        let before = entries.len();
        entries.retain(|entry| entry.recipient != *recipient);
        if entries.len() < before { Ok(()) } else { Err(unknown(code, recipient.to_string())) }
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

fn unknown(code: &AgencyCode, key: String) -> DraftFault {
    DraftFault::UnknownKey { agency: code.clone(), key }
}

fn revoke(
    code: &AgencyCode,
    key: String,
    entry: Option<&mut Option<Revocation>>,
    revocation: Revocation,
) -> Result<(), DraftFault> {
    let slot = entry.ok_or_else(|| unknown(code, key.clone()))?;
    let is_final = |revocation: &Revocation| revocation.reason == RevocationReason::Compromised;
    if slot.as_ref().is_some_and(is_final) {
        return Err(DraftFault::RevokedAlready { agency: code.clone(), key });
    }
    *slot = Some(revocation);
    Ok(())
}
