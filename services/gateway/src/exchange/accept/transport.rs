//! Messages that keep the exchange honest: what the partner says of its streams, what it lacks of ours, and
//! what it could not verify.

use rovuma_envelope::Authorized;
use rovuma_schemas::{LinkFault, StreamRequest, StreamStatus, audit::AuditAction};
use sqlx::AnyConnection;

use super::Decisions;
use crate::{
    error::DbError,
    exchange::{
        alarm::{self, AlarmKind},
        event::{self, EventKind},
        stream::{self, Progress, StreamKey},
    },
};

impl Decisions<'_> {
    pub(super) async fn announced(
        &mut self,
        tx: &mut AnyConnection,
        authorized: &Authorized,
        status: StreamStatus,
    ) -> Result<(), DbError> {
        self.gateway.outbox.heard(tx, authorized.sender(), self.now).await?;
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
        Ok(())
    }

    /// Tells those who follow that a gap has opened or closed.
    pub(super) async fn tell_gap(
        &self,
        tx: &mut AnyConnection,
        key: &StreamKey,
        before: Progress,
        after: Progress,
    ) -> Result<(), DbError> {
        if !after.gap_changed(&before) {
            return Ok(());
        }
        let version = i64::try_from(after.next).unwrap_or(i64::MAX);
        event::record(tx, &key.recipient, EventKind::StreamChanged, None, version, self.now).await
    }

    pub(super) async fn requested(
        &mut self,
        tx: &mut AnyConnection,
        authorized: &Authorized,
        request: &StreamRequest,
    ) -> Result<(), DbError> {
        let (own, partner) = (&authorized.recipient().agency, authorized.sender());
        for gaps in &request.streams {
            let resent = self.gateway.outbox.resend(tx, own, partner, gaps, self.now).await?;
            let act = self
                .act(AuditAction::MessageResend)
                .agency(own)
                .object("stream", format_args!("{own}/{partner}/{}/{}", gaps.lane, gaps.stream))
                .detail("again", resent.again)
                .detail("voided", resent.voided);
            self.gateway.trail.record(tx, &act).await?;
        }
        Ok(())
    }

    pub(super) async fn link_fault(
        &mut self,
        tx: &mut AnyConnection,
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
