//! The pages that people see: plain HTML, no script, small enough for a slow line.

use std::sync::LazyLock;

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rovuma_schemas::{Locale, sentences};
use url::Url;

use super::{form_token::FormToken, request::AuthorizationRequest};
use crate::{
    app::App,
    fault::Fault,
    password::{PASSWORD_MIN_CHARS, PasswordFault},
};

const STYLE: &str = include_str!("../../templates/page.css");

/// The one style sheet that the policy allows, by its digest (CSP Level 3 §6.7.3.3).
static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| {
    let digest = rovuma_envelope::digest(STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest.as_bytes()))
});

rovuma_schemas::sentences! {
    /// The sentences of the pages in one language.
    pub(in crate::oidc) struct PageText in sentences::LOGIN_PAGE;
    title, login, password, log_in, change_title, change_reason, given_password, new_password,
    new_password_again, wrong_login, blocked(minutes), page_expired, service_busy, passwords_differ,
    password_unchanged, password_too_short, password_too_long, password_repetitive,
    password_contains_login, refused_title, refused,
}

impl PageText {
    /// Why a password cannot be set.
    pub(super) fn password_fault(self, fault: PasswordFault) -> &'static str {
        match fault {
            PasswordFault::Short => self.password_too_short(),
            PasswordFault::Long => self.password_too_long(),
            PasswordFault::Repetitive => self.password_repetitive(),
            PasswordFault::ContainsLogin => self.password_contains_login(),
        }
    }
}

/// The log-in form of one authorization request.
#[derive(Clone, Copy)]
pub(super) struct LoginForm<'a> {
    pub(super) request: &'a AuthorizationRequest,
    /// The request's query, which the form is posted to again.
    pub(super) query: &'a str,
    pub(super) locale: Locale,
}

/// The variable parts of the form.
#[derive(Default)]
pub(super) struct LoginView<'a> {
    /// The log-in name typed before.
    pub(super) login: &'a str,
    pub(super) fault: Option<String>,
    /// Whether the person must choose another password.
    pub(super) change: bool,
}

impl LoginForm<'_> {
    pub(super) fn text(&self) -> PageText {
        PageText::of(self.locale)
    }

    /// The log-in page, with the form's token in the form and in a cookie.
    pub(super) fn show(
        &self,
        app: &App,
        headers: &HeaderMap,
        status: StatusCode,
        view: LoginView<'_>,
    ) -> Result<Response, Fault> {
        let token = FormToken::of(app, headers)?;
        let page = LoginPage {
            lang: self.locale,
            text: self.text(),
            style: STYLE,
            password_min_chars: PASSWORD_MIN_CHARS,
            application: &self.request.application.name,
            action: &format!("?{}", self.query),
            token: token.as_str(),
            view,
        };
        let mut response = (status, Html(page.render()?)).into_response();
        protect(response.headers_mut(), &form_targets(&self.request.redirect_uri));
        token.set_cookie(app, response.headers_mut());
        Ok(response)
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    lang: Locale,
    text: PageText,
    style: &'static str,
    password_min_chars: usize,
    application: &'a str,
    /// The URL that the form is posted to.
    action: &'a str,
    /// The form's token.
    token: &'a str,
    view: LoginView<'a>,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    lang: Locale,
    text: PageText,
    style: &'static str,
    code: &'static str,
}

/// The page for a request that names no application to redirect the browser to.
pub(super) fn refused(locale: Locale, code: &'static str) -> Result<Response, Fault> {
    let page = RefusedPage { lang: locale, text: PageText::of(locale), style: STYLE, code };
    let mut response = (StatusCode::BAD_REQUEST, Html(page.render()?)).into_response();
    protect(response.headers_mut(), "'none'");
    Ok(response)
}

/// The form's own origin, and the origin that a successful log-in redirects to: browsers check the
/// redirect after a form against `form-action` too (CSP Level 3 §6.4.2).
fn form_targets(redirect_uri: &str) -> String {
    let origin = Url::parse(redirect_uri).map(|url| url.origin().ascii_serialization());
    origin.map_or_else(|_| "'self'".to_owned(), |origin| format!("'self' {origin}"))
}

/// Sets headers so that the browser loads nothing from elsewhere, shows the page in no frame, keeps it
/// in no cache and sends no referrer.
fn protect(headers: &mut HeaderMap, form_action: &str) {
    let policy = format!(
        "default-src 'none'; style-src {}; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_SOURCE
    );
    // The policy is ASCII without control characters, so it is a header value.
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
    fn hostile_input_is_escaped() {
        let page = LoginPage {
            lang: Locale::En,
            text: PageText::of(Locale::En),
            style: STYLE,
            password_min_chars: 15,
            application: "<b>",
            action: "?a=\"><script>",
            token: "t",
            view: LoginView {
                login: "\"><script>alert(1)</script>",
                fault: Some("<i>".into()),
                change: false,
            },
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
