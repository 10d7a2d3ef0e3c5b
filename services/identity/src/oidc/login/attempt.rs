//! One attempt to log in.

use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};
use rovuma_trail::AuditRecord;
use zeroize::Zeroizing;

use super::{
    entry::{Entry, grant},
    outcome::{ChangeFault, Outcome},
};
use crate::{
    Login,
    accounts::{self, Account},
    app::App,
    fault::Fault,
    oidc::{request::AuthorizationRequest, sender::Sender},
    params::Params,
    password::NewPassword,
    throttle::{self, Target, Verdict},
};

/// Who it is when nobody is known to have that name.
const NOBODY: &str = "anonymous";

/// What was typed, and from where.
pub(super) struct Attempt {
    /// `None`: no account can have such a name.
    login: Option<Login>,
    password: Zeroizing<String>,
    pub(super) change: Option<Change>,
    targets: Vec<Target>,
}

/// Another password, typed twice.
pub(super) struct Change {
    new: Zeroizing<String>,
    again: Zeroizing<String>,
}

/// An attempt that was counted, and what it means if it fails.
#[derive(Clone, Copy, Default)]
struct Counted {
    blocked_until: Option<Timestamp>,
    failures: u64,
    refused_before: u64,
}

impl Attempt {
    pub(super) fn read(params: &Params, sender: Sender) -> Self {
        let login = Login::parse(params.get("login").unwrap_or_default()).ok();
        let mut targets = vec![Target::address(sender.0)];
        targets.extend(login.as_ref().map(Target::login));
        let change = || Change { new: params.secret("new"), again: params.secret("again") };
        Self {
            password: params.secret("password"),
            change: params.get("change").map(|_| change()),
            login,
            targets,
        }
    }

    pub(super) async fn make(self, app: &App, request: &AuthorizationRequest) -> Result<Outcome, Fault> {
        let now = app.now();
        let counted = match self.count(app, now).await? {
            Ok(counted) => counted,
            Err(until) => return Ok(Outcome::Blocked { minutes: minutes_until(until, now) }),
        };
        let account = self.account(app).await?;
        let kept = account.as_ref().map(|account| account.password.clone());
        let matches = match app.hashers.verify(self.password.clone(), kept).await {
            Ok(matches) => matches,
            Err(fault) => {
                // Nothing was compared: a flood must not lock out those who know their password.
                self.forgive(app).await?;
                return Err(fault.into());
            }
        };
        match account {
            Some(account) if matches && account.disabled.is_none() => self.go_on(app, request, account).await,
            account => self.fail(app, account.as_ref(), matches, counted).await,
        }
    }

    /// Counts the attempt before anything is compared. `Err`: not before that time.
    async fn count(&self, app: &App, now: Timestamp) -> Result<Result<Counted, Timestamp>, Fault> {
        let targets = self.targets.clone();
        app.write(move |tx| async move { count(tx, &targets, now).await }.boxed()).await
    }

    async fn forgive(&self, app: &App) -> Result<(), Fault> {
        let targets = self.targets.clone();
        app.write(move |tx| async move { forgive(tx, &targets).await }.boxed()).await
    }

    async fn account(&self, app: &App) -> Result<Option<Account>, Fault> {
        let Some(login) = &self.login else { return Ok(None) };
        let mut conn = app.store.read().acquire().await?;
        Ok(accounts::by_login(&mut conn, login).await?)
    }

    async fn fail(
        &self,
        app: &App,
        account: Option<&Account>,
        matches: bool,
        counted: Counted,
    ) -> Result<Outcome, Fault> {
        let reason = match account {
            None => "unknown_account",
            Some(_) if matches => "disabled",
            Some(_) => "wrong_password",
        };
        metrics::counter!("rovuma_logins_total", "outcome" => reason).increment(1);
        let act = failure(app, account, reason, counted);
        let trail = app.trail.clone();
        app.write(move |tx| async move { trail.record(tx, &act).await.map(|_| ()) }.boxed()).await?;
        Ok(Outcome::Wrong)
    }

    /// The password is right.
    async fn go_on(
        self,
        app: &App,
        request: &AuthorizationRequest,
        account: Account,
    ) -> Result<Outcome, Fault> {
        if !account.must_change {
            return self.succeed(app, request, account, None).await;
        }
        let Some(change) = &self.change else {
            self.forgive(app).await?;
            return Ok(Outcome::MustChange);
        };
        match self.checked(change) {
            Ok(new) => {
                let hash = app.hashers.hash(new).await?;
                self.succeed(app, request, account, Some(hash)).await
            }
            Err(fault) => {
                self.forgive(app).await?;
                Ok(Outcome::BadChange(fault))
            }
        }
    }

    fn checked(&self, change: &Change) -> Result<NewPassword, ChangeFault> {
        if change.new != change.again {
            return Err(ChangeFault::Different);
        }
        if change.new == self.password {
            return Err(ChangeFault::Unchanged);
        }
        // An account was found, so there is a login.
        let login = self.login.as_ref().ok_or(ChangeFault::Different)?;
        NewPassword::parse(change.new.clone(), login).map_err(ChangeFault::Rule)
    }

    async fn succeed(
        self,
        app: &App,
        request: &AuthorizationRequest,
        account: Account,
        new_password: Option<String>,
    ) -> Result<Outcome, Fault> {
        let code = rovuma_tokens::unguessable()?;
        let entry = Entry {
            grant: grant(request, &account, app.now())?,
            code: code.clone(),
            account,
            new_password,
            targets: self.targets,
        };
        let trail = app.trail.clone();
        let entered = app.write(move |tx| async move { entry.write(tx, &trail).await }.boxed()).await?;
        metrics::counter!("rovuma_logins_total", "outcome" => "success").increment(1);
        Ok(if entered { Outcome::LoggedIn { code } } else { Outcome::Wrong })
    }
}

async fn count(
    tx: &mut Conn,
    targets: &[Target],
    now: Timestamp,
) -> sqlx::Result<Result<Counted, Timestamp>> {
    let mut counted = Counted::default();
    for target in targets {
        match throttle::begin(tx, *target, now).await? {
            Verdict::Blocked { until } => return Ok(Err(until)),
            Verdict::Counted { failures, blocked_until, refused_before } => {
                counted.blocked_until = counted.blocked_until.max(blocked_until);
                counted.failures = counted.failures.max(failures);
                counted.refused_before += refused_before;
            }
        }
    }
    Ok(Ok(counted))
}

async fn forgive(tx: &mut Conn, targets: &[Target]) -> sqlx::Result<()> {
    for target in targets {
        throttle::succeed(tx, *target).await?;
    }
    Ok(())
}

/// The audit event of a failure. Attempts that are refused while blocked have none of their own: they
/// are counted in the next one, so that a flood does not fill the log.
fn failure(app: &App, account: Option<&Account>, reason: &'static str, counted: Counted) -> AuditRecord {
    let actor = account.map_or_else(|| NOBODY.to_owned(), |account| account.id.to_string());
    let mut act = AuditRecord::new(app.now(), actor, AuditAction::LoginFail)
        .refused(reason)
        .detail("failures", counted.failures);
    if let Some(account) = account {
        act = act.agency(&account.agency);
    }
    if let Some(until) = counted.blocked_until {
        act = act.detail("blocked_until", until);
    }
    if counted.refused_before > 0 {
        act = act.detail("refused_before", counted.refused_before);
    }
    act
}

fn minutes_until(until: Timestamp, now: Timestamp) -> u64 {
    until.since(now).as_secs().div_ceil(60).max(1)
}
