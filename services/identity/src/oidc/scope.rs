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
}
