//! The audit service's configuration file.

use std::path::PathBuf;

use rovuma_broker::BrokerConfig;
use rovuma_runtime::{ListenConfig, SecretFile};
use rovuma_schemas::CountryCode;
use rovuma_store::StoreConfig;
use rovuma_tokens::IssuerConfig;
use serde::Deserialize;

/// The whole file; `[admin]`, `[log]` and `[telemetry]` belong to the runtime.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// The country whose log this is, `mz`.
    pub country: CountryCode,
    /// `[store]`: the log.
    pub store: StoreConfig,
    /// `[broker]`: the country's own broker.
    pub broker: BrokerConfig,
    /// `[http]`: the auditors' API.
    pub http: ListenConfig,
    /// `[tokens]`: whose access tokens are taken.
    pub tokens: TokensConfig,
    /// `[keys]`: the service's own keys.
    pub keys: KeysConfig,
    /// `[[producer]]`: who may write to the log.
    #[serde(rename = "producer")]
    pub producers: Vec<ProducerConfig>,
    /// `[policy]`: other access policies than the built-in ones.
    #[serde(default)]
    pub policy: PolicyConfig,
}

/// `[tokens]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// One entry per issuer.
    pub issuers: Vec<IssuerConfig>,
}

/// `[keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// The key that signs acknowledgements, PKCS#8 PEM.
    pub signing_key_file: SecretFile,
    /// The age identities that batches are sealed to, the present one first, then former ones.
    pub sealing_key_files: Vec<SecretFile>,
}

/// `[[producer]]`: one source of audit events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProducerConfig {
    /// Its name, `mz.gateway.police`.
    pub source: String,
    /// Its public keys (JWK): several while one takes over from another.
    pub key_files: Vec<PathBuf>,
}

/// `[policy]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// A folder of `*.cedar` files in place of the built-in policies.
    pub folder: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, path::Path};

    use super::*;

    #[test]
    fn the_example_is_sound() {
        let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/example.toml"));
        let loaded = rovuma_runtime::config::load_with_env::<AuditConfig>(Some(example), HashMap::new());
        let (config, _) = loaded.expect("the example is sound");
        assert_eq!((config.country.as_str(), config.producers.len()), ("mz", 3));
    }
}
