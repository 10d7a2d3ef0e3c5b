//! The warnings about trust lists and keys that would stop the exchange if nobody acted.

use rovuma_api::answers::gateway::Warning;
use rovuma_envelope::{
    KeyState, TrustStore,
    trust::{ListState, ListStatus},
};
use rovuma_runtime::ExpiryLevel;
use rovuma_schemas::{AgencyCode, Timestamp};

use crate::gateway::Gateway;

fn warning(code: &str, subject: impl ToString, at: Option<Timestamp>) -> Warning {
    Warning { code: code.to_owned(), subject: subject.to_string(), at }
}

/// Warnings for `agency`: about every list, and about its own keys.
pub(super) fn for_agency(
    gateway: &Gateway,
    trust: &TrustStore,
    statuses: &[ListStatus],
    agency: &AgencyCode,
    now: Timestamp,
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = statuses.iter().flat_map(of_list).collect();
    warnings.extend(of_signing_key(gateway, trust, agency, now));
    warnings.extend(of_sealing_key(gateway, trust, agency, now));
    warnings.sort_by_key(|warning| warning.at);
    warnings
}

fn of_list(status: &ListStatus) -> Vec<Warning> {
    let code = match status.state {
        ListState::Current => None,
        ListState::Overdue => Some("list_overdue"),
        ListState::PastBound => Some("list_past_bound"),
        ListState::Missing => Some("list_missing"),
    };
    let late = code.map(|code| warning(code, status.country, status.next_update));
    let pin = status.pin_outdated.then(|| warning("pin_outdated", status.country, None));
    late.into_iter().chain(pin).collect()
}

/// A warning about the signing key of this gateway, as the trust list has it.
fn of_signing_key(
    gateway: &Gateway,
    trust: &TrustStore,
    agency: &AgencyCode,
    now: Timestamp,
) -> Option<Warning> {
    let kid = gateway.exchange.agencies.get(agency)?.signer.key_id();
    let (code, at) = match trust.key_state(agency, kid, now) {
        KeyState::Valid { not_after } if ExpiryLevel::of(not_after, now) > ExpiryLevel::Fine => {
            ("key_expiring", Some(not_after))
        }
        KeyState::Valid { .. } => return None,
        KeyState::NotYetValid => ("key_not_yet_valid", None),
        KeyState::Expired => ("key_expired", None),
        KeyState::Revoked => ("key_revoked", None),
        KeyState::Compromised => ("key_compromised", None),
        KeyState::Unlisted => ("key_unlisted", None),
    };
    Some(warning(code, kid, at))
}

/// A warning when others seal to a key that this gateway cannot open.
fn of_sealing_key(
    gateway: &Gateway,
    trust: &TrustStore,
    agency: &AgencyCode,
    now: Timestamp,
) -> Option<Warning> {
    let own = gateway.exchange.agencies.get(agency)?;
    let listed = trust.sealing_recipient(agency, now).ok();
    let opens = listed.is_some_and(|listed| own.sealing.iter().any(|key| key.recipient() == listed));
    let present = own.sealing.first()?.recipient();
    (!opens).then(|| warning("sealing_key_unlisted", present, None))
}
