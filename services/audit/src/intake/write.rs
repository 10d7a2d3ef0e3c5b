//! Writes batches: one transaction for events, search columns, alarms and the service's own events.

use std::{collections::BTreeMap, sync::Arc};

use rovuma_broker::Delivery;
use rovuma_schemas::{Digest, Epoch, Timestamp};
use rovuma_store::{Conn, RowExt};

use super::{
    chain::{self, ChainFault},
    open::{QuarantineReason, VerifiedBatch},
    quarantine,
};
use crate::{
    alarm::{self, ChainAlarm, ChainAlarmKind},
    error::DbError,
    log::{Appender, ChainHead, Lineage, LineageStatus, Sequencer, to_db},
};

/// The outcome of one write: the chain heads to acknowledge after the commit, and counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IntakeOutcome {
    /// The chains to acknowledge, with their heads.
    pub(crate) heads: BTreeMap<(String, Epoch), ChainHead>,
    /// How many events were stored.
    pub(crate) stored: usize,
    /// How many events were stored already.
    pub(crate) duplicates: usize,
}

/// Writes opened batches, each with its delivery, in the order in which they came.
pub(super) async fn write_batches(
    tx: &mut Conn,
    sequencer: &Arc<Sequencer>,
    opened: impl IntoIterator<Item = (&Delivery, Result<VerifiedBatch, QuarantineReason>)>,
    now: Timestamp,
) -> Result<IntakeOutcome, DbError> {
    let appender = sequencer.begin(tx, now).await?;
    let mut writer = BatchWriter { appender, lineages: BTreeMap::new(), outcome: IntakeOutcome::default() };
    for (delivery, opened) in opened {
        match opened {
            Ok(batch) => writer.write(tx, batch).await?,
            Err(reason) => quarantine::insert(tx, &mut writer.appender, delivery, &reason).await?,
        }
    }
    writer.finish(tx).await
}

/// One transaction's batches.
struct BatchWriter {
    appender: Appender,
    /// The chains of this write, each with its head before the write. They are saved at its end.
    lineages: BTreeMap<(String, Epoch), (Lineage, ChainHead)>,
    outcome: IntakeOutcome,
}

impl BatchWriter {
    async fn write(&mut self, tx: &mut Conn, batch: VerifiedBatch) -> Result<(), DbError> {
        let key = (batch.source.clone(), batch.epoch);
        let (mut lineage, before) = match self.lineages.remove(&key) {
            Some(known) => known,
            None => {
                let lineage = self.find_lineage(tx, &batch).await?;
                let head = lineage.head;
                (lineage, head)
            }
        };
        let stored = self.stored_digests(tx, &lineage, &batch).await?;
        let check = chain::check(lineage.head, &batch.events, &stored);
        self.outcome.duplicates += check.duplicates;
        self.outcome.stored += check.append.len();
        let VerifiedBatch { mut events, jws, .. } = batch;
        self.appender.append(&mut lineage, events.drain(check.append.clone()));
        if let Some(fault) = check.fault {
            self.raise(tx, &lineage, &alarm_about(fault, &jws)).await?;
        }
        // A source whose history differs from the stored one keeps its events: nothing is acknowledged to it.
        let conflicts = matches!(check.fault, Some(ChainFault::Conflict { .. }));
        if !conflicts && lineage.head != ChainHead::NONE {
            self.outcome.heads.insert(key.clone(), lineage.head);
        }
        self.lineages.insert(key, (lineage, before));
        Ok(())
    }

    async fn find_lineage(&mut self, tx: &mut Conn, batch: &VerifiedBatch) -> Result<Lineage, DbError> {
        let now = self.appender.now();
        let (lineage, status) = Lineage::find_or_open(tx, &batch.source, batch.epoch, now).await?;
        if status == LineageStatus::NewEpoch {
            self.raise(tx, &lineage, &new_epoch()).await?;
        }
        Ok(lineage)
    }

    /// Saves the chains' new heads, and writes everything.
    async fn finish(mut self, tx: &mut Conn) -> Result<IntakeOutcome, DbError> {
        let changed = |(lineage, before): &&(Lineage, ChainHead)| lineage.head != *before;
        for (lineage, _) in self.lineages.values().filter(changed) {
            lineage.save(tx, self.appender.now()).await?;
            alarm::close_missing(tx, &mut self.appender, lineage).await?;
        }
        self.appender.finish(tx).await?;
        Ok(self.outcome)
    }

    /// The digests of the stored events that have sequences of the batch.
    async fn stored_digests(
        &mut self,
        tx: &mut Conn,
        lineage: &Lineage,
        batch: &VerifiedBatch,
    ) -> Result<BTreeMap<u64, Digest>, DbError> {
        let first = batch.events.first().map_or(0, |event| event.sequence());
        if first > lineage.head.sequence {
            return Ok(BTreeMap::new());
        }
        // Events of an earlier batch of this same write are not in the table yet.
        self.appender.write(tx).await?;
        let last = batch.events.last().map_or(0, |event| event.sequence());
        let rows = sqlx::query(
            "SELECT sequence, digest FROM entry WHERE lineage_id = $1 AND sequence BETWEEN $2 AND $3",
        )
        .bind(lineage.id)
        .bind(to_db(first))
        .bind(to_db(last))
        .fetch_all(tx)
        .await?;
        let stored = rows.iter().map(|row| Ok((row.count("sequence")?, row.digest("digest")?)));
        let mut stored = stored.collect::<Result<BTreeMap<u64, Digest>, DbError>>()?;
        // The digests of pruned events are gone: an event that comes again is taken for the one that was stored.
        let pruned = batch.events.iter().filter(|event| event.sequence() <= lineage.pruned_through);
        stored.extend(pruned.map(|event| (event.sequence(), event.digest())));
        Ok(stored)
    }

    async fn raise(
        &mut self,
        tx: &mut Conn,
        lineage: &Lineage,
        alarm: &ChainAlarm<'_>,
    ) -> Result<(), DbError> {
        alarm::raise(tx, &mut self.appender, lineage, alarm).await
    }
}

/// The alarm about a new epoch of a known source.
pub(crate) fn new_epoch() -> ChainAlarm<'static> {
    ChainAlarm { kind: ChainAlarmKind::NewEpoch, first: 0, last: 0, digest: None, evidence: None }
}

fn alarm_about(fault: ChainFault, jws: &str) -> ChainAlarm<'_> {
    match fault {
        ChainFault::Missing { first, last } => {
            ChainAlarm { kind: ChainAlarmKind::Missing, first, last, digest: None, evidence: None }
        }
        ChainFault::Conflict { sequence, got } => {
            let (first, last) = (sequence, sequence);
            ChainAlarm { kind: ChainAlarmKind::Conflict, first, last, digest: Some(got), evidence: Some(jws) }
        }
        ChainFault::Altered { sequence, got } => {
            let (first, last) = (sequence, sequence);
            ChainAlarm { kind: ChainAlarmKind::Altered, first, last, digest: Some(got), evidence: Some(jws) }
        }
    }
}
