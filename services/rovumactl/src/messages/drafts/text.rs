//! Drafts as people read them.

use std::fmt;

use rovuma_api::{
    answers::gateway::{AdviceView, DraftView, ReleasedView},
    page::Page,
};
use rovuma_schemas::AgencyCode;
use serde_json::Value;

use crate::{
    app::App,
    client::Client,
    exit::{fault_line, more_faults},
    moments::local,
    output::{safe, table},
    reading::{DRAFT, LanguageArgs, Reader, facet_list},
    session::ServerArgs,
};

/// A reader of a draft: knows the names of the agencies that it is to be sent to, and of its author.
pub(super) async fn reader_of(
    app: &App,
    server: &ServerArgs,
    client: &Client,
    draft: &DraftView,
    language: &LanguageArgs,
) -> Reader {
    let content: Option<Value> = draft.content.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
    let recipients = content.as_ref().and_then(|content| content["recipients"].as_array());
    let codes = recipients.into_iter().flatten().filter_map(|code| code.as_str()?.parse::<AgencyCode>().ok());
    let people: Vec<&str> = [draft.author.as_str()].into_iter().chain(draft.decided_by.as_deref()).collect();
    language.reader(app, server, client, &codes.collect::<Vec<_>>(), &people).await
}

/// A draft: the gateway leaves out content, faults and advice where whoever acts on the draft has read it.
pub(crate) fn draft_text(f: &mut fmt::Formatter<'_>, draft: &DraftView, reader: &Reader) -> fmt::Result {
    writeln!(f, "{} {} version {}", draft.id, safe(&draft.state), draft.version)?;
    if let Some(banner) = draft.status.as_deref().and_then(|status| reader.status_banner(status)) {
        writeln!(f, "{banner}")?;
    }
    let author = reader.person(&draft.author);
    let returned = draft.return_reason.as_deref().map(|reason| match &draft.decided_by {
        Some(supervisor) => format!("{reason} ({})", reader.person(supervisor)),
        None => reason.to_owned(),
    });
    let facet = draft.facet.as_deref().map(|facet| reader.label(facet_list(&draft.message_type), facet));
    let second_person = draft.second_person.as_deref().map(|code| reader.label("second_person", code));
    let (changed, submitted) = (local(draft.changed_at), draft.submitted_at.map(local));
    for (word, member) in [
        ("type", Some(draft.message_type.as_str())),
        ("kind", facet),
        ("reference", draft.reference.as_deref()),
        ("author", Some(author.as_str())),
        ("changed", Some(changed.as_str())),
        ("submitted", submitted.as_deref()),
        ("a second person must release it:", second_person),
        ("returned:", returned.as_deref()),
    ] {
        if let Some(member) = member {
            writeln!(f, "  {word} {}", safe(member))?;
        }
    }
    writeln!(f, "  faults {}", draft.fault_count)?;
    faults_text(f, draft)?;
    advice_text(f, draft.advice.as_deref().unwrap_or_default())?;
    let Some(content) = &draft.content else { return Ok(()) };
    writeln!(f)?;
    match serde_json::from_str::<Value>(content.get()) {
        Ok(content) => {
            f.write_str(&reader.members(&format!("draft/{}", draft.message_type), DRAFT, &content, 0))
        }
        // Valid JSON always reads; otherwise it is shown as it came.
        Err(_) => write!(f, "{}", safe(content.get())),
    }
}

/// One line for each fault of a draft that the gateway lists, and one for the number of the others.
pub(crate) fn faults_text(f: &mut fmt::Formatter<'_>, draft: &DraftView) -> fmt::Result {
    let Some(faults) = &draft.faults else { return Ok(()) };
    faults.iter().try_for_each(|fault| writeln!(f, "  fault {}", fault_line(fault)))?;
    match more_faults(faults.len(), draft.faults_total) {
        Some(line) => writeln!(f, "  {line}"),
        None => Ok(()),
    }
}

/// One line for each advice.
pub(crate) fn advice_text(f: &mut fmt::Formatter<'_>, advice: &[AdviceView]) -> fmt::Result {
    advice.iter().try_for_each(|advice| {
        let AdviceView { pointer, topic, message } = advice;
        writeln!(f, "  advice {}", safe(&format!("{pointer}: {message} ({topic})")))
    })
}

/// A message that was just released.
pub(crate) fn released_text(f: &mut fmt::Formatter<'_>, released: &ReleasedView) -> fmt::Result {
    writeln!(f, "{} released", released.id)?;
    released
        .copies
        .iter()
        .try_for_each(|copy| writeln!(f, "  to {} in lane {}", copy.recipient, copy.lane))?;
    advice_text(f, &released.advice)
}

pub(super) fn draft_table(f: &mut fmt::Formatter<'_>, page: &Page<DraftView>) -> fmt::Result {
    let row = |draft: &DraftView| {
        let text = |member: &Option<String>| member.clone().unwrap_or_default();
        vec![
            draft.id.to_string(),
            draft.state.clone(),
            draft.message_type.clone(),
            text(&draft.facet),
            text(&draft.reference),
            text(&draft.status),
            draft.fault_count.to_string(),
            local(draft.changed_at),
            text(&draft.return_reason),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    let heading =
        ["ID", "STATE", "TYPE", "FACET", "REFERENCE", "STATUS", "FAULTS", "CHANGED", "RETURNED BECAUSE"];
    table(f, &heading, &rows)
}
