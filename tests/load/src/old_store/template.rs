//! The cases that are copied.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use rovuma_envelope::{Jws, SigningKey, Typ, digest};
use rovuma_schemas::{Digest, MessageId, Timestamp};
use rovuma_store::{RowExt, Store};
use serde_json::{Value, json};
use sqlx::{Row, any::AnyRow};

use crate::draft::{MARK, REFERENCE};

/// The characters of short references.
const CHARACTERS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// The marks of copies begin here: none has the content of a template.
const FIRST_MARK: usize = 1_000;

/// A case that the product made, to be copied.
pub(super) struct TemplateCase {
    /// The message that opened it.
    pub(super) opener: MessageId,
    /// In the order in which they were signed.
    messages: Vec<TemplateMessage>,
}

struct TemplateMessage {
    id: MessageId,
    is_sent: bool,
    payload: String,
    in_reply_to: Option<MessageId>,
}

/// A copy of a case.
pub(super) struct CaseCopy {
    pub(super) template: MessageId,
    pub(super) opener: MessageId,
    pub(super) reference: String,
    pub(super) short_reference: String,
    pub(super) messages: Vec<MessageCopy>,
}

/// A copy of a message.
pub(super) struct MessageCopy {
    pub(super) template: MessageId,
    pub(super) is_sent: bool,
    pub(super) id: MessageId,
    pub(super) created: Timestamp,
    pub(super) jws: Jws,
    /// The digest of what stays the same when the message is issued again.
    pub(super) content: Digest,
    pub(super) in_reply_to: Option<MessageId>,
}

/// The keys with which copies are signed.
pub(super) struct Signers {
    own: SigningKey,
    partner: SigningKey,
}

impl Signers {
    pub(super) fn load(own: &Path, partner: &Path) -> Result<Self> {
        let key = |file: &Path| -> Result<SigningKey> {
            let pem = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            Ok(SigningKey::from_pkcs8_pem(&pem)?)
        };
        Ok(Self { own: key(own)?, partner: key(partner)? })
    }
}

impl TemplateCase {
    /// Loads the case with this opener, and checks that this program computes the digests of contents as the gateway does.
    pub(super) async fn load(store: &Store, opener: MessageId) -> Result<Self> {
        let mut messages: Vec<(i64, TemplateMessage)> = Vec::new();
        let tables = [
            (true, "SELECT id, jws, created_at, in_reply_to FROM sent WHERE case_id = $1"),
            (false, "SELECT id, jws, created_at, in_reply_to FROM received WHERE case_id = $1"),
        ];
        for (is_sent, query) in tables {
            let rows = sqlx::query(query).bind(opener.as_bytes().to_vec()).fetch_all(store.read()).await?;
            for row in &rows {
                messages.push((row.try_get("created_at")?, TemplateMessage::read(row, is_sent)?));
            }
        }
        ensure!(!messages.is_empty(), "the store has no case {opener}");
        messages.sort_by_key(|(created, message)| (*created, message.id));
        let messages: Vec<TemplateMessage> = messages.into_iter().map(|(_, message)| message).collect();
        let kept = sqlx::query("SELECT id, content FROM case_message WHERE case_id = $1");
        let kept = kept.bind(opener.as_bytes().to_vec()).fetch_all(store.read()).await?;
        ensure!(
            kept.len() == messages.len(),
            "case {opener} has {} messages of {}",
            kept.len(),
            messages.len()
        );
        for row in &kept {
            let id = row.message_id("id")?;
            let message =
                messages.iter().find(|message| message.id == id).context("a message of the case")?;
            let computed = content_of(&message.payload)?;
            ensure!(computed == row.digest("content")?, "the content of {id} has another digest");
        }
        Ok(Self { opener, messages })
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The same case under other ids, with a serial number in its content and its reference, from `begun` on, its messages so far
    /// apart.
    pub(super) fn copy(
        &self,
        serial: usize,
        begun: Timestamp,
        apart: std::time::Duration,
        signers: &Signers,
    ) -> Result<CaseCopy> {
        let created = |place: usize| begun.plus(apart * u32::try_from(place).unwrap_or(u32::MAX));
        let places = self.messages.iter().enumerate();
        let ids: BTreeMap<MessageId, MessageId> =
            places.map(|(place, message)| (message.id, MessageId::draw(created(place)))).collect();
        let renamed = |id: MessageId| ids.get(&id).copied().context("a message of the case");
        let reference = format!("PRM-EX-{serial:09}");
        let mark = format!("MD2EXAMPLE{:07}", (FIRST_MARK + serial) % 10_000_000);
        let mut messages = Vec::with_capacity(self.messages.len());
        for (place, message) in self.messages.iter().enumerate() {
            let mut payload = message.payload.replace(MARK, &mark).replace(REFERENCE, &reference);
            for (old, new) in &ids {
                payload = payload.replace(&old.to_string(), &new.to_string());
            }
            let content = content_of(&payload)?;
            let key = if message.is_sent { &signers.own } else { &signers.partner };
            messages.push(MessageCopy {
                template: message.id,
                is_sent: message.is_sent,
                id: renamed(message.id)?,
                created: created(place),
                jws: Jws::sign(Typ::MESSAGE, payload.into_bytes(), key)?,
                content,
                in_reply_to: message.in_reply_to.map(renamed).transpose()?,
            });
        }
        let opener = renamed(self.opener)?;
        let content = messages.iter().find(|message| message.id == opener).context("an opener")?.content;
        let short_reference = short_reference(content);
        Ok(CaseCopy { template: self.opener, opener, reference, short_reference, messages })
    }
}

impl TemplateMessage {
    fn read(row: &AnyRow, is_sent: bool) -> Result<Self> {
        let compact: Vec<u8> = row.try_get("jws")?;
        let payload = Jws::from_compact(std::str::from_utf8(&compact)?)?.unverified_payload().to_vec();
        let in_reply_to: Option<Vec<u8>> = row.try_get("in_reply_to")?;
        Ok(Self {
            id: row.message_id("id")?,
            is_sent,
            payload: String::from_utf8(payload)?,
            in_reply_to: in_reply_to.map(|bytes| MessageId::from_slice(&bytes)).transpose()?,
        })
    }
}

/// The digest of what stays the same when a message is issued again, as the gateway's `Contribution` computes it.
fn content_of(payload: &str) -> Result<Digest> {
    let message: Value = serde_json::from_str(payload)?;
    let header = &message["header"];
    let mut content = json!({
        "type": header["type"],
        "terms": message.get("terms"),
        "body": message.get("body"),
        "turn": header.get("turn"),
        "seen": header.get("seen").cloned().unwrap_or_else(|| json!({})),
    });
    content.sort_all_objects();
    Ok(digest(content.to_string().as_bytes()))
}

/// The short reference of a case whose opener has this content, as the gateway computes it: the answers show whether it is right.
fn short_reference(content: Digest) -> String {
    let base = CHARACTERS.len() as u64;
    let mut number =
        content.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut places = [0_u64; 6];
    for place in &mut places {
        *place = number % base;
        number /= base;
    }
    let check = places.iter().zip(1..).map(|(value, weight)| value * weight).sum::<u64>() % base;
    let character = |value: &u64| char::from(CHARACTERS[usize::try_from(*value).unwrap_or_default()]);
    places.iter().chain([&check]).map(character).collect()
}
