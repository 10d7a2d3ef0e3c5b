//! `rovumactl.toml`: the addresses of the servers, and where this tool's own acts are recorded.

use std::path::{Path, PathBuf};

use rovuma_broker::BrokerConfig;
use rovuma_runtime::{SecretFile, config};
use rovuma_schemas::CountryCode;
use rovuma_store::StoreConfig;
use serde::Deserialize;

use crate::{
    exit::{Failure, Outcome},
    session::cache,
};

/// The whole file. Every section is optional: a command that needs a missing one says so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CtlConfig {
    /// The country of this installation, `mz`.
    pub(crate) country: Option<CountryCode>,
    /// `[gateway]`: the gateway's API.
    pub(crate) gateway: Option<Endpoint>,
    /// `[identity]`: the identity provider to log in at.
    pub(crate) identity: Option<IdentityConfig>,
    /// `[audit_service]`: the audit service's API.
    pub(crate) audit_service: Option<Endpoint>,
    /// `[watchlist]`: the watchlist's API.
    pub(crate) watchlist: Option<Endpoint>,
    /// `[management]`: the broker's management API.
    pub(crate) management: Option<ManagementConfig>,
    /// `[store]`: keeps this tool's audit events until the audit service has them.
    pub(crate) store: Option<StoreConfig>,
    /// `[broker]`: the broker through which audit events are shipped.
    pub(crate) broker: Option<BrokerConfig>,
    /// `[audit]`: how audit events are signed and sealed.
    pub(crate) audit: Option<AuditConfig>,
}

/// A server's HTTP API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// Its address; `http://` only on a loopback host.
    pub(crate) url: String,
    /// The authorities that may have issued its certificate, PEM. No other is trusted.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
}

/// `[identity]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityConfig {
    /// The OpenID Connect issuer.
    pub(crate) issuer: String,
    /// The authorities that may have issued its certificate, PEM.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// The client id at the provider; without it, the one that last logged in there, or `rovumactl`.
    #[serde(default)]
    pub(crate) client_id: Option<String>,
    /// A machine's secret. With it, the machine logs in instead of a person.
    #[serde(default)]
    pub(crate) client_secret_file: Option<SecretFile>,
    /// The scopes to ask for.
    #[serde(default = "default_scope")]
    pub(crate) scope: String,
    /// The name of the log-in, where this account has several: `--as`.
    #[serde(skip)]
    pub(crate) log_in_name: Option<String>,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            ca_file: None,
            client_id: None,
            client_secret_file: None,
            scope: default_scope(),
            log_in_name: None,
        }
    }
}

impl IdentityConfig {
    /// The provider's address and authorities.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { url: self.issuer.clone(), ca_file: self.ca_file.clone() }
    }

    /// The client whose log-in counts. A configured secret is never sent under the id of whoever logged in last.
    pub(crate) fn client_id(&self) -> String {
        let last = || if self.client_secret_file.is_none() { cache::last_client(self) } else { None };
        self.client_id.clone().or_else(last).unwrap_or_else(|| OWN_CLIENT.to_owned())
    }
}

/// The id under which providers know this tool.
pub(crate) const OWN_CLIENT: &str = "rovumactl";

fn default_scope() -> String {
    "openid".to_owned()
}

/// `[management]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManagementConfig {
    /// `https://host:15671`.
    pub(crate) url: String,
    /// The authorities that may have issued its certificate, PEM.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// A RabbitMQ administrator.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// The administrator's password.
    #[serde(default)]
    pub(crate) password_file: Option<PathBuf>,
}

/// `[audit]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditConfig {
    /// The name under which this tool writes audit events, `mz.rovumactl`.
    pub(crate) source: String,
    /// The key that signs its batches, PKCS#8 PEM.
    pub(crate) key_file: PathBuf,
    /// The audit service's age recipient.
    pub(crate) recipient_file: PathBuf,
    /// The audit service's public key (JWK), which signs acknowledgements.
    pub(crate) ack_key_file: PathBuf,
    /// How long a command waits for the acknowledgement. Events not acknowledged by then are shipped by the next
    /// command.
    #[serde(default = "default_ship_timeout")]
    pub(crate) ship_timeout_ms: u64,
}

/// Long enough on a healthy line, short enough for a person.
const fn default_ship_timeout() -> u64 {
    10_000
}

/// The configuration of a run, and the file that it came from.
pub(crate) struct LoadedConfig {
    pub(crate) config: CtlConfig,
    pub(crate) file: Option<PathBuf>,
}

/// Reads the given file; without one, the first usual file that exists; without any, the defaults and the
/// environment.
pub(crate) fn load(given: Option<&Path>) -> Outcome<LoadedConfig> {
    let file = given.map(Path::to_owned).or_else(|| usual_places().into_iter().find(|path| path.is_file()));
    let (config, _) = config::load::<CtlConfig>(file.as_deref())
        .map_err(|error| Failure::usage(error.to_string()).next("correct the configuration"))?;
    Ok(LoadedConfig { config, file })
}

/// `$XDG_CONFIG_HOME/rovuma/rovumactl.toml`, then `/etc/rovuma/rovumactl.toml`.
fn usual_places() -> Vec<PathBuf> {
    let own = xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("rovuma/rovumactl.toml"));
    own.into_iter().chain([PathBuf::from("/etc/rovuma/rovumactl.toml")]).collect()
}

/// A base directory of the XDG specification: the variable if it is absolute, else the folder under the home
/// directory.
pub(crate) fn xdg(variable: &str, under_home: &str) -> Option<PathBuf> {
    let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(under_home)))
}
