//! Target `draft`: what a client posts as a draft.

use std::collections::BTreeMap;

use rovuma_schemas::{
    CaseSoFar, CheckedDraft, Fault, Header, Locale, Message, MessageId, Recipient, Sender, StoreId,
    ValidDraft, ValidationContext, Version, limits,
};

use crate::{
    fixture::{agency, now},
    place,
};

/// Every fault has its pointer, the same in every language; a draft without faults becomes a message that its recipients
/// can read.
pub fn run(data: &[u8]) {
    let sender = agency("mz.prm");
    let context = ValidationContext::shipped(now(), &sender);
    let faults_in: Box<dyn Fn(Locale) -> Vec<Fault>> = match CheckedDraft::read(data, &context) {
        Ok(draft) => {
            for advice in Locale::ALL.iter().flat_map(|locale| draft.advice(*locale)) {
                assert!(place::is_pointer(&advice.pointer) && !advice.message.is_empty());
            }
            let _ = (draft.facet(), draft.status(), draft.reference(), draft.second_person_reasons());
            if let Some(valid) = draft.valid() {
                assert_eq!(valid.second_person_reasons(), draft.second_person_reasons());
                sound(valid.clone());
                return;
            }
            Box::new(move |locale| draft.faults(locale))
        }
        Err(none) => Box::new(move |locale| none.faults(locale)),
    };
    let faults = faults_in(Locale::En);
    assert!(!faults.is_empty());
    place::check(data, &faults);
    for locale in [Locale::Pt, Locale::Sw] {
        assert!(places(&faults_in(locale)).eq(places(&faults)), "another fault in another language");
    }
}

fn places(faults: &[Fault]) -> impl Iterator<Item = (&str, rovuma_schemas::FaultCode)> {
    faults.iter().map(|fault| (fault.pointer.as_str(), fault.code))
}

/// A follower that names no recipients goes to the parties of its case, as the gateway addresses it.
fn addressed(valid: ValidDraft) -> ValidDraft {
    let Some(owner) = valid.case().map(|case| case.owner.clone()) else { return valid };
    if !valid.recipients().is_empty() {
        return valid;
    }
    let own = agency("mz.prm");
    let party = if owner == own { agency("tz.tpf") } else { owner };
    valid.addressed_to(vec![party])
}

fn sound(valid: ValidDraft) {
    let valid = addressed(valid);
    assert!((1..=limits::RECIPIENTS_MAX).contains(&valid.recipients().len()));
    let (expiry, end) = (valid.transport_expiry(now()), valid.ends(now()));
    assert!(expiry.zip(end).is_none_or(|(expiry, end)| expiry <= end));
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
        message_type: valid.message_type().to_string(),
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
        expires: expiry,
        reference: valid.reference().map(|reference| reference.as_str().to_owned()),
        in_reply_to: valid.in_reply_to(),
        replaces: None,
        first_created: None,
        case: valid.case().cloned(),
        turn: valid.case().map(|_| 1),
        seen: BTreeMap::new(),
    };
    // A follower comes after the opener, which is version 1.
    let so_far = CaseSoFar { version: u32::from(valid.case().is_some()), ..CaseSoFar::default() };
    let message = valid.into_message(header, &so_far, &rovuma_schemas::request::AnswerLimits::default());
    let read = Message::parse(&message.to_payload()).expect("a recipient can read what may be sent");
    assert_eq!(read, message);
}
