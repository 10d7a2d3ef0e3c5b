//! Taking batches: one transaction for events, search index, alarms and the service's own events.

use std::{collections::BTreeMap, sync::Arc};

use rovuma_broker::Delivery;
use rovuma_schemas::{Digest, Epoch, Timestamp};
use rovuma_store::{Conn, RowExt};

use super::{
    chain::{self, Finding, Judgement},
    open::{Batch, Unfit},
    quarantine,
};
use crate::{
    alarm::{self, Alarm, AlarmKind},
    error::DbError,
    log::{Appender, Found, Head, Lineage, Sequencer, to_db},
};

/// What has been taken: how far each source's chain has come now, to be acknowledged after the commit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The chains to acknowledge, and where they end.
    pub(crate) heads: BTreeMap<(String, Epoch), Head>,
    /// Events stored.
    pub(crate) stored: usize,
    /// Events that were stored already.
    pub(crate) duplicates: usize,
}

/// Takes `opened` batches, each with its delivery, in the order in which they came.
pub(super) async fn take(
    tx: &mut Conn,
    sequencer: &Arc<Sequencer>,
    opened: impl IntoIterator<Item = (&Delivery, Result<Batch, Unfit>)>,
    now: Timestamp,
) -> Result<Taken, DbError> {
    let appender = sequencer.begin(tx, now).await?;
    let mut taking = Taking { appender, lineages: BTreeMap::new(), taken: Taken::default() };
    for (delivery, opened) in opened {
        match opened {
            Ok(batch) => taking.batch(tx, batch).await?,
            Err(unfit) => quarantine::put(tx, &mut taking.appender, delivery, &unfit).await?,
        }
    }
    taking.finish(tx).await
}

struct Taking {
    appender: Appender,
    /// The chains of this write, and where they stood before. They are saved at its end.
    lineages: BTreeMap<(String, Epoch), (Lineage, Head)>,
    taken: Taken,
}

impl Taking {
    async fn batch(&mut self, tx: &mut Conn, batch: Batch) -> Result<(), DbError> {
        let key = (batch.source.clone(), batch.epoch);
        let (mut lineage, before) = match self.lineages.remove(&key) {
            Some(known) => known,
            None => {
                let lineage = self.find(tx, &batch).await?;
                let head = lineage.head;
                (lineage, head)
            }
        };
        let stored = self.stored_digests(tx, &lineage, &batch).await?;
        let judgement = chain::judge(lineage.head, &batch.events, &stored);
        self.taken.duplicates += judgement.duplicates;
        self.taken.stored += judgement.append.len();
        let Batch { mut events, jws, .. } = batch;
        self.appender.append(&mut lineage, events.drain(judgement.append.clone()));
        if let Some(finding) = judgement.finding {
            self.raise(tx, &lineage, &of_finding(finding, &jws)).await?;
        }
        if acknowledges(&judgement) && lineage.head != Head::NONE {
            self.taken.heads.insert(key.clone(), lineage.head);
        }
        self.lineages.insert(key, (lineage, before));
        Ok(())
    }

    async fn find(&mut self, tx: &mut Conn, batch: &Batch) -> Result<Lineage, DbError> {
        let now = self.appender.now();
        let (lineage, found) = Lineage::find_or_open(tx, &batch.source, batch.epoch, now).await?;
        if found == Found::NewEpoch {
            self.raise(tx, &lineage, &new_epoch()).await?;
        }
        Ok(lineage)
    }

    /// Saves where the chains have come to, and writes everything.
    async fn finish(mut self, tx: &mut Conn) -> Result<Taken, DbError> {
        let changed = |(lineage, before): &&(Lineage, Head)| lineage.head != *before;
        for (lineage, _) in self.lineages.values().filter(changed) {
            lineage.save(tx, self.appender.now()).await?;
            alarm::close_missing(tx, &mut self.appender, lineage).await?;
        }
        self.appender.finish(tx).await?;
        Ok(self.taken)
    }

    /// The digests of those numbers of the batch that are stored.
    async fn stored_digests(
        &mut self,
        tx: &mut Conn,
        lineage: &Lineage,
        batch: &Batch,
    ) -> Result<BTreeMap<u64, Digest>, DbError> {
        let first = batch.events.first().map_or(0, |event| event.sequence());
        if first > lineage.head.sequence {
            return Ok(BTreeMap::new());
        }
        // They may have come in this very write.
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
        // Of what was pruned it is not known any more what it was: it is answered as what was stored.
        let pruned = batch.events.iter().filter(|event| event.sequence() <= lineage.pruned_through);
        stored.extend(pruned.map(|event| (event.sequence(), event.digest())));
        Ok(stored)
    }

    async fn raise(&mut self, tx: &mut Conn, lineage: &Lineage, alarm: &Alarm<'_>) -> Result<(), DbError> {
        alarm::raise(tx, &mut self.appender, lineage, alarm).await
    }
}

/// A source whose history is not ours must not be told that it is stored: it keeps its events.
fn acknowledges(judgement: &Judgement) -> bool {
    !matches!(judgement.finding, Some(Finding::Conflict { .. }))
}

pub(crate) fn new_epoch() -> Alarm<'static> {
    Alarm { kind: AlarmKind::NewEpoch, first: 0, last: 0, digest: None, evidence: None }
}

fn of_finding(finding: Finding, jws: &str) -> Alarm<'_> {
    match finding {
        Finding::Missing { first, last } => {
            Alarm { kind: AlarmKind::Missing, first, last, digest: None, evidence: None }
        }
        Finding::Conflict { sequence, got } => {
            let (first, last) = (sequence, sequence);
            Alarm { kind: AlarmKind::Conflict, first, last, digest: Some(got), evidence: Some(jws) }
        }
        Finding::Altered { sequence, got } => {
            let (first, last) = (sequence, sequence);
            Alarm { kind: AlarmKind::Altered, first, last, digest: Some(got), evidence: Some(jws) }
        }
    }
}
