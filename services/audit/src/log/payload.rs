//! Seals events, each under the key of a scope, such as its message, so that the events of a scope can be erased together.
//!
//! A leaf records for ever who did what to which identifier. A payload holds the whole event and the salt of the leaf's
//! commitment: `commit = SHA-256(salt ‖ event)`. Erasing deletes the sealed event and the salt of its key. Without the
//! commitment's salt nobody can test guesses against the commitment.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use rovuma_envelope::{BadSealingKey, SealingKey, digest};
use rovuma_schemas::{Digest, audit::AuditAction};
use rovuma_store::{Conn, Insert, padded_list, with_list};
use sqlx::Row;
use zeroize::Zeroizing;

use super::LogEvent;
use crate::error::DbError;

/// Length of a commitment's salt.
const COMMIT_SALT_BYTES: usize = 32;

/// Length of the salt with which a scope's key is derived.
const KEY_SALT_BYTES: usize = 32;

/// Stands for the entry's index when a text is no entry's payload, so that it cannot be used as one.
const NO_ENTRY: i64 = -1;

/// The purpose of a scope's key (RFC 5869, `info`).
const KEY_INFO: &[u8] = b"rovuma audit payload v1";

/// The kind of an object that is a sender's reference, and of its scope.
pub(crate) const REFERENCE: &str = "reference";

/// The purpose of the key of references.
const REFERENCE_INFO: &[u8] = b"rovuma audit reference v1";

/// The secret from which the keys of all payloads are derived: an age identity, like the other secrets that open sealed data.
/// Without it a copy of the database shows no event.
pub(crate) struct PayloadKey {
    secret: Zeroizing<String>,
    /// The key of the HMAC by which references are looked up.
    reference_key: hmac::Key,
}

/// An event that is sealed for the store.
#[derive(Debug)]
pub(crate) struct SealedEvent {
    /// The scope, see [`PayloadKey::scope_of`].
    pub(crate) scope_id: i64,
    /// Salt and event, sealed.
    pub(crate) bytes: Vec<u8>,
}

/// An event that was opened again.
#[derive(Debug)]
pub(crate) struct OpenedEvent {
    /// The salt of its leaf's commitment.
    pub(crate) salt: [u8; COMMIT_SALT_BYTES],
    /// The event's exact bytes.
    pub(crate) event: String,
}

impl OpenedEvent {
    /// The commitment that the leaf must hold.
    pub(crate) fn commit(&self) -> Digest {
        commit(&self.salt, &self.event)
    }
}

/// SHA-256 of a salt followed by the event's exact bytes.
pub(crate) fn commit(salt: &[u8; COMMIT_SALT_BYTES], event: &str) -> Digest {
    digest(&[salt, event.as_bytes()].concat())
}

/// Draws a salt for each of `count` commitments.
pub(crate) fn salts(count: usize) -> Result<Vec<[u8; COMMIT_SALT_BYTES]>, DbError> {
    (0..count).map(|_| random()).collect()
}

fn random<const N: usize>() -> Result<[u8; N], DbError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| DbError::damaged("random number generator", "it gave no bytes"))?;
    Ok(bytes)
}

impl PayloadKey {
    /// Parses a key.
    pub(crate) fn from_text(text: &str) -> Result<Self, BadSealingKey> {
        let identity = SealingKey::from_text(text)?.to_text();
        // Comments and line ends are not part of the secret.
        let secret = identity.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), REFERENCE_INFO);
        let reference_key = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Ok(Self { secret: Zeroizing::new(secret.to_owned()), reference_key })
    }

    /// The HMAC by which a reference is looked up; spacing and upper or lower case do not matter. The store never holds the
    /// reference itself, which is an agency's own text and may name a person; the HMAC stays when the reference is erased.
    pub(crate) fn lookup_key(&self, reference: &str) -> Vec<u8> {
        let words: Vec<String> = reference.split_whitespace().map(str::to_uppercase).collect();
        hmac::sign(&self.reference_key, words.join(" ").as_bytes()).as_ref().to_vec()
    }

    /// The HMAC of an event's reference. Events of this service whose object is a reference name it by the HMAC already.
    pub(crate) fn reference_of(&self, event: &LogEvent) -> Option<Vec<u8>> {
        let object = event.event().object.as_ref().filter(|object| object.kind == REFERENCE);
        let own = object.and_then(|object| URL_SAFE_NO_PAD.decode(&object.id).ok());
        event.reference().map(|reference| self.lookup_key(reference)).or(own)
    }

    /// Derives the key of a scope (RFC 5869).
    fn scope_key(&self, key_salt: &[u8]) -> Result<LessSafeKey, DbError> {
        let scoped = Salt::new(HKDF_SHA256, key_salt).extract(self.secret.as_bytes());
        let okm = scoped.expand(&[KEY_INFO], &AES_256_GCM);
        let key = okm.map_err(|_| DbError::damaged("payload key", "it cannot be derived"))?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }

    /// Seals an event as the payload of entry `entry_index`: a random nonce, then the ciphertext. The index is not the nonce,
    /// because a restored store assigns its indices again.
    fn seal(
        &self,
        key_salt: &[u8],
        entry_index: i64,
        salt: &[u8; COMMIT_SALT_BYTES],
        event: &str,
    ) -> Result<Vec<u8>, DbError> {
        let mut plain = [salt, event.as_bytes()].concat();
        let (key, nonce) = (self.scope_key(key_salt)?, random::<NONCE_LEN>()?);
        let aad = Aad::from(entry_index.to_be_bytes());
        let sealed = key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut plain);
        sealed.map_err(|_| DbError::damaged("payload", "it cannot be sealed"))?;
        Ok([nonce.as_slice(), &plain].concat())
    }

    /// Opens the payload of entry `entry_index`.
    ///
    /// # Errors
    /// [`DbError::Damaged`] when it was sealed under another key, for another entry, or was changed.
    pub(crate) fn open(
        &self,
        key_salt: &[u8],
        entry_index: i64,
        mut sealed: Vec<u8>,
    ) -> Result<OpenedEvent, DbError> {
        let damaged = || DbError::damaged("payload", format!("entry {entry_index} cannot be opened"));
        let key = self.scope_key(key_salt)?;
        let (nonce, sealed) = sealed.split_first_chunk_mut::<NONCE_LEN>().ok_or_else(damaged)?;
        let aad = Aad::from(entry_index.to_be_bytes());
        let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, sealed);
        let plain = plain.map_err(|_| damaged())?;
        let (salt, event) = plain.split_first_chunk().ok_or_else(damaged)?;
        Ok(OpenedEvent { salt: *salt, event: String::from_utf8(event.to_vec()).map_err(|_| damaged())? })
    }

    /// Seals a text that is no entry's payload; gives the salt of its key, and the sealed text.
    pub(crate) fn seal_text(&self, text: &str) -> Result<(Vec<u8>, Vec<u8>), DbError> {
        let key_salt = random::<KEY_SALT_BYTES>()?.to_vec();
        let sealed = self.seal(&key_salt, NO_ENTRY, &random()?, text)?;
        Ok((key_salt, sealed))
    }

    /// Opens a text that [`PayloadKey::seal_text`] sealed.
    pub(crate) fn open_text(&self, key_salt: &[u8], sealed: Vec<u8>) -> Result<String, DbError> {
        Ok(self.open(key_salt, NO_ENTRY, sealed)?.event)
    }

    /// Seals the payloads of consecutive entries from `first_index` on, each with its salt.
    pub(crate) async fn seal_all(
        &self,
        tx: &mut Conn,
        first_index: i64,
        events: &[LogEvent],
        salts: &[[u8; COMMIT_SALT_BYTES]],
    ) -> Result<Vec<SealedEvent>, DbError> {
        let scopes: Vec<String> = events.iter().map(|event| self.scope_of(event)).collect();
        let keys = scope_keys(tx, &scopes).await?;
        let mut sealed = Vec::with_capacity(events.len());
        for ((index, event), (salt, scope)) in (first_index..).zip(events).zip(salts.iter().zip(&scopes)) {
            let missing = || DbError::damaged("scope", "it is missing after it was written");
            let (scope_id, key_salt) = keys.get(scope).ok_or_else(missing)?;
            sealed.push(SealedEvent {
                scope_id: *scope_id,
                bytes: self.seal(key_salt, index, salt, event.bytes())?,
            });
        }
        Ok(sealed)
    }
}

impl fmt::Debug for PayloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayloadKey")
    }
}

/// The kinds of scopes that can be erased.
pub(crate) const ERASABLE: [&str; 7] = [REFERENCE, "message", "user", "account", "client", "person", "actor"];

impl PayloadKey {
    /// The scope of an event: its message from the draft on, its reference, the person or account that is its object, or else its
    /// actor. The log's events about itself have the scope of the log, which cannot be erased.
    pub(crate) fn scope_of(&self, event: &LogEvent) -> String {
        let parsed = event.event();
        let of_log =
            [AuditAction::Erase, AuditAction::LogBegin, AuditAction::LogPrune, AuditAction::AuditAlarm];
        if of_log.contains(&parsed.action) {
            return format!("log/{}", parsed.source);
        }
        if let Some(message) = event.message_id() {
            return format!("message/{message}");
        }
        if let Some(reference) = event.reference() {
            return self.reference_scope(reference);
        }
        match &parsed.object {
            Some(object) if matches!(object.kind.as_str(), "user" | "account" | "client" | "person") => {
                format!("{}/{}", object.kind, object.id)
            }
            // The actor is a service, not a person.
            _ if parsed.actor == parsed.source => format!("log/{}", parsed.source),
            _ => format!("actor/{}", parsed.actor),
        }
    }

    /// The scope of a reference, named by its HMAC: it may name a person, and a scope's name is never erased.
    pub(crate) fn reference_scope(&self, reference: &str) -> String {
        format!("{REFERENCE}/{}", self.reference_name(reference))
    }

    /// The name of a reference where it must not stand: the HMAC in base64url.
    pub(crate) fn reference_name(&self, reference: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.lookup_key(reference))
    }
}

/// The ids and key salts of scopes. Draws a salt for a scope that has none: a new scope, or an erased one, whose later events
/// are not part of the erasure.
async fn scope_keys(tx: &mut Conn, scopes: &[String]) -> Result<BTreeMap<String, (i64, Vec<u8>)>, DbError> {
    let distinct: Vec<String> = {
        let sorted: std::collections::BTreeSet<&String> = scopes.iter().collect();
        sorted.into_iter().cloned().collect()
    };
    let mut keys = BTreeMap::new();
    for chunk in distinct.chunks(SCOPES_AT_ONCE) {
        let text = with_list(
            "SELECT scope_id, scope, key_salt FROM payload_scope WHERE scope IN ({})",
            1,
            chunk.len(),
        );
        let query = padded_list(chunk).fold(sqlx::query(text), |query, scope| query.bind(scope));
        for row in query.fetch_all(&mut *tx).await? {
            let (id, scope): (i64, String) = (row.try_get("scope_id")?, row.try_get("scope")?);
            let key_salt = match row.try_get::<Option<Vec<u8>>, _>("key_salt")? {
                Some(key_salt) => key_salt,
                None => draw_key_salt(tx, id).await?,
            };
            keys.insert(scope, (id, key_salt));
        }
    }
    let unknown: Vec<String> = distinct.into_iter().filter(|scope| !keys.contains_key(scope)).collect();
    if !unknown.is_empty() {
        keys.extend(insert(tx, unknown).await?);
    }
    Ok(keys)
}

/// Maximum number of scopes looked up in one statement.
const SCOPES_AT_ONCE: usize = 256;

async fn insert(tx: &mut Conn, scopes: Vec<String>) -> Result<BTreeMap<String, (i64, Vec<u8>)>, DbError> {
    let row =
        sqlx::query("SELECT COALESCE(MAX(scope_id), 0) + 1 FROM payload_scope").fetch_one(&mut *tx).await?;
    let first: i64 = row.try_get(0)?;
    let drawn =
        (first..).zip(scopes).map(|(id, scope)| Ok((scope, (id, random::<KEY_SALT_BYTES>()?.to_vec()))));
    let drawn: Vec<(String, (i64, Vec<u8>))> = drawn.collect::<Result<_, DbError>>()?;
    let rows = SCOPES.rows(tx, &drawn, |query, (scope, (id, key_salt))| {
        query.bind(*id).bind(scope.as_str()).bind(key_salt.as_slice())
    });
    rows.await?;
    Ok(drawn.into_iter().collect())
}

const SCOPES: Insert =
    Insert { into: "INSERT INTO payload_scope (scope_id, scope, key_salt)", columns: 3, then: "" };

async fn draw_key_salt(tx: &mut Conn, scope_id: i64) -> Result<Vec<u8>, DbError> {
    let key_salt = random::<KEY_SALT_BYTES>()?.to_vec();
    sqlx::query("UPDATE payload_scope SET key_salt = $1 WHERE scope_id = $2")
        .bind(key_salt.as_slice())
        .bind(scope_id)
        .execute(tx)
        .await?;
    Ok(key_salt)
}
