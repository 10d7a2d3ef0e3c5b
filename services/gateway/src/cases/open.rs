//! Opens one case: folds its messages and adds what the store knows of their way.

use std::collections::BTreeMap;

use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt, padded_list, with_list};
use sqlx::Row;

use super::{
    beside,
    fold::{MissingTurns, Warning, rules::Effect},
    folded::{CaseMessages, StateFacts},
    follow,
    freshness::{self, Freshness},
    kept::{self, CaseKey, KeptMessage},
    list::{self, CaseRow},
};
use crate::{error::DbError, families, messages::receipts};

/// Maximum cases that are shown with the one on which they hang.
const HANGING_SHOWN: i64 = 50;

/// A case with everything that it adds up to.
#[derive(Debug)]
pub(crate) struct OpenedCase {
    /// Its row.
    pub(crate) row: CaseRow,
    /// Its state at an instant.
    pub(crate) facts: StateFacts,
    /// The turns that are on the way or lost.
    pub(crate) missing: Vec<MissingTurns>,
    /// What people must look at.
    pub(crate) warnings: Vec<Warning>,
    /// The types of messages that our agency may send in it now.
    pub(crate) possible: Vec<&'static str>,
    /// The other parties.
    pub(crate) parties: Vec<AgencyCode>,
    /// How fresh our knowledge from each of them is.
    pub(crate) freshness: Vec<Freshness>,
    /// The cases that hang on it.
    pub(crate) hanging: Vec<CaseRow>,
    /// Every message in its order.
    pub(crate) steps: Vec<CaseStep>,
}

/// A message of a case, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct CaseStep {
    /// The sender.
    pub(crate) sender: AgencyCode,
    /// The sender's turn.
    pub(crate) turn: u64,
    /// The id by which every party knows it.
    pub(crate) id: MessageId,
    /// Every id under which it came.
    pub(crate) ids: Vec<MessageId>,
    /// The name of its type.
    pub(crate) message_type: String,
    /// When it was signed.
    pub(crate) created: Timestamp,
    /// The message that it answers.
    pub(crate) in_reply_to: Option<MessageId>,
    /// For each other party, the turn up to which the sender had everything.
    pub(crate) seen: BTreeMap<AgencyCode, u64>,
    /// What it did to the state.
    pub(crate) effect: Effect,
    /// When it was stored here, of a message received.
    pub(crate) received_at: Option<Timestamp>,
    /// When an officer of ours opened it, of a message received.
    pub(crate) read_at: Option<Timestamp>,
    /// What recipients said of it, of a message sent.
    pub(crate) receipts: Vec<StepReceipt>,
}

/// What a recipient said of a message of ours.
#[derive(Clone, Debug)]
pub(crate) struct StepReceipt {
    /// The recipient.
    pub(crate) recipient: AgencyCode,
    /// `delivered`, `read`, `listed` or `rejected`.
    pub(crate) kind: String,
    /// The border post, of `listed`.
    pub(crate) post: Option<String>,
    /// When, by the recipient's clock.
    pub(crate) said_at: Timestamp,
}

/// The case of this name or, where the id is that of a message that was issued again, the case that it stands in.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn find(
    conn: &mut Conn,
    agency: &AgencyCode,
    case: &CaseId,
    now: Timestamp,
) -> Result<Option<(CaseKey, CaseRow)>, DbError> {
    let key = CaseKey::new(agency, case);
    if let Some(row) = list::one(conn, &key, now).await? {
        return Ok(Some((key, row)));
    }
    for id in super::ids_of(conn, agency, Some(&case.owner), case.id).await? {
        let key = CaseKey { id, ..key.clone() };
        if let Some(row) = list::one(conn, &key, now).await? {
            return Ok(Some((key, row)));
        }
    }
    Ok(None)
}

/// Whether any of our agencies has a case of this name.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn is_known(conn: &mut Conn, case: &CaseId) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM case_file WHERE case_id = $1 AND owner = $2 AND kind = $3 LIMIT 1")
        .bind(case.id.as_bytes().to_vec())
        .bind(case.owner.as_str())
        .bind(case.kind.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Opens a case as it is at `at`, from the messages that were here by then.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn open(
    conn: &mut Conn,
    _permit: &Permit<act::CaseRead>,
    (key, row): (CaseKey, CaseRow),
    at: Timestamp,
    is_replay: bool,
) -> Result<Option<OpenedCase>, DbError> {
    let Ok(family) = key.kind.parse() else { return Ok(None) };
    let mut messages = kept::load(conn, std::slice::from_ref(&key)).await?.remove(&key).unwrap_or_default();
    let known = step_facts(conn, &key, &messages).await?;
    if is_replay {
        messages.retain(|message| known.of(message).known_at(message) <= at);
    }
    let parties = follow::parties(conn, &key).await?;
    let freshness = freshness::of(conn, &key.agency, &parties).await?;
    let mut hanging = Vec::new();
    for other in beside::hanging(conn, &key, HANGING_SHOWN).await? {
        hanging.extend(list::one(conn, &other, at).await?);
    }
    let rules = families::rules(family);
    let mut opened = None;
    let state_beside = beside::state_of(conn, &key, &messages, (at, is_replay)).await?;
    let case = CaseMessages { owner: &key.owner, kept: &messages, state_beside };
    rules.fold(&case, &mut |fold| {
        let outcome = fold.at(at);
        let step = |line: super::fold::Line<'_>| {
            let message = messages.iter().find(|kept| kept.id == line.id && kept.sender == *line.sender);
            let first = line.ids.first().and_then(|id| messages.iter().find(|kept| kept.id == *id));
            let message = message.or(first);
            let own = message.map(|message| known.of(message)).unwrap_or_default();
            let receipts = line.ids.iter().flat_map(|id| known.receipts.get(id).into_iter().flatten());
            CaseStep {
                sender: line.sender.clone(),
                turn: line.turn,
                id: line.id,
                ids: line.ids.to_vec(),
                message_type: line.message_type.to_owned(),
                created: message.map_or(Timestamp::EPOCH, |kept| kept.first_created.unwrap_or(kept.created)),
                in_reply_to: message.and_then(|message| message.in_reply_to),
                seen: message.map(|message| message.seen.clone()).unwrap_or_default(),
                effect: line.effect,
                received_at: own.received_at,
                read_at: own.read_at,
                receipts: receipts.filter(|receipt| !is_replay || receipt.said_at <= at).cloned().collect(),
            }
        };
        opened = Some(OpenedCase {
            possible: rules.possible(fold, &key.agency, at),
            steps: fold.lines().into_iter().map(step).collect(),
            facts: outcome.state,
            missing: outcome.missing,
            warnings: outcome.warnings,
            row: row.clone(),
            parties: parties.clone(),
            freshness: freshness.clone(),
            hanging: hanging.clone(),
        });
    });
    Ok(opened)
}

/// When a message was stored and opened here.
#[derive(Clone, Copy, Debug, Default)]
struct OwnCopy {
    received_at: Option<Timestamp>,
    read_at: Option<Timestamp>,
}

impl OwnCopy {
    /// Since when our agency has known the message: its own since it signed it.
    fn known_at(self, message: &KeptMessage) -> Timestamp {
        self.received_at.unwrap_or(message.created)
    }
}

/// The ways of a case's messages.
#[derive(Debug, Default)]
struct StepFacts {
    received: BTreeMap<(AgencyCode, MessageId), OwnCopy>,
    receipts: BTreeMap<MessageId, Vec<StepReceipt>>,
}

impl StepFacts {
    fn of(&self, message: &KeptMessage) -> OwnCopy {
        self.received.get(&(message.sender.clone(), message.id)).copied().unwrap_or_default()
    }
}

/// The received copies with these ids.
pub(crate) const RECEIVED: &str =
    "SELECT sender, id, received_at, read_at FROM received WHERE recipient = $1 AND id IN ({})";

/// What recipients said of the messages with these ids.
pub(crate) const RECEIPTS: &str = "
    SELECT message_id, recipient, kind, said_at FROM receipt WHERE sender = $1 AND message_id IN ({})";

/// Maximum messages that one statement looks up.
const LOOK_UP_MAX: usize = 64;

async fn step_facts(conn: &mut Conn, key: &CaseKey, messages: &[KeptMessage]) -> Result<StepFacts, DbError> {
    let mut known = StepFacts::default();
    let (own, others): (Vec<_>, Vec<_>) = messages
        .iter()
        .map(|message| (&message.sender, message.id))
        .partition(|(sender, _)| **sender == key.agency);
    let ids = |of: &[(&AgencyCode, MessageId)]| of.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    for chunk in ids(&others).chunks(LOOK_UP_MAX) {
        let query = sqlx::query(with_list(RECEIVED, 2, chunk.len())).bind(key.agency.as_str());
        let query = padded_list(chunk).fold(query, |query, id| query.bind(id.as_bytes().to_vec()));
        for row in &query.fetch_all(&mut *conn).await? {
            let own = OwnCopy {
                received_at: Some(row.instant("received_at")?),
                read_at: row.opt_instant("read_at")?,
            };
            known.received.insert((row.parsed("sender")?, row.message_id("id")?), own);
        }
    }
    for chunk in ids(&own).chunks(LOOK_UP_MAX) {
        let query = sqlx::query(with_list(RECEIPTS, 2, chunk.len())).bind(key.agency.as_str());
        let query = padded_list(chunk).fold(query, |query, id| query.bind(id.as_bytes().to_vec()));
        for row in &query.fetch_all(&mut *conn).await? {
            let (kind, post) = receipts::kind_and_post(row.try_get("kind")?);
            let receipt = StepReceipt {
                recipient: row.parsed("recipient")?,
                kind,
                post,
                said_at: row.instant("said_at")?,
            };
            known.receipts.entry(row.message_id("message_id")?).or_default().push(receipt);
        }
    }
    for receipts in known.receipts.values_mut() {
        receipts.sort_by(|one, other| {
            let key =
                |one: &StepReceipt| (one.said_at, one.recipient.clone(), one.kind.clone(), one.post.clone());
            key(one).cmp(&key(other))
        });
    }
    Ok(known)
}
