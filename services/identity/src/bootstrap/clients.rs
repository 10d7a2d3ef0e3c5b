//! The first machine clients: those of the installation's own services.

use anyhow::Context as _;
use rovuma_policy::Role;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use rovuma_trail::AuditRecord;

use crate::{
    accounts::roles_to_column,
    app::App,
    config::BootstrapClientConfig,
    machines::{self, Machine, MachineId},
};

/// Least characters of a secret: 128 bits in hexadecimal. The service keeps its SHA-256, which a shorter one could be found from.
const SECRET_MIN_CHARS: usize = 32;

/// Creates the clients that are missing. A client that exists stays as it is, whatever the file says.
pub(crate) async fn run(app: &App, configs: &[BootstrapClientConfig]) -> anyhow::Result<()> {
    for config in configs {
        create_if_missing(app, config).await.with_context(|| format!("bootstrap client {:?}", config.id))?;
    }
    Ok(())
}

/// Refuses clients that [`run`] would refuse. Secret files are not read: once the client exists, there need be none.
pub(crate) fn check(configs: &[BootstrapClientConfig]) -> anyhow::Result<()> {
    for config in configs {
        id(config).with_context(|| format!("bootstrap client {:?}", config.id))?;
    }
    Ok(())
}

/// The id, if it is one and a machine may have the roles.
fn id(config: &BootstrapClientConfig) -> anyhow::Result<MachineId> {
    if let Some(role) = config.roles.iter().find(|role| !role.is_for_machines()) {
        anyhow::bail!("the role {role} is for persons");
    }
    if let Some(role) = Role::misplaced(&config.roles.iter().copied().collect()) {
        anyhow::bail!("the role {role} stands alone: give the other roles to another client");
    }
    Ok(config.id.parse()?)
}

async fn create_if_missing(app: &App, config: &BootstrapClientConfig) -> anyhow::Result<()> {
    let id = id(config)?;
    let mut conn = app.store.read().acquire().await?;
    if machines::by_id(&mut conn, id.as_str()).await?.is_some() {
        return Ok(());
    }
    drop(conn);
    let secret = config.secret_file.read_line()?;
    let text = secret.expose_text().context("the secret file is not UTF-8")?;
    anyhow::ensure!(
        text.chars().count() >= SECRET_MIN_CHARS,
        "the secret has fewer than {SECRET_MIN_CHARS} characters: draw a random one"
    );
    let machine = Machine {
        secret: Some(rovuma_envelope::digest(text.as_bytes())),
        id,
        name: config.name.clone(),
        roles: config.roles.iter().copied().collect(),
        jwks: None,
        disabled: None,
        created: app.now(),
    };
    let act = AuditRecord::new(machine.created, app.trail.source(), AuditAction::ClientCreate)
        .agency(machine.agency())
        .object("client", &machine.id)
        .detail("roles", roles_to_column(&machine.roles))
        .detail("by", "bootstrap");
    let trail = app.trail.clone();
    let write = app.write(move |tx| {
        async move {
            let created = machines::insert(tx, &machine).await?;
            if created {
                trail.record(tx, &act).await?;
            }
            Ok(created)
        }
        .boxed()
    });
    if write.await? {
        tracing::info!(client = %config.id, "created the machine client");
    }
    Ok(())
}
