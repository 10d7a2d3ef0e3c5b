//! What accounts and log-ins are called.

use std::{fmt, str::FromStr};

use rovuma_schemas::{BadId, MessageId, Timestamp};

/// A person's account: UUIDv7. It is the `sub` of tokens and the actor of audit events, tells nothing
/// of the person, and is never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(MessageId);

impl AccountId {
    /// Draws a new id at the instant `now`.
    pub fn draw(now: Timestamp) -> Self {
        Self(MessageId::draw(now))
    }

    /// The 16 bytes that the store keeps.
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

/// What a person types to say who they are: `ana.tembe`. Lower case, so that it is one whatever the
/// keyboard does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Login(String);

/// A log-in name that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a log-in name is 3 to 64 of a-z, 0-9, '.', '_', '-', '@', and begins with a letter or digit")]
pub struct BadLogin;

impl Login {
    /// Reads a log-in name; capitals become small and white space around it is dropped.
    ///
    /// # Errors
    /// [`BadLogin`].
    pub fn parse(text: &str) -> Result<Self, BadLogin> {
        let login = text.trim().to_ascii_lowercase();
        let fits = (3..=64).contains(&login.len());
        let letters = login.bytes().all(|b| is_plain(b) || b"._-@".contains(&b));
        if fits && letters && login.bytes().next().is_some_and(is_plain) {
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

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_blanks_make_no_other_person() {
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
