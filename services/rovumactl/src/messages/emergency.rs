//! The emergency release: one person sends what needs two, and a second person confirms it afterwards.

use rovuma_api::answers::gateway::{CaseView, ReleasedView};
use rovuma_schemas::{EMERGENCY_CONFIRMED_WITHIN, MessageId, Timestamp};
use serde_json::{Value, json};

use crate::{
    app::App,
    cases::name,
    client::Client,
    exit::{Failure, Outcome},
    moments::local,
};

/// The content of a draft that says why it could not wait for a second person.
///
/// # Errors
/// A usage failure, when it is not a JSON object.
pub(crate) fn with_reason(content: &[u8], reason: &str) -> Outcome<Vec<u8>> {
    let no_draft = || Failure::usage("the draft is not a JSON object");
    let mut draft: Value = serde_json::from_slice(content).map_err(|_| no_draft())?;
    let terms = draft.as_object_mut().ok_or_else(no_draft)?.entry("terms").or_insert_with(|| json!({}));
    let terms = terms.as_object_mut().ok_or_else(|| Failure::usage("the draft's terms are not an object"))?;
    terms.insert("emergency".to_owned(), json!({ "reason": reason }));
    Ok(draft.to_string().into_bytes())
}

/// Says what the emergency release obliges to: the instant is the gateway's, where the case can be read.
pub(crate) async fn tell(app: &App, client: &Client, released: &ReleasedView) {
    let limit = released.created.plus(EMERGENCY_CONFIRMED_WITHIN);
    let (kind, by) = told(client, released.id).await.unwrap_or_else(|| ("alert".to_owned(), limit));
    // Alerts have the command among their own.
    let command = if kind == "alert" { "alert confirm" } else { "case confirm" };
    let (id, by) = (released.id, local(by));
    app.out.note(format_args!(
        "\nYou released this alone, in an emergency; your supervisor is told now. A second person of your agency must confirm it \
         within 12 hours, by {by}:\n  rovumactl {command} {id}\nWithout that it is suspended from then on: nobody acts on it \
         until somebody confirms it."
    ));
}

/// The kind of the message's case, and until when the case says that it must be confirmed.
async fn told(client: &Client, id: MessageId) -> Option<(String, Timestamp)> {
    let case = name::of_message(client, id).await.ok()?;
    let view: CaseView = name::open(client, &case, None).await.ok()?.value;
    let of_alert = view.alert.and_then(|alert| alert.confirm_by);
    let of_request = view.request.and_then(|request| request.confirm_by);
    // Of shared information, nothing else is due.
    Some((case.kind, of_alert.or(of_request).or(view.case.due)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_stands_in_the_terms() {
        let draft =
            with_reason(br#"{"type":"alert.issue","terms":{"purpose":"x"}}"#, "now").expect("a draft");
        let draft: Value = serde_json::from_slice(&draft).expect("JSON");
        assert_eq!(draft["terms"], json!({ "purpose": "x", "emergency": { "reason": "now" } }));
        assert!(with_reason(b"[]", "now").is_err() && with_reason(b"{", "now").is_err());
    }
}
