//! The rules of drafts that a schema cannot express.
//!
//! Each rule looks through a [`View`] and passes over a field that is missing or misshapen: the schema's check has
//! reported that already, and the other rules still report what they find.

use crate::{
    MessageType,
    draft::ValidationContext,
    fault::{Detail, FaultCode, Finding, Findings},
    pointer::Pointer,
    view::View,
};

/// A draft under check, and the faults found so far.
pub(crate) struct Checker<'a> {
    /// The whole draft.
    pub(crate) draft: View<'a>,
    /// The type that the draft states.
    pub(crate) message_type: MessageType,
    /// Sender, time and lists to check against.
    pub(crate) context: &'a ValidationContext<'a>,
    /// The faults found.
    pub(crate) found: &'a mut Findings,
    /// The member of the body that has the content, of a type whose body says more than that.
    pub(crate) within: Option<&'static str>,
}

impl<'a> Checker<'a> {
    /// Adds a fault.
    pub(crate) fn fault(&mut self, at: &Pointer, code: FaultCode) {
        self.found.push(Finding::new(at, code));
    }

    /// Adds a fault with the detail that its sentence needs.
    pub(crate) fn fault_with(&mut self, at: &Pointer, code: FaultCode, detail: impl Into<Detail>) {
        self.found.push(Finding::with(at, code, detail));
    }

    /// The draft's terms.
    pub(crate) fn terms(&self) -> View<'a> {
        self.draft.field("terms")
    }

    /// The draft's body, or the member of it that has the content.
    pub(crate) fn body(&self) -> View<'a> {
        let body = self.draft.field("body");
        self.within.map_or_else(|| body.clone(), |member| body.field(member))
    }

    /// Checks that the draft names the message that it answers.
    pub(crate) fn must_reply(&mut self) {
        let answered = self.draft.field("in_reply_to");
        if !answered.is_there() {
            self.fault(&answered.at, FaultCode::ReplyMissing);
        }
    }

    /// Makes checks of the content in this member of the body.
    pub(crate) fn check_within(&mut self, member: &'static str, check: impl FnOnce(&mut Self)) {
        let outer = self.within.replace(member);
        check(self);
        self.within = outer;
    }
}
