//! One attempt to log in.

use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};
use rovuma_trail::AuditRecord;
use zeroize::Zeroizing;

use super::{
    outcome::{ChangeFault, LoginOutcome},
    success::{SuccessfulLogin, new_grant},
};
use crate::{
    Login,
    accounts::{self, Account},
    app::App,
    fault::Fault,
    oidc::{client_address::ClientAddress, request::AuthorizationRequest},
    params::Params,
    password::NewPassword,
    throttle::{self, ThrottleDecision, ThrottleKey},
};

/// The actor of audit events about a log-in name that no account has.
const NOBODY: &str = "anonymous";

/// The name and passwords that a person typed, and the keys by which the attempt is counted.
pub(super) struct LoginAttempt {
    /// `None`: no account can have such a name.
    login: Option<Login>,
    password: Zeroizing<String>,
    pub(super) change: Option<PasswordChange>,
    throttle_keys: Vec<ThrottleKey>,
}

/// A new password, typed twice.
pub(super) struct PasswordChange {
    new: Zeroizing<String>,
    again: Zeroizing<String>,
}

/// An attempt that was counted by each of its throttle keys.
#[derive(Clone, Copy, Default)]
struct CountedAttempt {
    /// If the attempt fails, the next must wait until then.
    blocked_until: Option<Timestamp>,
    /// Failures in a row, this attempt included.
    failures: u64,
    /// Attempts refused since the last one that was compared.
    refused_before: u64,
}

impl LoginAttempt {
    pub(super) fn parse(params: &Params, address: ClientAddress) -> Self {
        let login = Login::parse(params.get("login").unwrap_or_default()).ok();
        let mut throttle_keys = vec![ThrottleKey::address(address.0)];
        throttle_keys.extend(login.as_ref().map(ThrottleKey::login));
        let change = || PasswordChange { new: params.secret("new"), again: params.secret("again") };
        Self {
            password: params.secret("password"),
            change: params.get("change").map(|_| change()),
            login,
            throttle_keys,
        }
    }

    pub(super) async fn run(self, app: &App, request: &AuthorizationRequest) -> Result<LoginOutcome, Fault> {
        let now = app.now();
        let counted = match self.count(app, now).await? {
            Ok(counted) => counted,
            Err(until) => return Ok(LoginOutcome::Blocked { minutes: minutes_until(until, now) }),
        };
        let account = self.load_account(app).await?;
        let hash = account.as_ref().map(|account| account.password.clone());
        let matches = match app.hashers.verify(self.password.clone(), hash).await {
            Ok(matches) => matches,
            Err(fault) => {
                // Nothing was compared: a flood must not lock out those who know their password.
                self.take_back(app).await?;
                return Err(fault.into());
            }
        };
        match account {
            Some(account) if matches && account.disabled.is_none() => {
                self.accept_password(app, request, account).await
            }
            account => record_failure(app, account.as_ref(), matches, counted).await,
        }
    }

    /// Counts the attempt before the password is compared. `Err`: blocked until then.
    async fn count(&self, app: &App, now: Timestamp) -> Result<Result<CountedAttempt, Timestamp>, Fault> {
        let keys = self.throttle_keys.clone();
        app.write(move |tx| async move { count(tx, &keys, now).await }.boxed()).await
    }

    /// Takes this one attempt back out of the counts.
    async fn take_back(&self, app: &App) -> Result<(), Fault> {
        let keys = self.throttle_keys.clone();
        let write = app.write(move |tx| {
            async move {
                for key in keys {
                    throttle::uncount_attempt(tx, key).await?;
                }
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    /// Forgives the attempt, and what the same person failed before: the password was right.
    async fn forgive(&self, app: &App) -> Result<(), Fault> {
        let keys = self.throttle_keys.clone();
        let write = app.write(move |tx| {
            async move {
                for key in keys {
                    throttle::forgive_attempt(tx, key).await?;
                }
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    async fn load_account(&self, app: &App) -> Result<Option<Account>, Fault> {
        let Some(login) = &self.login else { return Ok(None) };
        let mut conn = app.store.read().acquire().await?;
        Ok(accounts::by_login(&mut conn, login).await?)
    }

    /// Continues after the password was found right: with the password change, where one is due.
    async fn accept_password(
        self,
        app: &App,
        request: &AuthorizationRequest,
        account: Account,
    ) -> Result<LoginOutcome, Fault> {
        if !account.must_change {
            return self.complete(app, request, account, None).await;
        }
        let Some(change) = &self.change else {
            self.forgive(app).await?;
            return Ok(LoginOutcome::MustChange);
        };
        match self.check_change(change) {
            Ok(new) => {
                let hash = app.hashers.hash(new).await?;
                self.complete(app, request, account, Some(hash)).await
            }
            Err(fault) => {
                self.forgive(app).await?;
                Ok(LoginOutcome::BadChange(fault))
            }
        }
    }

    fn check_change(&self, change: &PasswordChange) -> Result<NewPassword, ChangeFault> {
        if change.new != change.again {
            return Err(ChangeFault::Different);
        }
        if change.new == self.password {
            return Err(ChangeFault::Unchanged);
        }
        // The account was found by its log-in name, so there is one.
        let login = self.login.as_ref().ok_or(ChangeFault::Different)?;
        NewPassword::parse(change.new.clone(), login).map_err(ChangeFault::Rule)
    }

    async fn complete(
        self,
        app: &App,
        request: &AuthorizationRequest,
        account: Account,
        new_password: Option<String>,
    ) -> Result<LoginOutcome, Fault> {
        let code = rovuma_tokens::unguessable()?;
        let success = SuccessfulLogin {
            grant: new_grant(request, &account, app.now())?,
            code: code.clone(),
            account,
            new_password,
            throttle_keys: self.throttle_keys,
        };
        let trail = app.trail.clone();
        let written = app.write(move |tx| async move { success.write(tx, &trail).await }.boxed()).await?;
        metrics::counter!("rovuma_logins_total", "outcome" => "success").increment(1);
        Ok(if written { LoginOutcome::LoggedIn { code } } else { LoginOutcome::Wrong })
    }
}

async fn count(
    tx: &mut Conn,
    keys: &[ThrottleKey],
    now: Timestamp,
) -> sqlx::Result<Result<CountedAttempt, Timestamp>> {
    let mut counted = CountedAttempt::default();
    for key in keys {
        match throttle::count_attempt(tx, *key, now).await? {
            ThrottleDecision::Blocked { until } => return Ok(Err(until)),
            ThrottleDecision::Counted { failures, blocked_until, refused_before } => {
                counted.blocked_until = counted.blocked_until.max(blocked_until);
                counted.failures = counted.failures.max(failures);
                counted.refused_before += refused_before;
            }
        }
    }
    Ok(Ok(counted))
}

/// Records a failed attempt. Attempts that are refused while blocked have no audit event of their own:
/// the next failure's event counts them, so that a flood does not fill the log.
async fn record_failure(
    app: &App,
    account: Option<&Account>,
    matches: bool,
    counted: CountedAttempt,
) -> Result<LoginOutcome, Fault> {
    let reason = match account {
        None => "unknown_account",
        Some(_) if matches => "disabled",
        Some(_) => "wrong_password",
    };
    metrics::counter!("rovuma_logins_total", "outcome" => reason).increment(1);
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
    let trail = app.trail.clone();
    app.write(move |tx| async move { trail.record(tx, &act).await.map(|_| ()) }.boxed()).await?;
    Ok(LoginOutcome::Wrong)
}

fn minutes_until(until: Timestamp, now: Timestamp) -> u64 {
    until.since(now).as_secs().div_ceil(60).max(1)
}
