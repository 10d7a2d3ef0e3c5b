//! What was sent, laid beside what the recipients' signed receipts say: differences are listed, not averaged away.

use std::{collections::BTreeMap, time::Duration};

use rovuma_policy::{Permit, act};
use rovuma_schemas::{
    Timestamp,
    audit::{AuditAction, AuditEvent},
};
use rovuma_store::Readers;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Row};
use utoipa::ToSchema;

use super::{LogEvent, Sequencer, search};
use crate::error::DbError;

/// Messages that are laid side by side at once: a busy month of a border, and no more than memory bears.
pub(crate) const MESSAGES_MAX: usize = 10_000;

/// A copy may be so long without a receipt before that is a difference: retransmission and a night without a line.
const UNANSWERED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What the log says of messages sent in a range of time.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Reconciliation {
    /// Copies sent: one for each recipient.
    pub(crate) sent: u64,
    /// Copies whose recipient signed that it stored them, naming the place in its own audit log.
    pub(crate) delivered: u64,
    /// Copies whose recipient signed that it refused them, naming the place in its own audit log.
    pub(crate) rejected: u64,
    /// Copies that were made void here and never left.
    pub(crate) voided: u64,
    /// Copies that have no receipt yet, and have not waited long.
    pub(crate) waiting: u64,
    /// Events that were erased: what they said cannot be compared any more.
    pub(crate) erased: u64,
    /// What does not go together.
    pub(crate) differences: Vec<Difference>,
}

/// Something that does not go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Difference {
    /// `unanswered`: sent a day ago or more, and no receipt. `not_sent`: a receipt for what was not sent to that recipient.
    /// `other_digest`: a receipt for other bytes than were sent. `place_twice`: two copies whose receipts name one place in
    /// the recipient's audit log.
    pub(crate) kind: &'static str,
    /// The message.
    pub(crate) message: String,
    /// The recipient that it is about.
    pub(crate) recipient: String,
    /// Since when: when it was sent, or when the receipt came.
    #[schema(format = DateTime)]
    pub(crate) since: String,
    /// More about it: the place, the digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

/// A copy of a message, by message and recipient.
type Copy = (String, String);

#[derive(Debug, Default)]
struct Said {
    sent: Option<(Timestamp, Option<String>)>,
    answered: Option<Answer>,
    voided: bool,
}

#[derive(Debug)]
struct Answer {
    at: Timestamp,
    delivered: bool,
    digest: Option<String>,
    place: Option<String>,
}

/// Lays events side by side: pure.
#[derive(Debug, Default)]
pub(crate) struct Reconciler {
    copies: BTreeMap<Copy, Said>,
    erased: u64,
}

impl Reconciler {
    /// Takes one event of a message, in the order of the log.
    pub(crate) fn take(&mut self, event: &AuditEvent) {
        let detail = |name: &str| event.details.get(name).cloned();
        let Some(message) = event.object.as_ref().map(|object| object.id.clone()) else { return };
        match &event.action {
            AuditAction::MessageSend | AuditAction::MessageReissue => {
                for recipient in detail("recipients").unwrap_or_default().split_whitespace() {
                    let recipient = recipient.split('/').next().unwrap_or_default();
                    let country = recipient.split('.').next().unwrap_or_default();
                    let digest = detail("digest").or_else(|| detail(&format!("digest.{country}")));
                    let said = self.copies.entry((message.clone(), recipient.to_owned())).or_default();
                    said.sent = Some((event.time, digest));
                }
            }
            AuditAction::MessageVoid => {
                let copy = (message, detail("recipient").unwrap_or_default());
                self.copies.entry(copy).or_default().voided = true;
            }
            AuditAction::ReceiptAccept => {
                let delivered = match detail("kind").as_deref() {
                    Some("delivered") => true,
                    Some("rejected") => false,
                    _ => return,
                };
                let copy = (message, detail("by").unwrap_or_default());
                let answer =
                    Answer { at: event.time, delivered, digest: detail("digest"), place: detail("audit") };
                self.copies.entry(copy).or_default().answered.get_or_insert(answer);
            }
            _ => {}
        }
    }

    /// Counts an event that says nothing any more.
    pub(crate) fn erased(&mut self) {
        self.erased += 1;
    }

    /// What goes together and what does not.
    pub(crate) fn finish(self, now: Timestamp) -> Reconciliation {
        let mut found = Reconciliation { erased: self.erased, ..Reconciliation::default() };
        let mut places: BTreeMap<String, Copy> = BTreeMap::new();
        for (copy, said) in self.copies {
            found.sent += u64::from(said.sent.is_some());
            found.voided += u64::from(said.voided);
            match (&said.sent, &said.answered) {
                (Some((at, _)), None) if !said.voided => {
                    if now.since(*at) < UNANSWERED_AFTER {
                        found.waiting += 1;
                    } else {
                        found.differ("unanswered", &copy, *at, None);
                    }
                }
                (None, Some(answer)) => found.differ("not_sent", &copy, answer.at, answer.place.clone()),
                (Some((_, digest)), Some(answer)) => {
                    *(if answer.delivered { &mut found.delivered } else { &mut found.rejected }) += 1;
                    if digest.is_some() && answer.digest.is_some() && *digest != answer.digest {
                        found.differ("other_digest", &copy, answer.at, answer.digest.clone());
                    }
                }
                _ => {}
            }
            let Some(answer) = said.answered else { continue };
            let Some(place) = answer.place else { continue };
            if let Some((message, _)) = places.get(&place) {
                let detail = format!("{place}, as that of {message}");
                found.differ("place_twice", &copy, answer.at, Some(detail));
            } else {
                places.insert(place, copy);
            }
        }
        found
    }
}

impl Reconciliation {
    fn differ(&mut self, kind: &'static str, copy: &Copy, since: Timestamp, detail: Option<String>) {
        let (message, recipient) = copy.clone();
        self.differences.push(Difference { kind, message, recipient, since: since.to_string(), detail });
    }
}

/// The actions that say what became of a message.
const ACTIONS: &str = "('message.send', 'message.reissue', 'message.void', 'receipt.accept')";

/// Lays side by side what the log says of the messages that were sent, or for which receipts came, from `from` on and before
/// `to`. None: there are more of them than [`MESSAGES_MAX`].
pub(crate) async fn reconcile(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    (from, to): (Timestamp, Option<Timestamp>),
    now: Timestamp,
) -> Result<Option<Reconciliation>, DbError> {
    let owner = permit.resource().owner();
    let agency = (!owner.is_node()).then(|| owner.to_string());
    // Every event of each message, whenever it was: a receipt may come long after.
    let text = format!(
        "SELECT e.entry_index, s.message_id, p.sealed, ps.key_salt FROM entry_search s
         JOIN entry e ON e.entry_index = s.entry_index
         LEFT JOIN payload p ON p.entry_index = e.entry_index
         LEFT JOIN payload_scope ps ON ps.scope_id = p.scope_id
         WHERE s.action IN {ACTIONS} AND (s.agency = $3 OR $3 = '') AND s.message_id IN
           (SELECT w.message_id FROM entry_search w WHERE w.at >= $1 AND w.at < $2
            AND w.action IN ('message.send', 'message.reissue', 'receipt.accept') AND (w.agency = $3 OR $3 = '')
            GROUP BY w.message_id ORDER BY w.message_id LIMIT $4)
         ORDER BY s.entry_index"
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(from.as_micros())
        .bind(to.map_or(i64::MAX, Timestamp::as_micros))
        .bind(agency.unwrap_or_default())
        .bind(i64::try_from(MESSAGES_MAX + 1).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let mut reconciler = Reconciler::default();
    let mut messages = std::collections::BTreeSet::new();
    for row in &rows {
        messages.insert(row.try_get::<String, _>("message_id")?);
        match search::payload(row, sequencer)? {
            Some(opened) => {
                let event = LogEvent::read(opened.event).map_err(|fault| DbError::damaged("event", fault))?;
                reconciler.take(event.event());
            }
            None => reconciler.erased(),
        }
    }
    Ok((messages.len() <= MESSAGES_MAX).then(|| reconciler.finish(now)))
}
