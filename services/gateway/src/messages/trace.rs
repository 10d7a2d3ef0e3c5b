//! A message's way, hop by hop, as far as this gateway can prove it.

use rovuma_outbox::CopyTrace;
use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditPosition};

use super::{receipts::Receipt, received::Received, sent::Sent};

/// One step of a message's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    /// `saved`, `submitted`, `released` or `reissued`, `queued`, `delivered`, `read`, `listed`, `rejected`, `contrary_receipt`, `void`
    /// at the sender;
    /// `created`, `received`, `receipt_issued`, `rejected`, `read`, `read_receipt_issued` at a recipient.
    pub(crate) hop: &'static str,
    /// The instant of the hop, by the clock that `clock` names.
    pub(crate) at: Timestamp,
    /// By whose clock: `own`, or `partner` for what the other side says.
    pub(crate) clock: Clock,
    /// The recipient that it is about.
    pub(crate) agency: Option<AgencyCode>,
    /// The subject who did it, as the agency's identity provider names them.
    pub(crate) by: Option<String>,
    /// The instant at which the other side's statement arrived here.
    pub(crate) told_at: Option<Timestamp>,
    /// The border post at which it took effect, of `listed`.
    pub(crate) post: Option<String>,
    /// The code of the reason for which the copy was rejected or made void.
    pub(crate) code: Option<String>,
    /// The position of the entry in an audit log.
    pub(crate) audit: Option<AuditPosition>,
}

/// The clock that an instant comes from. Two clocks may differ, so hops of both need not be in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// This installation's.
    Own,
    /// The other side's.
    Partner,
}

impl Clock {
    /// The word in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Partner => "partner",
        }
    }
}

impl Hop {
    fn own(hop: &'static str, at: Timestamp) -> Self {
        Self {
            hop,
            at,
            clock: Clock::Own,
            agency: None,
            by: None,
            told_at: None,
            post: None,
            code: None,
            audit: None,
        }
    }

    fn about(mut self, agency: &AgencyCode) -> Self {
        self.agency = Some(agency.clone());
        self
    }

    fn by(mut self, subject: &str) -> Self {
        self.by = Some(subject.to_owned());
        self
    }
}

/// The facts that the store has of the draft that became a message.
pub(crate) struct Drafted {
    /// The subject who wrote the draft.
    pub(crate) author: String,
    /// The instant at which the draft was created.
    pub(crate) created_at: Timestamp,
    /// The instant at which the draft was last handed to a supervisor.
    pub(crate) submitted_at: Option<Timestamp>,
}

/// The way of a message that was sent from here. One that was sent at once had no draft.
pub(crate) fn of_sent(
    sent: &Sent,
    draft: Option<&Drafted>,
    copies: &[CopyTrace],
    receipts: &[Receipt],
) -> Vec<Hop> {
    let mut hops = Vec::new();
    if let Some(draft) = draft {
        hops.push(Hop::own("saved", draft.created_at).by(&draft.author));
        hops.extend(draft.submitted_at.map(|at| Hop::own("submitted", at).by(&draft.author)));
    }
    hops.push(match sent.replaces {
        None => Hop::own("released", sent.created_at).by(&sent.released_by),
        Some(_) => Hop::own("reissued", sent.created_at),
    });
    for copy in copies {
        hops.extend(copy.queued_at.map(|at| Hop::own("queued", at).about(&copy.recipient)));
        hops.extend(copy.voided_at.map(|at| voided(copy, at)));
    }
    hops.extend(receipts.iter().filter_map(|receipt| said(receipt, copies)));
    hops.sort_by_key(|hop| hop.told_at.unwrap_or(hop.at));
    hops
}

fn voided(copy: &CopyTrace, at: Timestamp) -> Hop {
    Hop { code: copy.code.clone(), ..Hop::own("void", at).about(&copy.recipient) }
}

/// The hop that a receipt states; `contrary_receipt` when it contradicts the one that stands, as the copy says.
fn said(receipt: &Receipt, copies: &[CopyTrace]) -> Option<Hop> {
    let copy = copies.iter().find(|copy| copy.recipient == receipt.recipient);
    let is_rejected = copy.is_some_and(|copy| copy.rejected_at.is_some());
    let hop = match receipt.kind.as_str() {
        "delivered" | "read" | "listed" if is_rejected => "contrary_receipt",
        "rejected" if copy.is_some_and(|copy| copy.rejected_at.is_none()) => "contrary_receipt",
        "delivered" => "delivered",
        "read" => "read",
        "listed" => "listed",
        "rejected" => "rejected",
        _ => return None,
    };
    Some(Hop {
        clock: Clock::Partner,
        told_at: Some(receipt.received_at),
        code: receipt.code.clone(),
        post: receipt.post.clone(),
        audit: receipt.audit.clone(),
        ..Hop::own(hop, receipt.said_at).about(&receipt.recipient)
    })
}

/// The way of a message that was received here. `source` is the name of our audit source.
pub(crate) fn of_received(received: &Received, source: &str) -> Vec<Hop> {
    let mut hops = vec![
        Hop { clock: Clock::Partner, ..Hop::own("created", received.created_at).about(&received.sender) },
        Hop { audit: Some(received.audit(source)), ..Hop::own("received", received.received_at) },
    ];
    // The receipt is signed and put into the outbox in the transaction that stores the message.
    let answer = match &received.rejection_code {
        Some(code) => Hop { code: Some(code.clone()), ..Hop::own("rejected", received.received_at) },
        None => Hop::own("receipt_issued", received.received_at),
    };
    hops.push(answer.about(&received.sender));
    if let Some(at) = received.read_at {
        let read = Hop::own("read", at);
        hops.push(received.read_by.as_deref().map_or(read.clone(), |reader| read.by(reader)));
        hops.push(Hop::own("read_receipt_issued", at).about(&received.sender));
    }
    hops
}
