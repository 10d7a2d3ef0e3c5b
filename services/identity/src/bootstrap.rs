//! The first accounts: the service creates them at its start if nobody has their log-in name.

pub(crate) mod clients;

use anyhow::Context as _;
use rovuma_policy::Role;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use rovuma_trail::AuditRecord;
use zeroize::Zeroizing;

use crate::{
    AccountId, Login,
    accounts::{self, Account, roles_to_column},
    app::App,
    config::BootstrapConfig,
    password::NewPassword,
};

/// Creates the accounts that are missing. An account that exists stays as it is, whatever the file says.
pub(crate) async fn run(app: &App, configs: &[BootstrapConfig]) -> anyhow::Result<()> {
    for config in configs {
        create_if_missing(app, config)
            .await
            .with_context(|| format!("bootstrap account {:?}", config.login))?;
    }
    Ok(())
}

/// Refuses accounts that [`run`] would refuse. Password files are not read: once the account exists, there need be none.
pub(crate) fn check(configs: &[BootstrapConfig]) -> anyhow::Result<()> {
    for config in configs {
        login(config).with_context(|| format!("bootstrap account {:?}", config.login))?;
    }
    Ok(())
}

/// The log-in name, if it is one and a person may have the roles.
fn login(config: &BootstrapConfig) -> anyhow::Result<Login> {
    if let Some(role) = config.roles.iter().find(|role| role.is_for_machines()) {
        anyhow::bail!("the role {role} is for machines");
    }
    if let Some(role) = Role::misplaced(&config.roles.iter().copied().collect()) {
        anyhow::bail!("the role {role} stands alone: give the other roles to another account");
    }
    Ok(Login::parse(&config.login)?)
}

async fn create_if_missing(app: &App, config: &BootstrapConfig) -> anyhow::Result<()> {
    let login = login(config)?;
    let mut conn = app.store.read().acquire().await?;
    if accounts::by_login(&mut conn, &login).await?.is_some() {
        return Ok(());
    }
    drop(conn);
    let account = new_account(app, config, &login).await?;
    let act = AuditRecord::new(account.created, app.trail.source(), AuditAction::UserCreate)
        .agency(&account.agency)
        .object("user", account.id)
        .detail("login", &account.login)
        .detail("name", &account.name)
        .detail("roles", roles_to_column(&account.roles))
        .detail("by", "bootstrap");
    let trail = app.trail.clone();
    let id = account.id;
    let write = app.write(move |tx| {
        async move {
            let created = accounts::insert(tx, &account).await?;
            if created {
                trail.record(tx, &act).await?;
            }
            Ok(created)
        }
        .boxed()
    });
    if write.await? {
        tracing::info!(user = %id, agency = %config.agency, "created the account");
    }
    Ok(())
}

async fn new_account(app: &App, config: &BootstrapConfig, login: &Login) -> anyhow::Result<Account> {
    let secret = config.password_file.read_line()?;
    let text = secret.expose_text().context("the password file is not UTF-8")?;
    let password = NewPassword::parse(Zeroizing::new(text.to_owned()), login)?;
    let now = app.now();
    Ok(Account {
        id: AccountId::draw(now),
        agency: config.agency.clone(),
        login: login.as_str().to_owned(),
        name: config.name.clone(),
        roles: config.roles.iter().copied().collect(),
        password: app.hashers.hash(password).await?,
        must_change: config.change_at_first_login,
        disabled: None,
        created: now,
    })
}
