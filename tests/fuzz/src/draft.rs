//! Target `draft`: what a client posts as an alert's draft.

use rovuma_schemas::{
    AlertDraft, Fault, Header, Locale, Message, MessageId, MessageType, Recipient, Sender, StoreId,
    ValidDraft, ValidationContext, Version, limits,
};

use crate::{
    fixture::{agency, now},
    place,
};

/// Every fault is told at its place, the same in every language; what has none becomes a message that its recipients
/// can read.
pub fn run(data: &[u8]) {
    let sender = agency("mz.prm");
    let context = ValidationContext::shipped(now(), &sender);
    let told = |locale| AlertDraft::parse(data, &context, locale);
    match told(Locale::En) {
        Ok(valid) => sound(valid),
        Err(faults) => {
            place::check(data, &faults);
            for locale in [Locale::Pt, Locale::Sw] {
                let other = told(locale).expect_err("faulty in every language");
                assert!(places(&other).eq(places(&faults)), "another fault in another language");
            }
        }
    }
}

fn places(faults: &[Fault]) -> impl Iterator<Item = (&str, rovuma_schemas::FaultCode)> {
    faults.iter().map(|fault| (fault.pointer.as_str(), fault.code))
}

fn sound(valid: ValidDraft) {
    assert!((1..=limits::RECIPIENTS_MAX).contains(&valid.recipients().len()));
    assert!(valid.transport_expiry(now()) <= valid.valid_until(now()));
    assert_eq!(valid.needs_second_person(), valid.second_person_reasons().first().copied());
    for advice in Locale::ALL.iter().flat_map(|locale| valid.advice(*locale)) {
        assert!(place::is_pointer(&advice.pointer) && !advice.message.is_empty());
    }
    // One country's message, as the gateway makes one for each.
    let country = valid.recipients()[0].country();
    let recipient = |(number, agency): (u64, &rovuma_schemas::AgencyCode)| Recipient {
        agency: agency.clone(),
        lane: valid.lane(),
        stream: Some(StoreId::from_slice(&[7; 16]).expect("16 bytes")),
        number: Some(number),
    };
    let header = Header {
        id: MessageId::from_slice(&[1; 16]).unwrap_or_else(|_| MessageId::draw(now())),
        message_type: MessageType::AlertIssue.to_string(),
        version: Version::CURRENT,
        status: valid.status(),
        sender: Sender {
            agency: agency("mz.prm"),
            unit: valid.unit().map(|unit| unit.as_str().to_owned()),
            officer: None,
        },
        recipients: (1..)
            .zip(valid.recipients().iter().filter(|agency| agency.country() == country))
            .map(recipient)
            .collect(),
        created: now(),
        expires: Some(valid.transport_expiry(now())),
        case_reference: valid.case_reference().map(|reference| reference.as_str().to_owned()),
        in_reply_to: valid.in_reply_to(),
        replaces: None,
    };
    let message = valid.into_message(header);
    let read = Message::parse(&message.to_payload()).expect("a recipient can read what may be sent");
    assert_eq!(read, message);
}
