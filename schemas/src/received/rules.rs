//! The rules of received messages that a schema cannot say.

use crate::{Header, MessageType, fault::Finding, view::View};

/// Checks every rule and adds what it finds.
pub(super) fn check(
    header: &Header,
    message_type: MessageType,
    message: &View<'_>,
    found: &mut Vec<Finding>,
) {
    let _ = (header, message_type, message, found);
}
