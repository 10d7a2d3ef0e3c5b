//! The lines of a case that a reader must not miss.

use rovuma_api::answers::gateway::{CaseView, CaseWarning};
use rovuma_schemas::{CodeLists, CountryCode, Locale};

use super::{CaseReader, hit};
use crate::moments::local;

/// The lines that a reader must not miss.
pub(super) fn banners(view: &CaseView, reader: &CaseReader) -> Vec<String> {
    let words = reader.words();
    let status = view.case.status.as_deref().and_then(|status| reader.reader.status_banner(status));
    let mut banners: Vec<String> = status.map(ToOwned::to_owned).into_iter().collect();
    if let Some(alert) = &view.alert {
        for country in &alert.flagged_countries {
            let agencies = alert.flagged.iter().filter(|agency| agency.country() == *country);
            let agencies: Vec<String> = agencies.map(|agency| reader.agency(agency)).collect();
            banners.push(words.flagged(country_name(*country, reader.reader.locale), agencies.join(", ")));
        }
        banners.extend(alert.superseded_by.map(|id| words.superseded_by(id)));
    }
    if let Some(request) = &view.request {
        banners.extend(request.cancelled_late.then(|| words.cancelled_late().to_owned()));
        banners.extend(request.dormant.then(|| words.dormant().to_owned()));
    }
    if let Some(hit) = &view.hit {
        banners.extend(hit::banners(hit, reader));
    }
    for missing in &view.missing {
        let count = missing.to.saturating_sub(missing.from).saturating_add(1);
        banners.push(words.on_the_way(reader.agency(&missing.agency), count));
    }
    banners.extend(view.warnings.iter().map(|warning| warning_text(warning, reader)));
    banners.extend(view.case.erased_at.map(|at| words.erased(local(at))));
    banners
}

fn warning_text(warning: &CaseWarning, reader: &CaseReader) -> String {
    let (words, agency, turn) = (reader.words(), reader.agency(&warning.agency), warning.turn);
    match warning.code.as_str() {
        "case_turn_reused" => words.turn_reused(agency, turn),
        "case_message_unlawful" => words.message_unlawful(turn, agency),
        "case_type_unknown" => words.type_not_known(turn, agency),
        "case_beyond_limit" => words.beyond_the_limit(turn, agency),
        later => format!("{agency} #{turn}: {later}"),
    }
}

/// The name of a country in the reader's language; its code where no list has it.
fn country_name(country: CountryCode, locale: Locale) -> String {
    let states = CodeLists::shipped().get("states").map(|list| list.entries.as_slice()).unwrap_or_default();
    let state = states.iter().find(|state| state.also.iter().any(|also| also == country.as_str()));
    state.map_or_else(|| country.to_string(), |state| state.labels.get(locale).to_owned())
}
