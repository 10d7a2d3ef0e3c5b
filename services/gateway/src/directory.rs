//! The agencies that can be addressed: those of the trust lists.

use std::sync::{Arc, Mutex, PoisonError};

use rovuma_envelope::{ListedAgency, SharedTrust, TrustStore};
use rovuma_schemas::{Agency, AgencyDirectory, Date, Labels, Locale};

/// The directory of agencies, cached for the trust lists in force, because every draft is checked against it.
#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<Option<(Arc<TrustStore>, Arc<AgencyDirectory>)>>);

impl Directory {
    /// The directory of the lists now in force in `trust`.
    pub(crate) fn current(&self, trust: &SharedTrust) -> Arc<AgencyDirectory> {
        let present = trust.current();
        // The value is replaced as a whole, so a panic cannot have left half of it.
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match cached.as_ref() {
            Some((of, directory)) if Arc::ptr_eq(of, &present) => Arc::clone(directory),
            _ => {
                let directory = Arc::new(AgencyDirectory::new(present.agencies().map(directory_entry)));
                *cached = Some((present, Arc::clone(&directory)));
                directory
            }
        }
    }
}

fn directory_entry(listed: &ListedAgency) -> Agency {
    Agency {
        code: listed.code.clone(),
        names: labels(listed),
        parents: Vec::new(),
        units: Vec::new(),
        valid_from: Some(Date::of(listed.valid_from)),
        // The trust list names the first instant at which the agency is not valid, the directory its last valid day.
        valid_until: listed
            .valid_until
            .map(|until| Date::of(until.minus(std::time::Duration::from_micros(1)))),
    }
}

/// An agency's names in the three languages: the trust list's, or else those that come with this program, or else the list's
/// English name or the code.
pub(crate) fn labels(listed: &ListedAgency) -> Labels {
    let fallback = listed.names.get("en").map_or(listed.code.as_str(), String::as_str);
    let shipped = AgencyDirectory::shipped().find(&listed.code);
    let name = |locale: Locale| {
        let named = listed.names.get(locale.as_str()).map(String::as_str);
        named.or_else(|| Some(shipped?.names.get(locale))).unwrap_or(fallback).to_owned()
    };
    Labels { pt: name(Locale::Pt), sw: name(Locale::Sw), en: name(Locale::En) }
}
