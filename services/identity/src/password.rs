//! Passwords: the rules for new ones, and their hashes.

mod argon2id;

use std::{sync::Arc, time::Duration};

use argon2::password_hash;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use self::argon2id::Argon2id;
use crate::Login;

/// Maximum wait for a turn to hash. A log-in that waits longer is refused as busy: the machine is flooded.
const TURN_WAIT: Duration = Duration::from_secs(5);

/// NIST SP 800-63B-4 §3.1.1.2: 15 characters where the password is the only factor, as it is here.
/// There are no rules about kinds of characters, because they make passwords worse (ibid.).
pub const PASSWORD_MIN_CHARS: usize = 15;
/// Longer than any passphrase. The limit bounds the work of one request.
pub const PASSWORD_MAX_BYTES: usize = 256;
/// Minimum number of different characters: `aaaaaaaaaaaaaaa` is long and trivial to guess.
const DISTINCT_MIN: usize = 6;

/// A password that may be set.
pub(crate) struct NewPassword(Zeroizing<String>);

/// Why a password may not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordFault {
    /// Fewer than [`PASSWORD_MIN_CHARS`].
    #[error("a password has at least {PASSWORD_MIN_CHARS} characters: several words make a good one")]
    Short,
    /// More than [`PASSWORD_MAX_BYTES`].
    #[error("a password has at most {PASSWORD_MAX_BYTES} bytes")]
    Long,
    /// Fewer than [`DISTINCT_MIN`] different characters.
    #[error("the password has too few different characters")]
    Repetitive,
    /// It contains the log-in name.
    #[error("the password must not contain the log-in name")]
    ContainsLogin,
}

impl NewPassword {
    /// Checks a password against the rules.
    pub(crate) fn parse(text: Zeroizing<String>, login: &Login) -> Result<Self, PasswordFault> {
        if text.len() > PASSWORD_MAX_BYTES {
            return Err(PasswordFault::Long);
        }
        if text.chars().count() < PASSWORD_MIN_CHARS {
            return Err(PasswordFault::Short);
        }
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        if letters.len() < DISTINCT_MIN {
            return Err(PasswordFault::Repetitive);
        }
        if Zeroizing::new(text.to_lowercase()).contains(login.as_str()) {
            return Err(PasswordFault::ContainsLogin);
        }
        Ok(Self(text))
    }

    /// Draws a one-time password. It has 258 random bits, so the rules for typed passwords do not apply.
    pub(crate) fn draw() -> Result<Self, rovuma_tokens::KeyFault> {
        rovuma_tokens::unguessable().map(|text| Self(Zeroizing::new(text)))
    }

    /// The text, which the response shows once to the administrator who requested it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Computes and compares hashes off the event loop, one at a time. That is thirty log-ins a second, and a
/// flood of log-ins leaves memory and a core for everything else.
#[derive(Clone)]
pub(crate) struct Hashers {
    argon2: Arc<Mutex<Argon2id>>,
    /// Compared in place of the hash of an account that does not exist.
    dummy_hash: Arc<str>,
}

/// Why a hash was not computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashFault {
    /// Too many log-ins wait for a turn.
    #[error("no turn to hash a password within {} s", TURN_WAIT.as_secs())]
    Crowded,
    /// Argon2 failed, which no password can cause.
    #[error("password hashing failed: {0}")]
    Argon2(#[from] password_hash::Error),
    /// The blocking task panicked or was cancelled.
    #[error("the password hashing task ended early")]
    Lost,
}

impl Hashers {
    /// Computes the hash that is compared where no account exists.
    pub(crate) fn new() -> Result<Self, HashFault> {
        let mut argon2 = Argon2id::new()?;
        let dummy_hash = argon2.hash(b"nobody has this password")?.into();
        Ok(Self { argon2: Arc::new(Mutex::new(argon2)), dummy_hash })
    }

    /// The PHC string of a password, for the store.
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, HashFault> {
        self.in_turn(move |argon2| argon2.hash(password.0.as_bytes())).await
    }

    /// Whether `unverified_password` matches the PHC string `stored`. Without `stored`, because there is no
    /// such account, the same work is done and the answer is no: the time taken does not tell which names
    /// exist.
    pub(crate) async fn verify(
        &self,
        unverified_password: Zeroizing<String>,
        stored: Option<String>,
    ) -> Result<bool, HashFault> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy_hash.to_string());
        let matches = move |argon2: &mut Argon2id| {
            // A password that is too long costs the same work, but never matches.
            let long = unverified_password.len() > PASSWORD_MAX_BYTES;
            let password: &[u8] = if long { b"" } else { unverified_password.as_bytes() };
            Ok(argon2.matches(password, &stored)? && !long)
        };
        Ok(self.in_turn(matches).await? && exists)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Argon2id) -> Result<T, HashFault> + Send + 'static,
    ) -> Result<T, HashFault> {
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(&self.argon2).lock_owned()).await;
        let mut turn = turn.map_err(|_| HashFault::Crowded)?;
        // The lock moves into the blocking task: it must stay locked while the work runs, though the caller
        // may have gone away.
        tokio::task::spawn_blocking(move || work(&mut turn)).await.map_err(|_| HashFault::Lost)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn parse(text: &str) -> Result<NewPassword, PasswordFault> {
        let login = Login::parse("ana.tembe").expect("a name");
        NewPassword::parse(Zeroizing::new(text.to_owned()), &login)
    }

    #[test]
    fn length_is_what_counts() {
        assert!(parse("três barcos ao luar").is_ok());
        for (text, fault) in [
            ("", PasswordFault::Short),
            ("P4$$w0rd!", PasswordFault::Short),
            ("ábcdefghijklmn", PasswordFault::Short),
            (&"ab1".repeat(6), PasswordFault::Repetitive),
            ("I am Ana.Tembe, really", PasswordFault::ContainsLogin),
            (&"abcdefgh".repeat(40), PasswordFault::Long),
        ] {
            assert_eq!(parse(text).map(|_| ()), Err(fault), "{text:?}");
        }
    }

    #[tokio::test]
    async fn only_the_password_itself_matches() {
        let hashers = Hashers::new().expect("hashers");
        let kept = hashers.hash(parse("three boats by moonlight").expect("good")).await.expect("hashed");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        for (text, expected) in
            [("three boats by moonlight", true), ("three boats by moonligh", false), ("", false)]
        {
            let password = Zeroizing::new(text.to_owned());
            assert_eq!(hashers.verify(password, Some(kept.clone())).await.expect("compared"), expected);
        }
    }

    #[tokio::test]
    async fn a_turn_lasts_until_its_work_is_done_though_its_caller_has_gone() {
        let hashers = Hashers::new().expect("hashers");
        let (go, may_go) = mpsc::channel::<()>();
        let mut abandoned = Box::pin(hashers.in_turn(move |_| Ok(may_go.recv().is_ok())));
        assert!(futures::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        assert!(hashers.argon2.try_lock().is_err(), "its work is not done");
        let mut next = Box::pin(hashers.in_turn(|_| Ok("next")));
        assert!(futures::poll!(&mut next).is_pending());
        go.send(()).expect("it waits");
        assert_eq!(next.await.expect("its turn came"), "next");
    }

    #[tokio::test]
    async fn a_panic_fails_only_its_own_request() {
        let hashers = Hashers::new().expect("hashers");
        let lost = hashers.in_turn(|_| -> Result<(), HashFault> { panic!("on purpose") }).await;
        assert!(matches!(lost, Err(HashFault::Lost)));
        assert!(hashers.in_turn(|_| Ok(true)).await.expect("answered"));
    }

    #[tokio::test]
    async fn the_dummy_hash_matches_no_password() {
        let hashers = Hashers::new().expect("hashers");
        let password = Zeroizing::new("nobody has this password".to_owned());
        assert!(!hashers.verify(password, None).await.expect("compared"));
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let hashers = Hashers::new().expect("hashers");
        let one = hashers.hash(parse("three boats by moonlight").expect("good")).await.expect("hashed");
        let other = hashers.hash(parse("three boats by moonlight").expect("good")).await.expect("hashed");
        assert_ne!(one, other);
    }
}
