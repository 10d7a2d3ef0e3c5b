//! Whom to telephone, and by which other way the same was sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AgencyCode, Line,
    words::{listed_code, shaped_text},
};

shaped_text!(
    /// A telephone number with its country code (ITU-T E.164): `+258840000000`.
    Phone, "a telephone number such as +258840000000",
    |text| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    },
    { "type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$" }
);

listed_code!(
    /// Another way by which the same was sent.
    ChannelCode, "other_channels"
);

/// Whom to telephone about a case. It is signed with the message, so that nobody can put another number there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// The rank or the name, or the desk.
    pub name: Line,
    /// The telephone number.
    pub phone: Phone,
    /// When somebody answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Line>,
}

/// Another way by which the same was sent, so that nobody works on it twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlsoSent {
    /// The way.
    pub channel: ChannelCode,
    /// The agency that it was sent to, where the exchange knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyCode>,
    /// Its reference there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Line>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        FaultCode,
        families::support::{example, faults, just, with},
    };

    #[rstest]
    #[case("+258840000000", true)]
    #[case("+255222110734", true)]
    #[case("+1234567", true)]
    #[case("+123456789012345", true)]
    #[case("258840000000", false)]
    #[case("+0840000000", false)]
    #[case("+258 84 000 0000", false)]
    #[case("+123456", false)]
    #[case("+1234567890123456", false)]
    #[case("+", false)]
    fn a_number_has_its_country_code_for_type_and_schema_alike(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(text.parse::<Phone>().is_ok(), is_one);
        let draft = with(example("request-identity-check"), "/body/contact/phone", text);
        let expected = if is_one { vec![] } else { just("/body/contact/phone", FaultCode::WrongFormat) };
        assert_eq!(faults(&draft), expected);
    }
}
