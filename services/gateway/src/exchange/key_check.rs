//! Compares the configured keys of own agencies with the country's trust list, for `--check-config`: a gateway starts with keys
//! that are not listed, because the list may come later, but nobody believes what it signs.

use std::{fmt::Display, path::Path};

use rovuma_envelope::{KeyId, KeyState, TrustStore};
use rovuma_schemas::Timestamp;

use super::{agencies::OwnAgencies, trust};
use crate::config::{AgencyConfig, GatewayConfig, TrustListConfig};

/// Sentences about keys that the trust list, as its file is now, does not give the agencies for which they are configured.
pub(crate) fn warnings(config: &GatewayConfig, now: Timestamp) -> Vec<String> {
    let Some(list) = config.trust.lists.iter().find(|list| list.country == config.country) else {
        return vec![format!("no trust list of {} is configured: nothing can be sent", config.country)];
    };
    let unread = |fault: &dyn Display| {
        let file = list.file.display();
        vec![format!("the trust list {file} was not read, and the keys were not compared with it: {fault}")]
    };
    let json = match std::fs::read(&list.file) {
        Ok(json) => json,
        Err(fault) => return unread(&fault),
    };
    let trust = match trust::with_list(&config.trust, &json, now) {
        Ok(trust) => trust,
        Err(fault) => return unread(&fault),
    };
    // The keys were read before, by the check itself.
    let Ok(agencies) = OwnAgencies::load(config.country, &config.agencies) else { return Vec::new() };
    let of_agency = |agency: &AgencyConfig| {
        let own = agencies.get(&agency.code)?;
        let kid = *own.signer.key_id();
        let signing = signing_warning(&trust, list, (agency, kid), now);
        let sealed_to = trust.sealing_recipient(&agency.code, now).ok();
        let sealing =
            sealed_to.filter(|recipient| own.sealing.iter().all(|key| key.recipient() != *recipient));
        let files: Vec<String> =
            agency.sealing_key_files.iter().map(|file| file.path().display().to_string()).collect();
        let sealing = sealing.map(|recipient| {
            format!(
                "partners seal to {} for the key {recipient}, as the trust list {} says, and none of its sealing keys opens \
                 that: {}",
                agency.code,
                list.file.display(),
                files.join(", ")
            )
        });
        Some(signing.into_iter().chain(sealing))
    };
    config.agencies.iter().filter_map(of_agency).flatten().collect()
}

fn signing_warning(
    trust: &TrustStore,
    list: &TrustListConfig,
    (agency, kid): (&AgencyConfig, KeyId),
    now: Timestamp,
) -> Option<String> {
    let why = match trust.key_state(&agency.code, &kid, now) {
        KeyState::Valid { .. } => return None,
        KeyState::Unlisted => {
            let other = trust.agencies().find(|other| other.signing_keys.iter().any(|key| key.kid == kid));
            match other {
                Some(other) => format!("is listed as a key of {}", other.code),
                None => "is not listed".to_owned(),
            }
        }
        KeyState::NotYetValid => "is not valid yet".to_owned(),
        KeyState::Expired => "has expired".to_owned(),
        KeyState::Revoked | KeyState::Compromised => "was revoked".to_owned(),
    };
    let (file, list): (&Path, &Path) = (agency.signing_key_file.path(), &list.file);
    Some(format!(
        "the signing key {} of {} (kid {kid}) {why} in the trust list {}: partners refuse what it signs",
        file.display(),
        agency.code,
        list.display()
    ))
}
