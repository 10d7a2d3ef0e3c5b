//! The rules of received messages that a schema cannot say: only what reading and numbering rest
//! on. A partner's own care for its drafts is not checked again.

use crate::{
    Header, MessageType,
    alert::SubjectKind,
    fault::{FaultCode, Finding},
    limits::SUBJECTS_MAX,
    view::View,
};

/// Checks every rule and adds what it finds.
pub(super) fn check(
    header: &Header,
    message_type: MessageType,
    message: &View<'_>,
    found: &mut Vec<Finding>,
) {
    let at = message.field("header");
    addresses(header, &at.field("recipients"), found);
    if message_type.is_numbered() {
        numbered(header, &at.field("recipients"), found);
    } else {
        unnumbered(header, &at.field("recipients"), found);
    }
    if header.expires.is_some_and(|expires| expires <= header.created) {
        found.push(Finding::new(&at.field("expires").at, FaultCode::ExpiryBeforeCreation));
    }
    let body = message.field("body");
    match message_type {
        MessageType::AlertIssue => subjects(&body, found),
        MessageType::StreamStatus => voided(&body, found),
        MessageType::StreamRequest => ranges(&body, found),
        MessageType::LinkFault | MessageType::AuditCheckpoint | MessageType::AuditCosignature => {
            nodes(header, &at, found);
        }
        _ => {}
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

fn subjects(body: &View<'_>, found: &mut Vec<Finding>) {
    let subjects = body.field("subjects");
    let count = |kind: &SubjectKind| subjects.field(kind.field()).items().len();
    if SubjectKind::ALL.iter().map(count).sum::<usize>() > SUBJECTS_MAX {
        found.push(Finding::with(&subjects.at, FaultCode::TooManySubjects, SUBJECTS_MAX.to_string()));
    }
}

fn voided(body: &View<'_>, found: &mut Vec<Finding>) {
    for stream in body.field("streams").items() {
        let Some(last) = stream.field("last").count() else { continue };
        for voided in stream.field("voided").items() {
            let number = voided.field("number");
            if number.count().is_some_and(|number| number > last) {
                found.push(Finding::with(&number.at, FaultCode::OutOfRange, format!("≤ {last}")));
            }
        }
    }
}

fn ranges(body: &View<'_>, found: &mut Vec<Finding>) {
    let streams = body.field("streams").items();
    for range in streams.iter().flat_map(|stream| stream.field("missing").items()) {
        let end = |name| range.field(name).count();
        if end("from").zip(end("to")).is_some_and(|(from, to)| to < from) {
            found.push(Finding::new(&range.field("to").at, FaultCode::RangeOrder));
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
