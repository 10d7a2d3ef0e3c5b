//! Telephone numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::{listed_code, shaped_text};

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
    /// A kind of telephone.
    TelephoneKind, "telephone_kinds"
);

/// A telephone number of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Telephone {
    /// The number.
    pub number: Phone,
    /// The kind, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TelephoneKind>,
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
