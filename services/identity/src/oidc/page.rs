//! The pages that people see: plain HTML, no script, small enough for a slow line.

mod text;

use std::sync::LazyLock;

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rovuma_schemas::Locale;
use url::Url;

pub(super) use text::Text;

use crate::{fault::Fault, password::PASSWORD_MIN_CHARS};

const STYLE: &str = include_str!("../../templates/page.css");

/// The one style that a page may have, by its digest (CSP Level 3 §6.7.3.3).
static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| {
    let digest = rovuma_envelope::digest(STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest.as_bytes()))
});

/// The log-in page.
#[derive(Template)]
#[template(path = "login.html")]
pub(super) struct LoginPage<'a> {
    lang: Locale,
    text: &'static Text,
    style: &'static str,
    min: usize,
    /// The application's name.
    application: &'a str,
    /// Where the form goes.
    action: &'a str,
    /// The form's token.
    token: &'a str,
    /// What was typed before.
    login: &'a str,
    fault: Option<String>,
    /// Whether another password must be chosen.
    change: bool,
}

/// What differs from page to page.
pub(super) struct LoginForm<'a> {
    pub(super) application: &'a str,
    pub(super) action: &'a str,
    pub(super) token: &'a str,
    pub(super) login: &'a str,
    pub(super) fault: Option<String>,
    pub(super) change: bool,
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage {
    lang: Locale,
    text: &'static Text,
    style: &'static str,
    code: &'static str,
}

/// The log-in page. `redirect_uri` is where a good log-in leads: browsers hold it against the policy.
pub(super) fn login(
    status: StatusCode,
    locale: Locale,
    form: LoginForm<'_>,
    redirect_uri: &str,
) -> Result<Response, Fault> {
    let LoginForm { application, action, token, login, fault, change } = form;
    let text = Text::of(locale);
    let page = LoginPage {
        lang: locale,
        text,
        style: STYLE,
        min: PASSWORD_MIN_CHARS,
        application,
        action,
        token,
        login,
        fault,
        change,
    };
    let mut response = (status, Html(page.render()?)).into_response();
    protect(response.headers_mut(), &form_targets(redirect_uri));
    Ok(response)
}

/// The page for a person whom nobody can be asked to take back.
pub(super) fn stopped(locale: Locale, code: &'static str) -> Result<Response, Fault> {
    let page = FaultPage { lang: locale, text: Text::of(locale), style: STYLE, code };
    let mut response = (StatusCode::BAD_REQUEST, Html(page.render()?)).into_response();
    protect(response.headers_mut(), "'none'");
    Ok(response)
}

/// Browsers hold the redirect after a form against `form-action` too (CSP Level 3 §6.4.2).
fn form_targets(redirect_uri: &str) -> String {
    let origin = Url::parse(redirect_uri).map(|url| url.origin().ascii_serialization());
    origin.map_or_else(|_| "'self'".to_owned(), |origin| format!("'self' {origin}"))
}

/// Nothing from elsewhere, in no frame, in no cache, and nothing told to the next page.
fn protect(headers: &mut HeaderMap, form_action: &str) {
    let policy = format!(
        "default-src 'none'; style-src {}; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_SOURCE
    );
    // An origin in ASCII makes a header value.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_cannot_become_part_of_the_page() {
        let form = LoginForm {
            application: "<b>",
            action: "?a=\"><script>",
            token: "t",
            login: "\"><script>alert(1)</script>",
            fault: Some("<i>".into()),
            change: false,
        };
        let LoginForm { application, action, token, login, fault, change } = form;
        let text = Text::of(Locale::En);
        let page = LoginPage {
            lang: Locale::En,
            text,
            style: STYLE,
            min: 15,
            application,
            action,
            token,
            login,
            fault,
            change,
        };
        let html = page.render().expect("rendered");
        for hostile in ["<script", "<b>", "<i>"] {
            assert!(!html.contains(hostile), "{html}");
        }
    }

    #[test]
    fn a_page_is_small() {
        assert!(STYLE.len() < 1_200, "{}", STYLE.len());
    }
}
