//! The draft of a message that follows in a case: its terms are those of the case.

use rovuma_api::answers::gateway::TermCodes;
use rovuma_schemas::{AgencyCode, Date, Locale, MessageId, Timestamp};
use serde_json::{Map, Value, json};

use super::OpenedCase;

/// Days for which recipients may keep the data of a withdrawn alert, where the alert does not say fewer.
const KEPT_AFTER_WITHDRAWAL_DAYS: i32 = 30;

/// Days by which data may be kept longer than what is prolonged or allowed lasts: drafts wait for a supervisor.
const RETENTION_SPARE_DAYS: i32 = 30;

/// Days for which a certificate may be kept at least: it says that data are gone, and outlives them.
const CERTIFICATE_KEPT_DAYS: i32 = 365;

/// The last day on which the data of a new message may be kept, unless its author says another one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Retention {
    /// As the case says now.
    OfCase,
    /// Not before the end of what it prolongs or allows.
    NotBefore(Timestamp),
    /// Soon after a withdrawal.
    AfterWithdrawal,
    /// A certificate's.
    OfCertificate,
}

impl OpenedCase {
    /// The last day on which the data may be kept.
    pub(super) fn retain_until(&self, retention: Retention, now: Timestamp) -> Date {
        let today = Date::of(now);
        let of_alert = self.case.alert.as_ref().and_then(|alert| alert.retain_until);
        let of_case = of_alert.or(self.case.hit.as_ref().and_then(|hit| hit.retain_until));
        let of_terms = self.payload["terms"]["retain_until"].as_str().and_then(|day| day.parse().ok());
        let of_case = of_case.or(of_terms).unwrap_or(today);
        match retention {
            Retention::OfCase => of_case.max(today),
            Retention::NotBefore(end) => of_case.max(Date::of(end).plus_days(RETENTION_SPARE_DAYS)),
            Retention::AfterWithdrawal => of_case.min(today.plus_days(KEPT_AFTER_WITHDRAWAL_DAYS)).max(today),
            Retention::OfCertificate => of_case.max(today.plus_days(CERTIFICATE_KEPT_DAYS)),
        }
    }

    /// A draft that follows in the case with the terms of the content in force: normal urgency, and no emergency. What the agency
    /// sends that opened the case keeps its unit and file number.
    pub(super) fn follower(
        &self,
        message_type: &str,
        body: Value,
        retain_until: Date,
        language: Locale,
    ) -> Value {
        let draft = json!({
            "type": message_type,
            "status": self.content.header.status,
            "case": self.case.case.case,
            "terms": self.terms(retain_until, language),
            "body": body,
        });
        self.with_file_number(draft)
    }

    /// A draft that opens another case with the terms of this one.
    pub(super) fn opener(
        &self,
        message_type: &str,
        recipient: &AgencyCode,
        body: Value,
        retain_until: Date,
        language: Locale,
    ) -> Value {
        let draft = json!({
            "type": message_type,
            "status": self.content.header.status,
            "recipients": [recipient],
            "terms": self.terms(retain_until, language),
            "body": body,
        });
        self.with_file_number(draft)
    }

    fn with_file_number(&self, mut draft: Value) -> Value {
        if self.content.sent.is_some() {
            let header = &self.content.header;
            if let Some(unit) = &header.sender.unit {
                draft["unit"] = json!(unit);
            }
            if let Some(reference) = &header.reference {
                draft["reference"] = json!(reference);
            }
        }
        draft
    }

    fn terms(&self, retain_until: Date, language: Locale) -> Value {
        let kept = match self.payload.get("terms") {
            Some(Value::Object(terms)) => terms.clone(),
            // The content was erased: the codes are left.
            _ => self.content.terms.as_ref().map(|codes| of_codes(codes, language)).unwrap_or_default(),
        };
        let mut terms: Map<String, Value> = ["purpose", "legal_basis", "handling", "evaluation", "language"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), kept.get(name)?.clone())))
            .collect();
        terms.insert("urgency".to_owned(), json!({ "level": "normal" }));
        terms.insert("retain_until".to_owned(), json!(retain_until));
        Value::Object(terms)
    }

    /// Whether the content in force has the officer's confirmation that nobody is disclosed to those they fled from: then the next
    /// one needs it again.
    pub(crate) fn has_protection_check(&self) -> bool {
        self.payload["terms"].get("protection_check").is_some()
    }
}

fn of_codes(codes: &TermCodes, language: Locale) -> Map<String, Value> {
    let terms = json!({
        "purpose": codes.purpose,
        "legal_basis": codes.legal_basis,
        "handling": { "code": codes.handling },
        "evaluation": codes.evaluation,
        "language": language.as_str(),
    });
    match terms {
        Value::Object(terms) => terms,
        _ => Map::new(),
    }
}

/// A draft that answers a message.
pub(crate) fn in_reply_to(mut draft: Value, id: MessageId) -> Value {
    draft["in_reply_to"] = json!(id);
    draft
}

/// Puts a member into an object, if it has a value.
pub(crate) fn put(body: &mut Value, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        body[name] = json!(value);
    }
}
