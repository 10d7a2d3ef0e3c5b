//! Cases as people read them: the state in words and what must be done first, then the facts, then every message.

mod alert;
mod banners;
mod duty;
mod facts;
mod hit;
mod next;
mod permission;
mod request;
mod state;
mod timeline;
mod words;

use std::{fmt, time::Duration};

use clap::builder::PossibleValue;
use rovuma_api::answers::gateway::{CaseStep, CaseView};
use rovuma_schemas::{AgencyCode, CodeLists, CountryCode, Locale, Timestamp};

pub(super) use self::timeline::timeline_text;
pub(crate) use self::{request::has_answer, state::state_word, words::CaseWords};

use super::name::short_name;
use crate::{app::App, client::Client, moments, moments::local, output::safe, reading::Reader};

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

    /// A party of a case: whether it is the reader's own agency matters most.
    pub(crate) fn owner(&self, code: &AgencyCode) -> String {
        if self.own.as_ref() == Some(code) { self.words().own_agency(code) } else { self.agency(code) }
    }

    /// Whether the reader's agency opened the case. An opaque token does not say whose it is; but only an issuer sees recipients, and
    /// only a requester may send these messages.
    fn is_opener(&self, view: &CaseView) -> bool {
        const OF_REQUESTER: [&str; 4] =
            ["request.clarify", "request.remind", "request.cancel", "request.close"];
        let seems_so = || {
            view.alert.as_ref().is_some_and(|alert| !alert.recipients.is_empty())
                || view.possible.iter().any(|message_type| OF_REQUESTER.contains(&message_type.as_str()))
        };
        self.own.as_ref().map_or_else(seems_so, |own| *own == view.case.case.owner)
    }

    /// Whose turn it is.
    pub(crate) fn ball(&self, ball: &str) -> String {
        match ball {
            "ours" => self.words().ball_ours().to_owned(),
            "theirs" => self.words().ball_theirs().to_owned(),
            _ => "—".to_owned(),
        }
    }

    /// By when somebody must act, in the zones of both countries; plainly, where that time has passed.
    pub(crate) fn due(&self, view: &CaseView) -> Option<String> {
        let due = self.limit_with(view.case.due?, self.other_country(view));
        let is_overdue = view.request.as_ref().is_some_and(|request| request.overdue);
        Some(if is_overdue { self.words().overdue_since(due) } else { due })
    }

    /// A limit, in the zones of both countries: the reader's, and that of the agency on the other side.
    pub(super) fn limit(&self, at: Timestamp, owner: &AgencyCode) -> String {
        let other = Some(owner.country()).filter(|owner| Some(*owner) != self.country);
        self.limit_with(at, other.or_else(|| self.country.and_then(moments::neighbour)))
    }

    fn limit_with(&self, at: Timestamp, other: Option<CountryCode>) -> String {
        moments::in_both_zones(at, self.country, other)
    }

    /// The country of the other side: that of the agency that opened the case or, for that agency, the first other one among the
    /// parties.
    fn other_country(&self, view: &CaseView) -> Option<CountryCode> {
        let answerer = view.request.iter().filter_map(|request| request.answerer.as_ref());
        let parties = view.freshness.iter().map(|fresh| &fresh.agency);
        let agencies = [&view.case.case.owner].into_iter().chain(answerer).chain(parties);
        agencies.map(AgencyCode::country).find(|country| Some(*country) != self.country)
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
    let title: Vec<String> =
        [Some(short_name(&view.case)), reader.about(&view.case), Some(reader.state(view))]
            .into_iter()
            .flatten()
            .collect();
    writeln!(f, "{}", safe(&title.join(" · ")))?;
    if let Some(at) = replayed {
        writeln!(f, "{}", words.as_at(local(at)))?;
    }
    for banner in banners::banners(view, reader) {
        writeln!(f, "{}", safe(&banner))?;
    }
    duty_text(f, view, steps, reader)?;
    let next = if replayed.is_none() { next::commands(view, steps, reader) } else { Vec::new() };
    if !next.is_empty() {
        writeln!(f, "\n{}", words.possible())?;
        next.iter().try_for_each(|command| writeln!(f, "  {}", safe(command)))?;
    }
    writeln!(f)?;
    facts::facts_text(f, view, reader)?;
    if let Some(alert) = &view.alert {
        alert::reports_text(f, alert, reader)?;
        alert::recipients_text(f, alert, steps, reader)?;
    }
    if let Some(request) = &view.request {
        request::questions_text(f, request, reader)?;
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
    facts.extend(reader.due(view).map(|due| (words.due(), due)));
    labelled(f, &facts)
}
