//! The context of a draft's check.

use crate::{AgencyCode, AgencyDirectory, CodeLists, Date, Timestamp};

/// Sender and time, and the installation's agencies and code lists, against which a draft is checked.
#[derive(Clone, Copy, Debug)]
pub struct ValidationContext<'a> {
    /// The time of the check.
    pub now: Timestamp,
    /// The agency that would send.
    pub sender: &'a AgencyCode,
    /// The agencies that can be addressed.
    pub agencies: &'a AgencyDirectory,
    /// The code lists, the registry of legal bases among them.
    pub lists: &'a CodeLists,
}

impl<'a> ValidationContext<'a> {
    /// A context with the agencies and lists shipped with this version.
    pub fn shipped(now: Timestamp, sender: &'a AgencyCode) -> Self {
        Self { now, sender, agencies: AgencyDirectory::shipped(), lists: CodeLists::shipped() }
    }

    /// The day of the check, UTC.
    pub(crate) fn today(&self) -> Date {
        Date::of(self.now)
    }
}
