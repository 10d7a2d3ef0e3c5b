//! The watchlist's configuration file.

use std::path::PathBuf;

use rovuma_broker::BrokerConfig;
use rovuma_policy::PolicyConfig;
use rovuma_runtime::{ListenConfig, SecretFile};
use rovuma_schemas::{AgencyCode, CountryCode, Locale, subjects::CrossingCode};
use rovuma_store::StoreConfig;
use rovuma_tokens::TokensConfig;
use serde::Deserialize;
use url::Url;

/// The whole file; `[admin]`, `[log]` and `[telemetry]` belong to the runtime.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchlistConfig {
    /// The country, `mz`.
    pub country: CountryCode,
    /// `[store]`: what is listed, and what was found.
    pub store: StoreConfig,
    /// `[at_rest]`: the key under which what names somebody is sealed in the store. Without it, it stands there as it is.
    pub at_rest: Option<AtRestConfig>,
    /// `[http]`: the address that the service listens on.
    pub http: ListenConfig,
    /// `[tokens]`: the issuers whose access tokens are accepted.
    pub tokens: TokensConfig,
    /// `[audit]`: the source of audit events, and the keys that protect them on the way.
    pub audit: AuditConfig,
    /// `[broker]`: the country's own broker, which carries audit events.
    pub broker: BrokerConfig,
    /// `[gateway]`: the country's gateway.
    pub gateway: PeerConfig,
    /// `[identity]`: the provider that gives this service's machine accounts their tokens.
    pub identity: PeerConfig,
    /// `[[agency]]`: the agencies of this installation whose alerts are screened.
    #[serde(rename = "agency")]
    pub agencies: Vec<AgencyConfig>,
    /// `[screening]`: when lists count as stale, who looks at imported ones, and how long crossings are remembered.
    #[serde(default)]
    pub screening: ScreeningConfig,
    /// `[policy]`: access policies in place of the built-in ones.
    #[serde(default)]
    pub policy: PolicyConfig,
}

/// `[at_rest]`: what is sealed in the store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtRestConfig {
    /// The data key: 32 bytes in base64url. What was sealed under another one is lost.
    pub key_file: SecretFile,
}

/// A service that this one asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Its address; `https`, or `http` on this machine.
    pub url: Url,
    /// The authorities that may have issued its certificate, PEM.
    pub ca_file: Option<PathBuf>,
}

/// `[audit]`: the name and the keys under which audit events are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// The name under which this service writes audit events, `mz.watchlist`.
    pub source: String,
    /// The key that signs its batches, PKCS#8 PEM.
    pub key_file: SecretFile,
    /// The audit service's age recipient, to which batches are sealed.
    pub recipient_file: PathBuf,
    /// The audit service's public key (JWK), which signs acknowledgements.
    pub ack_key_file: PathBuf,
}

/// `[[agency]]`: an agency, the machine account under which its alerts are read and its hits are reported, and the words of its notices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyConfig {
    /// The agency.
    pub code: AgencyCode,
    /// The machine account, with the role `watchlist_service`.
    pub client_id: String,
    /// Its secret.
    pub client_secret_file: SecretFile,
    /// The unit that notices name as their sender.
    pub unit: String,
    /// The legal basis of its notices, a code of `legal_bases`.
    pub legal_basis: String,
    /// The language of its notices.
    pub language: Locale,
    /// How many days its notices may be kept.
    #[serde(default = "a_year")]
    pub retain_days: u16,
    /// The duty desk: the owner of an alert telephones it about a hit, and officers of other agencies when all they see is "call".
    pub contact: ContactConfig,
}

/// A duty desk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactConfig {
    /// Its name.
    pub name: String,
    /// Its telephone number.
    pub phone: String,
    /// When somebody answers.
    pub hours: Option<String>,
}

/// `[screening]`: the limits of screening.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScreeningConfig {
    /// The alerts of an agency count as stale when the gateway has not been heard for this time.
    pub alerts_stale_after_s: u64,
    /// Imported lists count as stale when nobody has loaded them for this number of days.
    pub lists_stale_after_days: u64,
    /// The agency whose officers look at what imported lists name: others see no more than its telephone. Absent: each agency's own.
    pub national_office: Option<AgencyCode>,
    /// The border posts that screen here, codes of `crossings`: the issuers of alerts are told since when each acts on their word. Without
    /// any, they are told nothing.
    pub posts: Vec<CrossingCode>,
    /// How many hours crossings are remembered by number, so that an alert that comes later finds who is through already; 0: not at all. At
    /// most 48.
    #[serde(deserialize_with = "hours")]
    pub remember_crossings_h: u8,
}

impl Default for ScreeningConfig {
    /// The gateway says something every 20 seconds: three missed words are a fault, and no slow line. Public lists change weekly.
    fn default() -> Self {
        Self {
            alerts_stale_after_s: 60,
            lists_stale_after_days: 14,
            national_office: None,
            posts: Vec::new(),
            remember_crossings_h: 0,
        }
    }
}

/// Longer than the longest way to the next post; more would be a register of movements.
const REMEMBERED_MAX_H: u8 = 48;

fn hours<'de, D: serde::Deserializer<'de>>(value: D) -> Result<u8, D::Error> {
    let hours = u8::deserialize(value)?;
    if hours > REMEMBERED_MAX_H {
        return Err(serde::de::Error::custom(format!("at most {REMEMBERED_MAX_H} hours")));
    }
    Ok(hours)
}

const fn a_year() -> u16 {
    365
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, path::Path};

    use super::*;

    #[test]
    fn the_example_is_sound() {
        let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/example.toml"));
        let loaded = rovuma_runtime::config::load_with_env::<WatchlistConfig>(Some(example), HashMap::new());
        let (config, _) = loaded.expect("the example is sound");
        assert_eq!((config.country.as_str(), config.agencies.len()), ("mz", 1));
    }
}
