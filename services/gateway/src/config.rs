//! The gateway's configuration file.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use rovuma_broker::BrokerConfig;
use rovuma_outbox::OutboxSettings;
use rovuma_policy::PolicyConfig;
use rovuma_runtime::{ListenConfig, SecretFile};
use rovuma_schemas::{
    AgencyCode, CountryCode, LegalBasisCode,
    request::{ANSWER_HOURS_MAX, AnswerLimits},
};
use rovuma_store::StoreConfig;
use rovuma_tokens::TokensConfig;
use rovuma_trail::ShipperSettings;
use serde::Deserialize;

/// The whole file; `[admin]`, `[log]` and `[telemetry]` belong to the runtime.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// The country of this installation, `mz`.
    pub country: CountryCode,
    /// The gateway's name within the country: its queues are `inbox.<name>.*`, its broker user is
    /// `gateway.<name>`.
    pub name: String,
    /// `[store]`: the database of drafts, messages, outbox and audit events.
    pub store: StoreConfig,
    /// `[broker]`: the country's own broker.
    pub broker: BrokerConfig,
    /// `[http]`: the API.
    pub http: ListenConfig,
    /// `[tokens]`: the issuers whose access tokens are accepted.
    pub tokens: TokensConfig,
    /// `[audit]`: where audit events go.
    pub audit: AuditConfig,
    /// `[trust]`: the trust lists, our own country's and the partners'.
    pub trust: TrustConfig,
    /// `[[agency]]`: the agencies served here.
    #[serde(rename = "agency")]
    pub agencies: Vec<AgencyConfig>,
    /// `[policy]`: other access policies than the built-in ones.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// `[validation]`: what drafts are checked against beside the trust lists.
    #[serde(default)]
    pub validation: ValidationConfig,
    /// `[exchange]`: the intervals of status messages and requests.
    #[serde(default)]
    pub exchange: Timings,
    /// `[outbox]`: the window and retransmission.
    #[serde(default)]
    pub outbox: OutboxSettings,
    /// `[retention]`: when content is erased whose retention has ended.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// `[reminders]`: whether partners are reminded of what they have not answered in time.
    #[serde(default)]
    pub reminders: RemindersConfig,
    /// `[agreements.<code>]`: the hours that an agreement gives to answer a request, by the code of its legal basis. The usual ones hold
    /// where none is named.
    #[serde(default)]
    pub agreements: Agreements,
}

/// The time to answer that each agreement gives, by the code of its legal basis.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Agreements(BTreeMap<String, AnswerLimits>);

impl Agreements {
    /// Refuses hours that no request may state.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for (code, limits) in &self.0 {
            anyhow::ensure!(
                limits.are_possible(),
                "[agreements.{code}]: each time to answer is 1 to {ANSWER_HOURS_MAX} hours"
            );
        }
        Ok(())
    }

    /// The hours that a message on this legal basis gives.
    pub(crate) fn limits(&self, legal_basis: &LegalBasisCode) -> AnswerLimits {
        self.0.get(legal_basis.as_str()).copied().unwrap_or_default()
    }
}

/// `[reminders]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemindersConfig {
    /// Whether the gateway reminds by itself, once a day for each request that is past its limit. Officers may in any case.
    pub by_itself: bool,
    /// How often the gateway looks up which requests are past their limit, in milliseconds so that tests can be quick.
    pub every_ms: u64,
}

impl Default for RemindersConfig {
    fn default() -> Self {
        Self { by_itself: true, every_ms: 60 * 60 * 1000 }
    }
}

impl RemindersConfig {
    /// How often it is looked up.
    pub(crate) const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }
}

/// `[retention]`: intervals, in milliseconds so that tests can be quick.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// How often what is due is erased; besides on each new day of UTC, because retention ends with a day.
    pub every_ms: u64,
    /// How often the states of cases are moved on that have changed by time alone.
    pub states_every_ms: u64,
    /// Whether the database is rewritten after an erasure, so that its files hold nothing of what was erased. It occupies the
    /// store for as long as copying it takes; without it the operator must do so at a time of their own choice.
    pub rewrite: bool,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        const HOUR: u64 = 60 * 60 * 1000;
        Self { every_ms: 24 * HOUR, states_every_ms: HOUR, rewrite: true }
    }
}

impl RetentionConfig {
    /// How often what is due is erased.
    pub(crate) const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    /// How often states are moved on.
    pub(crate) const fn states_every(&self) -> Duration {
        Duration::from_millis(self.states_every_ms)
    }
}

/// `[validation]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationConfig {
    /// Files with code lists (JSON, the shape of `schemas/codes/*.json`) that replace the shipped ones: above all the registry
    /// of legal bases, which a lawyer of the country must confirm.
    pub code_lists: Vec<PathBuf>,
}

/// `[audit]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// The name under which this gateway writes audit events, `mz.gateway`.
    pub source: String,
    /// The key that signs its batches, PKCS#8 PEM.
    pub key_file: SecretFile,
    /// The audit service's age recipient, to which batches are sealed.
    pub recipient_file: PathBuf,
    /// The audit service's public key (JWK), which signs acknowledgements.
    pub ack_key_file: PathBuf,
    /// Age of the oldest unacknowledged event at which releases are refused.
    #[serde(default = "three_days")]
    pub overdue_after_ms: u64,
    /// `[audit.shipping]`: how long to wait for acknowledgements.
    #[serde(default)]
    pub shipping: ShipperSettings,
}

/// Long enough for a weekend without the audit service; short enough that messages are not sent unaudited for weeks.
const fn three_days() -> u64 {
    72 * 60 * 60 * 1000
}

/// `[trust]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// One entry per country, our own included.
    pub lists: Vec<TrustListConfig>,
    /// How often the files are checked for a change.
    #[serde(default = "two_seconds")]
    pub look_every_ms: u64,
    /// Days past its next update for which a list is still trusted; after them its country's messages are held.
    #[serde(default = "sixty_days")]
    pub list_grace_days: u32,
}

/// Long enough for an authority that is absent or cut off; short enough that a revocation is not missed for months.
const fn sixty_days() -> u32 {
    60
}

const fn two_seconds() -> u64 {
    2_000
}

/// One country's trust list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustListConfig {
    /// The list's country.
    pub country: CountryCode,
    /// The file of the signed list.
    pub file: PathBuf,
    /// The file of the country's authority key (JWK), pinned at installation.
    pub authority_file: PathBuf,
}

/// `[[agency]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyConfig {
    /// The agency's code, `mz.prm`. `<cc>.node` may be one of them: it signs `link.fault` and `audit.*`.
    pub code: AgencyCode,
    /// The key that signs what the agency sends, PKCS#8 PEM.
    pub signing_key_file: SecretFile,
    /// The keys that open bundles sealed to the agency, the present one first, then former ones.
    pub sealing_key_files: Vec<SecretFile>,
}

/// `[exchange]`: intervals, in milliseconds so that tests can be quick.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timings {
    /// How often `stream.status` is sent to each correspondent.
    pub status_every_ms: u64,
    /// Age of a gap at which `GET /v1/streams` shows it.
    pub gap_shown_after_ms: u64,
    /// Age of a gap at which its numbers are requested.
    pub request_after_ms: u64,
    /// The wait between the first request and the second; doubled from then on.
    pub request_backoff_ms: u64,
    /// The longest wait between requests.
    pub request_backoff_max_ms: u64,
    /// The time after which a message that comes again is answered again.
    pub answer_again_after_ms: u64,
}

impl Default for Timings {
    fn default() -> Self {
        const MINUTE: u64 = 60_000;
        Self {
            status_every_ms: MINUTE,
            gap_shown_after_ms: MINUTE,
            request_after_ms: MINUTE,
            request_backoff_ms: 5 * MINUTE,
            request_backoff_max_ms: 6 * 60 * MINUTE,
            answer_again_after_ms: MINUTE,
        }
    }
}

impl Timings {
    /// How often `stream.status` is sent.
    pub(crate) const fn status_every(&self) -> Duration {
        Duration::from_millis(self.status_every_ms)
    }

    /// The time after which a message that comes again is answered again.
    pub(crate) const fn answer_again_after(&self) -> Duration {
        Duration::from_millis(self.answer_again_after_ms)
    }

    /// Age of a gap at which `GET /v1/streams` shows it.
    pub(crate) const fn gap_shown_after(&self) -> Duration {
        Duration::from_millis(self.gap_shown_after_ms)
    }

    /// Age of a gap at which its numbers are requested.
    pub(crate) const fn request_after(&self) -> Duration {
        Duration::from_millis(self.request_after_ms)
    }

    /// The wait before the next request for a gap that was requested `requests` times.
    pub(crate) fn request_backoff(&self, requests: u32) -> Duration {
        let doubled = self.request_backoff_ms.saturating_mul(1 << requests.saturating_sub(1).min(20));
        Duration::from_millis(doubled.min(self.request_backoff_max_ms))
    }
}
