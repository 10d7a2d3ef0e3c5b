//! The names of a case: people write its short reference, its file number, a message of it, or its whole name.

use rovuma_api::{
    answers::gateway::{CaseRow, CaseTimeline, CaseView, MessageView},
    page::Page,
};
use rovuma_schemas::{CaseId, MessageId, Timestamp};

use crate::{
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
};

/// Rows that are looked at to see whether a reference names one case.
const ENOUGH_TO_TELL: &str = "6";

/// Finds the case that `text` names.
///
/// # Errors
/// Refused, when it names none or several.
pub(crate) async fn find(client: &Client, text: &str) -> Outcome<CaseId> {
    if let Ok(case) = text.parse() {
        return Ok(case);
    }
    match text.parse() {
        Ok(message) => of_message(client, message).await,
        Err(_) => by_reference(client, text).await,
    }
}

/// Finds the case of a message.
pub(crate) async fn of_message(client: &Client, message: MessageId) -> Outcome<CaseId> {
    let query = [("view", "metadata".to_owned())];
    let view: ServerAnswer<MessageView> =
        client.get(&format!("/v1/messages/{message}"), &query).await.map_err(|failure| {
            if failure.is_refusal("ambiguous_id") {
                failure.next("give the case's name KIND/OWNER/ID: rovumactl inbox shows it")
            } else {
                failure
            }
        })?;
    let of_row = view.value.received.and_then(|received| received.row.case);
    of_row.or(view.value.header.case).ok_or_else(|| {
        Failure::new(
            Exit::Refused,
            format!("message {message} ({}) belongs to no case", view.value.header.message_type),
        )
        .next(format!("rovumactl show {message} shows it"))
    })
}

async fn by_reference(client: &Client, text: &str) -> Outcome<CaseId> {
    let query = [("reference", text.to_owned()), ("limit", ENOUGH_TO_TELL.to_owned())];
    let found: ServerAnswer<Page<CaseRow>> = client.get("/v1/cases", &query).await?;
    let mut rows = found.value.items;
    match (rows.pop(), rows.is_empty()) {
        (Some(only), true) => Ok(only.case),
        (None, _) => Err(Failure::new(
            Exit::Refused,
            format!("your agency has no case with the short reference or file number {text:?}"),
        )
        .next("rovumactl case list shows the cases; a message that opens one may still be on the way")),
        (Some(last), false) => {
            rows.push(last);
            let names: Vec<String> = rows.iter().map(short_name).collect();
            let more = if found.value.next.is_some() { " and more" } else { "" };
            Err(Failure::new(
                Exit::Refused,
                format!("{text:?} is the beginning of several file numbers: {}{more}", names.join(", ")),
            )
            .next(format!("give one of them; rovumactl case list --reference {text} shows them")))
        }
    }
}

/// What people call a case: its short reference, or its name until the message that opened it is here.
pub(crate) fn short_name(row: &CaseRow) -> String {
    row.short_reference.clone().unwrap_or_else(|| row.case.to_string())
}

/// The path of a case, with a part below it: `/timeline`.
pub(crate) fn path(case: &CaseId, below: &str) -> String {
    // A kind is a code, and the others are of their own types: nothing needs escaping.
    format!("/v1/cases/{}/{}/{}{below}", case.kind, case.owner, case.id)
}

fn query(at: Option<Timestamp>) -> Vec<(&'static str, String)> {
    at.into_iter().map(|at| ("at", at.to_string())).collect()
}

/// Fetches a case.
pub(crate) async fn open(
    client: &Client,
    case: &CaseId,
    at: Option<Timestamp>,
) -> Outcome<ServerAnswer<CaseView>> {
    client.get(&path(case, ""), &query(at)).await
}

/// Fetches the messages of a case.
pub(crate) async fn timeline(
    client: &Client,
    case: &CaseId,
    at: Option<Timestamp>,
) -> Outcome<ServerAnswer<CaseTimeline>> {
    client.get(&path(case, "/timeline"), &query(at)).await
}
