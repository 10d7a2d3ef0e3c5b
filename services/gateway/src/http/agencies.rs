//! `GET /v1/agencies`: the agencies that can be addressed.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{Agencies, AgencyNames, AgencyRow},
};
use rovuma_envelope::ListedAgency;
use rovuma_policy::act;
use rovuma_schemas::Timestamp;

use super::{error::ApiError, openapi::Refusals};
use crate::{directory::labels, gateway::Gateway};

/// Lists the agencies of the trust lists that take part now, without the caller's own and the
/// installations.
#[utoipa::path(
    get, path = "/v1/agencies", operation_id = "list_agencies", tag = "reference",
    responses((status = 200, description = "Possible recipients.", body = Agencies), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<Agencies>, ApiError> {
    let permit = gateway.permit_own(&caller, act::TrustRead).await?;
    let (now, trust) = (gateway.base.now(), gateway.exchange.trust.current());
    let can_be_written_to = |agency: &&ListedAgency| {
        agency.code != *permit.resource().owner() && !agency.code.is_node() && is_in_force(agency, now)
    };
    let row = |agency: &ListedAgency| {
        let names = labels(agency);
        AgencyRow {
            code: agency.code.clone(),
            country: agency.code.country(),
            name: names.get(caller.locale()).to_owned(),
            names: AgencyNames { pt: names.pt, sw: names.sw, en: names.en },
            parent: agency.parent.clone(),
            reachable: trust.sealing_recipient(&agency.code, now).is_ok(),
        }
    };
    let mut items: Vec<AgencyRow> = trust.agencies().filter(can_be_written_to).map(row).collect();
    items.sort_by(|one, other| one.code.cmp(&other.code));
    Ok(Json(Agencies { items }))
}

fn is_in_force(agency: &ListedAgency, now: Timestamp) -> bool {
    agency.valid_from <= now && agency.valid_until.is_none_or(|until| now < until)
}
