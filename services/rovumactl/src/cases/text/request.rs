//! What is particular to a request: whose time runs, what was asked, and what each answer says.

use std::{fmt, time::Duration};

use rovuma_api::answers::gateway::{CaseView, RequestCase, RequestQuestion};

use super::CaseReader;
use crate::{moments::local, output::table};

/// Whether a question has an answer that leaves nothing for later.
pub(crate) fn has_answer(question: &RequestQuestion) -> bool {
    question.result.as_deref().is_some_and(|result| result != "later")
}

/// The facts of a request, each with its label.
pub(super) fn facts(
    view: &CaseView,
    request: &RequestCase,
    reader: &CaseReader,
) -> Vec<(&'static str, String)> {
    let words = reader.words();
    let limit = |at| reader.limit_with(at, reader.other_country(view));
    let mut facts = Vec::new();
    facts.extend(request.answerer.as_ref().map(|agency| (words.answerer(), reader.owner(agency))));
    if request.answerer.is_some() {
        facts.push((words.answer_time(), answer_time(request, reader)));
    }
    if let Some(until) = request.delayed_until {
        let reason = request.delay_reason.as_deref().unwrap_or_default();
        let reason = reader.reader.label("delay_reasons", reason);
        facts.push((words.delay(), words.delayed_until(limit(until), reason)));
    }
    if request.acknowledged {
        let yes = || reader.reader.words().yes().to_owned();
        let told = request.expected_by.map_or_else(yes, |at| words.expected_by(limit(at)));
        facts.push((words.acknowledged(), told));
    }
    facts.extend(request.needed_by.map(|at| (words.needed_by(), limit(at))));
    facts.extend(request.reminded_at.map(|at| (words.reminded(), local(at))));
    let try_agency = request.try_agency.as_ref();
    facts.extend(try_agency.map(|agency| (words.try_instead(), words.may_have_it(reader.agency(agency)))));
    facts.extend(
        request.group.map(|group| (words.group(), format!("{group}  rovumactl request group {group}"))),
    );
    facts
}

/// How much of its time the answerer has had: `3 h of 8 h, in time`.
fn answer_time(request: &RequestCase, reader: &CaseReader) -> String {
    let words = reader.words();
    let limit = reader.span(Duration::from_secs(request.limit_hours.saturating_mul(3600)));
    let Some(spent) = request.spent_s else { return words.time_not_running(limit) };
    let spent = words.time_of(reader.span(Duration::from_secs(spent)), limit);
    match request.punctuality.as_deref() {
        Some("in_time") => format!("{spent}, {}", words.in_time()),
        Some("within_delay") => format!("{spent}, {}", words.within_delay()),
        Some("late") => format!("{spent}, {}", words.late()),
        Some(later) => format!("{spent}, {later}"),
        None => spent,
    }
}

/// Writes the questions with their results.
pub(super) fn questions_text(
    f: &mut fmt::Formatter<'_>,
    request: &RequestCase,
    reader: &CaseReader,
) -> fmt::Result {
    if request.questions.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", reader.words().questions())?;
    let row = |question: &RequestQuestion| {
        vec![
            format!("  {}", question.n),
            reader.reader.label("questions", &question.ask).to_owned(),
            question.subject.as_ref().map(ToString::to_string).unwrap_or_default(),
            result(question, reader),
            question.message.map(|id| format!("rovumactl show {id}")).unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = request.questions.iter().map(row).collect();
    // The heading stands above already.
    let text = fmt::from_fn(|f| table(f, &[""; 5], &rows)).to_string();
    text.lines().skip(1).try_for_each(|line| writeln!(f, "{line}"))
}

/// The result for a question, and what belongs to it: why it is refused, who may have it, when it comes.
fn result(question: &RequestQuestion, reader: &CaseReader) -> String {
    let words = reader.words();
    let Some(result) = question.result.as_deref() else { return words.question_open().to_owned() };
    let result = reader.reader.label("answer_results", result).to_owned();
    let reason =
        question.reason.as_deref().map(|code| reader.reader.label("refusal_reasons", code).to_owned());
    let agency = question.try_agency.as_ref().map(|agency| words.may_have_it(reader.agency(agency)));
    let expected = question.expected_by.map(|at| words.expected_by(local(at)));
    let more: Vec<String> = [reason, agency, expected].into_iter().flatten().collect();
    if more.is_empty() { result } else { format!("{result}: {}", more.join("; ")) }
}
