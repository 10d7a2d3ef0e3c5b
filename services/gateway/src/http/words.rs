//! Words of ours by which lists are narrowed: types, families, facets, agencies.

use rovuma_api::words::unknown_word;
use rovuma_runtime::Problem;
use rovuma_schemas::{Family, MessageType};

use crate::gateway::Gateway;

/// What a filter names.
#[derive(Clone, Copy, Debug)]
pub(super) enum WordKind {
    /// A type of officers' messages.
    Type,
    /// A family, which is the kind of a case.
    Family,
    /// A facet.
    Facet,
    /// An agency of the trust lists.
    Agency,
}

impl WordKind {
    /// Every word of this kind that this gateway knows.
    fn known(self, gateway: &Gateway) -> Vec<String> {
        match self {
            Self::Type => {
                let types = MessageType::ALL.iter().filter(|known| known.class().is_operational());
                types.map(|known| known.as_str().to_owned()).collect()
            }
            Self::Family => Family::ALL.iter().map(|family| family.as_str().to_owned()).collect(),
            Self::Facet => Family::ALL.iter().flat_map(|family| family.facets()).map(str::to_owned).collect(),
            Self::Agency => {
                let trust = gateway.exchange.trust.current();
                trust.agencies().map(|agency| agency.code.to_string()).collect()
            }
        }
    }
}

/// The refusal of a list in which nothing was found, because one of its filters (parameter, kind, value) names a word that is not
/// known. Whatever is found is known: the store may hold words of a later version, or an agency that has left the trust lists.
pub(super) fn refusal(
    gateway: &Gateway,
    filters: &[(&'static str, WordKind, Option<String>)],
) -> Option<Problem> {
    filters.iter().find_map(|(parameter, kind, word)| {
        let word = word.as_ref()?;
        let known = kind.known(gateway);
        let is_unknown = !known.contains(word);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        is_unknown.then(|| unknown_word(parameter, word, &known))
    })
}
