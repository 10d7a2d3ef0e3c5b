//! Who calls the API: a token of ours, of somebody who is still there.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use rovuma_policy::Actor;
use rovuma_runtime::Problem;
use rovuma_store::Conn;
use rovuma_tokens::{AccessToken, bearer};

use crate::{
    accounts::{self, Account},
    app::App,
    fault::Fault,
    machines::{self, Machine},
    oidc::session_has_ended,
};

/// The caller of a request. Agency and roles are the store's, as they are now: a role taken away a
/// minute ago is gone, whatever the token says.
#[derive(Clone)]
pub(crate) struct Caller {
    actor: Actor,
    who: Who,
    scope: String,
}

/// What kind of caller.
#[derive(Clone)]
pub(crate) enum Who {
    Person(Box<Account>),
    Machine(Box<Machine>),
}

impl Caller {
    /// Who acts.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The account or machine client.
    pub(crate) fn who(&self) -> &Who {
        &self.who
    }

    /// Whether the token was asked for with this scope.
    pub(crate) fn has_scope(&self, wanted: &str) -> bool {
        self.scope.split(' ').any(|word| word == wanted)
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = check(app, &parts.headers).await?;
        let mut conn = app.store.read().acquire().await.map_err(Fault::from)?;
        let who = find(&mut conn, &token).await.map_err(Fault::from)?;
        let who = who.ok_or_else(Problem::unauthenticated)?;
        let actor = match &who {
            Who::Person(account) => account.actor(),
            Who::Machine(machine) => machine.actor(),
        };
        tracing::Span::current().record("agency", actor.agency().as_str());
        let actor = actor.in_session(token.session().map(str::to_owned));
        Ok(Self { actor, who, scope: token.scope().unwrap_or_default().to_owned() })
    }
}

async fn check(app: &App, headers: &HeaderMap) -> Result<Arc<AccessToken>, Problem> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let unverified_token = bearer(value).map_err(|_| Problem::unauthenticated())?;
    app.tokens.check(unverified_token, app.now()).await.map_err(|fault| {
        tracing::info!(%fault, "a token was refused");
        metrics::counter!("rovuma_tokens_refused_total", "code" => fault.code()).increment(1);
        Problem::unauthenticated()
    })
}

/// `None`: the account or machine client is gone or disabled, or the log-in was ended.
async fn find(conn: &mut Conn, token: &AccessToken) -> sqlx::Result<Option<Who>> {
    if let Some(session) = token.session()
        && session_has_ended(conn, session).await?
    {
        return Ok(None);
    }
    if token.is_machine() {
        let machine = machines::by_id(conn, token.subject()).await?;
        let enabled = machine.filter(|machine| machine.disabled.is_none());
        return Ok(enabled.map(|machine| Who::Machine(Box::new(machine))));
    }
    let Ok(id) = token.subject().parse() else { return Ok(None) };
    let account = accounts::by_id(conn, id).await?;
    let enabled = account.filter(|account| account.disabled.is_none());
    Ok(enabled.map(|account| Who::Person(Box::new(account))))
}
