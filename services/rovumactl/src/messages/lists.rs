//! `rovumactl inbox` and `rovumactl sent`.

use std::fmt;

use clap::Args;
use rovuma_schemas::{AgencyCode, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::text;
use crate::{
    app::App,
    client::Client,
    exit::{Exit, Outcome},
    moments,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Rows in one page: the gateway's maximum.
const PAGE: u32 = 200;

/// The filters that both lists have.
#[derive(Debug, Args)]
pub(crate) struct ListFilter {
    /// Only this type: alert.issue
    #[arg(long = "type", value_name = "TYPE")]
    message_type: Option<String>,
    /// Only alerts of this category
    #[arg(long)]
    category: Option<String>,
    /// actual, exercise or test
    #[arg(long)]
    status: Option<String>,
    /// Only those released at this instant or later
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    from: Option<Timestamp>,
    /// Only those released before this instant
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    until: Option<Timestamp>,
    /// Maximum number of rows
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

type ListQuery = Vec<(&'static str, String)>;

impl ListFilter {
    fn query(&self) -> ListQuery {
        let mut query = ListQuery::new();
        query.extend(self.message_type.clone().map(|kind| ("type", kind)));
        query.extend(self.category.clone().map(|category| ("category", category)));
        query.extend(self.status.clone().map(|status| ("status", status)));
        query.extend(self.from.map(|from| ("created_from", from.to_string())));
        query.extend(self.until.map(|until| ("created_until", until.to_string())));
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
        let items = pages(&client, "/v1/inbox", query, self.filter.limit).await?;
        app.out.show(&InboxTable { items })?;
        Ok(Exit::Ok)
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
        let items = pages(&client, "/v1/sent", query, self.filter.limit).await?;
        app.out.show(&SentTable { items })?;
        Ok(Exit::Ok)
    }
}

/// Fetches page after page, until there are `limit` rows or no more.
pub(crate) async fn pages(
    client: &Client,
    path: &str,
    query: Vec<(&str, String)>,
    limit: u32,
) -> Outcome<Vec<Value>> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut items: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    while items.len() < wanted {
        let left = u32::try_from(wanted - items.len()).unwrap_or(PAGE);
        let mut query = query.clone();
        query.push(("limit", left.min(PAGE).to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let mut page = client.get(path, &query).await?;
        let rows = page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
        items.extend(rows.unwrap_or_default());
        cursor = page.get("next").and_then(Value::as_str).map(ToOwned::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(items)
}

#[derive(Serialize)]
struct InboxTable {
    items: Vec<Value>,
}

#[derive(Serialize)]
struct SentTable {
    items: Vec<Value>,
}

impl fmt::Display for InboxTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |item: &Value| {
            let mark = match (text(item, "replaced_by"), text(item, "compromised_at"), text(item, "read_at"))
            {
                ("", "", "") => "unread",
                ("", "", _) => "read",
                ("", ..) => "COMPROMISED KEY",
                _ => "REPLACED",
            };
            let cells = ["id", "status", "category", "sender", "received_at", "disposition"];
            let mut row: Vec<String> = cells.iter().map(|member| text(item, member).to_owned()).collect();
            row.push(mark.to_owned());
            row
        };
        let rows: Vec<Vec<String>> = self.items.iter().map(row).collect();
        table(f, &["ID", "STATUS", "CATEGORY", "FROM", "RECEIVED", "STANDS", ""], &rows)
    }
}

impl fmt::Display for SentTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |item: &Value| {
            let mut row: Vec<String> = ["id", "status", "category", "created"]
                .iter()
                .map(|member| text(item, member).to_owned())
                .collect();
            let nothing = json!([]);
            let copies =
                item.get("copies").unwrap_or(&nothing).as_array().map(Vec::as_slice).unwrap_or_default();
            let copy = |copy: &Value| format!("{} {}", text(copy, "recipient"), text(copy, "state"));
            row.push(copies.iter().map(copy).collect::<Vec<_>>().join(", "));
            row
        };
        let rows: Vec<Vec<String>> = self.items.iter().map(row).collect();
        table(f, &["ID", "STATUS", "CATEGORY", "RELEASED", "COPIES"], &rows)
    }
}
