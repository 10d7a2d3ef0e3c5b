//! Who can be written to: the agencies of the trust lists.

use std::sync::{Arc, Mutex, PoisonError};

use rovuma_envelope::{ListedAgency as Listed, SharedTrust, TrustStore};
use rovuma_schemas::{Agency, AgencyDirectory, Date, Labels, Locale};

/// The directory of the trust lists in force, made once for each of them: every draft is checked against it.
#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<Option<(Arc<TrustStore>, Arc<AgencyDirectory>)>>);

impl Directory {
    /// That of the lists now in force in `trust`.
    pub(crate) fn of(&self, trust: &SharedTrust) -> Arc<AgencyDirectory> {
        let present = trust.current();
        // Swapped in one move, so a panic elsewhere cannot have left half of it.
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match made.as_ref() {
            Some((of, directory)) if Arc::ptr_eq(of, &present) => Arc::clone(directory),
            _ => {
                let directory = Arc::new(AgencyDirectory::new(present.agencies().map(entry)));
                *made = Some((present, Arc::clone(&directory)));
                directory
            }
        }
    }
}

fn entry(listed: &Listed) -> Agency {
    Agency {
        code: listed.code.clone(),
        names: labels(listed),
        parents: Vec::new(),
        units: Vec::new(),
        valid_from: Some(Date::of(listed.valid_from)),
        // The list names the first instant without it, the directory the last day with it.
        valid_until: listed
            .valid_until
            .map(|until| Date::of(until.minus(std::time::Duration::from_micros(1)))),
    }
}

/// An agency's names in the three languages; English or its code where the list has none.
pub(crate) fn labels(listed: &Listed) -> Labels {
    let fallback = listed.names.get("en").map_or(listed.code.as_str(), String::as_str);
    let name = |locale: Locale| listed.names.get(locale.as_str()).map_or(fallback, String::as_str).to_owned();
    Labels { pt: name(Locale::Pt), sw: name(Locale::Sw), en: name(Locale::En) }
}
