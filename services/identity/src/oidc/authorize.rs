//! The authorization endpoint (RFC 6749 §3.1): shows the log-in page.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_schemas::Locale;

use super::{
    login::FormToken,
    page::{self, LoginForm},
    request::{AuthorizationRequest, RequestFault, answer_url},
};
use crate::{app::App, fault::Fault, params::Params};

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let locale = locale(&query, &headers);
    let request = match AuthorizationRequest::parse(&query, &app.applications) {
        Ok(request) => request,
        Err(fault) => return refuse(&app, locale, fault),
    };
    first_page(&app, &request, &query, locale, &headers).unwrap_or_else(|fault| failed(&fault))
}

fn first_page(
    app: &App,
    request: &AuthorizationRequest,
    query: &str,
    locale: Locale,
    headers: &HeaderMap,
) -> Result<Response, Fault> {
    let token = FormToken::of(app, headers)?;
    let form = LoginForm {
        application: &request.application.name,
        action: &format!("?{query}"),
        token: token.as_str(),
        login: "",
        fault: None,
        change: false,
    };
    let mut response = page::login(StatusCode::OK, locale, form, &request.redirect_uri)?;
    token.set(app, response.headers_mut());
    Ok(response)
}

/// The answer to a request that is not right.
pub(super) fn refuse(app: &App, locale: Locale, fault: RequestFault) -> Response {
    match fault {
        RequestFault::Page { code } => {
            tracing::info!(code, "an authorization request was refused");
            page::stopped(locale, code).unwrap_or_else(|fault| failed(&fault))
        }
        RequestFault::Redirect { redirect_uri, state, error, description } => {
            tracing::info!(error, description, "an authorization request was refused");
            let answer = [("error", error), ("error_description", description)];
            redirect(answer_url(&redirect_uri, app.issuer.as_str(), state.as_deref(), &answer))
        }
    }
}

/// Sends the browser on. 303, so that it never posts the password there (RFC 9700 §4.12).
pub(super) fn redirect(url: Result<String, url::ParseError>) -> Response {
    match url {
        Ok(url) => {
            let headers = [(header::LOCATION, url), (header::CACHE_CONTROL, "no-store".to_owned())];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        // It was parsed when it was registered.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer when something of ours failed.
pub(super) fn failed(fault: &Fault) -> Response {
    fault.log();
    let status = if fault.is_transient() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    status.into_response()
}

/// The language that the application asks for (`ui_locales`), else the browser's.
pub(super) fn locale(query: &str, headers: &HeaderMap) -> Locale {
    let asked = Params::parse(query).ok().and_then(|params| {
        let wanted = params.get("ui_locales")?;
        let known = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase().parse().ok();
        wanted.split(' ').find_map(known)
    });
    let browser = || {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        accepted.map(Locale::negotiate).unwrap_or_default()
    };
    asked.unwrap_or_else(browser)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_says_the_language_before_the_browser_does() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "sw,en;q=0.5".parse().expect("a value"));
        assert_eq!(locale("ui_locales=fr+pt-MZ", &headers), Locale::Pt);
        assert_eq!(locale("ui_locales=fr", &headers), Locale::Sw);
        assert_eq!(locale("", &headers), Locale::Sw);
        assert_eq!(locale("", &HeaderMap::new()), Locale::En);
    }
}
