//! The rules of the gateway that differ by family: one module for each family, and one line in [`rules`]. Everything else in the
//! gateway treats messages of all families alike.

pub(crate) mod alert;
pub(crate) mod care;
pub(crate) mod hit;
pub(crate) mod info;
pub(crate) mod permission;
pub(crate) mod request;

use rovuma_schemas::{AgencyCode, CaseId, Family, MessageId, MessageType, OperationalBody, Terms, Timestamp};
use rovuma_store::Conn;
use serde::Serialize;

use crate::{
    cases::folded::{CaseMessages, FoldedCase, Proposal, StateFacts},
    error::DbError,
};
pub(crate) use permission::leave::Restricted;

/// The states in which officers act on a case of any family, or will once a release is confirmed, as a list of SQL.
macro_rules! live_states {
    () => {
        "'active', 'suspended', 'open', 'clarification'"
    };
}

pub(crate) use live_states;

/// The cases whose clocks run from the delivery of a message, as a condition of SQL.
macro_rules! has_clock {
    () => {
        "kind <> 'alert'"
    };
}

pub(crate) use has_clock;

/// The cases in which our agency reminds whoever has not acted in time, as a condition of SQL.
macro_rules! has_reminder {
    () => {
        "kind = 'request'"
    };
}

pub(crate) use has_reminder;

/// What only a family says of a case.
#[derive(Clone, Debug)]
pub(crate) enum CaseDetails {
    /// An alert.
    Alert(Box<alert::AlertView>),
    /// A request for assistance.
    Request(Box<request::WholeRequest>),
    /// A hit.
    Hit(Box<hit::WholeHit>),
    /// Spontaneous information.
    Info(Box<info::SharedInfo>),
    /// A question for leave.
    Permission(Box<permission::Permission>),
}

/// A number that was found within a series, and its place in the message that says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberInSeries<'b> {
    /// The number, as it was read.
    pub(crate) number: &'b str,
    /// Its JSON pointer.
    pub(crate) pointer: &'static str,
}

/// The rules of one family.
pub(crate) trait FamilyRules: Sync {
    /// What a message says in the family's terms, as JSON, if it was first signed at `signed`; none of a type that has no part in
    /// the family's cases. `to` is the first of its recipients.
    fn fact(
        &self,
        body: &OperationalBody,
        terms: &Terms,
        to: Option<&AgencyCode>,
        signed: Timestamp,
    ) -> Option<String>;

    /// Whether a message of this type takes effect whatever else came, and for ever: its case keeps it beyond every limit.
    fn is_absorbing(&self, _message_type: &str) -> bool {
        false
    }

    /// The type of the message by which our agency, which opened the case, reminds whoever has not acted in time; none while there is
    /// nothing to remind of.
    fn reminder(&self, _facts: &StateFacts, _now: Timestamp) -> Option<MessageType> {
        None
    }

    /// The types of messages that the case lets `agency` sign at `now`, in the order in which they are usually looked for.
    fn possible(&self, fold: &dyn FoldedCase, agency: &AgencyCode, now: Timestamp) -> Vec<&'static str>;

    /// The case that an opener is about: it must be here, and its case will hang on it.
    fn about(&self, _body: &OperationalBody) -> Option<CaseId> {
        None
    }

    /// The number that an opener says to have found within a series of the case that it is about.
    fn number_in_series<'b>(&self, _body: &'b OperationalBody) -> Option<NumberInSeries<'b>> {
        None
    }

    /// Whether a message of this type, of which this is the signed JSON, says that its case is about a series that has this number.
    fn has_in_series(&self, _message_type: MessageType, _payload: &[u8], _number: &str) -> bool {
        false
    }

    /// The case that this one hangs on.
    fn hangs_on(&self, _case: &CaseMessages<'_>) -> Option<CaseId> {
        None
    }

    /// Folds the case and lets `read` look at it.
    fn fold(&self, case: &CaseMessages<'_>, read: &mut dyn FnMut(&dyn FoldedCase));
}

/// The rules of this family.
pub(crate) fn rules(family: Family) -> &'static dyn FamilyRules {
    match family {
        Family::Alert => &alert::Rules,
        Family::Request => &request::Rules,
        Family::Hit => &hit::Rules,
        Family::Info => &info::Rules,
        Family::Permission => &permission::Rules,
    }
}

/// Whether the sender of a message has given leave to hand its content on to `recipient`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn may_hand_on(
    conn: &mut Conn,
    message: Restricted<'_>,
    recipient: &AgencyCode,
    now: Timestamp,
) -> Result<bool, DbError> {
    permission::leave::to_hand_on(conn, message, recipient, now).await
}

/// Those of the types that the case lets `agency` sign at `now`, each asked with a sample of what it says.
fn possible<F: Serialize>(
    fold: &dyn FoldedCase,
    agency: &AgencyCode,
    now: Timestamp,
    samples: impl IntoIterator<Item = (MessageType, F)>,
) -> Vec<&'static str> {
    let turn = fold.next_place(agency, false).turn;
    let is_possible = |fact: &F| {
        // A fact always serialises.
        let fact = serde_json::to_string(fact).unwrap_or_default();
        let id = MessageId::draw(now);
        let proposal = Proposal { sender: agency, id, answers: None, signed: now, fact: &fact, turn };
        fold.check(&proposal).is_ok()
    };
    let possible = samples.into_iter().filter(|(_, fact)| is_possible(fact));
    possible.map(|(message_type, _)| message_type.as_str()).collect()
}
