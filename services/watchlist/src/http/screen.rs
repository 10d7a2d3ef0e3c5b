//! `POST /v1/screen`: what was scanned or typed, and the verdict.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, ApiState as _, Caller, act_by,
    answers::watchlist::{Screening, Screenings},
    request::Body,
};
use rovuma_policy::{Context, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{CodeLists, audit::AuditAction};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    look_ups::{Allowance, PER_HOUR_MAX},
    reason::{self, faulty},
    screen::{self, Asker, Occasion},
    screening::{Crossing, Scan, ScanKind, ScanSource, SeenVehicle},
    watchlist::Watchlist,
};

/// Maximum texts of one request: the manifest of a ferry.
const ITEMS_MAX: usize = 100;

/// What is to be screened, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScreenRequest {
    /// One text; absent where `items` has several.
    #[serde(default)]
    #[schema(max_length = 400)]
    text: Option<String>,
    /// What the text is; where absent, it is looked for as everything that it may be.
    #[serde(default)]
    kind: Option<ScanKind>,
    /// The state that issued the document or registered the vehicle, three letters.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{1,3}$")]
    state: Option<String>,
    /// The type of the document, a code of `document_types`.
    #[serde(default)]
    #[schema(pattern = "^[a-z_]{1,48}$")]
    document_type: Option<String>,
    /// The vehicle, as the officer sees it.
    #[serde(default)]
    vehicle: Option<SeenVehicle>,
    /// How the text came.
    #[serde(default)]
    source: ScanSource,
    /// Whether an officer compared the text with the document or plate.
    #[serde(default)]
    confirmed: bool,
    /// Several texts, each a traveller or vehicle of its own, at most 100.
    #[serde(default)]
    #[schema(max_items = 100)]
    items: Vec<Scan>,
    /// The crossing. Without it, it is a look-up, which needs a purpose and is logged.
    #[serde(default)]
    crossing: Option<CrossingRequest>,
    /// Why somebody looks it up outside a crossing.
    #[serde(default)]
    purpose: Option<PurposeRequest>,
}

/// A crossing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CrossingRequest {
    /// The border post, a code of `crossings`.
    #[schema(pattern = "^[a-z_]{1,48}$")]
    post: String,
    /// `entry`, `exit` or `none`.
    #[schema(pattern = "^(entry|exit|none)$")]
    direction: String,
    /// Whether the traveller asks for protection: then nothing is told to another state.
    #[serde(default)]
    asks_protection: bool,
}

/// The purpose of a look-up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurposeRequest {
    /// A code of `purposes`.
    #[schema(pattern = "^[a-z_]{1,48}$")]
    code: String,
    /// The file to which it belongs: a code or file reference, which names nobody.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._/-]{1,64}$")]
    reference: String,
}

/// Screens one text, or up to 100: what it was understood as, the verdict, every list that was looked at, and what was found.
///
/// With `crossing` it is a scan in the flow of travellers: of one that is not found nothing is kept but a count. What is certain is told to
/// the alert's owner. Without it it is a look-up: it needs a `purpose`, is logged whatever is found, and is told to nobody. For one text
/// the answer is a `Screening`; for `items`, `Screenings`.
#[utoipa::path(
    post, path = "/v1/screen", operation_id = "screen", tag = "screening",
    request_body = ScreenRequest,
    responses(
        (status = 200, description = "The verdict, or one for each of `items`.", body = ScreenAnswer),
        (status = 422, description = "`mrz_shape`, `nida_shape`, `bi_shape`, `imei_shape`, `no_number`, `too_long`: the text cannot be read, \
            so nothing is known; `body_faulty`.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_lookups`: more than 300 texts by one person in an hour, outside crossings. The first of an hour is audited.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn screen(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Body(mut request): Body<ScreenRequest>,
) -> Result<Response, ApiError> {
    let occasion = occasion(&watchlist, &caller, &mut request).await?;
    let asker = Asker { caller: &caller, is_booth: is_booth(&watchlist, &caller), occasion: &occasion };
    let is_one = request.text.is_some();
    let mut scans = scans(request)?;
    if caller.actor().is_machine() {
        scans.iter_mut().for_each(by_a_machine);
    }
    if let Occasion::LookUp { .. } = occasion {
        within_allowance(&watchlist, &caller, scans.len()).await?;
    }
    let mut screenings = Vec::with_capacity(scans.len());
    for scan in &scans {
        screenings.push(screen::screen(&watchlist, &asker, scan).await?);
    }
    if !is_one {
        return Ok(Json(Screenings { items: screenings }).into_response());
    }
    let Some(screening) = screenings.pop() else { return Err(ApiError::failed("one text had no verdict")) };
    if let Some(unreadable) = &screening.unreadable {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, unreadable.code.clone())
            .detail(unreadable.detail.clone())
            .into());
    }
    Ok(Json(screening).into_response())
}

/// Refuses what is more than one person may look up in an hour. The first refusal of an hour is in the audit log.
async fn within_allowance(watchlist: &Watchlist, caller: &Caller, texts: usize) -> Result<(), ApiError> {
    let now = watchlist.now();
    match watchlist.look_ups.count(caller.subject(), texts, now) {
        Allowance::Within => return Ok(()),
        Allowance::OverNow => {
            let act = act_by(caller.actor(), AuditAction::ScreenLookup, now).refused("too_many_lookups");
            watchlist.record(act).await?;
        }
        Allowance::OverStill => {}
    }
    Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_lookups").detail(format!(
        "You have looked up {PER_HOUR_MAX} texts in this hour, or would with these. Go on in the next one, or have a colleague help you."
    ))
    .into())
}

/// The two forms of the answer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the derive, to describe the answer")]
pub(crate) enum ScreenAnswer {
    /// Of one text.
    #[schema(title = "Screening")]
    One(Screening),
    /// Of several.
    #[schema(title = "Screenings")]
    Several(Screenings),
}

/// Why the caller screens, if the policy lets them: else 403, audited.
async fn occasion(
    watchlist: &Watchlist,
    caller: &Caller,
    request: &mut ScreenRequest,
) -> Result<Occasion, ApiError> {
    if let Some(crossing) = request.crossing.take() {
        watchlist.permit_own(caller, act::ScreenCrossing).await?;
        if !is_code("crossings", &crossing.post) {
            return Err(faulty("/crossing/post", "is no code of the list crossings").into());
        }
        if !is_code("directions", &crossing.direction) {
            return Err(faulty("/crossing/direction", "is entry, exit or none").into());
        }
        return Ok(Occasion::Crossing(Crossing {
            post: crossing.post,
            direction: crossing.direction,
            asks_protection: crossing.asks_protection,
        }));
    }
    watchlist.permit_own(caller, act::ScreenLookup).await?;
    let Some(purpose) = request.purpose.take() else {
        let sentence =
            "A look-up outside a crossing needs a purpose: give its code, and the file to which it belongs.";
        let resource = Resource::agency(caller.agency());
        return watchlist.refuse(caller, "screen.lookup", &resource, "purpose_required", sentence).await;
    };
    if !is_code("purposes", &purpose.code) {
        return Err(faulty("/purpose/code", "is no code of the list purposes").into());
    }
    reason::check("/purpose/reference", &purpose.reference)?;
    Ok(Occasion::LookUp { purpose: purpose.code, reference: purpose.reference })
}

fn scans(request: ScreenRequest) -> Result<Vec<Scan>, ApiError> {
    let ScreenRequest { text, kind, state, document_type, vehicle, source, confirmed, items, .. } = request;
    let scans = match (text, items.len()) {
        (Some(text), 0) => vec![Scan { text, kind, state, document_type, vehicle, source, confirmed }],
        (Some(_), _) => return Err(faulty("/items", "is absent where there is a text").into()),
        (None, 1..=ITEMS_MAX) => items,
        (None, _) => return Err(faulty("/items", "has 1 to 100 texts, or there is one text").into()),
    };
    // A state that is misspelt would tell everything apart, and find nothing.
    if scans.iter().filter_map(|scan| scan.state.as_deref()).any(|state| !is_code("states", state)) {
        return Err(faulty("/state", "is no code of the list states, such as MOZ or TZA").into());
    }
    Ok(scans)
}

/// A machine types nothing and has compared nothing: what it did not read from a document, a camera read.
fn by_a_machine(scan: &mut Scan) {
    scan.confirmed = false;
    if scan.source == ScanSource::Typed {
        scan.source = ScanSource::Camera;
    }
}

/// Whether the caller stands at the booth: whoever may see the second line's list does not.
pub(super) fn is_booth(watchlist: &Watchlist, caller: &Caller) -> bool {
    let own = Resource::agency(caller.agency());
    let decision = watchlist.policy.decide(caller.actor(), act::CandidateRead, &own, &Context::NONE);
    !decision.is_permit()
}

/// Whether a code list that the service ships has this code.
pub(super) fn is_code(list: &str, code: &str) -> bool {
    CodeLists::shipped().get(list).is_some_and(|list| list.find(code).is_some())
}
