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

/// Whether the alert is over, whichever of our agencies says so: a withdrawal is absorbing. That one agency does not have it, or takes it for
/// expired, may be for want of a message that another has.
pub(super) fn is_over_for_all(alert: &ScreenedAlert) -> bool {
    alert.state == "withdrawn"
}

/// The entry of an alert in the view of `agency`.
pub(super) fn of(alert: ScreenedAlert, agency: &AgencyCode) -> Listed {
    Listed {
        list: alerts_of(agency),
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
            held_by: vec![agency.clone()],
        }),
    }
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
