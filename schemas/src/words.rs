//! Texts and codes whose form is checked.

/// A newtype over a `String` with a checking constructor and a JSON Schema.
macro_rules! shaped_text {
    ($(#[$meta:meta])* $type:ident, $expected:literal, $accepts:expr, $schema:tt) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::BadId;

            fn from_str(text: &str) -> Result<Self, $crate::BadId> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(text) { Ok(Self(text.to_owned())) } else { Err($crate::BadId::new($expected, text)) }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

/// A code of one code list. Reading accepts any word of the right form, so that a newer minor version may add codes; drafts
/// are checked against the list and its dates.
macro_rules! listed_code {
    ($(#[$meta:meta])* $type:ident, $list:literal) => {
        $crate::words::shaped_text!(
            $(#[$meta])*
            $type, "a code word", $crate::words::is_code,
            { "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,48}$", "x-code-list": $list }
        );
    };
}

/// An enumeration that keeps unknown words as received, so that a newer minor version may add words without breaking this
/// reader.
macro_rules! open_words {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$doc])* $variant,)+
            /// A word of a newer version.
            Other(String),
        }

        impl $type {
            /// Every word this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::BadId;

            fn from_str(text: &str) -> Result<Self, $crate::BadId> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other if $crate::words::is_code(other) => Ok(Self::Other(other.to_owned())),
                    other => Err($crate::BadId::new("a code word", other)),
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let known: Vec<&str> = Self::KNOWN.iter().map(Self::as_str).collect();
                schemars::json_schema!({
                    "type": "string",
                    "pattern": "^[A-Za-z0-9_.-]{1,48}$",
                    "examples": known
                })
            }
        }
    };
}

pub(crate) use {listed_code, open_words, shaped_text};

use crate::limits::{LINE_MAX_CHARS, TEXT_MAX_BYTES};

/// Whether `text` has the form of a code.
pub(crate) fn is_code(text: &str) -> bool {
    (1..=48).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Whether `c` cannot be seen, or changes the order of other characters on the screen, so that a text could say another thing
/// than it seems to: bidirectional controls, characters without width, letters that are blank, tags. Texts of the three languages,
/// and names in Arabic, need none of them.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a text has nothing but white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// The first character that no text may have: a control character other than those of `allowed`, or one that cannot be seen.
pub(crate) fn first_unseen(text: &str, allowed: &[char]) -> Option<char> {
    text.chars().find(|c| is_unseen(*c) || (c.is_control() && !allowed.contains(c)))
}

/// The control characters of a text of several lines.
pub(crate) const TEXT_CONTROLS: [char; 3] = ['\n', '\r', '\t'];

/// The characters of [`is_unseen`] in a class of a pattern, except the tags: they lie beyond the numbers that every reader of
/// patterns can write.
macro_rules! unseen {
    () => {
        r"\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
    };
}

/// The white space of a line in a class of a pattern.
macro_rules! spaces {
    () => {
        r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
    };
}

/// Characters that a text may have, one of which is no white space.
macro_rules! some_text {
    ($refused:literal, $white:literal) => {
        concat!(
            "^[^",
            $refused,
            unseen!(),
            "]*[^",
            $refused,
            $white,
            unseen!(),
            spaces!(),
            "][^",
            $refused,
            unseen!(),
            "]*$"
        )
    };
}

const TEXT_PATTERN: &str =
    some_text!(r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f", r"\u0009\u000a\u000d");
const LINE_PATTERN: &str = some_text!(r"\u0000-\u001f\u007f-\u009f", "");

shaped_text!(
    /// Free text of several lines, in the message's language: 1 byte to 16 KiB of UTF-8, not only white space, without
    /// characters that cannot be seen.
    Text, "a text of 1 byte to 16 KiB",
    |text| !is_blank(text) && text.len() <= TEXT_MAX_BYTES && first_unseen(text, &TEXT_CONTROLS).is_none(),
    {
        "type": "string", "minLength": 1, "maxLength": TEXT_MAX_BYTES,
        "pattern": TEXT_PATTERN,
        "description": "free text in the message's language, at most 16 KiB of UTF-8, not only spaces, and without characters that cannot be seen"
    }
);

shaped_text!(
    /// A text of one line: a name, a place, a reference. 1 to 200 characters, not only white space, without characters that
    /// cannot be seen.
    Line, "one line of 1 to 200 characters",
    |text| !is_blank(text) && text.chars().count() <= LINE_MAX_CHARS && first_unseen(text, &[]).is_none(),
    {
        "type": "string", "minLength": 1, "maxLength": LINE_MAX_CHARS,
        "pattern": LINE_PATTERN,
        "description": "one line of text, not only spaces, and without characters that cannot be seen"
    }
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Motorizada vermelha", true)]
    #[case("  Nguyễn Văn – محمد ", true)]
    #[case("", false)]
    #[case("   ", false)]
    #[case("\u{a0}\u{3000}", false)]
    #[case("a\u{202e}b", false)]
    #[case("a\u{200b}b", false)]
    #[case("\u{2066}a", false)]
    #[case("a\u{feff}", false)]
    #[case("a\u{e0041}", false)]
    #[case("a\u{2800}", false)]
    #[case("a\u{0}", false)]
    fn lines_show_what_they_say(#[case] text: &str, #[case] is_line: bool) {
        assert_eq!(
            (text.parse::<Line>().is_ok(), text.parse::<Text>().is_ok()),
            (is_line, is_line),
            "{text:?}"
        );
    }

    #[test]
    fn a_text_may_have_several_lines_and_a_line_not() {
        assert!("a\r\n\tb".parse::<Text>().is_ok() && "a\nb".parse::<Line>().is_err());
        assert!("\n\t ".parse::<Text>().is_err());
    }

    proptest! {
        /// The schemas refuse what the types refuse, except tags, and nothing else.
        #[test]
        fn patterns_and_types_agree(text in "[\\x00-\\x20a\u{85}\u{a0}\u{ad}\u{2000}-\u{206f}\u{3000}\u{feff}\u{61c}é]{0,6}") {
            for (pattern, is_taken) in [(TEXT_PATTERN, text.parse::<Text>().is_ok()), (LINE_PATTERN, text.parse::<Line>().is_ok())] {
                let schema = serde_json::json!({ "type": "string", "pattern": pattern });
                let options = jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
                let matches = options.build(&schema).expect("compiles").is_valid(&serde_json::json!(text));
                prop_assert_eq!(matches, is_taken, "{:?}", text);
            }
        }
    }
}
