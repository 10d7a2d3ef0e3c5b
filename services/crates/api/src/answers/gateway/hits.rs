//! Cases of hits.

use rovuma_schemas::{AgencyCode, CaseId, Date, MessageId, SubjectKey, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::requests::CaseCertificate;

/// What is particular to the case of a hit. A hit is a lead, never authority to detain: the alert's owner says whether it is one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HitCase {
    /// The agency whose alert it is; absent while the notice itself has not arrived, as is all that it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub alert_owner: Option<AgencyCode>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<HitFound>,
    /// Whether the reporter may do what the alert asks for: its owner confirmed the hit, and the alert is in force.
    pub may_act: bool,
    /// Whether the reporter must release, or stop: the owner did not confirm it, the alert was withdrawn, or the hit was taken back.
    pub must_release: bool,
    /// Whether the reporter acted and must release. Both sides must look at once.
    pub contested: bool,
    /// Until when the reporter may hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub held_until: Option<Timestamp>,
    /// Whether the owner has not answered in time.
    pub overdue: bool,
    /// What the reporter did, codes of the list `actions`.
    pub actions: Vec<String>,
    /// The last day on which its data may be kept, of all its messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub retain_until: Option<Date>,
    /// What each party certified to have done with the data.
    pub certificates: Vec<CaseCertificate>,
}

/// What was found, and where; the identifier itself is in the message alone.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HitFound {
    /// The alert.
    #[schema(value_type = Object)]
    pub alert: CaseId,
    /// The version of the alert that was looked at.
    pub version: u32,
    /// The key of the alert's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub subject: Option<SubjectKey>,
    /// By what it was found, a code of the list `matched_kinds`.
    pub matched: String,
    /// The rule by which it was found, a code of the list `matching_rules`.
    pub rule: String,
    /// The rule's version.
    pub rule_version: u32,
    /// When it was found.
    #[schema(value_type = String, format = DateTime)]
    pub found_at: Timestamp,
    /// Where, a code of the list `crossings`.
    pub post: String,
    /// `entry`, `exit` or `none`.
    pub direction: String,
    /// Whether the document was in the hands of somebody else than its alert names.
    pub possible_misuse: bool,
    /// Whether it was found before the alert was there.
    pub retroactive: bool,
    /// The common mark of hits about one traveller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub encounter: Option<MessageId>,
}
