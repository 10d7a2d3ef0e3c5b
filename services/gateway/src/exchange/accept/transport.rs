//! Stream and node messages: the state of the partner's streams, the numbers that it is missing of ours, the deliveries that
//! it could not verify, and the messages of its audit service.

use std::time::Duration;

use rovuma_envelope::Authorized;
use rovuma_schemas::{
    AgencyCode, LinkFault, StreamEnd, StreamRequest, StreamSeen, StreamStatus,
    audit::{AuditAction, WitnessMessage},
};
use rovuma_store::{Conn, RowExt};

use super::{Acceptor, Arrival};
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    events::EventKind,
    exchange::{
        reissue, restored,
        send::SendError,
        stream::{
            self, Brought, IncomingStreamKey, Noted, NumberSet, Progress,
            void::{self, NewVoids},
        },
    },
};

/// Minimum time between two requests of a partner that we act on. Each may cause thousands of copies to leave again; an honest
/// partner asks less often, and asks again for what it still lacks.
pub(crate) const REQUEST_EVERY: Duration = Duration::from_secs(10);

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
        self.stream_ends(tx, authorized, status.streams).await?;
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

    /// Notes the ends of a partner's streams, and keeps the status if it makes numbers void that had neither come nor been void.
    async fn stream_ends(
        &mut self,
        tx: &mut Conn,
        status: &Authorized,
        ends: Vec<StreamEnd>,
    ) -> Result<(), DbError> {
        let (own, partner) = (&status.recipient().agency, status.sender());
        let voided: usize = ends.iter().map(|end| end.voided.len()).sum();
        let size =
            [voided, status.jws().to_compact().len()].map(|size| u64::try_from(size).unwrap_or(u64::MAX));
        let takes_voids =
            voided == 0 || void::has_room(tx, (own, partner), (size[0], size[1]), self.now).await?;
        if !takes_voids {
            let detail = "it makes more numbers void than are kept in a day: they count as missing";
            let subject = partner.as_str();
            alarm::raise(tx, own, AlarmKind::StreamBound, subject, detail, self.now).await?;
        }
        let mut brought = Vec::with_capacity(ends.len());
        for end in &ends {
            let key = IncomingStreamKey {
                recipient: own.clone(),
                sender: partner.clone(),
                lane: end.lane,
                stream: end.stream,
            };
            let numbers = if takes_voids {
                NumberSet::of(end.voided.iter().map(|voided| voided.number))
            } else {
                NumberSet::default()
            };
            brought.push((key, Brought { numbers, announced: Some(end.last) }));
        }
        let noted = self.note_streams(tx, &brought).await?;
        let mut voids = Vec::new();
        for (((key, _), noted), announced) in brought.into_iter().zip(noted).zip(ends) {
            if !noted.new.is_empty() {
                voids.push(NewVoids { key, announced, numbers: noted.new });
            }
        }
        if !voids.is_empty() {
            for record in void::keep(tx, status, &voids, self.now).await? {
                self.exchange.base.trail.record(tx, &record).await?;
            }
        }
        Ok(())
    }

    /// Notes numbers of streams, those of known streams first, and records what follows: gaps that open or close, streams that
    /// were closed, bounds that the partner exceeds. Returns the results in the order of the streams.
    pub(super) async fn note_streams(
        &self,
        tx: &mut Conn,
        streams: &[(IncomingStreamKey, Brought)],
    ) -> Result<Vec<Noted>, DbError> {
        let mut known = Vec::with_capacity(streams.len());
        for (key, brought) in streams {
            known.push(stream::note(tx, key, brought, self.now).await?);
        }
        let mut all = Vec::with_capacity(streams.len());
        for ((key, brought), noted) in streams.iter().zip(known) {
            let noted = match noted {
                Some(noted) => noted,
                None => stream::begin(tx, key, brought, self.now).await?,
            };
            self.record_noted(tx, key, &noted).await?;
            all.push(noted);
        }
        Ok(all)
    }

    async fn record_noted(
        &self,
        tx: &mut Conn,
        key: &IncomingStreamKey,
        noted: &Noted,
    ) -> Result<(), DbError> {
        self.record_gap_event(tx, key, noted.before, noted.after);
        let IncomingStreamKey { recipient, sender, lane, .. } = key;
        // The subjects name no stream: a partner invents those, and each subject is a row.
        for closed in &noted.closed {
            tracing::warn!(%sender, agency = %recipient, %lane, stream = %closed.stream, "closed a stream for a newer one");
            let Some((next, last, since)) = closed.gap else { continue };
            let detail = format!(
                "the stream {} in the lane {lane} was closed for a newer one: of its numbers {next} to {last} some had been \
                 missing since {since}, and are not requested any more; ask {sender} which messages they were",
                closed.stream
            );
            alarm::raise(tx, recipient, AlarmKind::StreamClosed, sender.as_str(), &detail, self.now).await?;
        }
        if let Some(beyond) = &noted.beyond {
            let detail = format!("in the lane {lane}: {beyond}; they are noted when their turn comes");
            alarm::raise(tx, recipient, AlarmKind::StreamBound, sender.as_str(), &detail, self.now).await?;
        }
        Ok(())
    }

    /// Raises an alarm for each new message that came under a number that its sender had made void.
    pub(super) async fn check_voids(
        &self,
        tx: &mut Conn,
        key: &IncomingStreamKey,
        arrivals: &[Arrival],
        noted: &Noted,
    ) -> Result<(), DbError> {
        for arrival in arrivals.iter().filter(|arrival| noted.known.contains(arrival.number)) {
            let Some(id) = arrival.accepted else { continue };
            let Some(void) = void::find(tx, key, arrival.number).await? else { continue };
            let detail = format!(
                "from {}, number {} in the lane {} of the stream {}: its status {}, received at {}, had said that no message \
                 would come under it ({}); both are kept with their signatures",
                key.sender, arrival.number, key.lane, key.stream, void.status, void.received_at, void.reason
            );
            let id = id.to_string();
            let about = (id.as_str(), detail.as_str());
            alarm::raise_by(tx, &key.recipient, AlarmKind::NumberVoid, &key.sender, about, self.now).await?;
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

    /// Records the message if it is newer than the partner's last message of this type, and says whether it is. These
    /// messages have no number: without this check somebody on the way could replay an old one, and so request thousands of
    /// messages again or make a silent partner seem alive. Of two messages of one time, the one with the higher id is newer.
    async fn is_news(&self, tx: &mut Conn, authorized: &Authorized) -> Result<bool, DbError> {
        let noted = sqlx::query(
            "INSERT INTO stream_word (own, partner, kind, created_at, message) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (own, partner, kind) DO UPDATE SET
                 created_at = excluded.created_at, message = excluded.message
             WHERE excluded.created_at > stream_word.created_at
                OR (excluded.created_at = stream_word.created_at AND excluded.message > stream_word.message)",
        )
        .bind(authorized.recipient().agency.as_str())
        .bind(authorized.sender().as_str())
        .bind(authorized.header().message_type.as_str())
        .bind(authorized.header().created.as_micros())
        .bind(authorized.id().as_bytes().to_vec())
        .execute(tx)
        .await?;
        Ok(noted.rows_affected() > 0)
    }

    /// Whether a partner's request may be acted on: the last one was, if ever, [`REQUEST_EVERY`] ago or more. Records it then.
    async fn may_act_on_request(&self, tx: &mut Conn, authorized: &Authorized) -> Result<bool, DbError> {
        let acted = sqlx::query(
            "UPDATE stream_word SET acted_at = $4
             WHERE own = $1 AND partner = $2 AND kind = $3
               AND (acted_at IS NULL OR acted_at <= $5 OR acted_at > $4)",
        )
        .bind(authorized.recipient().agency.as_str())
        .bind(authorized.sender().as_str())
        .bind(authorized.header().message_type.as_str())
        .bind(self.now.as_micros())
        .bind(self.now.minus(REQUEST_EVERY).as_micros())
        .execute(tx)
        .await?;
        Ok(acted.rows_affected() > 0)
    }

    /// Records a domain event if a gap has opened or closed.
    fn record_gap_event(&self, tx: &mut Conn, key: &IncomingStreamKey, before: Progress, after: Progress) {
        if !after.gap_changed(&before) {
            return;
        }
        let version = i64::try_from(after.next).unwrap_or(i64::MAX);
        let kind = EventKind::StreamChanged;
        self.exchange.base.events.record(tx, &key.recipient, kind, None, version, self.now);
    }

    /// Acts on `stream.request`: sends the requested numbers again. Of several requests in [`REQUEST_EVERY`] the first counts.
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
        if !self.may_act_on_request(tx, authorized).await? {
            metrics::counter!("rovuma_stream_requests_dropped_total", "agency" => partner.to_string())
                .increment(1);
            tracing::warn!(%partner, agency = %own, "a request for missing numbers came too soon after the last one: dropped");
            return Ok(());
        }
        let requested_at = authorized.header().created;
        let resent = self.exchange.outbox.resend(tx, (own, partner), request, requested_at, self.now).await?;
        if resent.settled > 0 {
            let reissued = reissue::requested(tx, self.exchange, (own, partner), self.now).await;
            reissued.map_err(|fault| match fault {
                SendError::Db(fault) => fault,
                other => DbError::damaged("requested message", other),
            })?;
        }
        let record = self
            .audit_record(AuditAction::MessageResend)
            .agency(own)
            .object("streams", format_args!("{own}/{partner}"))
            .detail("streams", request.streams.len())
            .detail("again", resent.resent)
            .detail("settled", resent.settled)
            .detail("voided", resent.voided);
        self.exchange.base.trail.record(tx, &record).await?;
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
        if !self.is_news(tx, authorized).await? {
            return Ok(());
        }
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
