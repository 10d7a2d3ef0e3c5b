//! `rovumactl broker`: the topology on a country's RabbitMQ, over its management API.

mod apply;
mod check;
mod management;
mod state;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rovuma_broker::topology::NodeSpec;

use crate::{
    app::App,
    config::Endpoint,
    exit::{Failure, Outcome},
    files,
};
use management::ManagementClient;

/// The commands on the broker's topology.
#[derive(Debug, Subcommand)]
pub(crate) enum BrokerCommand {
    /// Declare what is missing, correct what is different, and verify
    Apply(apply::Apply),
    /// Compare what is there with what should be, and show the state of the links
    Check(check::Check),
    /// Print RabbitMQ's definitions for a node, as broker apply would declare them
    Definitions(check::Definitions),
}

impl BrokerCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Apply(command) => command.run(app).await,
            Self::Check(command) => command.run(app).await,
            Self::Definitions(command) => command.run(app),
        }
    }
}

/// The broker to work on, and the specification that it should match.
#[derive(Debug, Args)]
pub(crate) struct BrokerArgs {
    /// What the installation has: country, gateways, partners (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,
    /// The management API [default: management.url of the configuration]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The authorities that its certificate may come from, PEM [default: management.ca_file]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A RabbitMQ administrator [default: management.user]
    #[arg(long)]
    user: Option<String>,
    /// A file with the administrator's password, - for standard input [default: management.password_file]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Another administrator that may be there
    #[arg(long = "administrator", value_name = "USER")]
    administrators: Vec<String>,
}

impl BrokerArgs {
    pub(crate) fn spec(&self) -> Outcome<NodeSpec> {
        read_spec(&self.spec)
    }

    /// A client of the management API. Options take precedence over the configuration.
    pub(crate) fn management(&self, app: &App) -> Outcome<ManagementClient> {
        let configured = app.config.management.as_ref();
        let missing = |what: &str, option: &str| {
            Failure::usage(format!("{what} of the broker's management API is not configured"))
                .next(format!("give {option}, or [management] in {}", app.config_name))
        };
        let url = self.url.clone().or_else(|| configured.map(|section| section.url.clone()));
        let user = self.user.clone().or_else(|| configured?.user.clone());
        let password = self.password_file.clone().or_else(|| configured?.password_file.clone());
        let endpoint = Endpoint {
            url: url.ok_or_else(|| missing("the address", "--url"))?,
            ca_file: self.ca_file.clone().or_else(|| configured?.ca_file.clone()),
        };
        let user = user.ok_or_else(|| missing("the user", "--user"))?;
        let password_file = password.ok_or_else(|| missing("the password", "--password-file"))?;
        ManagementClient::new(&endpoint, user, files::read_password(&password_file)?)
    }

    /// Users that the topology ignores: the administrators of the broker itself.
    pub(crate) fn administrators(&self, management: &ManagementClient) -> Vec<String> {
        self.administrators.iter().cloned().chain([management.user().to_owned()]).collect()
    }
}

/// Reads a specification, TOML or JSON.
fn read_spec(path: &std::path::Path) -> Outcome<NodeSpec> {
    let text = files::read_text(path)?;
    let fault = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let spec: NodeSpec = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?
    } else {
        rovuma_runtime::config::from_toml(&text).map_err(|error| fault(error.to_string()))?
    };
    spec.check().map_err(|error| fault(error.to_string()))?;
    Ok(spec)
}
