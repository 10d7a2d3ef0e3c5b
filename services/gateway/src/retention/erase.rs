//! Erases the content of one case, in one transaction.

use rovuma_envelope::digest;
use rovuma_schemas::{MessageId, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, padded_list, with_list};
use rovuma_trail::AuditRecord;
use sqlx::query;

use super::{
    certificate::Certificate,
    contents::{self, CaseContents, LOOK_UP_MAX},
    due::{self, DueCase},
};
use crate::{
    alarm::{self, AlarmKind},
    cases::{identifiers, kept::CaseKey},
    drafts::{Drafts, by_itself::NotSent},
    error::DbError,
    events::EventKind,
    exchange::{SYSTEM, send::SendError},
};

/// The answer that is kept in place of one that held what was erased: the request is still recognised and not done again.
const ERASED_ANSWER: &[u8] = br#"{"status":410,"title":"Gone","code":"erased"}"#;

/// Erases the content of the case, certifies that, and records both, if the case is still due. Returns what was erased; none when the
/// case is not due any more. After an error the transaction must be rolled back.
pub(super) async fn erase(
    tx: &mut Conn,
    drafts: &Drafts,
    case: &DueCase,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Option<CaseContents>, SendError> {
    let key = &case.key;
    if due::still_due(tx, key, now).await?.as_ref() != Some(case) {
        return Ok(None);
    }
    let found = contents::find(tx, key).await?;
    if !found.is_empty() {
        // Before the case is marked as erased: the certificate is one more message of it.
        let certified = certify(tx, drafts, case, certificate, now).await?;
        let erased_drafts = erase_rows(tx, key, &found, now).await?;
        record(tx, drafts, case, &found, (erased_drafts, certified), now).await?;
    }
    key.bind(query(
        "UPDATE case_file SET reference = '', erased_at = $5
         WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4",
    ))
    .bind(now.as_micros())
    .execute(&mut *tx)
    .await?;
    key.bind(query("DELETE FROM case_hold WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4"))
        .execute(tx)
        .await?;
    Ok(Some(found))
}

/// Sends the certificate; raises an alarm where that is not possible, because data must go whoever may be told.
async fn certify(
    tx: &mut Conn,
    drafts: &Drafts,
    case: &DueCase,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Option<MessageId>, SendError> {
    let why = match certificate {
        Certificate::NotOwed => return Ok(None),
        Certificate::Impossible(why) => why.clone(),
        Certificate::Ready(content) => {
            match drafts.send_automatic(tx, &case.key.agency, content, now).await {
                Ok(id) => return Ok(Some(id)),
                Err(NotSent::Send(fault)) => return Err(fault),
                Err(NotSent::NotAllowed(why)) => why,
            }
        }
    };
    let (subject, detail) = (case.key.case().to_string(), format!("erased, and not certified: {why}"));
    let about = (subject.as_str(), detail.as_str());
    // The partner chose the case and its terms.
    alarm::raise_by(tx, &case.key.agency, AlarmKind::CertificateUnsent, &case.key.owner, about, now).await?;
    Ok(None)
}

/// Erases the bytes. Returns how many drafts were among them.
async fn erase_rows(
    tx: &mut Conn,
    key: &CaseKey,
    found: &CaseContents,
    now: Timestamp,
) -> Result<u64, DbError> {
    let nothing = Vec::<u8>::new;
    let mut drafts = 0;
    for (id, country, _) in &found.sent {
        let (id_bytes, country) = (id.as_bytes().to_vec(), country.as_str());
        query("UPDATE sent SET jws = $1, erased_at = $2 WHERE id = $3 AND country = $4 AND agency = $5")
            .bind(nothing())
            .bind(now.as_micros())
            .bind(id_bytes.clone())
            .bind(country)
            .bind(key.agency.as_str())
            .execute(&mut *tx)
            .await?;
        query("UPDATE outbox_message SET compact = $1 WHERE id = $2 AND country = $3 AND sender = $4")
            .bind(nothing())
            .bind(id_bytes.clone())
            .bind(country)
            .bind(key.agency.as_str())
            .execute(&mut *tx)
            .await?;
        let draft = query(
            "UPDATE draft SET content = $1, reference = NULL, return_reason = NULL
             WHERE id = $2 AND agency = $3 AND state = 'released' AND content <> $1",
        );
        let draft = draft.bind(nothing()).bind(id_bytes).bind(key.agency.as_str());
        drafts += draft.execute(&mut *tx).await?.rows_affected();
        forget_answers(tx, key, *id).await?;
    }
    let rows: Vec<i64> = found.received.iter().map(|(seq, ..)| *seq).collect();
    for rows in rows.chunks(LOOK_UP_MAX) {
        let text = with_list(
            "UPDATE received SET jws = NULL, header = NULL, erased_at = $1 WHERE seq IN ({})",
            2,
            rows.len(),
        );
        let update = query(text).bind(now.as_micros());
        padded_list(rows).fold(update, |update, seq| update.bind(seq)).execute(&mut *tx).await?;
    }
    for (_, digest) in &found.conflicts {
        query("UPDATE conflict SET jws = $1, erased_at = $2 WHERE recipient = $3 AND digest = $4")
            .bind(nothing())
            .bind(now.as_micros())
            .bind(key.agency.as_str())
            .bind(digest.as_bytes().to_vec())
            .execute(&mut *tx)
            .await?;
    }
    // A document's number and a plate are there too.
    identifiers::forget(tx, key).await?;
    Ok(drafts)
}

/// Empties the kept answers about a draft or message: they repeat its content, or advice that quotes it.
async fn forget_answers(tx: &mut Conn, key: &CaseKey, id: MessageId) -> Result<(), DbError> {
    query(
        "UPDATE idempotency SET status = 410, body = $1, etag = NULL
         WHERE agency = $2 AND location IN ($3, $4)",
    )
    .bind(ERASED_ANSWER)
    .bind(key.agency.as_str())
    .bind(format!("/v1/drafts/{id}"))
    .bind(format!("/v1/messages/{id}"))
    .execute(tx)
    .await?;
    Ok(())
}

/// Records what was erased, by counts and one digest: an event names nobody, and has room for few names.
async fn record(
    tx: &mut Conn,
    drafts: &Drafts,
    case: &DueCase,
    found: &CaseContents,
    (erased_drafts, certified): (u64, Option<MessageId>),
    now: Timestamp,
) -> Result<(), DbError> {
    let (base, key) = (&drafts.exchange.base, &case.key);
    let mut event = AuditRecord::new(now, SYSTEM, AuditAction::Erase)
        .agency(&key.agency)
        .object("case", key.case())
        .detail("ground", &case.ground)
        .detail("messages", found.ids().len())
        .detail("drafts", erased_drafts)
        .detail("conflicts", found.conflicts.len())
        // The digest of the digests of the signed messages, ascending: an auditor computes it from the rows, which stay.
        .detail("digests", digest(&found.digests().into_iter().flatten().collect::<Vec<u8>>()));
    if let Some(until) = case.retain_until {
        event = event.detail("retain_until", until);
    }
    if let Some(id) = certified {
        event = event.detail("certificate", id);
    }
    base.trail.record(tx, &event).await?;
    base.events.record(tx, &key.agency, EventKind::CaseChanged, Some(&key.id), 0, now);
    query(
        "INSERT INTO retention_run (job, ran_at) VALUES ('rewrite', $1)
         ON CONFLICT (job) DO UPDATE SET ran_at = excluded.ran_at",
    )
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}
