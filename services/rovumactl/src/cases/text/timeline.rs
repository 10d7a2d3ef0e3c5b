//! The messages of a case: what each was, what it did, and what became of it.

use std::fmt::{self, Write as _};

use rovuma_api::answers::gateway::{CaseStep, StepReceipt};

use super::CaseReader;
use crate::{moments::local, output::safe};

/// Writes the messages of a case in their order.
pub(in crate::cases) fn timeline_text(
    f: &mut fmt::Formatter<'_>,
    steps: &[CaseStep],
    reader: &CaseReader,
) -> fmt::Result {
    if steps.is_empty() {
        return writeln!(f, "  {}", reader.words().no_messages());
    }
    steps.iter().try_for_each(|step| f.write_str(&safe(&step_text(step, reader))))
}

/// One message of a case: what it was, what it did, and what became of it.
fn step_text(step: &CaseStep, reader: &CaseReader) -> String {
    let words = reader.words();
    let reason = match step.reason.as_deref().unwrap_or_default() {
        "withdrawn" if step.message_type.starts_with("request.") => words.not_open(),
        code => reader.effect_reason(code),
    };
    let (mark, effect) = match step.effect.as_str() {
        "applied" => (" ", None),
        "supplement" => ("+", Some(words.supplement().to_owned())),
        "without_effect" => ("○", Some(words.without_effect(reason))),
        "unlawful" => ("✗", Some(words.unlawful(reason))),
        "unjudged" => ("?", Some(words.unjudged(reason))),
        later => ("?", Some(later.to_owned())),
    };
    let kind = reader.reader.label("message_types", &step.message_type);
    let mut text =
        format!("{mark} {}  {} #{}  {kind}\n", local(step.created), reader.agency(&step.sender), step.turn);
    let mut line = |part: String| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "    {part}");
    };
    if let Some(effect) = effect {
        line(effect);
    }
    let answers = step.in_reply_to.map(|id| words.in_reply_to(id));
    line([Some(step.id.to_string()), answers].into_iter().flatten().collect::<Vec<_>>().join("  "));
    let others: Vec<String> = step.ids.iter().filter(|id| **id != step.id).map(ToString::to_string).collect();
    if !others.is_empty() {
        line(words.issued_again(others.join(", ")));
    }
    let came = step.received_at.map(|at| words.came(local(at)));
    let read = step.read_at.map(|at| words.was_read(local(at)));
    let receipts = step.receipts.iter().map(|receipt| receipt_text(receipt, reader));
    for told in came.into_iter().chain(read).chain(receipts) {
        line(told);
    }
    text
}

fn receipt_text(receipt: &StepReceipt, reader: &CaseReader) -> String {
    let (words, agency, at) = (reader.words(), &receipt.recipient, local(receipt.said_at));
    match receipt.kind.as_str() {
        "delivered" => words.receipt_delivered(agency, at),
        "read" => words.receipt_read(agency, at),
        "rejected" => words.receipt_rejected(agency, at),
        "listed" => words.receipt_listed(
            agency,
            receipt.post.as_deref().map(|post| reader.reader.label("crossings", post)).unwrap_or_default(),
            at,
        ),
        later => format!("{agency}: {later} {at}"),
    }
}

impl CaseReader {
    /// Why a message changes nothing, in words; the code itself where this version does not know it.
    fn effect_reason<'a>(&self, code: &'a str) -> &'a str
    where
        'static: 'a,
    {
        let words = self.words();
        match code {
            "too_late" => words.too_late(),
            "last_word_unseen" => words.last_word_unseen(),
            "after_end" => words.after_end(),
            "older_version" => words.older_version(),
            "withdrawn" => words.after_withdrawal(),
            "not_its_part" => words.not_its_part(),
            "not_a_party" => words.not_a_party(),
            "not_opened" => words.not_opened(),
            "not_allowed_in_state" => words.not_in_state(),
            "too_early" => words.too_early(),
            "too_many" => words.too_many(),
            "opener_missing" => words.opener_missing(),
            "past_missing" => words.past_missing(),
            "turn_reused" => words.turn_twice(),
            "type_unknown" => words.type_unknown(),
            "beyond_limit" => words.beyond_limit(),
            later => later,
        }
    }
}
