//! Figures about requests: how many there are, how they ended, and how long the answers took. They are counted from the cases
//! themselves, and each figure is the length of a list of cases.

use std::{collections::BTreeMap, time::Duration};

use rovuma_policy::{Permit, act};
use rovuma_schemas::{Status, Timestamp};
use rovuma_store::Conn;

use crate::{
    cases::{
        folded::CaseMessages,
        kept::{self, CaseKey},
        list::{self, CaseRow},
    },
    error::DbError,
    families::{
        self, CaseDetails,
        request::{Progress, Punctuality, WholeRequest},
    },
};

/// Maximum requests that are counted at once: each is folded. More are asked for in shorter periods.
pub(crate) const CASES_MAX: usize = 10_000;

/// Which requests are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    /// The first instant at which they were opened here.
    pub(crate) from: Timestamp,
    /// The first instant after them.
    pub(crate) until: Timestamp,
    /// Exercises are counted apart.
    pub(crate) status: Status,
}

/// A request that is counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// Its row.
    pub(crate) row: CaseRow,
    /// Whether our agency sent it.
    pub(crate) is_sent: bool,
    request: WholeRequest,
    is_overdue: bool,
}

/// The party whose time is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// The agency that is asked: until the first answer or refusal.
    Answerer,
    /// The agency that asks: for clarifications.
    Requester,
}

impl Party {
    /// Both parties.
    pub(crate) const ALL: [Self; 2] = [Self::Answerer, Self::Requester];

    /// The word in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Answerer => "answerer",
            Self::Requester => "requester",
        }
    }
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    /// Every request.
    All,
    /// The answerer works on it, or waits for a clarification.
    Open,
    /// Whoever must act is past the limit.
    Overdue,
    /// Answered completely, whatever came afterwards.
    Answered,
    /// Refused, whatever came afterwards.
    Refused,
    /// Refused for this reason, a code of the list `refusal_reasons`.
    RefusedBecause(String),
    /// Cancelled before an answer.
    Cancelled,
    /// Closed by its requester.
    Closed,
    /// Answered or refused within the limit.
    InTime,
    /// Answered or refused beyond the limit, within the delay that the answerer asked for.
    WithinDelay,
    /// Answered or refused later.
    Late,
}

impl Figure {
    /// The figures without a code.
    pub(crate) const PLAIN: [Self; 10] = [
        Self::All,
        Self::Open,
        Self::Overdue,
        Self::Answered,
        Self::Refused,
        Self::Cancelled,
        Self::Closed,
        Self::InTime,
        Self::WithinDelay,
        Self::Late,
    ];

    /// The word in the API.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::All => "all",
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::RefusedBecause(code) => return format!("refused.{code}"),
            Self::Cancelled => "cancelled",
            Self::Closed => "closed",
            Self::InTime => "in_time",
            Self::WithinDelay => "within_delay",
            Self::Late => "late",
        }
        .to_owned()
    }

    /// The figure with this word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        if let Some(code) = word.strip_prefix("refused.") {
            return Some(Self::RefusedBecause(code.to_owned()));
        }
        Self::PLAIN.into_iter().find(|figure| figure.word() == word)
    }

    /// Whether the request is counted here.
    pub(crate) fn counts(&self, counted: &Counted) -> bool {
        let progress = &counted.request.progress;
        let is_settled_as =
            |punctuality| progress.settled.is_some() && progress.punctuality == Some(punctuality);
        match self {
            Self::All => true,
            Self::Open => matches!(progress.progress, Progress::Open | Progress::Clarification),
            Self::Overdue => counted.is_overdue,
            Self::Answered => progress.settled.is_some() && counted.request.refusal.is_none(),
            Self::Refused => counted.request.refusal.is_some(),
            Self::RefusedBecause(code) => {
                counted.request.refusal.as_ref().is_some_and(|(reason, _)| reason == code)
            }
            Self::Cancelled => progress.progress == Progress::Cancelled,
            Self::Closed => progress.progress == Progress::Closed,
            Self::InTime => is_settled_as(Punctuality::InTime),
            Self::WithinDelay => is_settled_as(Punctuality::WithinDelay),
            Self::Late => is_settled_as(Punctuality::Late),
        }
    }
}

impl Counted {
    /// The reason for which it was refused.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.request.refusal.as_ref().map(|(reason, _)| reason.as_str())
    }

    /// The time that a party took, once it has done its part, where receipts tell it.
    pub(crate) fn time_of(&self, party: Party) -> Option<Duration> {
        let progress = &self.request.progress;
        match party {
            Party::Answerer => progress.answering.filter(|_| progress.settled.is_some()),
            Party::Requester => progress.clarifying,
        }
    }

    /// What was asked, and with which result: none before an answer.
    pub(crate) fn questions(&self) -> impl Iterator<Item = (&str, Option<&'static str>)> {
        self.request.questions().iter().map(|(n, asked)| {
            let given = self.request.answers.get(n);
            (asked.ask.as_str(), given.map(|given| given.result.result.as_str()))
        })
    }
}

/// The requests of a period, the newest first; none where there are more than [`CASES_MAX`].
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn requests(
    conn: &mut Conn,
    permit: &Permit<act::FiguresRead>,
    period: Period,
    now: Timestamp,
) -> Result<Option<Vec<Counted>>, DbError> {
    let agency = permit.resource().owner();
    let most = i64::try_from(CASES_MAX + 1).unwrap_or(i64::MAX);
    let wanted = ("request", period.status.as_str());
    let rows = list::opened(conn, agency, wanted, (period.from, period.until), (most, now)).await?;
    if rows.len() > CASES_MAX {
        return Ok(None);
    }
    let keys: Vec<CaseKey> = rows.iter().map(|row| CaseKey::new(agency, &row.case)).collect();
    let mut messages = kept::load(conn, &keys).await?;
    let mut counted = Vec::with_capacity(rows.len());
    for (row, key) in rows.into_iter().zip(keys) {
        let Ok(family) = key.kind.parse() else { continue };
        let messages = messages.remove(&key).unwrap_or_default();
        let case = CaseMessages { owner: &key.owner, kept: &messages, state_beside: None };
        families::rules(family).fold(&case, &mut |fold| {
            let facts = fold.at(now).state;
            let CaseDetails::Request(request) = facts.details else { return };
            let is_overdue = facts.due.is_some_and(|due| due < now);
            let is_sent = key.owner == key.agency;
            counted.push(Counted { row: row.clone(), is_sent, request: *request, is_overdue });
        });
    }
    Ok(Some(counted))
}

/// The median and the 90th percentile, each a time that was measured: the smallest that as many are at most.
pub(crate) fn median_and_p90(mut times: Vec<Duration>) -> Option<(Duration, Duration)> {
    times.sort_unstable();
    let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).max(1) - 1).copied();
    Some((rank(50)?, rank(90)?))
}

/// How often each question was asked, by its result.
pub(crate) fn results<'c>(
    counted: impl Iterator<Item = &'c Counted>,
) -> BTreeMap<(String, Option<&'static str>), u64> {
    let mut results = BTreeMap::new();
    for (ask, result) in counted.flat_map(Counted::questions) {
        *results.entry((ask.to_owned(), result)).or_default() += 1;
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let of = |hours: &[u64]| {
            let times = hours.iter().map(|hours| Duration::from_secs(hours * 3600)).collect();
            median_and_p90(times).map(|(median, p90)| (median.as_secs() / 3600, p90.as_secs() / 3600))
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some((7, 7)));
        assert_eq!(of(&[3, 1, 2]), Some((2, 3)));
        assert_eq!(of(&[1, 2, 3, 4]), Some((2, 4)));
        assert_eq!(of(&(1..=10).collect::<Vec<_>>()), Some((5, 9)));
        assert_eq!(of(&(1..=100).rev().collect::<Vec<_>>()), Some((50, 90)));
    }

    #[test]
    fn every_figure_is_found_by_its_word() {
        for figure in Figure::PLAIN.into_iter().chain([Figure::RefusedBecause("no_legal_basis".to_owned())]) {
            assert_eq!(Figure::of_word(&figure.word()), Some(figure));
        }
        assert_eq!(Figure::of_word("most"), None);
    }
}
