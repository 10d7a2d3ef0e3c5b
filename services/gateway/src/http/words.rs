//! Words of ours by which lists are narrowed: types, facets, agencies.

use rovuma_api::words::unknown_word;
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Facet, Family, MessageType};

use crate::gateway::Gateway;

/// The words that a list of messages is narrowed to.
pub(super) struct NamedWords<'q> {
    pub(super) message_type: Option<&'q str>,
    pub(super) facet: Option<&'q Facet>,
    /// The name of the filter for the other agency, and its value.
    pub(super) partner: (&'static str, Option<&'q AgencyCode>),
}

impl NamedWords<'_> {
    /// The refusal of a list in which nothing was found, because one of these words is unknown. Whatever is found is known: the
    /// store may hold words of a later version, or an agency that has left the trust lists.
    pub(super) fn refusal(&self, gateway: &Gateway) -> Option<Problem> {
        let types: Vec<&str> = MessageType::ALL
            .iter()
            .filter(|known| known.class().is_operational())
            .map(|known| known.as_str())
            .collect();
        let facets: Vec<&str> = Family::ALL.iter().flat_map(|family| family.facets()).collect();
        let trust = gateway.exchange.trust.current();
        let agencies: Vec<&str> = trust.agencies().map(|agency| agency.code.as_str()).collect();
        let (partner, agency) = self.partner;
        let named = [
            ("type", self.message_type, types),
            ("facet", self.facet.map(Facet::as_str), facets),
            (partner, agency.map(AgencyCode::as_str), agencies),
        ];
        named.into_iter().find_map(|(parameter, word, known)| {
            let word = word.filter(|word| !known.contains(word))?;
            Some(unknown_word(parameter, word, &known))
        })
    }
}
