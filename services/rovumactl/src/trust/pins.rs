//! Signed lists, and the pinned authority keys that verify them.

use std::path::{Path, PathBuf};

use clap::Args;
use rovuma_envelope::{Pin, SignedTrustList, TrustFault, TrustList, TrustPolicy, TrustStore};
use rovuma_schemas::{CountryCode, Timestamp};

use crate::{
    exit::{Failure, Outcome},
    files, keys,
};

/// Signed trust lists, and the authority keys that must have signed them.
#[derive(Debug, Args)]
pub(crate) struct PinArgs {
    /// A country's signed trust list; may be given for several countries
    #[arg(long = "trust", value_name = "FILE", required = true)]
    lists: Vec<PathBuf>,
    /// The authority key pinned for a country: <country>=<file>
    #[arg(long = "authority", value_name = "CC=FILE", value_parser = country_and_file, required = true)]
    authorities: Vec<(CountryCode, PathBuf)>,
}

pub(crate) fn country_and_file(text: &str) -> Result<(CountryCode, PathBuf), String> {
    let (country, file) = text.split_once('=').ok_or("give it as <country>=<file>, mz=authority.jwk")?;
    Ok((country.parse().map_err(|error| format!("{error}"))?, PathBuf::from(file)))
}

/// Verifies every list against its pin, and makes the trust store that verifies messages.
pub(crate) fn load_store(args: &PinArgs, now: Timestamp) -> Outcome<TrustStore> {
    let mut store = pinned(&args.authorities)?;
    for path in &args.lists {
        let json = files::read(path)?;
        (store, _) = store.with_list(&json, now).map_err(|error| refused(path, &error))?;
    }
    Ok(store)
}

/// A trust store with pins and no lists yet.
pub(crate) fn pinned(authorities: &[(CountryCode, PathBuf)]) -> Outcome<TrustStore> {
    let pins = authorities
        .iter()
        .map(|(country, file)| Ok(Pin::new(*country, keys::read_authority(file)?)))
        .collect::<Outcome<Vec<Pin>>>()?;
    TrustStore::new(TrustPolicy::default(), pins).map_err(|error| Failure::usage(error.to_string()))
}

/// Reads one signed list and verifies it.
pub(super) fn verify_list(list: &Path, authority: &Path) -> Outcome<TrustList> {
    let key = keys::read_authority(authority)?;
    let signed = SignedTrustList::from_json(&files::read(list)?).map_err(|error| refused(list, &error))?;
    let pin = Pin::new(signed.unverified_content().country, key);
    signed.verify(&pin).map_err(|error| refused(list, &error))
}

/// A list that does not verify is a failed verification; a file that is no list is a usage error.
pub(super) fn refused(path: &Path, error: &TrustFault) -> Failure {
    let what = crate::exit::chain(path.display(), error);
    match error {
        TrustFault::NotPinned { country } => {
            Failure::usage(what).next(format!("give --authority {country}=FILE with its authority key"))
        }
        TrustFault::TooLarge { .. } | TrustFault::Jws(_) => Failure::usage(what),
        TrustFault::Signature { .. } => Failure::verification(what)
            .next("ask that country, over another channel, for its authority key and its list"),
        _ => Failure::verification(what),
    }
}
