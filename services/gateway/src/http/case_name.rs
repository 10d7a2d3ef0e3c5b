//! The name of a case in a query: `alert/mz.prm/0199…`.

use rovuma_runtime::Problem;
use rovuma_schemas::{CaseId, MessageId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::cases::Narrowed;

/// A case by its name.
#[derive(Clone, Debug)]
pub(super) struct CaseName(CaseId);

impl<'de> Deserialize<'de> for CaseName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for CaseName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Reads the case or the answered message to which a list is narrowed. Both at once are refused, because each has an index of
/// its own.
pub(super) fn one_narrowing(
    case: Option<&CaseName>,
    in_reply_to: Option<MessageId>,
) -> Result<Option<Narrowed>, Box<Problem>> {
    match (case, in_reply_to) {
        (Some(_), Some(_)) => {
            Err(Problem::bad_request("bad_request").detail("case and in_reply_to exclude each other.").into())
        }
        (Some(CaseName(case)), None) => Ok(Some(Narrowed::Case(case.clone()))),
        (None, in_reply_to) => Ok(in_reply_to.map(Narrowed::InReplyTo)),
    }
}
