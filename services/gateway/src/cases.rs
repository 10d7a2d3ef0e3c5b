//! Cases: an alert, a request or a hit is the state that the messages about it add up to. Each message names its case, its
//! sender's turn there and, for each other party, the turn that the sender had seen. Only these order the messages.
//!
//! This module gives our own messages their place in a case, and reads and writes the place of every message. The state of
//! a case is computed by [`fold`] from what is [`kept`] of its messages, and [`project`] writes it down in the transaction that
//! stores a message. [`follow`] asks a case whether a message of ours may follow in it. [`identifiers`]
//! keeps what cases are about in a form that is compared.

mod admission;
pub(crate) mod beside;
pub(crate) mod deliveries;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the machine of hits, whose messages have no types yet, uses the rest")
)]
pub(crate) mod fold;
pub(crate) mod folded;
pub(crate) mod follow;
pub(crate) mod freshness;
pub(crate) mod identifiers;
pub(crate) mod kept;
pub(crate) mod list;
pub(crate) mod open;
pub(crate) mod project;
pub(crate) mod short_reference;
pub(crate) mod signed;

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{AgencyCode, CaseId, Class, Header, MessageId, MessageType, Timestamp};
use rovuma_store::{Binding, Conn, RowExt, padded_list};
use serde::Serializer;
use sqlx::{Row, any::AnyRow};

use crate::error::DbError;

/// The number of columns that [`CasePlace`] takes.
pub(crate) const COLUMNS: usize = 7;

macro_rules! columns {
    () => {
        "case_kind, case_owner, case_id, turn, seen, first_created, in_reply_to"
    };
}

pub(crate) use columns;

/// A filter of a list: the messages of one case, or the answers to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Narrowed {
    /// The messages of this case.
    Case(CaseId),
    /// The messages that answer this one.
    InReplyTo(MessageId),
}

/// A list's statement, `SELECT $select FROM $table WHERE $rest`, limited to the rows that `$narrowed` names. `MATERIALIZED`, so
/// that the database uses the index on the case whatever order the list has; only the table's key `$key` is copied, as
/// `$narrowed_key`. `$1` is the agency in the column `$owner`; the three numbers are those of the
/// parameters that follow the list's own.
macro_rules! narrowed_statement {
    (
        $narrowed:expr,
        ($first:literal, $second:literal, $third:literal),
        $table:literal,
        $owner:literal,
        $key:literal,
        $narrowed_key:literal,
        $select:expr,
        $rest:expr
    ) => {{
        use sqlx::SqlSafeStr as _;
        macro_rules! narrowed {
            ($condition:expr) => {
                concat!(
                    "WITH narrowed (",
                    $narrowed_key,
                    ") AS MATERIALIZED (SELECT ",
                    $key,
                    " FROM ",
                    $table,
                    " WHERE ",
                    $owner,
                    " = $1 AND ",
                    $condition,
                    ") SELECT ",
                    $select,
                    " FROM narrowed CROSS JOIN ",
                    $table,
                    " WHERE (",
                    $key,
                    ") = (",
                    $narrowed_key,
                    ") AND ",
                    $rest
                )
            };
        }
        match $narrowed {
            None => concat!("SELECT ", $select, " FROM ", $table, " WHERE ", $rest).into_sql_str(),
            Some($crate::cases::NarrowedIds { case: Some(_), ids }) => rovuma_store::with_list(
                narrowed!(concat!(
                    "case_owner = $",
                    $first,
                    " AND case_kind = $",
                    $second,
                    " AND case_id IN ({})"
                )),
                $third,
                ids.len(),
            ),
            Some($crate::cases::NarrowedIds { case: None, ids }) => {
                rovuma_store::with_list(narrowed!("in_reply_to IN ({})"), $first, ids.len())
            }
        }
    }};
}

pub(crate) use narrowed_statement;

/// A [`Narrowed`] whose message is known by all its ids.
#[derive(Debug)]
pub(crate) struct NarrowedIds<'a> {
    /// The case; none where the answers to a message are listed.
    pub(crate) case: Option<&'a CaseId>,
    /// The ids of the message that opened the case, or that is answered.
    pub(crate) ids: Vec<MessageId>,
}

impl Narrowed {
    /// Looks up the other ids under which `agency` knows the message that the filter names.
    ///
    /// # Errors
    /// [`DbError`] when the store does not answer.
    pub(crate) async fn with_ids(
        &self,
        conn: &mut Conn,
        agency: &AgencyCode,
    ) -> Result<NarrowedIds<'_>, DbError> {
        Ok(match self {
            Self::Case(case) => {
                let ids = ids_of(conn, agency, Some(&case.owner), case.id).await?;
                NarrowedIds { case: Some(case), ids }
            }
            Self::InReplyTo(id) => NarrowedIds { case: None, ids: ids_of(conn, agency, None, *id).await? },
        })
    }
}

impl NarrowedIds<'_> {
    /// Binds the parameters that [`narrowed_statement!`] adds.
    pub(crate) fn bind<'q>(narrowed: Option<&'q Self>, query: Binding<'q>) -> Binding<'q> {
        let Some(Self { case, ids }) = narrowed else { return query };
        let query = match case {
            Some(case) => query.bind(case.owner.as_str()).bind(case.kind.as_str()),
            None => query,
        };
        padded_list(ids).fold(query, |query, id| query.bind(id.as_bytes().to_vec()))
    }
}

/// The messages that `$1` sent with the same content as its message `$2`. The limit bounds what one filter compares: a message
/// gets another id only when the key that signed it is compromised.
pub(crate) const SENT_IDS: &str = "
    SELECT id, original FROM sent
    WHERE agency = $1 AND original = (SELECT s.original FROM sent AS s WHERE s.id = $2 AND s.agency = $1 LIMIT 1)
    LIMIT 64";

/// The messages that `$1` received with the same content as the message `$2` of the same sender: of `$3`, or of anybody when
/// that is empty. The second half finds those that replace a message which never came.
pub(crate) const RECEIVED_IDS: &str = "
    SELECT same.id, same.original FROM received AS named CROSS JOIN received AS same
    WHERE named.id = $2 AND named.recipient = $1 AND ($3 = '' OR named.sender = $3)
      AND same.recipient = named.recipient AND same.original = named.original AND same.sender = named.sender
    UNION
    SELECT id, original FROM received WHERE recipient = $1 AND original = $2 AND ($3 = '' OR sender = $3)
    LIMIT 64";

/// The ids under which `agency` knows a message of `sender`, or of anybody: its own, and those of the messages that it replaces
/// or that replace it. A message of our own is not confused with one of another sender under its id.
async fn ids_of(
    conn: &mut Conn,
    agency: &AgencyCode,
    sender: Option<&AgencyCode>,
    id: MessageId,
) -> Result<Vec<MessageId>, DbError> {
    let mut rows = Vec::new();
    if sender.is_none_or(|sender| sender == agency) {
        let query = sqlx::query(SENT_IDS).bind(agency.as_str()).bind(id.as_bytes().to_vec());
        rows = query.fetch_all(&mut *conn).await?;
    }
    if rows.is_empty() {
        let query = sqlx::query(RECEIVED_IDS).bind(agency.as_str()).bind(id.as_bytes().to_vec());
        rows = query.bind(sender.map_or("", AgencyCode::as_str)).fetch_all(conn).await?;
    }
    let mut ids = BTreeSet::from([id]);
    for row in &rows {
        ids.extend([row.message_id("original")?, row.message_id("id")?]);
    }
    Ok(ids.into_iter().collect())
}

/// A message's place in its case, as its header states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CasePlace {
    /// The case; absent where the type has none.
    pub(crate) case: Option<CaseId>,
    /// The sender's own count in the case, from 1.
    pub(crate) turn: Option<u64>,
    /// For each other party, the turn up to which the sender had everything.
    pub(crate) seen: BTreeMap<AgencyCode, u64>,
    /// When the content was first signed, of a message that was issued again.
    pub(crate) first_created: Option<Timestamp>,
    /// The message that it answers.
    pub(crate) in_reply_to: Option<MessageId>,
}

impl CasePlace {
    /// The place of a message of ours that is released now. An opener has the first turn in its own case, and has seen no
    /// other party's.
    pub(crate) fn of_release(
        message_type: MessageType,
        sender: &AgencyCode,
        id: MessageId,
        in_reply_to: Option<MessageId>,
    ) -> Self {
        let case = own_case(message_type.class(), sender, id);
        Self { turn: case.as_ref().map(|_| 1), case, in_reply_to, ..Self::default() }
    }

    /// The place of a message with this header. An opener of an older minor version names no case: it opens its own.
    pub(crate) fn of_header(header: &Header) -> Self {
        let class = header.message_type.parse::<MessageType>().ok().map(MessageType::class);
        // A reissued opener keeps the case of the message that it replaces.
        let own = || own_case(class?, &header.sender.agency, header.replaces.unwrap_or(header.id));
        let case = header.case.clone().or_else(own);
        Self {
            turn: header.turn.or(case.as_ref().map(|_| 1)),
            case,
            seen: header.seen.clone(),
            first_created: header.first_created,
            in_reply_to: header.in_reply_to,
        }
    }

    /// Writes the place into a header.
    pub(crate) fn write_to(self, header: &mut Header) {
        header.case = self.case;
        header.turn = self.turn;
        header.seen = self.seen;
        header.first_created = self.first_created;
        header.in_reply_to = self.in_reply_to;
    }

    /// Binds the values of [`columns!`].
    pub(crate) fn bind<'q>(&'q self, query: Binding<'q>) -> Binding<'q> {
        let case = self.case.as_ref();
        // A map of codes and numbers always serialises.
        let seen = (!self.seen.is_empty()).then(|| serde_json::to_string(&self.seen).unwrap_or_default());
        query
            .bind(case.map(|case| case.kind.as_str()))
            .bind(case.map(|case| case.owner.as_str()))
            .bind(case.map(|case| case.id.as_bytes().to_vec()))
            // The schema of the header keeps a turn below 2^53.
            .bind(self.turn.map(u64::cast_signed))
            .bind(seen)
            .bind(self.first_created.map(Timestamp::as_micros))
            .bind(self.in_reply_to.map(|id| id.as_bytes().to_vec()))
    }

    /// Reads the values of [`columns!`].
    pub(crate) fn read(row: &AnyRow) -> Result<Self, DbError> {
        let kind: Option<String> = row.try_get("case_kind")?;
        let case = match kind {
            Some(kind) => {
                Some(CaseId { kind, owner: row.parsed("case_owner")?, id: row.message_id("case_id")? })
            }
            None => None,
        };
        let seen: Option<String> = row.try_get("seen")?;
        let seen = seen.map(|text| serde_json::from_str(&text)).transpose();
        let in_reply_to: Option<Vec<u8>> = row.try_get("in_reply_to")?;
        Ok(Self {
            case,
            turn: row.opt_count("turn")?,
            seen: seen.map_err(|fault| DbError::damaged("message", fault))?.unwrap_or_default(),
            first_created: row.opt_instant("first_created")?,
            in_reply_to: in_reply_to.map(|bytes| MessageId::from_slice(&bytes)).transpose()?,
        })
    }
}

/// Serializes the filter for the audit event of a search: the name of the case, or the message that is answered.
pub(crate) fn narrowed_in_words<S: Serializer>(
    narrowed: &Option<Narrowed>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match narrowed {
        None => serializer.serialize_none(),
        Some(Narrowed::Case(case)) => serializer.serialize_str(&format!("case {case}")),
        Some(Narrowed::InReplyTo(id)) => serializer.serialize_str(&format!("in reply to {id}")),
    }
}

fn own_case(class: Class, sender: &AgencyCode, id: MessageId) -> Option<CaseId> {
    let Class::Opener(family) = class else { return None };
    Some(CaseId { kind: family.to_string(), owner: sender.clone(), id })
}
