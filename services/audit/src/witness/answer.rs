//! Answering a partner's `audit.checkpoint`: judged, written down, and only then cosigned.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rovuma_envelope::Signer;
use rovuma_schemas::{
    CountryCode, Line, Text, Timestamp,
    audit::{AuditCheckpoint, AuditCosignature, WitnessAnswer},
};
use rovuma_store::{Conn, FutureExt, RowExt, Store, WriteError};
use rovuma_tlog::{Checkpoint, Hash, Policy, UnverifiedCheckpoint, Verdict, cosign};
use sqlx::Row;

use super::{
    Evidence, LogAlarmKind, LogAlarms, Memory, Partners,
    judge::{Held, judge},
};
use crate::{audit::audit_source_name, error::DbError, log::to_db, publish::unix_s};

/// Heads that are kept of a partner's log: one that comes again is known again.
const KEPT: i64 = 256;

/// Cosigns heads of partners' logs.
pub(crate) struct Witness {
    pub(crate) store: Store,
    /// Whose logs are cosigned.
    pub(crate) policy: Arc<Policy>,
    /// The name and the key that cosign.
    pub(crate) name: String,
    pub(crate) key: Arc<dyn Signer>,
    pub(crate) alarms: LogAlarms,
    /// What was cosigned last, beside the store.
    pub(crate) memory: Memory,
    /// How often in a row each log was asked for a proof.
    pub(crate) unproven: Mutex<BTreeMap<String, u32>>,
}

/// A log that was shown so often in a row what to prove from has no proof: an honest one needs one answer.
const UNPROVEN_AFTER: u32 = 5;

/// What a head was answered, and what we hold of the log.
struct Decided {
    answer: WitnessAnswer,
    held: Option<String>,
}

impl Witness {
    /// The answer to a head of a partner's log; none to what is not of a log of the partner's.
    pub(crate) async fn answer(
        &self,
        partner: CountryCode,
        asked: &AuditCheckpoint,
        now: Timestamp,
    ) -> Result<Option<AuditCosignature>, WriteError<DbError>> {
        let note = asked.checkpoint.as_str();
        let read = match UnverifiedCheckpoint::read(note.as_bytes()) {
            Ok(read) if Partners::owns(partner, &read.unverified_head().origin) => read,
            Ok(read) => {
                let origin = &read.unverified_head().origin;
                tracing::warn!(%partner, origin, "a partner's head of a log that is not the partner's");
                return Ok(None);
            }
            Err(fault) => {
                tracing::warn!(%partner, %fault, "a partner's head cannot be read");
                return Ok(None);
            }
        };
        let head = read.unverified_head().clone();
        let Ok(origin) = head.origin.parse::<Line>() else { return Ok(None) };
        let mut answer = AuditCosignature {
            origin,
            size: head.size,
            answer: WitnessAnswer::UnknownLog,
            cosignature: None,
            held: None,
        };
        let (Verdict::Good(checkpoint) | Verdict::Unwitnessed { checkpoint, .. }) = self.policy.judge(read)
        else {
            // By the country: what else it says of itself nobody has signed.
            self.alarms.raise(LogAlarmKind::UnknownLog, &audit_source_name(partner), None, now).await?;
            return Ok(Some(answer));
        };
        let decided = self.decide(&checkpoint, asked, now).await?;
        answer.answer = decided.answer;
        match &answer.answer {
            WitnessAnswer::Cosigned => {
                answer.cosignature = self.cosign(&checkpoint, now).map_err(WriteError::Job)?;
                self.unproven().remove(&head.origin);
                self.alarms.close(LogAlarmKind::UnknownLog, &audit_source_name(partner), now).await?;
            }
            refused => {
                answer.held = decided.held.as_ref().and_then(|held| held.parse::<Text>().ok());
                self.refused(&head.origin, refused, note, decided.held, now).await?;
            }
        }
        Ok(Some(answer))
    }

    async fn refused(
        &self,
        origin: &str,
        answer: &WitnessAnswer,
        note: &str,
        held: Option<String>,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let kind = match answer {
            WitnessAnswer::Fork => LogAlarmKind::Fork,
            WitnessAnswer::Shrunken => LogAlarmKind::Shrunken,
            _ if self.asked_in_vain(origin) => LogAlarmKind::Unproven,
            _ => return Ok(()),
        };
        let evidence = Evidence { held: held.unwrap_or_default(), shown: note.to_owned() };
        self.alarms.raise(kind, origin, Some(evidence), now).await
    }

    /// Counts that a log was asked for a proof; whether that is too often.
    fn asked_in_vain(&self, origin: &str) -> bool {
        let mut unproven = self.unproven();
        let times = unproven.entry(origin.to_owned()).or_default();
        *times = times.saturating_add(1);
        *times >= UNPROVEN_AFTER
    }

    fn unproven(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.unproven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cosign(&self, checkpoint: &Checkpoint, now: Timestamp) -> Result<Option<Line>, DbError> {
        let line = cosign(checkpoint, &self.name, self.key.as_ref(), unix_s(now))?;
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches('\n').parse().ok())
    }

    /// Judges a head against what we have cosigned, and writes down that it will be cosigned.
    async fn decide(
        &self,
        checkpoint: &Checkpoint,
        asked: &AuditCheckpoint,
        now: Timestamp,
    ) -> Result<Decided, WriteError<DbError>> {
        let (head, note) = (checkpoint.head().clone(), checkpoint.as_bytes().to_vec());
        let kept = |fault| WriteError::Job(DbError::Memory(fault));
        let remembered = self.memory.of(&self.policy, &head.origin).await.map_err(kept)?;
        // An older head that comes again is no memory of a newer one.
        let is_behind = remembered.as_ref().is_none_or(|kept| kept.head().size < head.size);
        let (older, proof) =
            (asked.older, asked.proof.iter().map(|hash| Hash(*hash.as_bytes())).collect::<Vec<_>>());
        let write = self.store.write(move |tx| {
            async move {
                let stored = last(tx, &head.origin).await?;
                // The later of the two: a store that was put back has forgotten what the file remembers.
                let remembered = remembered.map(|kept| (kept.head().clone(), kept.as_bytes().to_vec()));
                let latest = stored.into_iter().chain(remembered).max_by_key(|(head, _)| head.size);
                let (last, last_note) = latest.unzip();
                let is_known = is_known(tx, &head).await?;
                let held = last.map(|last| Held { last, is_known });
                let answer = judge(&head, held.as_ref(), older, &proof);
                if answer == WitnessAnswer::Cosigned && !is_known {
                    keep(tx, &head.origin, head.size, &note, now).await?;
                }
                let held = last_note.and_then(|note| String::from_utf8(note).ok());
                Ok(Decided { answer, held })
            }
            .boxed()
        });
        let decided = write.await?;
        if decided.answer == WitnessAnswer::Cosigned && is_behind {
            self.memory.keep(checkpoint).await.map_err(kept)?;
        }
        Ok(decided)
    }
}

/// The last head of a log that we cosigned, and its note.
async fn last(tx: &mut Conn, origin: &str) -> Result<Option<(rovuma_tlog::Head, Vec<u8>)>, DbError> {
    let row = sqlx::query("SELECT note FROM witnessed WHERE origin = $1 ORDER BY size DESC LIMIT 1")
        .bind(origin)
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let note: Vec<u8> = row.try_get("note")?;
    Ok(Some((head_of(&note)?, note)))
}

async fn is_known(tx: &mut Conn, head: &rovuma_tlog::Head) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT note FROM witnessed WHERE origin = $1 AND size = $2")
        .bind(head.origin.as_str())
        .bind(to_db(head.size))
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    Ok(head_of(&row.try_get::<Vec<u8>, _>("note")?)? == *head)
}

/// What we wrote down ourselves, after its signature was checked.
fn head_of(note: &[u8]) -> Result<rovuma_tlog::Head, DbError> {
    let read = UnverifiedCheckpoint::read(note).map_err(|fault| DbError::damaged("witnessed head", fault))?;
    Ok(read.unverified_head().clone())
}

async fn keep(tx: &mut Conn, origin: &str, size: u64, note: &[u8], now: Timestamp) -> Result<(), DbError> {
    sqlx::query("INSERT INTO witnessed (origin, size, note, at) VALUES ($1, $2, $3, $4)")
        .bind(origin)
        .bind(to_db(size))
        .bind(note)
        .bind(now.as_micros())
        .execute(&mut *tx)
        .await?;
    let oldest = sqlx::query(
        "SELECT MIN(size) AS size FROM (SELECT size FROM witnessed WHERE origin = $1 ORDER BY size DESC LIMIT $2) AS kept",
    )
    .bind(origin)
    .bind(KEPT)
    .fetch_one(&mut *tx)
    .await?
    .count("size")?;
    sqlx::query("DELETE FROM witnessed WHERE origin = $1 AND size < $2")
        .bind(origin)
        .bind(to_db(oldest))
        .execute(tx)
        .await?;
    Ok(())
}
