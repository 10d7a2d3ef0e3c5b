//! Responses that the authorization endpoint and the log-in form share, and their language.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_schemas::Locale;

use super::{
    page,
    request::{RequestFault, response_url},
};
use crate::{app::App, fault::Fault, params::Params};

/// Refuses an authorization request: by a page for the person, or by a redirect to the application.
pub(super) fn refuse(app: &App, locale: Locale, fault: RequestFault) -> Response {
    match fault {
        RequestFault::Page { code } => {
            tracing::info!(code, "an authorization request was refused");
            page::refused(locale, code).unwrap_or_else(|fault| failed(&fault))
        }
        RequestFault::Redirect { redirect_uri, state, error, description } => {
            tracing::info!(error, description, "an authorization request was refused");
            let params = [("error", error), ("error_description", description)];
            redirect(response_url(&redirect_uri, app.issuer.as_str(), state.as_deref(), &params))
        }
    }
}

/// Redirects the browser. 303, so that it never posts the password there (RFC 9700 §4.12).
pub(super) fn redirect(url: Result<String, url::ParseError>) -> Response {
    match url {
        Ok(url) => {
            let headers = [(header::LOCATION, url), (header::CACHE_CONTROL, "no-store".to_owned())];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        // The redirect URI was parsed when it was registered, so this cannot happen.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The response to a request that failed inside this service.
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
    let from_application = Params::parse(query).ok().and_then(|params| {
        let tags = params.get("ui_locales")?;
        let known = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase().parse().ok();
        tags.split(' ').find_map(known)
    });
    let from_browser = || {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        accepted.map(Locale::negotiate).unwrap_or_default()
    };
    from_application.unwrap_or_else(from_browser)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_applications_language_comes_before_the_browsers() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "sw,en;q=0.5".parse().expect("a value"));
        assert_eq!(locale("ui_locales=fr+pt-MZ", &headers), Locale::Pt);
        assert_eq!(locale("ui_locales=fr", &headers), Locale::Sw);
        assert_eq!(locale("", &headers), Locale::Sw);
        assert_eq!(locale("", &HeaderMap::new()), Locale::En);
    }
}
