//! Messages that keep the exchange honest: what the partner says of its streams, what it lacks of ours, and
//! what it could not verify.

use rovuma_envelope::Authorized;
use rovuma_schemas::{
    AgencyCode, LinkFault, StreamRequest, StreamSeen, StreamStatus,
    audit::{AuditAction, WitnessWord},
};
use rovuma_store::{Conn, RowExt};

use super::Decisions;
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    events::EventKind,
    exchange::{
        restored,
        stream::{self, Progress, StreamKey},
    },
};

impl Decisions<'_> {
    pub(super) async fn announced(
        &mut self,
        tx: &mut Conn,
        authorized: &Authorized,
        status: StreamStatus,
    ) -> Result<(), DbError> {
        if !self.is_news(tx, authorized).await? {
            return Ok(());
        }
        self.exchange.outbox.record_heard(tx, authorized.sender(), self.now).await?;
        for head in status.streams {
            let key = StreamKey {
                recipient: authorized.recipient().agency.clone(),
                sender: authorized.sender().clone(),
                lane: head.lane,
                stream: head.stream,
            };
            let voided: Vec<u64> = head.voided.iter().map(|voided| voided.number).collect();
            let (before, after) = stream::note_announcement(tx, &key, head.last, &voided, self.now).await?;
            self.tell_gap(tx, &key, before, after).await?;
        }
        let (own, partner) = (&authorized.recipient().agency, authorized.sender());
        for seen in &status.received {
            if self.is_ahead_of_us(tx, own, partner, seen).await? {
                tracing::warn!(%partner, lane = %seen.lane, last = seen.last, "has seen numbers we never gave out");
                rovuma_store::renew_identity(tx).await?;
                restored::record(tx, self.exchange).await?;
            }
        }
        Ok(())
    }

    /// Whether a partner has seen a number of our present stream that we do not know to have given out: then our
    /// store is an older copy, and would give it out again.
    async fn is_ahead_of_us(
        &self,
        tx: &mut Conn,
        own: &AgencyCode,
        partner: &AgencyCode,
        seen: &StreamSeen,
    ) -> Result<bool, DbError> {
        let row = sqlx::query(
            "SELECT COALESCE((SELECT last FROM outbox_stream
                              WHERE stream = $1 AND sender = $2 AND recipient = $3 AND lane = $4), 0) AS last
             FROM store WHERE identity = $1",
        )
        .bind(seen.stream.as_bytes().as_slice())
        .bind(own.as_str())
        .bind(partner.as_str())
        .bind(seen.lane.as_str())
        .fetch_optional(tx)
        .await?;
        row.map_or(Ok(false), |row| Ok(row.count("last")? < seen.last))
    }

    /// Whether this is newer than the partner's last word of its kind. Stream messages have no number: without
    /// this, somebody on the way who sends yesterday's again could call back thousands of messages, or make a
    /// silent partner seem to be heard.
    async fn is_news(&self, tx: &mut Conn, authorized: &Authorized) -> Result<bool, DbError> {
        let noted = sqlx::query(
            "INSERT INTO stream_word (own, partner, kind, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (own, partner, kind) DO UPDATE SET created_at = excluded.created_at
             WHERE excluded.created_at > stream_word.created_at",
        )
        .bind(authorized.recipient().agency.as_str())
        .bind(authorized.sender().as_str())
        .bind(authorized.header().message_type.as_str())
        .bind(authorized.header().created.as_micros())
        .execute(tx)
        .await?;
        Ok(noted.rows_affected() > 0)
    }

    /// Tells those who follow that a gap has opened or closed.
    pub(super) async fn tell_gap(
        &self,
        tx: &mut Conn,
        key: &StreamKey,
        before: Progress,
        after: Progress,
    ) -> Result<(), DbError> {
        if !after.gap_changed(&before) {
            return Ok(());
        }
        let version = i64::try_from(after.next).unwrap_or(i64::MAX);
        self.exchange.base.events.record(
            tx,
            &key.recipient,
            EventKind::StreamChanged,
            None,
            version,
            self.now,
        );
        Ok(())
    }

    pub(super) async fn requested(
        &mut self,
        tx: &mut Conn,
        authorized: &Authorized,
        request: &StreamRequest,
    ) -> Result<(), DbError> {
        if !self.is_news(tx, authorized).await? {
            return Ok(());
        }
        let (own, partner) = (&authorized.recipient().agency, authorized.sender());
        let asked_at = authorized.header().created;
        for gaps in &request.streams {
            let resent = self.exchange.outbox.resend(tx, own, partner, gaps, asked_at, self.now).await?;
            let act = self
                .act(AuditAction::MessageResend)
                .agency(own)
                .object("stream", format_args!("{own}/{partner}/{}/{}", gaps.lane, gaps.stream))
                .detail("again", resent.resent)
                .detail("voided", resent.voided);
            self.exchange.base.trail.record(tx, &act).await?;
        }
        Ok(())
    }

    /// What a partner's audit service says to ours, unless it is older than what it said last: an old head of a log would
    /// look as if the log had lost leaves.
    pub(super) async fn witness(
        &mut self,
        tx: &mut Conn,
        authorized: &Authorized,
        word: WitnessWord,
    ) -> Result<(), DbError> {
        if self.is_news(tx, authorized).await? {
            self.exchange.witness.offer(authorized.sender().country(), word);
        }
        Ok(())
    }

    pub(super) async fn link_fault(
        &mut self,
        tx: &mut Conn,
        authorized: &Authorized,
        fault: &LinkFault,
    ) -> Result<(), DbError> {
        let own = &authorized.recipient().agency;
        let detail = format!(
            "{} could not verify a delivery in {} at {} (SHA-256 {})",
            authorized.sender(),
            fault.queue,
            fault.seen_at,
            fault.bundle_digest
        );
        alarm::raise(tx, own, AlarmKind::LinkFault, authorized.sender().as_str(), &detail, self.now).await
    }
}
