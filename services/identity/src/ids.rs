//! Account ids and log-in names.

use std::{fmt, str::FromStr};

use rovuma_schemas::{BadId, MessageId, Timestamp};

/// The id of a person's account: a UUIDv7. It is the `sub` of tokens and the actor of audit events, tells
/// nothing about the person, and is never used for another account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(MessageId);

impl AccountId {
    /// Draws a new id at the instant `now`.
    pub fn draw(now: Timestamp) -> Self {
        Self(MessageId::draw(now))
    }

    /// The 16 bytes of the UUID, as the store has them.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The id with these 16 bytes.
    ///
    /// # Errors
    /// [`BadId`] when they are not 16 bytes of a UUIDv7.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BadId> {
        MessageId::from_slice(bytes).map(Self)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AccountId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        text.parse().map(Self)
    }
}

/// A log-in name such as `ana.tembe`. It is in lower case, so that a person can type it either way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Login(String);

/// A text that is no log-in name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a log-in name must be 3 to 64 of a-z, 0-9, '.', '_', '-', '@', and begin with a letter or digit")]
pub struct BadLogin;

impl Login {
    /// Parses a log-in name, makes it lower case and drops white space around it.
    ///
    /// # Errors
    /// [`BadLogin`] when another character, or too few or too many, are left.
    pub fn parse(text: &str) -> Result<Self, BadLogin> {
        let login = text.trim().to_ascii_lowercase();
        let fits = (3..=64).contains(&login.len());
        let letters = login.bytes().all(|b| is_letter_or_digit(b) || b"._-@".contains(&b));
        if fits && letters && login.bytes().next().is_some_and(is_letter_or_digit) {
            Ok(Self(login))
        } else {
            Err(BadLogin)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_white_space_make_no_other_name() {
        assert_eq!(Login::parse("  Ana.Tembe@PRM ").expect("a name").as_str(), "ana.tembe@prm");
    }

    #[test]
    fn names_that_could_be_mistaken_are_refused() {
        for text in
            ["", "ab", ".ana", "ana tembe", "ana\u{a0}tembe", "аna", "ana/..", "ana\0x", &"a".repeat(65)]
        {
            assert_eq!(Login::parse(text), Err(BadLogin), "{text:?}");
        }
    }
}
