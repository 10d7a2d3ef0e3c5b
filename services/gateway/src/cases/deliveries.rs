//! When messages of ours in cases were delivered, as their recipients' receipts say. The clocks of requests run from there.

use std::{collections::BTreeSet, time::Duration};

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt, padded_list, with_list};

use super::{kept::CaseKey, project};
use crate::{base::Base, error::DbError, families};

/// The messages of `$1` with these ids that stand in cases with a clock.
pub(crate) const WITH_CLOCK: &str = concat!(
    "SELECT owner, case_id, kind, id FROM case_message WHERE ",
    families::has_clock!(),
    " AND agency = $1 AND sender = $1 AND id IN ({})"
);

/// Sets when the message `$6` in a case was delivered to `$8`: the first time, or again since, without a word of `$8` in between.
pub(crate) const DELIVERED: &str = "
    UPDATE case_message SET delivered_at = $5
    WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4 AND sender = $1 AND id = $6
      AND (delivered_at IS NULL
           OR (delivered_at <= $7
               AND NOT EXISTS (SELECT 1 FROM case_message AS word
                               WHERE word.agency = $1 AND word.owner = $2 AND word.case_id = $3 AND word.kind = $4
                                 AND word.sender = $8 AND word.created_at >= case_message.delivered_at)))";

/// A later delivery that is told of longer ago than this counts no more: it is told of at once, when the line is there.
const TOLD_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// The least time between two deliveries of a message that count. Its recipient's store is not restored more often, and each that counts
/// folds the case and tells everybody who follows it: a recipient that signs receipts without end does not keep us busy.
const LATER_BY_MIN: Duration = Duration::from_secs(60 * 60);

/// How far ahead of our clock a recipient's may be. A receipt from a later future would give its signer time without end.
const AHEAD_MAX: Duration = Duration::from_secs(5 * 60);

/// Records when messages of `sender` were delivered to `recipient`, and folds their cases again. A later delivery counts instead of an
/// earlier one: the recipient's store was restored, and knows of no other. It counts no more once the recipient has written in the
/// case since: else it could turn its clock back after its answer. Returns the messages whose delivery counts.
///
/// # Errors
/// [`DbError`] when the store does not answer; then the transaction must be rolled back.
pub(crate) async fn record(
    tx: &mut Conn,
    base: &Base,
    (sender, recipient): (&AgencyCode, &AgencyCode),
    delivered: &[(MessageId, Timestamp)],
    now: Timestamp,
) -> Result<BTreeSet<MessageId>, DbError> {
    let mut counted = BTreeSet::new();
    if delivered.is_empty() {
        return Ok(counted);
    }
    let mut changed = BTreeSet::new();
    let query = sqlx::query(with_list(WITH_CLOCK, 2, delivered.len())).bind(sender.as_str());
    let query = padded_list(delivered).fold(query, |query, (id, _)| query.bind(id.as_bytes().to_vec()));
    for row in &query.fetch_all(&mut *tx).await? {
        let id = row.message_id("id")?;
        let Some((_, at)) = delivered.iter().find(|(known, _)| *known == id) else { continue };
        let key = CaseKey::read(sender.clone(), row)?;
        let at = (*at).min(now.plus(AHEAD_MAX));
        // Told of too late, it is earlier than every delivery that counts.
        let before = if at < now.minus(TOLD_WITHIN) { Timestamp::EPOCH } else { at.minus(LATER_BY_MIN) };
        let update = key.bind(sqlx::query(DELIVERED)).bind(at.as_micros()).bind(id.as_bytes().to_vec());
        let update = update.bind(before.as_micros()).bind(recipient.as_str()).execute(&mut *tx).await?;
        if update.rows_affected() > 0 {
            counted.insert(id);
            changed.insert(key);
        }
    }
    for key in &changed {
        project::again(tx, base, key, now).await?;
    }
    Ok(counted)
}
