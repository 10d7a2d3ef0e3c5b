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

/// Whether `c` is a control character that no text needs: such characters can hide or reorder text on the screen.
fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

shaped_text!(
    /// Free text of several lines, in the message's language: 1 byte to 16 KiB of UTF-8.
    Text, "a text of 1 byte to 16 KiB",
    |text| !text.is_empty() && text.len() <= TEXT_MAX_BYTES && !text.chars().any(is_forbidden),
    {
        "type": "string", "minLength": 1, "maxLength": TEXT_MAX_BYTES,
        "pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$",
        "description": "free text in the message's language, at most 16 KiB of UTF-8"
    }
);

shaped_text!(
    /// A text of one line: a name, a place, a reference. 1 to 200 characters.
    Line, "one line of 1 to 200 characters",
    |text| !text.is_empty() && text.chars().count() <= LINE_MAX_CHARS && !text.chars().any(char::is_control),
    {
        "type": "string", "minLength": 1, "maxLength": LINE_MAX_CHARS,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        "description": "one line of text"
    }
);
