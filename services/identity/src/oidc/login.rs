//! The log-in form, from top to bottom: form token → counted attempt → password → account → one
//! transaction → redirect to the application with a code.

mod attempt;
mod outcome;
mod success;

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use zeroize::Zeroizing;

use super::{
    client_address::ClientAddress,
    form_token::FormToken,
    page::{self, LoginForm, LoginView},
    request::{AuthorizationRequest, response_url},
    responses::{failed, locale, redirect, refuse},
};
use crate::{app::App, fault::Fault, params::Params};
use attempt::LoginAttempt;
use outcome::LoginOutcome;

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    address: ClientAddress,
    headers: HeaderMap,
    body: String,
) -> Response {
    let body = Zeroizing::new(body);
    let query = query.unwrap_or_default();
    let locale = locale(&query, &headers);
    // The browser could have changed the query since the page was shown: it is checked again in full.
    let request = match AuthorizationRequest::parse(&query, &app.applications) {
        Ok(request) => request,
        Err(fault) => return refuse(&app, locale, fault),
    };
    let Ok(params) = Params::parse(&body) else {
        return page::refused(locale, "parameters").unwrap_or_else(|fault| failed(&fault));
    };
    let form = LoginForm { request: &request, query: &query, locale };
    let submission = Submission { app: &app, form, headers: &headers };
    submission.respond(&params, address).await.unwrap_or_else(|fault| failed(&fault))
}

/// One posted form.
struct Submission<'a> {
    app: &'a App,
    form: LoginForm<'a>,
    headers: &'a HeaderMap,
}

impl Submission<'_> {
    async fn respond(&self, params: &Params, address: ClientAddress) -> Result<Response, Fault> {
        let text = self.form.text();
        let login = params.get("login").unwrap_or_default();
        let show = |status, fault: Option<String>, change| {
            self.form.show(self.app, self.headers, status, LoginView { login, fault, change })
        };
        if !FormToken::matches(self.app, self.headers, params.get("form")) {
            return show(StatusCode::BAD_REQUEST, Some(text.page_expired().into()), false);
        }
        let attempt = LoginAttempt::parse(params, address);
        let changing = attempt.change.is_some();
        match attempt.run(self.app, self.form.request).await {
            Ok(LoginOutcome::LoggedIn { code }) => Ok(self.redirect_with(&code)),
            Ok(LoginOutcome::MustChange) => show(StatusCode::OK, None, true),
            Ok(LoginOutcome::Wrong) => {
                show(StatusCode::UNAUTHORIZED, Some(text.wrong_login().into()), changing)
            }
            Ok(LoginOutcome::Blocked { minutes }) => {
                let mut response =
                    show(StatusCode::TOO_MANY_REQUESTS, Some(text.blocked(minutes)), changing)?;
                let seconds = HeaderValue::from(minutes.saturating_mul(60));
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                Ok(response)
            }
            Ok(LoginOutcome::BadChange(fault)) => {
                show(StatusCode::BAD_REQUEST, Some(fault.sentence(text).into()), true)
            }
            Err(fault) if fault.is_transient() => {
                fault.log();
                show(StatusCode::SERVICE_UNAVAILABLE, Some(text.service_busy().into()), changing)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Redirects the browser to the application with the code.
    fn redirect_with(&self, code: &str) -> Response {
        let request = self.form.request;
        let state = Some(request.state.as_str());
        redirect(response_url(&request.redirect_uri, self.app.issuer.as_str(), state, &[("code", code)]))
    }
}
