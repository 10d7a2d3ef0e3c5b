//! The three languages of the exchange.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BadId;

/// A language of labels and sentences (ISO 639-1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// Portuguese, as written in Mozambique.
    Pt,
    /// Swahili, as written in Tanzania.
    Sw,
    /// English.
    #[default]
    En,
}

impl Locale {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Pt, Self::Sw, Self::En];

    /// The ISO 639-1 code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pt => "pt",
            Self::Sw => "sw",
            Self::En => "en",
        }
    }

    /// The best of the three for an `Accept-Language` header (RFC 9110 section 12.5.4); English when the header names none of
    /// them.
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (0.0_f32, Self::default());
        for range in accept_language.split(',') {
            let (tag, quality) = split_quality(range);
            let primary = tag.split('-').next().unwrap_or_default();
            if let Ok(locale) = primary.to_ascii_lowercase().parse::<Self>()
                && quality > best.0
            {
                best = (quality, locale);
            }
        }
        best.1
    }
}

/// `pt-MZ;q=0.8` → (`pt-MZ`, 0.8); a range without a weight has 1.
fn split_quality(range: &str) -> (&str, f32) {
    match range.split_once(';') {
        None => (range.trim(), 1.0),
        Some((tag, weight)) => {
            let quality = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok()).unwrap_or(0.0);
            (tag.trim(), quality)
        }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Locale {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::ALL
            .into_iter()
            .find(|locale| locale.as_str() == text)
            .ok_or_else(|| BadId::new("one of pt, sw, en", text))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("pt-MZ,pt;q=0.9,en;q=0.5", Locale::Pt)]
    #[case("fr, en;q=0.2, sw;q=0.7", Locale::Sw)]
    #[case("*", Locale::En)]
    #[case("", Locale::En)]
    #[case("sw;q=0", Locale::En)]
    #[case("sw;q=nonsense;;,,", Locale::En)]
    fn the_best_known_language_is_taken(#[case] header: &str, #[case] expected: Locale) {
        assert_eq!(Locale::negotiate(header), expected);
    }
}
