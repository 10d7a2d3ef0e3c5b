//! `/v1/figures`: how many requests there are, how they ended, and how long the answers took.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, ApiState as _, Caller,
    answers::gateway::{self as answers, RequestFigures},
    cursors::Cursors,
    page::Page,
    request::Query,
};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{Status, Timestamp, audit::AuditAction};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{cases::view, error::ApiError, openapi::Refusals};
use crate::{
    audit,
    figures::{self, CASES_MAX, Counted, Figure, Party, Period},
    gateway::Gateway,
    row_key::{self, KEY},
};

/// The period of figures when a request does not say.
const PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The query of `GET /v1/figures/requests`.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FiguresQuery {
    /// The first instant of the period, by when the first message of a request was stored here; 30 days before its end when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the period; now when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `actual`, which is usual, `exercise` or `test`: they are never counted together.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
}

/// Who sent the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// Our agency.
    Sent,
    /// Other agencies.
    Received,
}

/// The query of `GET /v1/figures/requests/cases`.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FigureCasesQuery {
    /// The word of the figure: `all`, `open`, `overdue`, `answered`, `refused`, `refused.<code>`, `cancelled`, `closed`, `in_time`,
    /// `within_delay` or `late`; `all` when absent.
    #[param(pattern = "^[a-z0-9_.-]{1,64}$")]
    figure: Option<String>,
    /// Who sent the requests; anybody when absent.
    #[param(inline)]
    direction: Option<Direction>,
    /// As for the figures.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// As for the figures.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// As for the figures.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    cursor: Option<String>,
}

impl Direction {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }

    fn is_of(self, counted: &Counted) -> bool {
        counted.is_sent == (self == Self::Sent)
    }
}

/// Counts the agency's requests of a period. Each figure names the list that it is the length of. Reading is audited.
#[utoipa::path(
    get, path = "/v1/figures/requests", operation_id = "read_request_figures", tag = "figures",
    params(FiguresQuery),
    responses(
        (status = 200, description = "The figures.", body = RequestFigures),
        (status = 422, description = "`period_too_long`: more requests than are counted at once.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn requests(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<FiguresQuery>,
) -> Result<Json<RequestFigures>, ApiError> {
    let permit = gateway.permit_own(&caller, act::FiguresRead).await?;
    let now = gateway.base.now();
    let period = period((query.from, query.until, query.status), now)?;
    let counted = counted(&gateway, &permit, period, now).await?;
    let act = audit::by(caller.actor(), AuditAction::FiguresRead, now)
        .detail("from", period.from)
        .detail("until", period.until)
        .detail("status", period.status.as_str());
    gateway.record(act).await?;
    Ok(Json(figures_of(&counted, period)))
}

/// Lists the requests that a figure counts, the newest first. Reading is audited.
#[utoipa::path(
    get, path = "/v1/figures/requests/cases", operation_id = "list_figure_cases", tag = "figures",
    params(FigureCasesQuery),
    responses(
        (status = 200, description = "A page of cases.", body = Page<answers::CaseRow>),
        (status = 422, description = "`period_too_long`: more requests than are counted at once.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn cases(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<FigureCasesQuery>,
) -> Result<Json<Page<answers::CaseRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::FiguresRead).await?;
    let cursors = Cursors::<[u8; KEY]>::of("figure_cases", caller.agency().as_str(), &query);
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let figure = query.figure.as_deref().unwrap_or("all");
    let figure = Figure::of_word(figure).ok_or_else(|| {
        Problem::bad_request("query")
            .detail("figure takes all, open, overdue, answered, refused, refused.<code> …")
    })?;
    let now = gateway.base.now();
    let period = period((query.from, query.until, query.status), now)?;
    let counted = counted(&gateway, &permit, period, now).await?;
    let rows = counted
        .into_iter()
        .filter(|one| query.direction.is_none_or(|wanted| wanted.is_of(one)) && figure.counts(one));
    let keyed = rows.map(|one| (row_key::key(one.row.opened_at, &one.row.case.id), view::row(one.row)));
    let rest = keyed.filter(|(key, _)| window.after.is_none_or(|after| *key < after));
    let fetched = usize::try_from(window.fetch()).unwrap_or(usize::MAX);
    let page = cursors.page(&window, rest.take(fetched).collect());
    let act = audit::by(caller.actor(), AuditAction::FiguresRead, now)
        .detail("figure", figure.word())
        .detail("hits", page.items.len());
    gateway.record(act).await?;
    Ok(Json(page))
}

fn period(
    (from, until, status): (Option<Timestamp>, Option<Timestamp>, Option<Status>),
    now: Timestamp,
) -> Result<Period, ApiError> {
    let until = until.unwrap_or(now);
    let from = from.unwrap_or_else(|| until.minus(PERIOD));
    if from >= until {
        return Err(Problem::bad_request("query").detail("from lies before until.").into());
    }
    Ok(Period { from, until, status: status.unwrap_or(Status::Actual) })
}

async fn counted(
    gateway: &Gateway,
    permit: &Permit<act::FiguresRead>,
    period: Period,
    now: Timestamp,
) -> Result<Vec<Counted>, ApiError> {
    let mut conn = gateway.base.store.read().acquire().await?;
    let counted = figures::requests(&mut conn, permit, period, now).await?;
    counted.ok_or_else(|| {
        Problem::unprocessable("period_too_long", [])
            .detail(format!(
                "More than {CASES_MAX} requests were opened in this period: ask for a shorter one."
            ))
            .into()
    })
}

fn figures_of(counted: &[Counted], period: Period) -> RequestFigures {
    let mut all = RequestFigures {
        from: period.from,
        until: period.until,
        status: period.status.as_str().to_owned(),
        figures: Vec::new(),
        times: Vec::new(),
        questions: Vec::new(),
    };
    for direction in [Direction::Sent, Direction::Received] {
        let of: Vec<&Counted> = counted.iter().filter(|one| direction.is_of(one)).collect();
        let reasons: BTreeSet<&str> = of.iter().filter_map(|one| one.refusal()).collect();
        let because = reasons.into_iter().map(|reason| Figure::RefusedBecause(reason.to_owned()));
        for figure in Figure::PLAIN.into_iter().chain(because) {
            let count = of.iter().filter(|one| figure.counts(one)).count();
            all.figures.push(answers::RequestFigure {
                direction: direction.as_str().to_owned(),
                figure: figure.word(),
                count: count as u64,
                cases: link(&figure, direction, period),
            });
        }
        let asked: BTreeSet<&str> = of.iter().flat_map(|one| one.questions()).map(|(ask, _)| ask).collect();
        for question in std::iter::once(None).chain(asked.into_iter().map(Some)) {
            let asking: Vec<&&Counted> = of
                .iter()
                .filter(|one| question.is_none_or(|question| one.questions().any(|(ask, _)| ask == question)))
                .collect();
            for party in Party::ALL {
                let times: Vec<Duration> = asking.iter().filter_map(|one| one.time_of(party)).collect();
                let count = times.len() as u64;
                let Some((median, p90)) = figures::median_and_p90(times) else { continue };
                all.times.push(answers::PartyTimes {
                    direction: direction.as_str().to_owned(),
                    party: party.as_str().to_owned(),
                    question: question.map(str::to_owned),
                    count,
                    median_s: median.as_secs(),
                    p90_s: p90.as_secs(),
                });
            }
        }
        for ((question, result), count) in figures::results(of.iter().copied()) {
            all.questions.push(answers::QuestionResults {
                direction: direction.as_str().to_owned(),
                question,
                result: result.map(str::to_owned),
                count,
            });
        }
    }
    all
}

/// The list that a figure is the length of.
fn link(figure: &Figure, direction: Direction, period: Period) -> String {
    format!(
        "/v1/figures/requests/cases?figure={}&direction={}&from={}&until={}&status={}",
        figure.word(),
        direction.as_str(),
        period.from,
        period.until,
        period.status.as_str()
    )
}
