//! `rovumactl inbox` and `rovumactl sent`.

use std::fmt;

use clap::Args;
use rovuma_api::{
    answers::gateway::{CopyView, InboxRow, SentRow},
    page::{PAGE_MAX, Page},
};
use rovuma_schemas::{AgencyCode, CaseId, CodeLists, Lane, MessageId, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    app::App,
    client::{Client, ServerAnswer, own_locale},
    exit::{Exit, Outcome},
    moments::{self, local},
    output::table,
    reading::facet_list,
    session::{ApiServer, ServerArgs},
};

/// The filters that both lists have.
#[derive(Debug, Args)]
pub(crate) struct ListFilter {
    /// Only this type: alert.issue
    #[arg(long = "type", value_name = "TYPE")]
    message_type: Option<String>,
    /// Only those with this facet: an alert's category, a request's kind
    #[arg(long)]
    facet: Option<String>,
    /// actual, exercise or test
    #[arg(long)]
    status: Option<String>,
    /// Only those released at this instant or later
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    from: Option<Timestamp>,
    /// Only those released before this instant
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    until: Option<Timestamp>,
    /// Only the messages of this case: alert/mz.prm/0199c5a1-7b3e-7001-8a10-000000000001
    #[arg(long, value_name = "KIND/OWNER/ID", conflicts_with = "in_reply_to")]
    case: Option<CaseId>,
    /// Only the messages that answer this one
    #[arg(long, value_name = "ID")]
    in_reply_to: Option<MessageId>,
    /// Maximum number of rows
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

type ListQuery = Vec<(&'static str, String)>;

impl ListFilter {
    fn query(&self) -> ListQuery {
        let mut query = ListQuery::new();
        query.extend(self.message_type.clone().map(|kind| ("type", kind)));
        query.extend(self.facet.clone().map(|facet| ("facet", facet)));
        query.extend(self.status.clone().map(|status| ("status", status)));
        query.extend(self.from.map(|from| ("created_from", from.to_string())));
        query.extend(self.until.map(|until| ("created_until", until.to_string())));
        query.extend(self.case.as_ref().map(|case| ("case", case.to_string())));
        query.extend(self.in_reply_to.map(|id| ("in_reply_to", id.to_string())));
        query
    }
}

/// Options of `inbox`.
#[derive(Debug, Args)]
pub(crate) struct Inbox {
    /// Only those that nobody has read
    #[arg(long)]
    unread: bool,
    /// Only those from this agency
    #[arg(long, value_name = "AGENCY")]
    sender: Option<AgencyCode>,
    /// operative, inoperative or rejected
    #[arg(long)]
    disposition: Option<String>,
    #[command(flatten)]
    filter: ListFilter,
}

impl Inbox {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut query = self.filter.query();
        query.extend(self.unread.then(|| ("unread", "true".to_owned())));
        query.extend(self.sender.map(|sender| ("sender", sender.to_string())));
        query.extend(self.disposition.map(|disposition| ("disposition", disposition)));
        let client = self.filter.server.client(app, ApiServer::Gateway).await?;
        let rows = pages(&client, "/v1/inbox", query, self.filter.limit).await?;
        print_rows(app, &rows, inbox_table)
    }
}

/// Options of `sent`.
#[derive(Debug, Args)]
pub(crate) struct SentList {
    /// Only those to this agency
    #[arg(long, value_name = "AGENCY")]
    recipient: Option<AgencyCode>,
    /// Only those with a copy in this state: waiting, queued, delivered, read, rejected, void
    #[arg(long)]
    state: Option<String>,
    #[command(flatten)]
    filter: ListFilter,
}

impl SentList {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut query = self.filter.query();
        query.extend(self.recipient.map(|recipient| ("recipient", recipient.to_string())));
        query.extend(self.state.map(|state| ("state", state)));
        let client = self.filter.server.client(app, ApiServer::Gateway).await?;
        let rows = pages(&client, "/v1/sent", query, self.filter.limit).await?;
        print_rows(app, &rows, sent_table)
    }
}

/// Fetches page after page, until there are `limit` rows or no more: one list of all rows. `next` is there when there are more.
pub(crate) async fn pages<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    query: Vec<(&str, String)>,
    limit: u32,
) -> Outcome<ServerAnswer<Page<T>>> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut rows, mut raw): (Vec<T>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut cursor: Option<String> = None;
    while rows.len() < wanted {
        let left = u32::try_from(wanted - rows.len()).unwrap_or(PAGE_MAX);
        let mut query = query.clone();
        query.push(("limit", left.min(PAGE_MAX).to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let mut page: ServerAnswer<Page<T>> = client.get(path, &query).await?;
        rows.extend(page.value.items);
        if let Some(Value::Array(items)) = page.raw.get_mut("items") {
            raw.append(items);
        }
        cursor = page.value.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut raw = json!({ "items": raw });
    if let Some(next) = &cursor {
        raw["next"] = json!(next);
    }
    Ok(ServerAnswer { value: Page { items: rows, next: cursor }, raw })
}

/// Prints rows as `table` does, and says when there are more than were asked for.
pub(crate) fn print_rows<T>(
    app: &App,
    rows: &ServerAnswer<Page<T>>,
    table: impl Fn(&mut fmt::Formatter<'_>, &Page<T>) -> fmt::Result,
) -> Outcome {
    app.out.answer(rows, table)?;
    if rows.value.next.is_some() {
        let shown = rows.value.items.len();
        app.out.note(format_args!("these are {shown} rows, and there are more: give --limit"));
    }
    Ok(Exit::Ok)
}

/// The urgency of a row: what travels in the urgent lane was marked urgent by its sender.
fn urgency(lane: Lane) -> String {
    if lane == Lane::Urgent { "URGENT".to_owned() } else { String::new() }
}

/// What a row is about, in the user's language: the label of its facet.
fn summary(message_type: &str, facet: Option<&str>) -> String {
    let label = |facet| CodeLists::shipped().label(facet_list(message_type), facet, own_locale());
    facet.map(label).unwrap_or_default().to_owned()
}

fn case(case: Option<&CaseId>) -> String {
    case.map(ToString::to_string).unwrap_or_default()
}

fn inbox_table(f: &mut fmt::Formatter<'_>, page: &Page<InboxRow>) -> fmt::Result {
    let row = |row: &InboxRow| {
        let mark = match row {
            InboxRow { replaced_by: Some(_), .. } => "REPLACED",
            InboxRow { compromised_at: Some(_), .. } => "COMPROMISED KEY",
            InboxRow { read_at: Some(_), .. } => "read",
            _ => "unread",
        };
        let stands = match &row.rejection_code {
            Some(code) => format!("{}: {code}", row.disposition),
            None => row.disposition.clone(),
        };
        vec![
            row.id.to_string(),
            urgency(row.lane),
            row.message_type.clone(),
            summary(&row.message_type, row.facet.as_deref()),
            row.sender.to_string(),
            local(row.received_at),
            row.status.clone(),
            stands,
            mark.to_owned(),
            case(row.case.as_ref()),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    let heading =
        ["ID", "URGENCY", "TYPE", "ABOUT", "FROM", "RECEIVED", "STATUS", "ON ARRIVAL", "READ", "CASE"];
    table(f, &heading, &rows)
}

fn sent_table(f: &mut fmt::Formatter<'_>, page: &Page<SentRow>) -> fmt::Result {
    let copy = |copy: &CopyView| {
        let code = copy.code.as_ref().map_or(String::new(), |code| format!(" ({code})"));
        format!("{} {}{code}", copy.recipient, copy.state)
    };
    let row = |row: &SentRow| {
        let copies: Vec<String> = row.copies.iter().map(copy).collect();
        vec![
            row.id.to_string(),
            urgency(row.lane),
            row.message_type.clone(),
            summary(&row.message_type, row.facet.as_deref()),
            local(row.created),
            row.status.clone(),
            copies.join(", "),
            case(row.case.as_ref()),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &["ID", "URGENCY", "TYPE", "ABOUT", "RELEASED", "STATUS", "COPIES", "CASE"], &rows)
}
