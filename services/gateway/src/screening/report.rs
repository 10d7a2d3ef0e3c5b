//! What a watchlist says of alerts: at which border posts what crosses is screened for them, or no longer. The gateway signs it to each alert's
//! issuer, as a receipt for the message that brought the content or took the alert back.

use std::collections::BTreeSet;

use rovuma_policy::{Permit, act};
use rovuma_schemas::{
    AgencyCode, CaseId, Digest, Family, Lane, ListedEntry, MessageId, MessageType, Timestamp,
    subjects::CrossingCode,
};
use rovuma_store::{Conn, RowExt, padded_list, with_list};
use sqlx::Row;

use super::{FOLDED_AT_ONCE, SaidMessage, folded, last_applied};
use crate::{
    cases::{
        folded::FoldedCase,
        kept::{self, CaseKey, KeptMessage},
    },
    error::DbError,
    exchange::{Exchange, receipt::PendingReceipts, send::SendError},
    families::{
        CaseDetails,
        alert::{self, AlertState},
    },
};

/// What a watchlist acts on.
#[derive(Clone, Debug)]
pub(crate) struct ReportedAlert {
    /// The owner of the alert.
    pub(crate) owner: AgencyCode,
    /// Its id.
    pub(crate) id: MessageId,
    /// The version that is screened for; none of one that was withdrawn and is no longer.
    pub(crate) version: Option<u32>,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// What was said of a report.
#[derive(Clone, Debug)]
pub(crate) struct SaidOfAlerts {
    /// How many posts said of how many messages that they act on them.
    pub(crate) said: usize,
    /// The alerts of which what was reported is their issuer's last word.
    pub(crate) taken: Vec<CaseId>,
}

/// Signs to the issuers of these alerts that the posts act on their last word. What a post has said of a message it does not say again; of
/// own alerts, and of what is no longer the alert's last word, nothing is said.
///
/// # Errors
/// [`SendError`] when the store does not answer or nothing can be signed: the transaction must be rolled back.
pub(crate) async fn report(
    tx: &mut Conn,
    exchange: &Exchange,
    permit: &Permit<act::ScreeningReport>,
    (posts, alerts): (&BTreeSet<CrossingCode>, &[ReportedAlert]),
    now: Timestamp,
) -> Result<SaidOfAlerts, SendError> {
    let agency = permit.resource().owner();
    let others: Vec<&ReportedAlert> = alerts.iter().filter(|alert| alert.owner != *agency).collect();
    let (mut receipts, mut said) = (PendingReceipts::default(), SaidOfAlerts { said: 0, taken: Vec::new() });
    for chunk in others.chunks(FOLDED_AT_ONCE) {
        let keys: Vec<CaseKey> = chunk.iter().map(|alert| alert.key(agency)).collect();
        let messages = kept::load(tx, &keys).await?;
        for (alert, key) in chunk.iter().zip(&keys) {
            let kept = messages.get(key).map_or(&[][..], Vec::as_slice);
            let Some(word) = last_word(key, kept, alert.version, now) else { continue };
            said.taken.push(key.case());
            for copy in copies(tx, agency, &word).await? {
                let new: Vec<&CrossingCode> =
                    posts.iter().filter(|post| !copy.posts.contains(*post)).collect();
                if new.is_empty() {
                    continue;
                }
                for post in &new {
                    let entry = ListedEntry {
                        id: copy.id,
                        digest: copy.digest,
                        post: (*post).clone(),
                        // Nobody acted on it before it was here.
                        listed_at: alert.since.max(copy.received_at).min(now),
                    };
                    receipts.listed(agency, &alert.owner, copy.lane, entry);
                }
                said.said += new.len();
                copy.keep(tx, agency, &alert.owner, new).await?;
            }
        }
    }
    receipts.sign_and_enqueue(tx, exchange, now).await?;
    Ok(said)
}

impl ReportedAlert {
    fn key(&self, agency: &AgencyCode) -> CaseKey {
        CaseKey {
            agency: agency.clone(),
            kind: Family::Alert.as_str().to_owned(),
            owner: self.owner.clone(),
            id: self.id,
        }
    }
}

/// The message of the owner that brought this version, if it is in force; or the one that took the alert back.
fn last_word(
    key: &CaseKey,
    kept: &[KeptMessage],
    version: Option<u32>,
    now: Timestamp,
) -> Option<SaidMessage> {
    folded(Family::Alert, key, kept, &|fold| word_of(fold, key, version, now))
}

fn word_of(
    fold: &dyn FoldedCase,
    key: &CaseKey,
    version: Option<u32>,
    now: Timestamp,
) -> Option<SaidMessage> {
    let CaseDetails::Alert(view) = fold.at(now).state.details else { return None };
    let is_owners = |sender: &AgencyCode| *sender == key.owner;
    match (version, view.state) {
        (Some(version), AlertState::Active) if view.version == Some(version) => {
            last_applied(fold, &|kind, sender| alert::brings_content(kind) && is_owners(sender))
        }
        (None, AlertState::Withdrawn) => {
            last_applied(fold, &|kind, sender| kind == MessageType::AlertWithdraw && is_owners(sender))
        }
        _ => None,
    }
}

/// A copy of a message that the agency received.
struct ReceivedCopy {
    id: MessageId,
    digest: Digest,
    lane: Lane,
    received_at: Timestamp,
    /// The posts that have said that they act on it.
    posts: Vec<CrossingCode>,
}

/// The copies with these ids. The ids alone lead: of one agency there are many messages.
pub(crate) const COPIES: &str = "
    SELECT sender, id, digest, lane, received_at, listed_posts FROM received
    WHERE (recipient || '') = $1 AND disposition = 'operative' AND id IN ({})";

/// Notes at which posts a message that was received is acted on.
pub(crate) const KEEP: &str =
    "UPDATE received SET listed_posts = $1 WHERE recipient = $2 AND sender = $3 AND id = $4";

async fn copies(
    tx: &mut Conn,
    agency: &AgencyCode,
    word: &SaidMessage,
) -> Result<Vec<ReceivedCopy>, DbError> {
    let query = sqlx::query(with_list(COPIES, 2, word.ids.len())).bind(agency.as_str());
    let query = padded_list(&word.ids).fold(query, |query, id| query.bind(id.as_bytes().to_vec()));
    let mut copies = Vec::new();
    for row in &query.fetch_all(tx).await? {
        if row.parsed::<AgencyCode>("sender")? != word.sender {
            continue;
        }
        let posts: Option<String> = row.try_get("listed_posts")?;
        copies.push(ReceivedCopy {
            id: row.message_id("id")?,
            digest: row.digest("digest")?,
            lane: row.parsed("lane")?,
            received_at: row.instant("received_at")?,
            posts: posts
                .iter()
                .flat_map(|posts| posts.split(' '))
                .filter_map(|post| post.parse().ok())
                .collect(),
        });
    }
    Ok(copies)
}

impl ReceivedCopy {
    async fn keep(
        &self,
        tx: &mut Conn,
        agency: &AgencyCode,
        sender: &AgencyCode,
        new: Vec<&CrossingCode>,
    ) -> Result<(), DbError> {
        let posts: Vec<&str> = self.posts.iter().chain(new).map(CrossingCode::as_str).collect();
        sqlx::query(KEEP)
            .bind(posts.join(" "))
            .bind(agency.as_str())
            .bind(sender.as_str())
            .bind(self.id.as_bytes().to_vec())
            .execute(tx)
            .await?;
        Ok(())
    }
}
