//! The events themselves, each sealed under a key of what it is about, so that they can be erased together.
//!
//! A leaf says who did what to which identifier, for ever. What the event says beyond that stands here, with the salt of the
//! leaf's commitment: `commit = SHA-256(salt ‖ event)`. Erasing deletes the sealed event and the salt of its key, and leaves
//! a commitment that nobody can try guesses against.

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

/// Bytes of a commitment's salt.
const COMMIT_SALT_BYTES: usize = 32;

/// Bytes of what a scope's key is derived with.
const KEY_SALT_BYTES: usize = 32;

/// In place of an entry's index: what is sealed under it is taken for no entry's payload.
const NO_ENTRY: i64 = -1;

/// What keys of payloads are derived for (RFC 5869, `info`).
const KEY_INFO: &[u8] = b"rovuma audit payload v1";

/// The kind of an object that is a case.
pub(crate) const CASE: &str = "case";

/// What the key of case references is derived for.
const CASE_INFO: &[u8] = b"rovuma audit case reference v1";

/// The secret under which all payloads' keys are derived: an age identity, as other secrets that open things are. Without
/// it a copy of the database shows no event.
pub(crate) struct PayloadKey {
    secret: Zeroizing<String>,
    /// Under which case references are looked up.
    case_key: hmac::Key,
}

/// An event on its way into the store.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// What it is about, see [`scope_of`].
    pub(crate) scope_id: i64,
    /// Salt and event, sealed.
    pub(crate) bytes: Vec<u8>,
}

/// An event as it was taken out of the store.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The salt of its leaf's commitment.
    pub(crate) salt: [u8; COMMIT_SALT_BYTES],
    /// The event's exact bytes.
    pub(crate) event: String,
}

impl Opened {
    /// What the leaf must say.
    pub(crate) fn commit(&self) -> Digest {
        commit(&self.salt, &self.event)
    }
}

/// SHA-256 of a salt followed by the event's exact bytes.
pub(crate) fn commit(salt: &[u8; COMMIT_SALT_BYTES], event: &str) -> Digest {
    digest(&[salt, event.as_bytes()].concat())
}

/// A fresh salt for each of `count` commitments.
pub(crate) fn salts(count: usize) -> Result<Vec<[u8; COMMIT_SALT_BYTES]>, DbError> {
    (0..count).map(|_| random()).collect()
}

fn random<const N: usize>() -> Result<[u8; N], DbError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| DbError::damaged("source of randomness", "it gives none"))?;
    Ok(bytes)
}

impl PayloadKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`BadSealingKey`] when the text is no age identity.
    pub(crate) fn from_text(text: &str) -> Result<Self, BadSealingKey> {
        let identity = SealingKey::from_text(text)?.to_text();
        // Comments and line ends are no part of the secret.
        let secret = identity.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), CASE_INFO);
        let case_key = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Ok(Self { secret: Zeroizing::new(secret.to_owned()), case_key })
    }

    /// By what a case reference is looked up, however it is spaced and in whatever letters it is written. It is an agency's
    /// own text and may name somebody: it stands nowhere in clear, and stays when what it belongs to is erased.
    pub(crate) fn case(&self, reference: &str) -> Vec<u8> {
        let words: Vec<String> = reference.split_whitespace().map(str::to_uppercase).collect();
        hmac::sign(&self.case_key, words.join(" ").as_bytes()).as_ref().to_vec()
    }

    /// By what the case of an event is looked up. What the log says of a case itself names it so, and not in clear.
    pub(crate) fn case_of(&self, event: &LogEvent) -> Option<Vec<u8>> {
        let object = event.event().object.as_ref().filter(|object| object.kind == CASE);
        let named = object.and_then(|object| URL_SAFE_NO_PAD.decode(&object.id).ok());
        event.case_reference().map(|reference| self.case(reference)).or(named)
    }

    /// The key of a scope (RFC 5869).
    fn of_scope(&self, key_salt: &[u8]) -> Result<LessSafeKey, DbError> {
        let scoped = Salt::new(HKDF_SHA256, key_salt).extract(self.secret.as_bytes());
        let okm = scoped.expand(&[KEY_INFO], &AES_256_GCM);
        let key = okm.map_err(|_| DbError::damaged("payload key", "it cannot be derived"))?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }

    /// Seals an event as the payload of entry `entry_index`: a random nonce, and then the ciphertext. A store that was put
    /// back gives out its indices again, so they are no nonce.
    fn seal(
        &self,
        key_salt: &[u8],
        entry_index: i64,
        salt: &[u8; COMMIT_SALT_BYTES],
        event: &str,
    ) -> Result<Vec<u8>, DbError> {
        let mut plain = [salt, event.as_bytes()].concat();
        let (key, nonce) = (self.of_scope(key_salt)?, random::<NONCE_LEN>()?);
        let aad = Aad::from(entry_index.to_be_bytes());
        let sealed = key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut plain);
        sealed.map_err(|_| DbError::damaged("payload", "it cannot be sealed"))?;
        Ok([nonce.as_slice(), &plain].concat())
    }

    /// Opens what was sealed as the payload of entry `entry_index`.
    ///
    /// # Errors
    /// [`DbError::Damaged`] when it was sealed under another key, for another entry, or was changed.
    pub(crate) fn open(
        &self,
        key_salt: &[u8],
        entry_index: i64,
        mut sealed: Vec<u8>,
    ) -> Result<Opened, DbError> {
        let damaged = || DbError::damaged("payload", format!("entry {entry_index} does not open"));
        let key = self.of_scope(key_salt)?;
        let (nonce, sealed) = sealed.split_first_chunk_mut::<NONCE_LEN>().ok_or_else(damaged)?;
        let aad = Aad::from(entry_index.to_be_bytes());
        let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, sealed);
        let plain = plain.map_err(|_| damaged())?;
        let (salt, event) = plain.split_first_chunk().ok_or_else(damaged)?;
        Ok(Opened { salt: *salt, event: String::from_utf8(event.to_vec()).map_err(|_| damaged())? })
    }

    /// Seals a text that is no entry's, with what its key is made with.
    pub(crate) fn seal_apart(&self, text: &str) -> Result<(Vec<u8>, Vec<u8>), DbError> {
        let key_salt = random::<KEY_SALT_BYTES>()?.to_vec();
        let sealed = self.seal(&key_salt, NO_ENTRY, &random()?, text)?;
        Ok((key_salt, sealed))
    }

    /// Opens what [`PayloadKey::seal_apart`] sealed.
    pub(crate) fn open_apart(&self, key_salt: &[u8], sealed: Vec<u8>) -> Result<String, DbError> {
        Ok(self.open(key_salt, NO_ENTRY, sealed)?.event)
    }

    /// Seals the payloads of consecutive entries from `first_index` on, each with its salt.
    pub(crate) async fn seal_all(
        &self,
        tx: &mut Conn,
        first_index: i64,
        events: &[LogEvent],
        salts: &[[u8; COMMIT_SALT_BYTES]],
    ) -> Result<Vec<Sealed>, DbError> {
        let scopes: Vec<String> = events.iter().map(|event| self.scope_of(event)).collect();
        let keys = scope_keys(tx, &scopes).await?;
        let mut sealed = Vec::with_capacity(events.len());
        for ((index, event), (salt, scope)) in (first_index..).zip(events).zip(salts.iter().zip(&scopes)) {
            let missing = || DbError::damaged("scope", "it is not there after it was written");
            let (scope_id, key_salt) = keys.get(scope).ok_or_else(missing)?;
            sealed.push(Sealed {
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

/// Kinds of things whose events can be erased together.
pub(crate) const ERASABLE: [&str; 7] = [CASE, "message", "user", "account", "client", "person", "actor"];

impl PayloadKey {
    /// What an event is about, as far as erasing goes: its message from the draft on, the case, the person or account it was
    /// done to, or else whoever did it. What the log says of itself is about the log, and is not erased.
    pub(crate) fn scope_of(&self, event: &LogEvent) -> String {
        let said = event.event();
        let of_log =
            [AuditAction::Erase, AuditAction::LogBegin, AuditAction::LogPrune, AuditAction::AuditAlarm];
        if of_log.contains(&said.action) {
            return format!("log/{}", said.source);
        }
        if let Some(message) = event.message_id() {
            return format!("message/{message}");
        }
        if let Some(case) = event.case_reference() {
            return self.case_scope(case);
        }
        match &said.object {
            Some(object) if matches!(object.kind.as_str(), "user" | "account" | "client" | "person") => {
                format!("{}/{}", object.kind, object.id)
            }
            // A service is nobody's person.
            _ if said.actor == said.source => format!("log/{}", said.source),
            _ => format!("actor/{}", said.actor),
        }
    }

    /// The scope of a case. Its reference may name somebody, and the name of a scope stays.
    pub(crate) fn case_scope(&self, reference: &str) -> String {
        format!("{CASE}/{}", self.case_name(reference))
    }

    /// What a case is called where its reference must not stand.
    pub(crate) fn case_name(&self, reference: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.case(reference))
    }
}

/// The salts of the scopes' keys, drawn now for those that have none. A scope that was erased gets a new one: what comes
/// after is no part of what was erased.
async fn scope_keys(tx: &mut Conn, scopes: &[String]) -> Result<BTreeMap<String, (i64, Vec<u8>)>, DbError> {
    let wanted: Vec<String> = {
        let distinct: std::collections::BTreeSet<&String> = scopes.iter().collect();
        distinct.into_iter().cloned().collect()
    };
    let mut keys = BTreeMap::new();
    for wanted in wanted.chunks(SCOPES_AT_ONCE) {
        let text = with_list(
            "SELECT scope_id, scope, key_salt FROM payload_scope WHERE scope IN ({})",
            1,
            wanted.len(),
        );
        let query = padded_list(wanted).fold(sqlx::query(text), |query, scope| query.bind(scope));
        for row in query.fetch_all(&mut *tx).await? {
            let (id, scope): (i64, String) = (row.try_get("scope_id")?, row.try_get("scope")?);
            let key_salt = match row.try_get::<Option<Vec<u8>>, _>("key_salt")? {
                Some(key_salt) => key_salt,
                None => renew(tx, id).await?,
            };
            keys.insert(scope, (id, key_salt));
        }
    }
    let unknown: Vec<String> = wanted.into_iter().filter(|scope| !keys.contains_key(scope)).collect();
    if !unknown.is_empty() {
        keys.extend(insert(tx, unknown).await?);
    }
    Ok(keys)
}

/// Scopes looked up with one statement.
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

async fn renew(tx: &mut Conn, scope_id: i64) -> Result<Vec<u8>, DbError> {
    let key_salt = random::<KEY_SALT_BYTES>()?.to_vec();
    sqlx::query("UPDATE payload_scope SET key_salt = $1 WHERE scope_id = $2")
        .bind(key_salt.as_slice())
        .bind(scope_id)
        .execute(tx)
        .await?;
    Ok(key_salt)
}
