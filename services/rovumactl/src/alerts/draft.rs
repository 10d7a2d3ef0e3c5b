//! The draft of a message that follows in a case: its terms are those of the case.

use rovuma_api::answers::gateway::{CaseStep, CaseView, MessageView, TermCodes};
use rovuma_schemas::{CaseId, Date, Locale, MessageId, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    cases::{name, text::content_in_force},
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
};

/// Days for which recipients may keep the data of a withdrawn alert, where the alert does not say fewer.
const KEPT_AFTER_WITHDRAWAL_DAYS: i32 = 30;

/// Days by which data may be kept longer than the alert lasts that it extends: drafts wait for a supervisor.
const RETENTION_SPARE_DAYS: i32 = 30;

/// Days for which a certificate may be kept at least: it says that data are gone, and outlives them.
const CERTIFICATE_KEPT_DAYS: i32 = 365;

/// A case, and the message that a new one takes its terms from: the one that brought the version in force.
pub(super) struct OpenedAlert {
    pub(super) case: CaseView,
    pub(super) steps: Vec<CaseStep>,
    pub(super) content: MessageView,
    payload: Value,
}

/// The last day on which the data of a new message may be kept, unless its author says another one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Retention {
    /// As the case says now.
    OfCase,
    /// Not before the end of an extended alert.
    NotBefore(Timestamp),
    /// Soon after a withdrawal.
    AfterWithdrawal,
    /// A certificate's.
    OfCertificate,
}

impl OpenedAlert {
    /// Opens a case as the author of a message that follows in it. The gateway records that the author has read the version in
    /// force.
    pub(super) async fn open(client: &Client, case: &CaseId) -> Outcome<Self> {
        let view = name::open(client, case, None).await?.value;
        let steps = name::timeline(client, case, None).await?.value.steps;
        let short = name::short_name(&view.case);
        let content = content_in_force(&steps).ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!("the alert {short} itself has not arrived: there is nothing to follow"),
            )
            .next(format!("it comes by itself; rovumactl case show {short} shows what is missing"))
        })?;
        // Of a message that was issued again, the last id is the one that is kept under the key in force.
        let id = content.ids.iter().max().copied().unwrap_or(content.id);
        let (path, sender) = (format!("/v1/messages/{id}"), ("sender", content.sender.to_string()));
        let message: ServerAnswer<MessageView> = match client.get(&path, std::slice::from_ref(&sender)).await
        {
            // What was erased is still certified: the codes of its terms are left.
            Err(failure) if failure.is_refusal("erased") => {
                client.get(&path, &[("view", "metadata".to_owned()), sender]).await?
            }
            outcome => outcome?,
        };
        let payload = message.value.payload.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
        Ok(Self { case: view, steps, content: message.value, payload: payload.unwrap_or_default() })
    }

    /// What people call the case.
    pub(super) fn name(&self) -> String {
        name::short_name(&self.case.case)
    }

    /// The version in force.
    pub(super) fn version(&self) -> u64 {
        self.case.case.version
    }

    /// The content of the version in force: none when it was erased.
    pub(super) fn alert(&self) -> Option<&Value> {
        let body = &self.payload["body"];
        match self.content.header.message_type.as_str() {
            "alert.issue" => Some(body).filter(|body| body.is_object()),
            _ => body.get("alert"),
        }
    }

    /// The last day on which the data may be kept.
    pub(super) fn retain_until(&self, retention: Retention, now: Timestamp) -> Date {
        let today = Date::of(now);
        let of_case = self.case.alert.as_ref().and_then(|alert| alert.retain_until);
        let of_terms = self.payload["terms"]["retain_until"].as_str().and_then(|day| day.parse().ok());
        let of_case = of_case.or(of_terms).unwrap_or(today);
        match retention {
            Retention::OfCase => of_case.max(today),
            Retention::NotBefore(end) => of_case.max(Date::of(end).plus_days(RETENTION_SPARE_DAYS)),
            Retention::AfterWithdrawal => of_case.min(today.plus_days(KEPT_AFTER_WITHDRAWAL_DAYS)).max(today),
            Retention::OfCertificate => of_case.max(today.plus_days(CERTIFICATE_KEPT_DAYS)),
        }
    }

    /// A draft that follows in the case with the terms of the version in force: normal urgency, and no emergency. What the
    /// issuer sends keeps its unit and file number.
    pub(super) fn draft(
        &self,
        message_type: &str,
        body: Value,
        retain_until: Date,
        language: Locale,
    ) -> Value {
        let mut draft = json!({
            "type": message_type,
            "status": self.content.header.status,
            "case": self.case.case.case,
            "terms": self.terms(retain_until, language),
            "body": body,
        });
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

    /// Whether the version in force has the officer's confirmation that nobody is disclosed to those they fled from: then the next
    /// one needs it again.
    pub(super) fn has_protection_check(&self) -> bool {
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
pub(super) fn in_reply_to(mut draft: Value, id: MessageId) -> Value {
    draft["in_reply_to"] = json!(id);
    draft
}

/// Puts a member into an object, if it has a value.
pub(super) fn put(body: &mut Value, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        body[name] = json!(value);
    }
}
