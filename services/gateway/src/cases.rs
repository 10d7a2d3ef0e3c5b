//! Cases: an alert, a request or a hit is the state that the messages about it add up to. Each message names its case, its
//! sender's turn there and, for each other party, the turn that the sender had seen. Only these order the messages.
//!
//! This module gives our own messages their place in a case, and reads and writes the place of every message.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, CaseId, Class, Header, MessageId, MessageType, Timestamp};
use rovuma_store::{Binding, RowExt};
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

/// A list's statement, `SELECT $select FROM $table $rest`, limited to the rows that `$narrowed` names. `MATERIALIZED`, so that
/// the database uses the index on the case whatever order the list has. `$1` is the agency in the column `$owner`, and the
/// list's own parameters end before `$12`.
macro_rules! narrowed_statement {
    ($narrowed:expr, $table:literal, $owner:literal, $select:expr, $rest:expr) => {
        match $narrowed {
            None => concat!("SELECT ", $select, " FROM ", $table, " ", $rest),
            Some($crate::cases::Narrowed::Case(_)) => concat!(
                "WITH narrowed AS MATERIALIZED (SELECT * FROM ",
                $table,
                " WHERE ",
                $owner,
                " = $1 AND case_id = $12 AND case_owner = $13 AND case_kind = $14) SELECT ",
                $select,
                " FROM narrowed AS ",
                $table,
                " ",
                $rest
            ),
            Some($crate::cases::Narrowed::InReplyTo(_)) => concat!(
                "WITH narrowed AS MATERIALIZED (SELECT * FROM ",
                $table,
                " WHERE ",
                $owner,
                " = $1 AND in_reply_to = $12) SELECT ",
                $select,
                " FROM narrowed AS ",
                $table,
                " ",
                $rest
            ),
        }
    };
}

pub(crate) use narrowed_statement;

impl Narrowed {
    /// Binds the parameters that [`narrowed_statement!`] adds.
    pub(crate) fn bind<'q>(narrowed: Option<&'q Self>, query: Binding<'q>) -> Binding<'q> {
        match narrowed {
            None => query,
            Some(Self::Case(case)) => {
                query.bind(case.id.as_bytes().to_vec()).bind(case.owner.as_str()).bind(case.kind.as_str())
            }
            Some(Self::InReplyTo(id)) => query.bind(id.as_bytes().to_vec()),
        }
    }
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
            .bind(self.turn.map(|turn| i64::try_from(turn).unwrap_or(i64::MAX)))
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
