//! Responds to a partner's `audit.checkpoint`: decides, stores the head, and only then cosigns it.

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
use rovuma_tlog::{Checkpoint, Hash, LogPolicy, PolicyVerdict, UnverifiedCheckpoint, cosign};
use sqlx::Row;

use super::{
    ConflictingHeads, CosignedFiles, LogAlarmKind, LogAlarms, Partners,
    decision::{CosignedState, decide},
};
use crate::{audit::audit_source_name, error::DbError, log::to_db, publish::unix_s};

/// How many heads of a partner's log are kept: such a head is recognised when it comes again.
const HEADS_KEPT: i64 = 256;

/// Cosigns heads of partners' logs.
pub(crate) struct Witness {
    pub(crate) store: Store,
    /// The policy: it names the logs that are cosigned.
    pub(crate) policy: Arc<LogPolicy>,
    /// The name with which this service cosigns.
    pub(crate) name: String,
    /// The key with which it cosigns.
    pub(crate) key: Arc<dyn Signer>,
    pub(crate) alarms: LogAlarms,
    /// The last cosigned heads, beside the store.
    pub(crate) cosigned_files: CosignedFiles,
    /// By origin, how often in a row a log's head came without the proof that was asked for.
    pub(crate) without_proof: Mutex<BTreeMap<String, u32>>,
}

/// After this many heads in a row without the proof asked for an alarm is raised: an honest log needs to be asked once.
const WITHOUT_PROOF_MAX: u32 = 5;

/// The answer to a head, and the note of the last cosigned head of its log.
struct WitnessDecision {
    answer: WitnessAnswer,
    last_note: Option<String>,
}

impl Witness {
    /// Responds to a head of a partner's log. `None`: the head is not of a log of that partner, and gets no response.
    pub(crate) async fn respond(
        &self,
        partner: CountryCode,
        request: &AuditCheckpoint,
        now: Timestamp,
    ) -> Result<Option<AuditCosignature>, WriteError<DbError>> {
        let note = request.checkpoint.as_str();
        let read = match UnverifiedCheckpoint::read(note.as_bytes()) {
            Ok(read) if Partners::owns(partner, &read.unverified_head().origin) => read,
            Ok(read) => {
                let origin = &read.unverified_head().origin;
                tracing::warn!(%partner, origin, "a partner sent a head of a log that is not its own");
                return Ok(None);
            }
            Err(fault) => {
                tracing::warn!(%partner, %fault, "a partner's checkpoint cannot be parsed");
                return Ok(None);
            }
        };
        let head = read.unverified_head().clone();
        let Ok(origin) = head.origin.parse::<Line>() else { return Ok(None) };
        let mut response = AuditCosignature {
            origin,
            size: head.size,
            answer: WitnessAnswer::UnknownLog,
            cosignature: None,
            held: None,
        };
        let (PolicyVerdict::Good(checkpoint) | PolicyVerdict::Unwitnessed { checkpoint, .. }) =
            self.policy.judge(read)
        else {
            // The alarm names the country's audit service, because nobody has signed the origin in the head.
            self.alarms.raise(LogAlarmKind::UnknownLog, &audit_source_name(partner), None, now).await?;
            return Ok(Some(response));
        };
        let decision = self.decide_and_store(&checkpoint, request, now).await?;
        response.answer = decision.answer;
        match &response.answer {
            WitnessAnswer::Cosigned => {
                response.cosignature = self.cosign(&checkpoint, now).map_err(WriteError::Job)?;
                self.without_proof().remove(&head.origin);
                self.alarms.close(LogAlarmKind::UnknownLog, &audit_source_name(partner), now).await?;
            }
            refusal => {
                response.held = decision.last_note.as_ref().and_then(|note| note.parse::<Text>().ok());
                self.raise_alarm(&head.origin, refusal, note, decision.last_note, now).await?;
            }
        }
        Ok(Some(response))
    }

    async fn raise_alarm(
        &self,
        origin: &str,
        refusal: &WitnessAnswer,
        note: &str,
        last_note: Option<String>,
        now: Timestamp,
    ) -> Result<(), WriteError<DbError>> {
        let kind = match refusal {
            WitnessAnswer::Fork => LogAlarmKind::Fork,
            WitnessAnswer::Shrunken => LogAlarmKind::Shrunken,
            _ if self.lacks_proof(origin) => LogAlarmKind::Unproven,
            _ => return Ok(()),
        };
        let evidence = ConflictingHeads { held: last_note.unwrap_or_default(), shown: note.to_owned() };
        self.alarms.raise(kind, origin, Some(evidence), now).await
    }

    /// Counts a head without the proof asked for; whether there were [`WITHOUT_PROOF_MAX`] in a row.
    fn lacks_proof(&self, origin: &str) -> bool {
        let mut without_proof = self.without_proof();
        let times = without_proof.entry(origin.to_owned()).or_default();
        *times = times.saturating_add(1);
        *times >= WITHOUT_PROOF_MAX
    }

    fn without_proof(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.without_proof.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cosign(&self, checkpoint: &Checkpoint, now: Timestamp) -> Result<Option<Line>, DbError> {
        let line = cosign(checkpoint, &self.name, self.key.as_ref(), unix_s(now))?;
        let line = String::from_utf8_lossy(&line);
        Ok(line.trim_end_matches('\n').parse().ok())
    }

    /// Decides about a head, and stores it if it is to be cosigned.
    async fn decide_and_store(
        &self,
        checkpoint: &Checkpoint,
        request: &AuditCheckpoint,
        now: Timestamp,
    ) -> Result<WitnessDecision, WriteError<DbError>> {
        let (head, note) = (checkpoint.head().clone(), checkpoint.as_bytes().to_vec());
        let file_fault = |fault| WriteError::Job(DbError::CosignedFiles(fault));
        let in_file = self.cosigned_files.load(&self.policy, &head.origin).await.map_err(file_fault)?;
        // An older head that comes again does not replace a newer one in the file.
        let is_newer = in_file.as_ref().is_none_or(|last| last.head().size < head.size);
        let (older, proof) =
            (request.older, request.proof.iter().map(|hash| Hash(*hash.as_bytes())).collect::<Vec<_>>());
        let write = self.store.write(move |tx| {
            async move {
                let stored = last_cosigned(tx, &head.origin).await?;
                // The later of the two counts: a restored store may lack the head that the file has.
                let in_file = in_file.map(|last| (last.head().clone(), last.as_bytes().to_vec()));
                let latest = stored.into_iter().chain(in_file).max_by_key(|(head, _)| head.size);
                let (last, last_note) = latest.unzip();
                let is_known = is_known(tx, &head).await?;
                let state = last.map(|last| CosignedState { last, is_known });
                let answer = decide(&head, state.as_ref(), older, &proof);
                if answer == WitnessAnswer::Cosigned && !is_known {
                    insert(tx, &head.origin, head.size, &note, now).await?;
                }
                let last_note = last_note.and_then(|note| String::from_utf8(note).ok());
                Ok(WitnessDecision { answer, last_note })
            }
            .boxed()
        });
        let decision = write.await?;
        if decision.answer == WitnessAnswer::Cosigned && is_newer {
            self.cosigned_files.save(checkpoint).await.map_err(file_fault)?;
        }
        Ok(decision)
    }
}

/// The last head of a log that this service cosigned, and its note.
async fn last_cosigned(tx: &mut Conn, origin: &str) -> Result<Option<(rovuma_tlog::Head, Vec<u8>)>, DbError> {
    let row = sqlx::query("SELECT note FROM witnessed WHERE origin = $1 ORDER BY size DESC LIMIT 1")
        .bind(origin)
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let note: Vec<u8> = row.try_get("note")?;
    Ok(Some((head_of(&note)?, note)))
}

/// Whether this service cosigned exactly this head before.
async fn is_known(tx: &mut Conn, head: &rovuma_tlog::Head) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT note FROM witnessed WHERE origin = $1 AND size = $2")
        .bind(head.origin.as_str())
        .bind(to_db(head.size))
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    Ok(head_of(&row.try_get::<Vec<u8>, _>("note")?)? == *head)
}

/// The head in a stored note. This service verified its signatures before it stored it.
fn head_of(note: &[u8]) -> Result<rovuma_tlog::Head, DbError> {
    let read = UnverifiedCheckpoint::read(note).map_err(|fault| DbError::damaged("witnessed head", fault))?;
    Ok(read.unverified_head().clone())
}

async fn insert(tx: &mut Conn, origin: &str, size: u64, note: &[u8], now: Timestamp) -> Result<(), DbError> {
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
    .bind(HEADS_KEPT)
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
