//! Scopes (RFC 6749 §3.3, OpenID Connect Core 1.0 §5.4).

/// The granted scopes of those requested. Scopes give no rights in this installation: roles do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// The client gets an id token.
    pub(super) openid: bool,
    /// The id token holds the person's name.
    pub(super) profile: bool,
}

impl Scope {
    /// Parses a space-separated list and drops unknown scopes, as RFC 6749 §3.3 allows.
    pub(super) fn parse(words: &str) -> Self {
        let has = |scope| words.split_ascii_whitespace().any(|word| word == scope);
        Self { openid: has("openid"), profile: has("profile") }
    }

    /// These scopes without those that `words` does not name; `None` when it names one that is not among them
    /// (RFC 6749 §6).
    pub(super) fn narrowed(self, words: &str) -> Option<Self> {
        let granted = self.to_words();
        let within = |word: &str| granted.split(' ').any(|known| known == word);
        words.split_ascii_whitespace().all(within).then(|| Self::parse(words))
    }

    /// The granted scopes as a space-separated list.
    pub(super) fn to_words(self) -> String {
        let words = [(self.openid, "openid"), (self.profile, "profile")];
        words.iter().filter(|(granted, _)| *granted).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_scopes_are_granted_and_others_are_not() {
        let scope = Scope::parse("profile  offline_access openid admin");
        assert_eq!(scope.to_words(), "openid profile");
        assert_eq!(Scope::parse("OPENID openid-x").to_words(), "");
    }

    #[test]
    fn scopes_become_narrower_and_never_wider() {
        let granted = Scope::parse("openid");
        assert_eq!(granted.narrowed("openid"), Some(granted));
        assert_eq!(granted.narrowed(""), Some(Scope::default()));
        for wider in ["profile", "openid profile", "openid admin"] {
            assert_eq!(granted.narrowed(wider), None, "{wider}");
        }
    }
}
