//! The facts of a case, each with its label.

use std::fmt;

use rovuma_api::answers::gateway::{CaseCertificate, CaseView, PartyFreshness};

use super::{CaseReader, hit, labelled, permission, request};
use crate::moments::local;

/// Writes the facts of a case.
pub(super) fn facts_text(f: &mut fmt::Formatter<'_>, view: &CaseView, reader: &CaseReader) -> fmt::Result {
    let (words, row) = (reader.words(), &view.case);
    let opener = match row.case.kind.as_str() {
        "request" => words.requester(),
        "hit" => words.reporter(),
        "info" => words.sharer(),
        "permission" => words.asker(),
        _ => words.owner(),
    };
    let mut facts = vec![(words.case(), row.case.to_string()), (opener, reader.owner(&row.case.owner))];
    if let Some(alert) = &view.alert {
        facts.extend(alert.version.map(|version| (words.version(), version.to_string())));
        if !alert.subjects.is_empty() {
            facts.push((words.subjects(), alert.subjects.join(", ")));
        }
        facts.extend(alert.retain_until.map(|day| (words.retained(), day.to_string())));
    }
    if let Some(request) = &view.request {
        facts.extend(request::facts(view, request, reader));
        facts.extend(request.retain_until.map(|day| (words.retained(), day.to_string())));
    }
    if let Some(hit) = &view.hit {
        facts.extend(hit::facts(hit, reader));
    }
    if let Some(permission) = &view.permission {
        facts.extend(permission::facts(permission, reader));
    }
    facts.extend(certificates(view, reader));
    let mut label = words.hanging();
    for hanging in &view.hanging {
        let name = hanging.short_reference.clone().unwrap_or_else(|| hanging.case.to_string());
        facts.push((label, format!("{name}: {}", reader.state_word(&hanging.state))));
        label = "";
    }
    facts.extend(
        row.handling
            .as_deref()
            .map(|code| (words.handling(), format!("{code}: {}", reader.reader.label("handling", code)))),
    );
    let mut label = words.freshness();
    for fresh in &view.freshness {
        facts.push((label, freshness(fresh, reader)));
        label = "";
    }
    labelled(f, &facts)
}

/// What each party of the case certified to have done with its data. An alert's issuer sees that beside each recipient instead.
fn certificates(view: &CaseView, reader: &CaseReader) -> Vec<(&'static str, String)> {
    let given: &[CaseCertificate] = match view {
        CaseView { request: Some(request), .. } => &request.certificates,
        CaseView { hit: Some(hit), .. } => &hit.certificates,
        CaseView { info: Some(info), .. } => &info.certificates,
        CaseView { permission: Some(permission), .. } => &permission.certificates,
        _ => &[],
    };
    let labels = std::iter::once(reader.words().certificates()).chain(std::iter::repeat(""));
    let told = |(label, certificate): (&'static str, &CaseCertificate)| {
        let outcome = reader.reader.label("purge_outcomes", &certificate.outcome);
        (label, format!("{}: {outcome}", reader.agency(&certificate.agency)))
    };
    labels.zip(given).map(told).collect()
}

/// How fresh the knowledge from a party is: `tz.tpf: 14 min ago, nothing missing until then`.
fn freshness(fresh: &PartyFreshness, reader: &CaseReader) -> String {
    let (words, agency) = (reader.words(), reader.agency(&fresh.agency));
    let ago = fresh.last_word_at.map(|at| reader.span(reader.now.since(at)));
    match (ago, fresh.missing_since.map(local)) {
        (Some(ago), None) => words.fresh(agency, ago),
        (Some(ago), Some(since)) => words.fresh_missing(agency, ago, since),
        (None, Some(since)) => words.fresh_missing_only(agency, since),
        (None, None) => words.fresh_never(agency),
    }
}
