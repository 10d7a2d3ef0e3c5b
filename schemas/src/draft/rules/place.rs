//! Places and events.

use crate::{Timestamp, alert::SubdivisionCode, draft::rules::Checker, fault::FaultCode, view::View};

pub(super) fn check(checker: &mut Checker<'_>) {
    for place in checker.subjects().field("places").items() {
        location(checker, &place);
        subdivision(checker, &place.field("subdivision"));
        let (from, until) = (place.field("from"), place.field("until"));
        let times = from.parsed::<Timestamp>().zip(until.parsed::<Timestamp>());
        if times.is_some_and(|(from, until)| until < from) {
            checker.tell(&until.at, FaultCode::EventTimesOrder);
        }
    }
}

fn location(checker: &mut Checker<'_>, place: &View<'_>) {
    let located = ["name", "subdivision", "district", "crossing", "point"];
    if !located.iter().any(|field| place.field(field).is_there()) {
        checker.tell(&place.at, FaultCode::PlaceWithoutLocation);
    }
}

/// Where the list has a country's subdivisions it has all of them; of other countries any code of
/// the right form is taken.
fn subdivision(checker: &mut Checker<'_>, view: &View<'_>) {
    let Some(code) = view.parsed::<SubdivisionCode>() else { return };
    let Some(list) = checker.context.lists.get("subdivisions") else { return };
    let country = &code.as_str()[..3];
    let covered = list.entries.iter().any(|entry| entry.code.starts_with(country));
    if covered && list.find(code.as_str()).is_none() {
        checker.tell_with(&view.at, FaultCode::SubdivisionUnknown, code.as_str());
    }
}
