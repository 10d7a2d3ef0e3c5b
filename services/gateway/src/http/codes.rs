//! `GET /v1/codes/{list}`: a code list with its labels.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Caller,
    answers::gateway::{Code, Codes},
    openapi::NotFound,
    request::{Path, Query},
};
use rovuma_runtime::Problem;
use rovuma_schemas::{CodeEntry, CodeList, Date, Locale};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals};
use crate::gateway::Gateway;

/// The query of `GET /v1/codes/{list}`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CodeQuery {
    /// `pt`, `sw` or `en`; that of `Accept-Language` when absent.
    #[param(value_type = Option<String>)]
    lang: Option<Locale>,
}

/// Shows a code list. Codes are public: any caller whom this gateway serves may see them.
#[utoipa::path(
    get, path = "/v1/codes/{list}", operation_id = "read_codes", tag = "reference",
    params(("list" = String, Path, description = "The list's name: `x-code-list` in the JSON Schemas."), CodeQuery),
    responses(
        (status = 200, description = "The list.", body = Codes),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<CodeQuery>,
) -> Result<Json<Codes>, ApiError> {
    let Some(list) = gateway.drafts.codes.get(&name) else {
        let known: Vec<&str> = gateway.drafts.codes.iter().map(|list| list.list.as_str()).collect();
        let next = format!("The lists: {}.", known.join(", "));
        return Err(Problem::no_such(format_args!("code list {name}"), &next).into());
    };
    let lang = query.lang.unwrap_or(caller.locale());
    Ok(Json(codes(list, lang, Date::of(gateway.base.now()))))
}

fn codes(list: &CodeList, lang: Locale, today: Date) -> Codes {
    let code = |entry: &CodeEntry| Code {
        code: entry.code.clone(),
        label: entry.labels.get(lang).to_owned(),
        valid_from: entry.valid_from,
        valid_until: entry.valid_until,
        in_force: entry.in_force(today),
    };
    Codes {
        list: list.list.clone(),
        lang: lang.as_str().to_owned(),
        title: list.title.get(lang).to_owned(),
        source: list.source.clone(),
        notice: list.notice.as_ref().map(|notice| notice.get(lang).to_owned()),
        entries: list.entries.iter().map(code).collect(),
    }
}
