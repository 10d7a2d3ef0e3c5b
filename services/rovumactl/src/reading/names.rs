//! The names of agencies in the reader's language.

use std::collections::BTreeMap;

use rovuma_api::answers::gateway::Agencies;
use rovuma_schemas::{AgencyCode, AgencyDirectory, Locale};

use crate::client::Client;

/// Agencies by code. The names shipped with this version have all three languages; the gateway adds those of other agencies.
pub(crate) struct AgencyNames(BTreeMap<AgencyCode, String>);

impl AgencyNames {
    /// The names shipped with this version.
    pub(crate) fn shipped(locale: Locale) -> Self {
        let name =
            |agency: &rovuma_schemas::Agency| (agency.code.clone(), agency.names.get(locale).to_owned());
        Self(AgencyDirectory::shipped().iter().map(name).collect())
    }

    /// Names of at least `agencies`: the shipped ones, and the gateway's when one is missing. Whoever may not ask the gateway
    /// reads codes.
    pub(crate) async fn known(client: &Client, locale: Locale, agencies: &[AgencyCode]) -> Self {
        let Self(mut names) = Self::shipped(locale);
        if agencies.iter().all(|code| names.contains_key(code)) {
            return Self(names);
        }
        if let Ok(listed) = client.get::<Agencies>("/v1/agencies", &[]).await {
            for agency in listed.value.items {
                names.entry(agency.code).or_insert(agency.name);
            }
        }
        Self(names)
    }

    /// An agency as people read it: its name, and its code in brackets. The code alone where it has no name.
    pub(crate) fn text(&self, code: &str) -> String {
        let name = code.parse::<AgencyCode>().ok().and_then(|code| self.0.get(&code));
        name.filter(|name| *name != code).map_or_else(|| code.to_owned(), |name| format!("{name} ({code})"))
    }
}
