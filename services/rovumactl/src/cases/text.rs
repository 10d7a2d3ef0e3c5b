//! Cases as people read them: the state in words and what must be done first, then the facts, then every message.

mod duty;
mod words;

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use clap::builder::PossibleValue;
use rovuma_api::answers::gateway::{
    AlertCase, AlertRecipient, CaseStep, CaseView, CaseWarning, PartyFreshness, StepReceipt,
};
use rovuma_schemas::{AgencyCode, CodeLists, CountryCode, Locale, Timestamp};

pub(crate) use self::{duty::content_in_force, words::CaseWords};

use super::name::short_name;
use crate::{
    app::App,
    client::Client,
    moments,
    moments::local,
    output::{safe, table},
    reading::Reader,
};

/// The codes of a list as values of an option, each with its English label as help.
pub(crate) fn codes(list: &str) -> Vec<PossibleValue> {
    let entries = CodeLists::shipped().get(list).map(|list| list.entries.as_slice()).unwrap_or_default();
    let value = |entry: &'static rovuma_schemas::CodeEntry| {
        PossibleValue::new(entry.code.as_str()).help(entry.labels.get(Locale::En))
    };
    entries.iter().map(value).collect()
}

/// Whoever reads cases: a reader of messages who knows their own agency, their country and the time.
pub(crate) struct CaseReader {
    pub(crate) reader: Reader,
    own: Option<AgencyCode>,
    country: Option<CountryCode>,
    now: Timestamp,
}

impl CaseReader {
    pub(crate) fn new(app: &App, client: &Client, reader: Reader) -> Self {
        let own: Option<AgencyCode> = client.caller().agency.and_then(|agency| agency.parse().ok());
        let country = own.as_ref().map(AgencyCode::country).or(app.config.country);
        Self { reader, own, country, now: app.now() }
    }

    pub(crate) const fn words(&self) -> CaseWords {
        CaseWords::of(self.reader.locale)
    }

    fn agency(&self, code: &AgencyCode) -> String {
        self.reader.agencies.text(code.as_str())
    }

    /// An agency that opened a case: whether it is the reader's own matters most.
    pub(super) fn owner(&self, code: &AgencyCode) -> String {
        if self.own.as_ref() == Some(code) { self.words().own_agency(code) } else { self.agency(code) }
    }

    /// Whether the reader's agency issued the alert. An opaque token does not say whose it is; only an issuer sees recipients.
    fn is_issuer(&self, view: &CaseView) -> bool {
        let sees_recipients = || view.alert.as_ref().is_some_and(|alert| !alert.recipients.is_empty());
        self.own.as_ref().map_or_else(sees_recipients, |own| *own == view.case.case.owner)
    }

    /// Whose turn it is.
    pub(super) fn ball(&self, ball: &str) -> String {
        match ball {
            "ours" => self.words().ball_ours().to_owned(),
            "theirs" => self.words().ball_theirs().to_owned(),
            _ => "—".to_owned(),
        }
    }

    /// A limit, in the zones of both countries: the reader's, and that of the agency on the other side.
    pub(super) fn limit(&self, at: Timestamp, owner: &AgencyCode) -> String {
        let other = Some(owner.country()).filter(|owner| Some(*owner) != self.country);
        self.limit_with(at, other.or_else(|| self.country.and_then(moments::neighbour)))
    }

    fn limit_with(&self, at: Timestamp, other: Option<CountryCode>) -> String {
        moments::in_both_zones(at, self.country, other)
    }

    /// A state as one word.
    pub(crate) fn state_word(&self, state: &str) -> String {
        let words = self.words();
        match state {
            "not_arrived" => words.not_arrived(),
            "active" => words.active(),
            "suspended" => words.suspended(),
            "expired" => words.expired(),
            "withdrawn" => words.withdrawn(),
            later => later,
        }
        .to_owned()
    }

    /// The state of a case in words, with since or until when and why.
    pub(crate) fn state(&self, view: &CaseView) -> String {
        let words = self.words();
        let Some(alert) = &view.alert else { return self.state_word(&view.case.state) };
        let at = |at: Option<Timestamp>| at.map(|at| self.limit_with(at, self.other_country(view)));
        let told = match view.case.state.as_str() {
            "active" => at(alert.ends).map(|at| words.active_until(at)),
            "suspended" => at(alert.confirm_by).map(|at| words.suspended_since(at)),
            "expired" => at(alert.ends).map(|at| words.expired_at(at)),
            "withdrawn" => alert
                .withdrawn
                .as_deref()
                .map(|reason| words.withdrawn_because(self.reader.label("withdraw_reasons", reason))),
            _ => None,
        };
        told.unwrap_or_else(|| self.state_word(&view.case.state))
    }

    /// The country of the other side: that of the issuer or, for the issuer, the first other one among the parties.
    fn other_country(&self, view: &CaseView) -> Option<CountryCode> {
        let parties = view.freshness.iter().map(|fresh| fresh.agency.country());
        let countries = [view.case.case.owner.country()].into_iter().chain(parties);
        countries.into_iter().find(|country| Some(*country) != self.country)
    }

    fn span(&self, span: Duration) -> String {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let (words, seconds) = (self.words(), span.as_secs());
        // From two of the larger unit on, so that no language needs a singular.
        match seconds {
            0..120 => words.span_seconds(seconds),
            120..7_200 => words.span_minutes(seconds / MINUTE),
            7_200..172_800 => words.span_hours(seconds / HOUR),
            _ => words.span_days(seconds / (24 * HOUR)),
        }
    }
}

/// Writes a case for people.
pub(super) fn case_text(
    f: &mut fmt::Formatter<'_>,
    view: &CaseView,
    steps: &[CaseStep],
    reader: &CaseReader,
    replayed: Option<Timestamp>,
) -> fmt::Result {
    let words = reader.words();
    let about = view.case.facet.as_deref().map(|facet| reader.reader.label("categories", facet));
    let title: Vec<String> =
        [Some(short_name(&view.case)), about.map(str::to_owned), Some(reader.state(view))]
            .into_iter()
            .flatten()
            .collect();
    writeln!(f, "{}", safe(&title.join(" · ")))?;
    if let Some(at) = replayed {
        writeln!(f, "{}", words.as_at(local(at)))?;
    }
    for banner in banners(view, reader) {
        writeln!(f, "{}", safe(&banner))?;
    }
    duty_text(f, view, steps, reader)?;
    let next = if replayed.is_none() { duty::next_commands(view, steps, reader) } else { Vec::new() };
    if !next.is_empty() {
        writeln!(f, "\n{}", words.possible())?;
        next.iter().try_for_each(|command| writeln!(f, "  {}", safe(command)))?;
    }
    writeln!(f)?;
    facts_text(f, view, reader)?;
    if let Some(alert) = &view.alert {
        reports_text(f, alert, reader)?;
        recipients_text(f, alert, steps, reader)?;
    }
    writeln!(f, "\n{}", words.time_line())?;
    // As the reader's agency came to know them. The issuer of an alert sees what recipients say and they do not see each other, so
    // the order that all sides give says little about when anything happened.
    let mut as_known: Vec<CaseStep> = steps.to_vec();
    as_known.sort_by_key(|step| step.received_at.unwrap_or(step.created));
    timeline_text(f, &as_known, reader)
}

/// Writes facts with their labels in a column of their own. A fact without a label continues the one above.
fn labelled(f: &mut fmt::Formatter<'_>, facts: &[(&str, String)]) -> fmt::Result {
    let width = facts.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    facts.iter().try_for_each(|(label, text)| writeln!(f, "{label:<width$}  {}", safe(text)))
}

/// What must be done, by whom, by when.
fn duty_text(
    f: &mut fmt::Formatter<'_>,
    view: &CaseView,
    steps: &[CaseStep],
    reader: &CaseReader,
) -> fmt::Result {
    let words = reader.words();
    let mut duties = duty::duties(view, steps, reader);
    if duties.is_empty() {
        duties.push(words.to_do_nothing().to_owned());
    }
    let labels = [words.to_do()].into_iter().chain(std::iter::repeat(""));
    let mut facts: Vec<(&str, String)> = labels.zip(duties).collect();
    facts.push((words.ball(), reader.ball(&view.case.ball)));
    let due = view.case.due.map(|due| reader.limit_with(due, reader.other_country(view)));
    facts.extend(due.map(|due| (words.due(), due)));
    labelled(f, &facts)
}

/// The lines that a reader must not miss.
fn banners(view: &CaseView, reader: &CaseReader) -> Vec<String> {
    let words = reader.words();
    let status = view.case.status.as_deref().and_then(|status| reader.reader.status_banner(status));
    let mut banners: Vec<String> = status.map(ToOwned::to_owned).into_iter().collect();
    if let Some(alert) = &view.alert {
        for country in &alert.flagged_countries {
            let agencies = alert.flagged.iter().filter(|agency| agency.country() == *country);
            let agencies: Vec<String> = agencies.map(|agency| reader.agency(agency)).collect();
            banners.push(words.flagged(country_name(*country, reader.reader.locale), agencies.join(", ")));
        }
        banners.extend(alert.superseded_by.map(|id| words.superseded_by(id)));
    }
    for missing in &view.missing {
        let count = missing.to.saturating_sub(missing.from).saturating_add(1);
        banners.push(words.on_the_way(reader.agency(&missing.agency), count));
    }
    banners.extend(view.warnings.iter().map(|warning| warning_text(warning, reader)));
    banners.extend(view.case.erased_at.map(|at| words.erased(local(at))));
    banners
}

fn warning_text(warning: &CaseWarning, reader: &CaseReader) -> String {
    let (words, agency, turn) = (reader.words(), reader.agency(&warning.agency), warning.turn);
    match warning.code.as_str() {
        "case_turn_reused" => words.turn_reused(agency, turn),
        "case_message_unlawful" => words.message_unlawful(turn, agency),
        "case_type_unknown" => words.type_not_known(turn, agency),
        "case_beyond_limit" => words.beyond_the_limit(turn, agency),
        later => format!("{agency} #{turn}: {later}"),
    }
}

/// The name of a country in the reader's language; its code where no list has it.
fn country_name(country: CountryCode, locale: Locale) -> String {
    let states = CodeLists::shipped().get("states").map(|list| list.entries.as_slice()).unwrap_or_default();
    let state = states.iter().find(|state| state.also.iter().any(|also| also == country.as_str()));
    state.map_or_else(|| country.to_string(), |state| state.labels.get(locale).to_owned())
}

fn facts_text(f: &mut fmt::Formatter<'_>, view: &CaseView, reader: &CaseReader) -> fmt::Result {
    let (words, row) = (reader.words(), &view.case);
    let mut facts =
        vec![(words.case(), row.case.to_string()), (words.owner(), reader.owner(&row.case.owner))];
    if let Some(alert) = &view.alert {
        facts.extend(alert.version.map(|version| (words.version(), version.to_string())));
        if !alert.subjects.is_empty() {
            facts.push((words.subjects(), alert.subjects.join(", ")));
        }
        facts.extend(alert.retain_until.map(|day| (words.retained(), day.to_string())));
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

fn reports_text(f: &mut fmt::Formatter<'_>, alert: &AlertCase, reader: &CaseReader) -> fmt::Result {
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

fn recipients_text(
    f: &mut fmt::Formatter<'_>,
    alert: &AlertCase,
    steps: &[CaseStep],
    reader: &CaseReader,
) -> fmt::Result {
    if alert.recipients.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", reader.words().recipients())?;
    let row = |recipient: &AlertRecipient| {
        vec![format!("  {}", reader.agency(&recipient.agency)), progress(recipient, steps, reader)]
    };
    let rows: Vec<Vec<String>> = alert.recipients.iter().map(row).collect();
    // The heading stands above already.
    let text = fmt::from_fn(|f| table(f, &["", ""], &rows)).to_string();
    text.lines().skip(1).try_for_each(|line| writeln!(f, "{line}"))
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

/// Writes the messages of a case in their order.
pub(super) fn timeline_text(
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
    let reason = reader.effect_reason(step.reason.as_deref().unwrap_or_default());
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
