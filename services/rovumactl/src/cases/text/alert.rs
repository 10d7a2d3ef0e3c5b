//! What is particular to an alert: error reports, and how far each recipient is.

use std::fmt;

use rovuma_api::answers::gateway::{AlertCase, AlertPost, AlertRecipient, CaseStep};

use super::CaseReader;
use crate::{
    moments::local,
    output::{safe, table},
};

pub(super) fn reports_text(
    f: &mut fmt::Formatter<'_>,
    alert: &AlertCase,
    reader: &CaseReader,
) -> fmt::Result {
    let words = reader.words();
    if alert.reports.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", words.reports())?;
    for report in &alert.reports {
        let answer = match report.answer.as_deref() {
            None => words.report_open(),
            Some("updated") => words.report_updated(),
            Some("withdrawn") => words.report_withdrawn(),
            Some("not_accepted") => words.report_not_accepted(),
            Some(later) => later,
        };
        let line = words.report(reader.agency(&report.agency), report.version, answer);
        writeln!(f, "  {}  rovumactl show {}", safe(&line), report.id)?;
    }
    Ok(())
}

pub(super) fn recipients_text(
    f: &mut fmt::Formatter<'_>,
    alert: &AlertCase,
    steps: &[CaseStep],
    reader: &CaseReader,
) -> fmt::Result {
    if alert.recipients.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", reader.words().recipients())?;
    let rows_of = |recipient: &AlertRecipient| {
        let first =
            vec![format!("  {}", reader.agency(&recipient.agency)), progress(recipient, steps, reader)];
        let posts = recipient.posts.iter().map(|post| vec![String::new(), post_text(post, reader)]);
        std::iter::once(first).chain(posts.collect::<Vec<_>>())
    };
    let rows: Vec<Vec<String>> = alert.recipients.iter().flat_map(rows_of).collect();
    // The heading stands above already.
    let text = fmt::from_fn(|f| table(f, &["", ""], &rows)).to_string();
    text.lines().skip(1).try_for_each(|line| writeln!(f, "{line}"))
}

/// Since when a border post acts on the issuer's last word, or that it does not yet.
fn post_text(post: &AlertPost, reader: &CaseReader) -> String {
    let (words, name) = (reader.words(), reader.reader.label("crossings", &post.post));
    match post.since {
        Some(since) => words.post_in_effect(name, local(since)),
        None => words.post_not_yet(name, local(post.last_word)),
    }
}

/// How far a recipient is with the issuer's last word.
fn progress(recipient: &AlertRecipient, steps: &[CaseStep], reader: &CaseReader) -> String {
    let words = reader.words();
    match (recipient.state.as_str(), recipient.certificate.as_deref()) {
        ("certified", Some("erased")) => words.certified_erased().to_owned(),
        ("certified", Some("never_held")) => words.certified_never_held().to_owned(),
        ("certified", Some("retained")) => {
            let until = recipient.retained_until.map_or_else(|| "?".to_owned(), |day| day.to_string());
            let is_certificate =
                |step: &&CaseStep| step.sender == recipient.agency && step.message_type == "purge.certify";
            let certificate = steps.iter().filter(is_certificate).max_by_key(|step| step.turn);
            let command =
                certificate.map_or_else(|| "?".to_owned(), |step| format!("rovumactl show {}", step.id));
            words.certified_retained(until, command)
        }
        ("not_delivered", _) => words.not_delivered().to_owned(),
        ("delivered", _) => words.delivered().to_owned(),
        ("applied", _) => words.applied().to_owned(),
        (later, _) => later.to_owned(),
    }
}
