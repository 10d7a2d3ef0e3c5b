//! A message as people read it: what matters first, then who, when and for which case, then terms and content.

use std::fmt::{self, Write as _};

use rovuma_api::answers::gateway::{CopyView, InboxRow, MessageView, ReceivedView, SentView};
use rovuma_schemas::{CodeLists, Header, Message, Timestamp, UrgencyLevel};
use serde_json::Value;

use crate::{
    cases::text::{CaseWords, state_word},
    moments::local,
    output::safe,
    reading::Reader,
};

/// Writes a message for people.
pub(super) fn message_text(
    f: &mut fmt::Formatter<'_>,
    message: &MessageView,
    reader: &Reader,
) -> fmt::Result {
    let payload: Option<Value> =
        message.payload.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
    writeln!(f, "{}", safe(&title(message, reader)))?;
    for banner in banners(message, payload.as_ref(), reader) {
        writeln!(f, "{}", safe(&banner))?;
    }
    writeln!(f)?;
    let facts = facts(message, reader);
    let width = facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, text) in &facts {
        writeln!(f, "{label:<width$}  {}", safe(text))?;
    }
    writeln!(f)?;
    content(f, message, payload.as_ref(), reader)
}

/// What the message is about in one line, urgent first. It names nobody.
fn title(message: &MessageView, reader: &Reader) -> String {
    let read = message.payload.as_ref().and_then(|raw| Message::parse(raw.get().as_bytes()).ok());
    let summary = match read.as_ref().map(|message| &message.body) {
        Some(rovuma_schemas::Body::Operational(body)) => body.summary(CodeLists::shipped(), reader.locale),
        _ => message.header.message_type.to_string(),
    };
    let is_urgent = message.terms.as_ref().is_some_and(|terms| terms.urgency == UrgencyLevel::Urgent);
    if is_urgent { format!("{} · {summary}", reader.words().urgent()) } else { summary }
}

/// The lines that a reader must not miss: no real case, not to be acted on, warnings.
fn banners(message: &MessageView, payload: Option<&Value>, reader: &Reader) -> Vec<String> {
    let words = reader.words();
    let mut banners: Vec<String> =
        reader.status_banner(message.header.status.as_str()).map(ToOwned::to_owned).into_iter().collect();
    if let Some(received) = &message.received {
        banners.extend(standing(received, reader));
    }
    let replaced_by = message.received.as_ref().and_then(|received| received.row.replaced_by);
    let replaced_by = replaced_by.or(message.sent.as_ref().and_then(|sent| sent.replaced_by));
    banners.extend(replaced_by.map(|id| words.replaced_by(id)));
    banners.extend(message.header.replaces.map(|id| words.replaces(id)));
    let body = payload.map(|payload| &payload["body"]);
    if message.state.as_deref() == Some("expired") {
        let end = body.and_then(|body| body["validity"]["until"].as_str()?.parse::<Timestamp>().ok());
        banners.extend(end.map(|end| words.ended(local(end))));
    }
    let warnings: Vec<&str> = body.map(warnings).unwrap_or_default();
    if !warnings.is_empty() {
        let labels: Vec<&str> = warnings.iter().map(|code| reader.label("warnings", code)).collect();
        banners.push(format!("{}: {}", words.warnings(), labels.join("; ")));
    }
    banners
}

/// Why a received message is not to be acted on; nothing for one that is.
fn standing(received: &ReceivedView, reader: &Reader) -> Vec<String> {
    let (row, words) = (&received.row, reader.words());
    let mut reasons = Vec::new();
    match row.disposition.as_str() {
        "inoperative" => reasons.push(match received.expires.filter(|expires| *expires <= row.received_at) {
            Some(expires) => words.expired_on_the_way(local(expires), local(row.received_at)),
            None => words.inoperative().to_owned(),
        }),
        "rejected" => {
            let code = row.rejection_code.as_deref().unwrap_or_default();
            reasons.push(words.rejected(reader.label("rejections", code)));
        }
        _ => {}
    }
    reasons.extend(row.compromised_at.map(|at| words.compromised(local(at))));
    reasons
}

/// The codes of every warning, of the whole message and of each subject.
fn warnings(body: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    collect_warnings(body, &mut found);
    found.dedup();
    found
}

fn collect_warnings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::Array(codes) if name == "warnings" => {
                        found.extend(codes.iter().filter_map(Value::as_str));
                    }
                    member => collect_warnings(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_warnings(item, found)),
        _ => {}
    }
}

type Facts = Vec<(&'static str, String)>;

fn facts(message: &MessageView, reader: &Reader) -> Facts {
    let (header, words) = (&message.header, reader.words());
    let mut facts = addresses(header, reader);
    facts.push((words.sent(), local(header.created)));
    if let Some(sent) = &message.sent {
        facts.push((words.released_by(), reader.person(&sent.released_by)));
    }
    if let Some(ReceivedView { row, read_by, .. }) = &message.received {
        facts.push((words.received(), local(row.received_at)));
        facts.push((words.read(), read(row, read_by.as_deref(), reader)));
    }
    let case = message.received.as_ref().and_then(|received| received.row.case.as_ref());
    facts.extend(case.or(header.case.as_ref()).map(|case| (words.case(), case.to_string())));
    facts.extend(header.reference.as_ref().map(|reference| (words.reference(), reference.to_string())));
    facts.extend(header.in_reply_to.map(|id| (words.in_reply_to(), id.to_string())));
    facts.extend(message.state.as_deref().map(|state| {
        let label = match state {
            "active" => words.active(),
            "expired" => words.expired(),
            other => state_word(CaseWords::of(reader.locale), other),
        };
        (words.state(), label.to_owned())
    }));
    facts.push((words.message(), format!("{} ({})", header.id, header.message_type)));
    facts
}

fn addresses(header: &Header, reader: &Reader) -> Facts {
    let words = reader.words();
    let sender = [Some(reader.agencies.text(header.sender.agency.as_str()))]
        .into_iter()
        .chain([header.sender.unit.as_ref().map(ToString::to_string)])
        .flatten();
    let recipients =
        header.recipients.iter().map(|recipient| reader.agencies.text(recipient.agency.as_str()));
    vec![
        (words.from(), sender.collect::<Vec<_>>().join(", ")),
        (words.to(), recipients.collect::<Vec<_>>().join(", ")),
    ]
}

fn read(row: &InboxRow, read_by: Option<&str>, reader: &Reader) -> String {
    let Some(at) = row.read_at else { return reader.words().unread().to_owned() };
    match read_by {
        Some(person) => format!("{} ({})", local(at), reader.person(person)),
        None => local(at),
    }
}

fn content(
    f: &mut fmt::Formatter<'_>,
    message: &MessageView,
    payload: Option<&Value>,
    reader: &Reader,
) -> fmt::Result {
    let words = reader.words();
    let schema = format!("received/{}", message.header.message_type);
    match payload {
        Some(payload) => {
            f.write_str(&reader.members(&schema, &Reader::body_definition(&schema), &payload["body"], 0))?;
            if let Some(terms) = payload.get("terms") {
                f.write_char('\n')?;
                f.write_str(&reader.members(&schema, "Terms", terms, 0))?;
            }
        }
        None => {
            let terms = message.terms.as_ref().and_then(|terms| serde_json::to_value(terms).ok());
            let rejected =
                message.received.as_ref().is_some_and(|received| received.row.disposition == "rejected");
            writeln!(
                f,
                "{}",
                if rejected && terms.is_none() { words.unreadable() } else { words.no_content() }
            )?;
            if let Some(terms) = terms {
                f.write_str(&reader.members(&schema, "TermCodes", &terms, 0))?;
            }
        }
    }
    if let Some(SentView { copies, .. }) = &message.sent {
        writeln!(f, "\n{}", words.copies())?;
        for copy in copies {
            writeln!(f, "  {}", safe(&copy_text(copy, reader)))?;
        }
    }
    Ok(())
}

/// The state of a copy as a reader sees it: `Tanzania Police Force (tz.tpf): delivered 2026-11-29 12:05:33 +02:00`.
fn copy_text(copy: &CopyView, reader: &Reader) -> String {
    let (words, since) = (reader.words(), local(copy.since));
    let reason = copy.code.as_deref().map_or("", |code| reader.label("rejections", code));
    let state = match copy.state.as_str() {
        "waiting" => words.copy_waiting(since),
        "queued" => words.copy_queued(since),
        "delivered" => words.copy_delivered(since),
        "read" => words.copy_read(since),
        "rejected" => words.copy_rejected(since, reason),
        "void" => words.copy_void(since, reason),
        later => format!("{later} {since}"),
    };
    format!("{}: {state}", reader.agencies.text(copy.recipient.as_str()))
}
