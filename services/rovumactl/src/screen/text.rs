//! A verdict as people read it: the verdict, warnings, what to do, whom to telephone; then what it rests on.

use std::{collections::BTreeMap, fmt, time::Duration};

use rovuma_api::answers::watchlist::{ListUsed, ScreenedHit, Screening};
use rovuma_schemas::{CodeLists, Locale};

use super::file::Text;
use crate::{
    moments::readable,
    output::{safe, table},
};

rovuma_schemas::sentences! {
    /// The words of a verdict.
    struct ScreeningWords in rovuma_schemas::sentences::SCREENING;
    hit,
    review,
    no_hit,
    incomplete,
    too_little,
    unreadable,
    lead,
    warning(warnings),
    not_actual(status),
    possible_misuse,
    action,
    call,
    instead(action, reason),
    reference,
    telephone,
    owner,
    owner_told,
    owner_not_told(reasons),
    compared,
    repeated,
    understood,
    lists,
    current,
    stale,
    loading,
    missing,
    age(span),
    verdict,
    count,
    text,
    line,
}

/// How many characters of a text a row shows: a number or plate whole, and the beginning of a zone.
const SHOWN_MAX_CHARS: usize = 44;

/// One verdict.
pub(super) fn one(f: &mut fmt::Formatter<'_>, screening: &Screening, locale: Locale) -> fmt::Result {
    let words = ScreeningWords::of(locale);
    writeln!(f, "{}", verdict(words, &screening.verdict))?;
    for hit in &screening.hits {
        hit_text(f, hit, words, locale)?;
    }
    if !screening.hits.is_empty() {
        writeln!(f, "\n{}", words.lead())?;
    }
    writeln!(f)?;
    if let Some(fault) = &screening.unreadable {
        writeln!(f, "{} ({})", safe(&fault.detail), safe(&fault.code))?;
    }
    if let Some(understood) = &screening.understood {
        let fields = understood.fields.iter().map(|(name, value)| format!("{name} {value}"));
        let parts: Vec<String> = std::iter::once(understood.kind.clone()).chain(fields).collect();
        writeln!(f, "{}: {}", words.understood(), safe(&parts.join(", ")))?;
        for warning in &understood.warnings {
            writeln!(f, "  {}", safe(warning))?;
        }
    }
    writeln!(f, "{}:", words.lists())?;
    let rows: Vec<[String; 3]> = screening.lists.iter().map(|list| list_row(list, words)).collect();
    columns(f, &rows)
}

fn hit_text(
    f: &mut fmt::Formatter<'_>,
    hit: &ScreenedHit,
    words: ScreeningWords,
    locale: Locale,
) -> fmt::Result {
    writeln!(f)?;
    for remark in remarks(hit, words, locale) {
        writeln!(f, "{}", safe(&remark))?;
    }
    let mut facts = vec![(words.action(), action(hit, words, locale))];
    if !hit.reference.is_empty() {
        facts.push((words.reference(), format!("{} ({})", hit.reference, hit.list)));
    }
    facts.extend(hit.call.as_ref().map(|call| {
        let hours = call.hours.as_ref().map(|hours| format!(", {hours}")).unwrap_or_default();
        (words.telephone(), format!("{} ({}{hours})", call.phone, call.name))
    }));
    let told = match hit.forwarded {
        true => words.owner_told().to_owned(),
        false => words.owner_not_told(hit.not_forwarded.join(", ")),
    };
    facts.push((words.owner(), told));
    for feature in &hit.explanation {
        let compared =
            format!("{}: {} / {}: {}", feature.feature, feature.query, feature.listed, feature.effect);
        facts.push((words.compared(), compared));
    }
    let width = facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    facts.iter().try_for_each(|(label, text)| writeln!(f, "  {label:<width$}  {}", safe(text)))?;
    if hit.repeated { writeln!(f, "  ({})", words.repeated()) } else { Ok(()) }
}

/// What an officer must know before anything else: what is dangerous, what is no real case, and who may be a victim.
fn remarks(hit: &ScreenedHit, words: ScreeningWords, locale: Locale) -> impl Iterator<Item = String> {
    let warnings: Vec<&str> =
        hit.warnings.iter().map(|code| CodeLists::shipped().label("warnings", code, locale)).collect();
    let warning = (!warnings.is_empty()).then(|| words.warning(warnings.join(", ")));
    let status = hit.status.as_deref().filter(|status| !matches!(*status, "actual" | ""));
    let not_actual = status.map(|status| words.not_actual(status.to_uppercase()));
    let misuse = hit.possible_misuse.then(|| words.possible_misuse().to_owned());
    [warning, not_actual, misuse].into_iter().flatten()
}

/// What to do.
fn action(hit: &ScreenedHit, words: ScreeningWords, locale: Locale) -> String {
    let label = |list: &str, code: &str| CodeLists::shipped().label(list, code, locale).to_owned();
    let action = if hit.action == "call" { words.call().to_owned() } else { label("actions", &hit.action) };
    match &hit.flagged {
        Some(reason) => words.instead(&action, label("flag_reasons", reason)),
        None => action,
    }
}

fn list_row(list: &ListUsed, words: ScreeningWords) -> [String; 3] {
    let state = match list.state.as_str() {
        "current" => words.current(),
        "stale" => words.stale(),
        "loading" => words.loading(),
        "missing" => words.missing(),
        other => other,
    };
    let age = list.age_s.map(|age| words.age(readable(Duration::from_secs(age))));
    [list.id.clone(), state.to_owned(), age.unwrap_or_default()]
}

/// Rows without a heading, each column as wide as its widest cell.
fn columns(f: &mut fmt::Formatter<'_>, rows: &[[String; 3]]) -> fmt::Result {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    rows.iter().try_for_each(|[one, two, three]| {
        writeln!(f, "{}", safe(format!("  {one:<first$}  {two:<second$}  {three}").trim_end()))
    })
}

fn verdict(words: ScreeningWords, code: &str) -> String {
    match code {
        "hit" => words.hit().to_owned(),
        "review" => words.review().to_owned(),
        "no_hit" => words.no_hit().to_owned(),
        "incomplete" => words.incomplete().to_owned(),
        "too_little" => words.too_little().to_owned(),
        "unreadable" => words.unreadable().to_owned(),
        other => safe(&other.to_uppercase()),
    }
}

/// The verdicts on several texts: a row for each about which something must be done, how many there are of each verdict, and the lists that
/// are not current.
pub(super) fn several(
    f: &mut fmt::Formatter<'_>,
    screened: &[(&Text, &Screening)],
    locale: Locale,
) -> fmt::Result {
    let words = ScreeningWords::of(locale);
    let shown = screened.iter().filter(|(_, screening)| screening.verdict != "no_hit");
    let rows: Vec<Vec<String>> = shown.map(|(text, screening)| row(text, screening, words, locale)).collect();
    if !rows.is_empty() {
        let heading = [
            words.line(),
            words.verdict(),
            words.text(),
            words.action(),
            words.reference(),
            words.telephone(),
        ];
        table(f, &heading.map(str::to_uppercase).each_ref().map(String::as_str), &rows)?;
        writeln!(f)?;
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, screening) in screened {
        *counts.entry(&screening.verdict).or_default() += 1;
    }
    let rows: Vec<Vec<String>> =
        counts.iter().map(|(code, count)| vec![verdict(words, code), count.to_string()]).collect();
    table(f, &[words.verdict(), words.count()], &rows)?;
    let lists: BTreeMap<&str, &ListUsed> = screened
        .iter()
        .flat_map(|(_, screening)| &screening.lists)
        .filter(|list| list.state != "current")
        .map(|list| (list.id.as_str(), list))
        .collect();
    if lists.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}:", words.lists())?;
    columns(f, &lists.into_values().map(|list| list_row(list, words)).collect::<Vec<_>>())
}

fn row(text: &Text, screening: &Screening, words: ScreeningWords, locale: Locale) -> Vec<String> {
    let strongest = screening.hits.first();
    let mut said = vec![verdict(words, &screening.verdict)];
    for remark in screening.hits.iter().flat_map(|hit| remarks(hit, words, locale)) {
        if !said.contains(&remark) {
            said.push(remark);
        }
    }
    let next = strongest
        .map(|hit| action(hit, words, locale))
        .or_else(|| screening.unreadable.as_ref().map(|fault| fault.detail.clone()));
    let references = screening.hits.iter().map(|hit| hit.reference.as_str()).filter(|text| !text.is_empty());
    let first_line = text.text.lines().next().unwrap_or_default();
    let telephone = strongest.and_then(|hit| hit.call.as_ref()).map(|call| call.phone.clone());
    vec![
        text.line.to_string(),
        said.join(" "),
        first_line.chars().take(SHOWN_MAX_CHARS).collect(),
        next.unwrap_or_default(),
        references.collect::<Vec<_>>().join(", "),
        telephone.unwrap_or_default(),
    ]
}
