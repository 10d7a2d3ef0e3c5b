//! An alert of the gateway as an entry of the watchlist.

use rovuma_api::answers::gateway::{ScreenedAlert, ScreenedIdentifier, ScreenedSubject};
use rovuma_schemas::AgencyCode;

use crate::{
    screening::{AlertFacts, Listed, ListedNumber, ListedSubject, NumberKind},
    standings::alerts_of,
};

/// Whether the alert is screened: it is in force, or may come into force again when somebody confirms it.
pub(super) fn is_screened(alert: &ScreenedAlert) -> bool {
    matches!(alert.state.as_str(), "active" | "suspended")
}

/// The entry of an alert that `agency` has; `known` is the entry as it is now, which other agencies of ours may have too.
pub(super) fn of(alert: ScreenedAlert, agency: &AgencyCode, known: Option<&Listed>) -> Listed {
    let mut held_by: Vec<AgencyCode> =
        known.and_then(|known| known.alert.as_ref()).map(|alert| alert.held_by.clone()).unwrap_or_default();
    if !held_by.contains(agency) {
        held_by.push(agency.clone());
        held_by.sort_unstable();
    }
    Listed {
        list: alerts_of(held_by.first().unwrap_or(agency)),
        reference: alert.short_reference.unwrap_or_default(),
        subjects: alert.subjects.into_iter().map(subject).collect(),
        alert: Some(AlertFacts {
            case: alert.case,
            version: alert.version,
            state: alert.state,
            status: alert.status.unwrap_or_default(),
            // What nobody says is for few eyes.
            handling: alert.handling.unwrap_or_else(|| "H3".to_owned()),
            category: alert.category.unwrap_or_default(),
            actions: alert.actions,
            warnings: alert.warnings,
            ends: alert.ends,
            confirm_by: alert.confirm_by,
            flagged: alert.flagged_reason,
            held_by,
        }),
    }
}

/// The entry without an agency; none when no other has it.
pub(super) fn without(mut listed: Listed, agency: &AgencyCode) -> Option<Listed> {
    let alert = listed.alert.as_mut()?;
    alert.held_by.retain(|other| other != agency);
    listed.list = alerts_of(alert.held_by.first()?);
    Some(listed)
}

fn subject(subject: ScreenedSubject) -> ListedSubject {
    ListedSubject {
        key: subject.key.map(|key| key.to_string()),
        names: subject.names,
        births: subject.birth.into_iter().collect(),
        vehicle_type: subject.vehicle_type,
        make: subject.make,
        colour: subject.colour,
        numbers: subject.identifiers.into_iter().filter_map(number).collect(),
    }
}

/// The number; none of a kind that a later gateway knows and this service does not.
fn number(identifier: ScreenedIdentifier) -> Option<ListedNumber> {
    let kind = match identifier.kind.as_str() {
        "document_series" => NumberKind::Document,
        other => NumberKind::from_word(other)?,
    };
    Some(ListedNumber {
        kind,
        value: identifier.value,
        value_to: identifier.value_to,
        qualifier: identifier.qualifier,
        document_type: identifier.document_type,
        is_misused: false,
        key: identifier.key.map(|key| key.to_string()),
    })
}
