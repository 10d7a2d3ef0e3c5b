//! The rules of received messages that a schema cannot express: only those on which reading and numbering depend. The other
//! rules for drafts are the sender's own and are not checked again.

use crate::{
    Class, Header, MessageType,
    fault::{FaultCode, Finding},
    view::View,
};

/// Checks every rule and adds the faults.
pub(super) fn check(
    header: &Header,
    message_type: MessageType,
    message: &View<'_>,
    found: &mut Vec<Finding>,
) {
    let at = message.field("header");
    addresses(header, &at.field("recipients"), found);
    let class = message_type.class();
    if class.is_numbered() {
        numbered(header, &at.field("recipients"), found);
    } else {
        unnumbered(header, &at.field("recipients"), found);
    }
    if header.expires.is_some_and(|expires| expires <= header.created) {
        found.push(Finding::new(&at.field("expires").at, FaultCode::ExpiryBeforeCreation));
    }
    if class.is_to_one() && header.recipients.len() > 1 {
        found.push(Finding::new(&at.field("recipients").at, FaultCode::OneRecipientOnly));
    }
    if class.is_nodes_only() {
        nodes(header, &at, found);
    }
    case(header, class, &at, found);
    first_created(header, &at.field("first_created"), found);
    emergency(&message.field("terms"), found);
    message_type.check_received(&message.field("body"), found);
}

/// Checks that a message in a case has a turn, that its sender has seen others only, and that an opener names its own case and
/// has the first turn there.
fn case(header: &Header, class: Class, at: &View<'_>, found: &mut Vec<Finding>) {
    if header.case.is_some() != header.turn.is_some() {
        found.push(Finding::new(&at.field("turn").at, FaultCode::TurnMissing));
    }
    if header.seen.contains_key(&header.sender.agency) {
        let place = at.field("seen").field(header.sender.agency.as_str());
        found.push(Finding::new(&place.at, FaultCode::SeenNamesSender));
    }
    if class.follows() {
        return following(header, class, at, found);
    }
    let (Some(case), Class::Opener(family)) = (&header.case, class) else { return };
    if header.replaces.is_none() && header.turn.is_some_and(|turn| turn != 1) {
        found.push(Finding::new(&at.field("turn").at, FaultCode::TurnNotFirst));
    }
    // One that was issued again keeps the case of the message that it replaces.
    let is_own_id = case.id == header.id || header.replaces.is_some();
    if case.kind != family.as_str() || case.owner != header.sender.agency || !is_own_id {
        found.push(Finding::new(&at.field("case").at, FaultCode::CaseNotOwn));
    }
}

/// Checks that a follower names a case of its own kind.
fn following(header: &Header, class: Class, at: &View<'_>, found: &mut Vec<Finding>) {
    let Some(case) = &header.case else {
        return found.push(Finding::new(&at.field("case").at, FaultCode::CaseMissing));
    };
    if class.family().is_some_and(|family| case.kind != family.as_str()) {
        found.push(Finding::with(
            &at.field("case").field("kind").at,
            FaultCode::CaseKindOther,
            case.kind.clone(),
        ));
    }
}

/// Checks that a message released in an emergency says until when it must be confirmed.
fn emergency(terms: &View<'_>, found: &mut Vec<Finding>) {
    let emergency = terms.field("emergency");
    if emergency.is_there() && !emergency.field("confirm_by").is_there() {
        found.push(Finding::new(&emergency.field("confirm_by").at, FaultCode::ConfirmByMissing));
    }
}

/// Checks that only a message that replaces another names the time of the first signature, and that this time is not later
/// than its own.
fn first_created(header: &Header, at: &View<'_>, found: &mut Vec<Finding>) {
    let Some(first_created) = header.first_created else { return };
    if header.replaces.is_none() {
        found.push(Finding::new(&at.at, FaultCode::FirstCreatedUnexpected));
    }
    if first_created > header.created {
        found.push(Finding::new(&at.at, FaultCode::FirstCreatedLate));
    }
}

fn addresses(header: &Header, at: &View<'_>, found: &mut Vec<Finding>) {
    for (index, recipient) in header.recipients.iter().enumerate() {
        let place = at.item(index).field("agency").at;
        let earlier = &header.recipients[..index];
        if earlier.iter().any(|other| other.agency == recipient.agency) {
            found.push(Finding::with(&place, FaultCode::RecipientDuplicate, recipient.agency.as_str()));
        }
        if earlier.first().is_some_and(|first| first.agency.country() != recipient.agency.country()) {
            found.push(Finding::new(&place, FaultCode::RecipientsOfTwoCountries));
        }
    }
}

fn numbered(header: &Header, at: &View<'_>, found: &mut Vec<Finding>) {
    for (index, recipient) in header.recipients.iter().enumerate() {
        let place = at.item(index);
        if recipient.stream.is_none() {
            found.push(Finding::new(&place.field("stream").at, FaultCode::NumberMissing));
        }
        if recipient.number.is_none() {
            found.push(Finding::new(&place.field("number").at, FaultCode::NumberMissing));
        }
    }
}

fn unnumbered(header: &Header, at: &View<'_>, found: &mut Vec<Finding>) {
    if header.recipients.len() != 1 {
        found.push(Finding::new(&at.at, FaultCode::OneRecipientOnly));
    }
    for (index, recipient) in header.recipients.iter().enumerate() {
        if recipient.stream.is_some() || recipient.number.is_some() {
            found.push(Finding::new(&at.item(index).field("number").at, FaultCode::NumberUnexpected));
        }
    }
}

fn nodes(header: &Header, at: &View<'_>, found: &mut Vec<Finding>) {
    if !header.sender.agency.is_node() {
        found.push(Finding::new(&at.field("sender").field("agency").at, FaultCode::NodesOnly));
    }
    for (index, recipient) in header.recipients.iter().enumerate() {
        if !recipient.agency.is_node() {
            let place = at.field("recipients").item(index).field("agency").at;
            found.push(Finding::new(&place, FaultCode::NodesOnly));
        }
    }
}
