//! The family of alerts.

mod state;

use rovuma_schemas::{OperationalBody, Timestamp};

use super::FamilyRules;
use state::AlertState;

/// The rules of alerts.
pub(super) struct Rules;

impl FamilyRules for Rules {
    fn state(&self, opener: &OperationalBody, created: Timestamp, now: Timestamp) -> &'static str {
        AlertState::at(opener.ends(created), now).as_str()
    }
}
