//! The messages of cases in the store, as the fold reads them.

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyCode, CaseId, Digest, Header, MessageId, MessageType, OperationalBody, Terms, Timestamp,
};
use rovuma_store::{Binding, Conn, Insert, RowExt, padded_list, with_rows};
use serde_json::{Value, json};
use sqlx::{Row, any::AnyRow};

use super::{CasePlace, fold::message::CaseMessage, identifiers::ContentIdentifiers};
use crate::{error::DbError, families};

/// Maximum rows of one sender in one case: the turns that count, and a quarter as many again for messages that were issued
/// again. What a sender sends beyond is stored and readable like every message, and stands in no case: a case is folded whenever a
/// message of it comes, so its size must have a bound that no partner can move.
pub(crate) const ROWS_PER_SENDER_MAX: usize = 512;

/// A message of a case as it is kept: what it says is JSON in the family's terms.
pub(crate) type KeptMessage = CaseMessage<String>;

/// A case in the view of one of our agencies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CaseKey {
    /// Our agency.
    pub(crate) agency: AgencyCode,
    /// The agency that opened it.
    pub(crate) owner: AgencyCode,
    /// The id of the opening message.
    pub(crate) id: MessageId,
    /// Its kind.
    pub(crate) kind: String,
}

impl CaseKey {
    /// The case in the view of `agency`.
    pub(crate) fn new(agency: &AgencyCode, case: &CaseId) -> Self {
        Self { agency: agency.clone(), owner: case.owner.clone(), id: case.id, kind: case.kind.clone() }
    }

    /// The case of a row, in the view of `agency`.
    pub(crate) fn read(agency: AgencyCode, row: &AnyRow) -> Result<Self, DbError> {
        Ok(Self {
            agency,
            owner: row.parsed("owner")?,
            id: row.message_id("case_id")?,
            kind: row.try_get("kind")?,
        })
    }

    /// The case without a view.
    pub(crate) fn case(&self) -> CaseId {
        CaseId { kind: self.kind.clone(), owner: self.owner.clone(), id: self.id }
    }

    /// Binds agency, owner, id and kind.
    pub(crate) fn bind<'q>(&'q self, query: Binding<'q>) -> Binding<'q> {
        query
            .bind(self.agency.as_str())
            .bind(self.owner.as_str())
            .bind(self.id.as_bytes().to_vec())
            .bind(self.kind.as_str())
    }
}

/// What a message contributes to its case, computed from its signed bytes alone.
#[derive(Clone, Debug)]
pub(crate) struct Contribution {
    /// The digest of what stays the same when it is issued again.
    pub(crate) content: Digest,
    /// What it says, as JSON; none of a type that is not known here.
    pub(crate) fact: Option<String>,
    /// Whether it is a certificate that says nothing in anybody's own words.
    pub(crate) is_bare_certificate: bool,
    /// What the content that it brings is about.
    pub(crate) identifiers: ContentIdentifiers,
}

impl Contribution {
    /// What a message with this header says. `payload` is the whole signed JSON; without a body its type is not known here.
    pub(crate) fn of(
        header: &Header,
        said: Option<(&Terms, &OperationalBody)>,
        payload: &Value,
    ) -> Option<Self> {
        let place = CasePlace::of_header(header);
        let case = place.case?;
        let seen = json!(place.seen);
        let content = [
            ("body", payload.get("body").unwrap_or(&Value::Null)),
            ("seen", &seen),
            ("terms", payload.get("terms").unwrap_or(&Value::Null)),
            ("turn", &json!(place.turn)),
            ("type", &json!(header.message_type)),
        ];
        let fact = said.and_then(|(terms, body)| {
            let rules = families::rules(case.kind.parse().ok()?);
            let to = header.recipients.first().map(|recipient| &recipient.agency);
            rules.fact(body, terms, to, header.first_created.unwrap_or(header.created))
        });
        let is_bare_certificate = is_bare_certificate(&header.message_type, payload);
        // What this version cannot read takes no part in the case.
        let body = payload.get("body").filter(|_| fact.is_some());
        let terms = said.map(|(terms, _)| terms);
        let identifiers = body
            .zip(terms)
            .map(|(body, terms)| ContentIdentifiers::of(&header.message_type, body, terms.handling.code));
        let identifiers = identifiers.unwrap_or_default();
        Some(Self { content: digest_of(&content), fact, is_bare_certificate, identifiers })
    }
}

/// Whether the message certifies what was done with data, in codes alone. Like a receipt it names nobody and proves something, so
/// it is not erased with its case, and erased data are not there again because it came.
pub(crate) fn is_bare_certificate(message_type: &str, payload: &Value) -> bool {
    /// The places of free text that a certificate may have.
    const WORDS: [&str; 5] = [
        "/header/reference",
        "/terms/urgency/statement",
        "/terms/handling/restriction",
        "/terms/emergency",
        "/body/note",
    ];
    message_type == MessageType::PurgeCertify.as_str()
        && WORDS.iter().all(|words| payload.pointer(words).is_none())
}

/// The digest of a JSON object with these members, which are in the order of their names; whatever the order of the members below.
fn digest_of(members: &[(&str, &Value)]) -> Digest {
    let mut text = Vec::new();
    write_object(&mut text, members.iter().copied());
    rovuma_envelope::digest(&text)
}

/// Writes JSON with the members of each object in the order of their names.
fn write_sorted(text: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&str, &Value)> =
                members.iter().map(|(name, member)| (name.as_str(), member)).collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            write_object(text, members.into_iter());
        }
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                text.extend((index > 0).then_some(b','));
                write_sorted(text, item);
            }
            text.push(b']');
        }
        other => write_plain(text, other),
    }
}

fn write_object<'v>(text: &mut Vec<u8>, members: impl Iterator<Item = (&'v str, &'v Value)>) {
    text.push(b'{');
    for (index, (name, member)) in members.enumerate() {
        text.extend((index > 0).then_some(b','));
        write_plain(text, name);
        text.push(b':');
        write_sorted(text, member);
    }
    text.push(b'}');
}

fn write_plain(text: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    // Texts, numbers and the like always serialise, and a vector takes every byte.
    let _ = serde_json::to_writer(text, value);
}

impl KeptMessage {
    /// The message with this header, and its case; none if it stands in no case.
    pub(crate) fn of_header(header: &Header, contribution: Contribution) -> Option<(CaseId, Self)> {
        let place = CasePlace::of_header(header);
        let kept = Self {
            sender: header.sender.agency.clone(),
            id: header.id,
            replaces: header.replaces,
            turn: place.turn?,
            seen: place.seen,
            created: header.created,
            first_created: place.first_created,
            content: contribution.content,
            in_reply_to: place.in_reply_to,
            message_type: header.message_type.clone(),
            delivered: None,
            fact: contribution.fact,
        };
        Some((place.case?, kept))
    }

    fn read(row: &AnyRow) -> Result<Self, DbError> {
        let id = |column| {
            let bytes: Option<Vec<u8>> = row.try_get(column)?;
            Ok::<_, DbError>(bytes.map(|bytes| MessageId::from_slice(&bytes)).transpose()?)
        };
        let seen: Option<String> = row.try_get("seen")?;
        let seen = seen.map(|text| serde_json::from_str(&text)).transpose();
        Ok(Self {
            sender: row.parsed("sender")?,
            id: row.message_id("id")?,
            replaces: id("replaces")?,
            turn: row.count("turn")?,
            seen: seen.map_err(|fault| DbError::damaged("message of a case", fault))?.unwrap_or_default(),
            created: row.instant("created_at")?,
            first_created: row.opt_instant("first_created")?,
            content: row.digest("content")?,
            in_reply_to: id("in_reply_to")?,
            message_type: row.try_get("message_type")?,
            delivered: row.opt_instant("delivered_at")?,
            fact: row.try_get("fact")?,
        })
    }
}

const KEPT: Insert = Insert {
    into:
        "INSERT INTO case_message (agency, owner, case_id, kind, sender, turn, id, replaces, seen, created_at,
                                     first_created, content, in_reply_to, message_type, delivered_at, fact)",
    columns: 16,
    then: "ON CONFLICT (agency, owner, case_id, kind, sender, turn, id) DO NOTHING",
};

/// Inserts messages of cases.
pub(crate) async fn insert(tx: &mut Conn, rows: &[(CaseKey, KeptMessage)]) -> sqlx::Result<()> {
    KEPT.rows(tx, rows, |query, (key, kept)| bind(key, kept, query)).await
}

fn bind<'q>(key: &'q CaseKey, kept: &'q KeptMessage, query: Binding<'q>) -> Binding<'q> {
    let bytes = |id: MessageId| id.as_bytes().to_vec();
    // A map of codes and numbers always serialises.
    let seen = (!kept.seen.is_empty()).then(|| serde_json::to_string(&kept.seen).unwrap_or_default());
    key.bind(query)
        .bind(kept.sender.as_str())
        // The schema of the header keeps a turn below 2^53.
        .bind(kept.turn.cast_signed())
        .bind(bytes(kept.id))
        .bind(kept.replaces.map(bytes))
        .bind(seen)
        .bind(kept.created.as_micros())
        .bind(kept.first_created.map(Timestamp::as_micros))
        .bind(kept.content.as_bytes().to_vec())
        .bind(kept.in_reply_to.map(bytes))
        .bind(kept.message_type.as_str())
        .bind(kept.delivered.map(Timestamp::as_micros))
        .bind(kept.fact.as_deref())
}

/// Several cases' messages in one query. `CROSS JOIN` keeps SQLite from scanning `case_message` first.
pub(crate) const LOAD: &str = "
    WITH asked (a_agency, a_owner, a_case_id, a_kind) AS (VALUES {})
    SELECT agency, owner, case_id, kind, sender, turn, id, replaces, seen, created_at, first_created, content, in_reply_to,
           message_type, delivered_at, fact
    FROM (SELECT DISTINCT a_agency, a_owner, a_case_id, a_kind FROM asked) AS wanted CROSS JOIN case_message
    WHERE agency = a_agency AND owner = a_owner AND case_id = a_case_id AND kind = a_kind";

/// Maximum cases that one statement loads.
const LOAD_MAX: usize = 64;

/// The messages of these cases.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn load(
    conn: &mut Conn,
    keys: &[CaseKey],
) -> Result<BTreeMap<CaseKey, Vec<KeptMessage>>, DbError> {
    let mut cases: BTreeMap<CaseKey, Vec<KeptMessage>> = BTreeMap::new();
    for chunk in keys.chunks(LOAD_MAX) {
        let query = sqlx::query(with_rows(LOAD, (1, 4), chunk.len()));
        let padded: Vec<CaseKey> = padded_list(chunk).collect();
        let query = padded.iter().fold(query, |query, key| key.bind(query));
        for row in &query.fetch_all(&mut *conn).await? {
            let key = CaseKey::read(row.parsed("agency")?, row)?;
            cases.entry(key).or_default().push(KeptMessage::read(row)?);
        }
    }
    Ok(cases)
}
