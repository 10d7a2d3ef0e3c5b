//! The audit service's configuration file.

use std::path::PathBuf;

use rovuma_broker::BrokerConfig;
use rovuma_policy::PolicyConfig;
use rovuma_runtime::{ListenConfig, SecretFile};
use rovuma_schemas::CountryCode;
use rovuma_store::StoreConfig;
use rovuma_tlog::PRUNING_POLICY_MAX;
use rovuma_tokens::TokensConfig;
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
    /// `[tokens]`: the issuers whose access tokens are accepted.
    pub tokens: TokensConfig,
    /// `[keys]`: the service's own keys.
    pub keys: KeysConfig,
    /// `[[producer]]`: the sources that may write to the log.
    #[serde(rename = "producer")]
    pub producers: Vec<ProducerConfig>,
    /// `[publish]`: the public files of the log.
    pub publish: PublishConfig,
    /// `[witness]`: this service cosigns partners' logs, and partners cosign this log. Without it nobody but this service vouches
    /// for the log.
    pub witness: Option<WitnessConfig>,
    /// `[retention]`: how long entries are kept. Absent: for ever.
    pub retention: Option<RetentionConfig>,
    /// `[policy]`: access policies in place of the built-in ones.
    #[serde(default)]
    pub policy: PolicyConfig,
}

/// `[keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// The key that signs acknowledgements, PKCS#8 PEM.
    pub signing_key_file: SecretFile,
    /// The age identities to which sources seal batches: the present one first, then former ones.
    pub sealing_key_files: Vec<SecretFile>,
    /// The key that signs the heads of the log, PKCS#8 PEM. It signs nothing else.
    pub log_key_file: SecretFile,
    /// The key that seals events in the store, an age identity. A backup of the store shows no event without it:
    /// keep copies of the two apart.
    pub payload_key_file: SecretFile,
}

/// `[publish]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishConfig {
    /// The folder of the logs' public files: tiles and checkpoints (C2SP tlog-tiles), a folder for each log's origin.
    pub folder: PathBuf,
    /// Minimum time between two new checkpoints.
    #[serde(default = "publish_every")]
    pub every_ms: u64,
}

/// Short enough that an entry is in a cosigned head within two seconds.
const fn publish_every() -> u64 {
    500
}

/// `[witness]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// The file that names the logs and the cosignatures that a head needs (C2SP tlog-policy). Both countries and every auditor
    /// have the same file.
    pub policy_file: PathBuf,
    /// The key that cosigns, PKCS#8 PEM. It signs nothing else.
    pub key_file: SecretFile,
    /// An alarm is raised when a head has lacked the cosignatures that the policy requires for this time.
    #[serde(default = "alarm_after")]
    pub alarm_after_s: u64,
    /// The log appends nothing more when no partner has cosigned it for this time, until one does: 14400 for four hours. Sources
    /// keep their events meanwhile, and after a time release nothing. Absent: the log goes on, and shows since when no partner
    /// cosigns it.
    pub fail_closed_after_s: Option<u64>,
}

/// Five minutes: longer than the daily interruptions of a line, and shorter than it takes to tamper with a log.
const fn alarm_after() -> u64 {
    300
}

/// `[retention]`: the entries of old logs are deleted; their hashes and heads stay.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, try_from = "UncheckedRetention")]
pub struct RetentionConfig {
    /// Entries are kept through the year of their log and this number of whole years after it; at least one.
    pub keep_years: u16,
    /// The written policy that requires it, in one line. It is recorded in the log and beside the log's public files.
    pub policy: String,
}

/// `[retention]` in the file, unchecked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedRetention {
    keep_years: u16,
    policy: String,
}

impl TryFrom<UncheckedRetention> for RetentionConfig {
    type Error = String;

    fn try_from(UncheckedRetention { keep_years, policy }: UncheckedRetention) -> Result<Self, String> {
        if keep_years == 0 {
            return Err("keep_years must be 1 or more: a year is audited after it is over".to_owned());
        }
        if !(1..=PRUNING_POLICY_MAX).contains(&policy.chars().count()) || policy.chars().any(char::is_control)
        {
            return Err(format!("policy must be one line of 1 to {PRUNING_POLICY_MAX} characters"));
        }
        Ok(Self { keep_years, policy })
    }
}

/// `[[producer]]`: one source of audit events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProducerConfig {
    /// The source's name, `mz.gateway.police`.
    pub source: String,
    /// The source's public keys (JWK): several while one replaces another.
    pub key_files: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, path::Path};

    use super::*;

    #[test]
    fn entries_are_kept_for_a_year_at_least_and_a_policy_says_how_long() {
        let read = |keep_years: u16, policy: &str| {
            RetentionConfig::try_from(UncheckedRetention { keep_years, policy: policy.to_owned() })
        };
        assert_eq!(read(10, "Diploma Ministerial n.º 12/2027").expect("sound").keep_years, 10);
        for (keep_years, policy) in [(0, "a policy"), (1, ""), (1, "two\nlines"), (1, &"x".repeat(201))] {
            assert!(read(keep_years, policy).is_err(), "{keep_years} {policy:?}");
        }
    }

    #[test]
    fn the_example_is_sound() {
        let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/example.toml"));
        let loaded = rovuma_runtime::config::load_with_env::<AuditConfig>(Some(example), HashMap::new());
        let (config, _) = loaded.expect("the example is sound");
        assert_eq!((config.country.as_str(), config.producers.len()), ("mz", 3));
    }
}
