//! Stream and node messages: the state of the partner's streams, the numbers that it is missing of ours, the deliveries that
//! it could not verify, and the messages of its audit service.

use rovuma_envelope::Authorized;
use rovuma_schemas::{
    AgencyCode, LinkFault, StreamRequest, StreamSeen, StreamStatus,
    audit::{AuditAction, WitnessMessage},
};
use rovuma_store::{Conn, RowExt};

use super::Acceptor;
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    events::EventKind,
    exchange::{
        restored,
        stream::{self, IncomingStreamKey, Progress},
    },
};

impl Acceptor<'_> {
    /// Acts on `stream.status`: records the ends of the partner's streams, the void numbers, and checks what it has seen of ours.
    pub(super) async fn stream_status(
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
            let key = IncomingStreamKey {
                recipient: authorized.recipient().agency.clone(),
                sender: authorized.sender().clone(),
                lane: head.lane,
                stream: head.stream,
            };
            let voided: Vec<u64> = head.voided.iter().map(|voided| voided.number).collect();
            let (before, after) = stream::note_announcement(tx, &key, head.last, &voided, self.now).await?;
            self.record_gap_event(tx, &key, before, after).await?;
        }
        let (own, partner) = (&authorized.recipient().agency, authorized.sender());
        for seen in &status.received {
            if self.is_ahead_of_us(tx, own, partner, seen).await? {
                tracing::warn!(%partner, lane = %seen.lane, last = seen.last, "a partner has seen numbers that this store has not used: the store is an older copy");
                rovuma_store::renew_identity(tx).await?;
                restored::record(tx, self.exchange).await?;
            }
        }
        Ok(())
    }

    /// Whether a partner has seen a number of our present stream that this store has not used. Then the store is an older
    /// copy, and would use the number again.
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

    /// Records the message's time if it is newer than the partner's last message of this type, and says whether it is. These
    /// messages have no number: without this check somebody on the way could replay an old one, and so request thousands of
    /// messages again or make a silent partner seem alive.
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

    /// Records a domain event if a gap has opened or closed.
    pub(super) async fn record_gap_event(
        &self,
        tx: &mut Conn,
        key: &IncomingStreamKey,
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

    /// Acts on `stream.request`: sends the requested numbers again.
    pub(super) async fn stream_request(
        &mut self,
        tx: &mut Conn,
        authorized: &Authorized,
        request: &StreamRequest,
    ) -> Result<(), DbError> {
        if !self.is_news(tx, authorized).await? {
            return Ok(());
        }
        let (own, partner) = (&authorized.recipient().agency, authorized.sender());
        let requested_at = authorized.header().created;
        for gaps in &request.streams {
            let resent = self.exchange.outbox.resend(tx, own, partner, gaps, requested_at, self.now).await?;
            let record = self
                .audit_record(AuditAction::MessageResend)
                .agency(own)
                .object("stream", format_args!("{own}/{partner}/{}/{}", gaps.lane, gaps.stream))
                .detail("again", resent.resent)
                .detail("voided", resent.voided);
            self.exchange.base.trail.record(tx, &record).await?;
        }
        Ok(())
    }

    /// Passes a message of a partner's audit service on to ours, unless it is older than the last one: an old head of a log
    /// would look as if the log had lost leaves.
    pub(super) async fn witness(
        &mut self,
        tx: &mut Conn,
        authorized: &Authorized,
        message: WitnessMessage,
    ) -> Result<(), DbError> {
        if self.is_news(tx, authorized).await? {
            self.exchange.witness.push(authorized.sender().country(), message);
        }
        Ok(())
    }

    /// Acts on `link.fault`: raises an alarm for the node.
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
