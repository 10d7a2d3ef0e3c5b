//! The log-in form's way: form token → counted attempt → password → account → one transaction → back
//! to the application with a code.

mod attempt;
mod entry;
mod form_token;
mod outcome;

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use rovuma_schemas::Locale;
use zeroize::Zeroizing;

pub(super) use form_token::FormToken;

use super::{
    authorize::{failed, locale, redirect, refuse},
    page::{self, LoginForm, Text},
    request::{AuthorizationRequest, answer_url},
    sender::Sender,
};
use crate::{app::App, fault::Fault, params::Params};
use attempt::Attempt;
use outcome::Outcome;

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    sender: Sender,
    headers: HeaderMap,
    body: String,
) -> Response {
    let body = Zeroizing::new(body);
    let query = query.unwrap_or_default();
    let locale = locale(&query, &headers);
    // The query is what the page was shown for; it is checked again as if it had never been.
    let request = match AuthorizationRequest::parse(&query, &app.applications) {
        Ok(request) => request,
        Err(fault) => return refuse(&app, locale, fault),
    };
    let Ok(params) = Params::parse(&body) else {
        return page::stopped(locale, "parameters").unwrap_or_else(|fault| failed(&fault));
    };
    let submission = Submission { app: &app, request: &request, query: &query, locale, headers: &headers };
    submission.answer(&params, sender).await.unwrap_or_else(|fault| failed(&fault))
}

/// One posted form.
struct Submission<'a> {
    app: &'a App,
    request: &'a AuthorizationRequest,
    query: &'a str,
    locale: Locale,
    headers: &'a HeaderMap,
}

impl Submission<'_> {
    async fn answer(&self, params: &Params, sender: Sender) -> Result<Response, Fault> {
        let login = params.get("login").unwrap_or_default();
        if !FormToken::is_good(self.app, self.headers, params.get("form")) {
            return self.page(StatusCode::BAD_REQUEST, login, Some(self.text().stale.into()), false);
        }
        let attempt = Attempt::read(params, sender);
        let changing = attempt.change.is_some();
        let outcome = attempt.make(self.app, self.request).await;
        let (status, fault, change) = match outcome {
            Ok(Outcome::LoggedIn { code }) => return Ok(self.go_back(&code)),
            Ok(Outcome::MustChange) => (StatusCode::OK, None, true),
            Ok(Outcome::Wrong) => (StatusCode::UNAUTHORIZED, Some(self.text().wrong.to_owned()), changing),
            Ok(Outcome::Blocked { minutes }) => {
                return self.blocked(login, minutes, changing);
            }
            Ok(Outcome::BadChange(fault)) => {
                (StatusCode::BAD_REQUEST, Some(fault.sentence(self.text()).to_owned()), true)
            }
            Err(fault) if fault.is_transient() => {
                fault.log();
                (StatusCode::SERVICE_UNAVAILABLE, Some(self.text().busy.to_owned()), changing)
            }
            Err(fault) => return Err(fault),
        };
        self.page(status, login, fault, change)
    }

    fn blocked(&self, login: &str, minutes: u64, change: bool) -> Result<Response, Fault> {
        let fault = self.text().blocked(minutes);
        let mut response = self.page(StatusCode::TOO_MANY_REQUESTS, login, Some(fault), change)?;
        let seconds = HeaderValue::from(minutes.saturating_mul(60));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        Ok(response)
    }

    fn page(
        &self,
        status: StatusCode,
        login: &str,
        fault: Option<String>,
        change: bool,
    ) -> Result<Response, Fault> {
        let token = FormToken::of(self.app, self.headers)?;
        let form = LoginForm {
            application: &self.request.application.name,
            action: &format!("?{}", self.query),
            token: token.as_str(),
            login,
            fault,
            change,
        };
        let mut response = page::login(status, self.locale, form, &self.request.redirect_uri)?;
        token.set(self.app, response.headers_mut());
        Ok(response)
    }

    fn go_back(&self, code: &str) -> Response {
        let state = Some(self.request.state.as_str());
        redirect(answer_url(&self.request.redirect_uri, self.app.issuer.as_str(), state, &[("code", code)]))
    }

    fn text(&self) -> &'static Text {
        Text::of(self.locale)
    }
}
