//! Scopes (RFC 6749 §3.3, OpenID Connect Core 1.0 §5.4).

/// The scopes granted of those asked for. Scopes give no rights here: roles do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Asks for an id token.
    pub(super) openid: bool,
    /// Asks for the name.
    pub(super) profile: bool,
}

impl Scope {
    /// Reads a list of words; those that are not known are left out, as RFC 6749 §3.3 allows.
    pub(super) fn read(words: &str) -> Self {
        let has = |wanted| words.split_ascii_whitespace().any(|word| word == wanted);
        Self { openid: has("openid"), profile: has("profile") }
    }

    /// The list of words.
    pub(super) fn words(self) -> String {
        let words = [(self.openid, "openid"), (self.profile, "profile")];
        words.iter().filter(|(granted, _)| *granted).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_granted_and_others_are_not() {
        let scope = Scope::read("profile  offline_access openid admin");
        assert_eq!(scope.words(), "openid profile");
        assert_eq!(Scope::read("OPENID openid-x").words(), "");
    }
}
