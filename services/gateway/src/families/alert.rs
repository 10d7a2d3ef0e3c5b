//! The family of alerts.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the messages that follow an alert's first version have no types yet")
)]
mod state;

use rovuma_schemas::{OperationalBody, Timestamp};

use super::FamilyRules;
use state::{AlertCase, Content};

/// The rules of alerts.
pub(super) struct Rules;

impl FamilyRules for Rules {
    fn state(&self, opener: &OperationalBody, created: Timestamp, now: Timestamp) -> &'static str {
        let content = Content { ends: opener.ends(created), confirm_by: None };
        AlertCase::issued(content).at(now).as_str()
    }
}
