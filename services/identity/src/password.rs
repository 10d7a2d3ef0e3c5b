//! Passwords: which are taken, and how they are kept.

mod argon2id;

use std::{sync::Arc, time::Duration};

use argon2::password_hash;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use self::argon2id::Argon2id;
use crate::Login;

/// Who waits longer than this for a turn is told to come back: the machine is being flooded.
const TURN_WAIT: Duration = Duration::from_secs(5);

/// NIST SP 800-63B-4 §3.1.1.2: 15 characters where the password is the only factor, as it is here.
/// Length is all that is asked for: rules about kinds of characters make passwords worse (ibid.).
pub const PASSWORD_MIN_CHARS: usize = 15;
/// Longer than any passphrase; it bounds the work of one request.
pub const PASSWORD_MAX_BYTES: usize = 256;
/// `aaaaaaaaaaaaaaa` is long and worth nothing.
const DISTINCT_MIN: usize = 6;

/// A password that may be set.
pub(crate) struct NewPassword(Zeroizing<String>);

/// A password that may not be set, and what would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordFault {
    /// Fewer than [`PASSWORD_MIN_CHARS`].
    #[error("a password has at least {PASSWORD_MIN_CHARS} characters: several words make a good one")]
    Short,
    /// More than [`PASSWORD_MAX_BYTES`].
    #[error("a password has at most {PASSWORD_MAX_BYTES} bytes")]
    Long,
    /// A few characters over and over.
    #[error("the password repeats too few characters")]
    Repetitive,
    /// The log-in name is in it.
    #[error("the password must not contain the log-in name")]
    HoldsLogin,
}

impl NewPassword {
    /// Checks a password that somebody wants to have.
    ///
    /// # Errors
    /// [`PasswordFault`].
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
            return Err(PasswordFault::HoldsLogin);
        }
        Ok(Self(text))
    }

    /// A one-time password drawn by the service: 258 bits of randomness need no rules.
    ///
    /// # Errors
    /// [`rovuma_tokens::KeyFault`] when the machine gives no random bytes.
    pub(crate) fn draw() -> Result<Self, rovuma_tokens::KeyFault> {
        rovuma_tokens::unguessable().map(|text| Self(Zeroizing::new(text)))
    }

    /// The text, to be shown once to whoever asked for it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Computes and compares hashes off the event loop, one after the other: that is thirty log-ins a second, and a
/// flood of them leaves memory and a core for everything else.
#[derive(Clone)]
pub(crate) struct Hashers {
    argon2: Arc<Mutex<Argon2id>>,
    nobody: Arc<str>,
}

/// A hash that was not computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashFault {
    /// Too many log-ins at once.
    #[error("no turn to hash a password within {} s", TURN_WAIT.as_secs())]
    Crowded,
    /// Argon2 said no, which no password makes it do.
    #[error("password hashing failed: {0}")]
    Argon2(#[from] password_hash::Error),
    /// The blocking task was lost.
    #[error("password hashing was cut short")]
    Lost,
}

impl Hashers {
    /// Makes the hash that stands in for accounts that do not exist.
    ///
    /// # Errors
    /// [`HashFault`].
    pub(crate) fn new() -> Result<Self, HashFault> {
        let mut argon2 = Argon2id::new()?;
        let nobody = argon2.hash(b"nobody has this password")?.into();
        Ok(Self { argon2: Arc::new(Mutex::new(argon2)), nobody })
    }

    /// The PHC string to keep of a password.
    ///
    /// # Errors
    /// [`HashFault`].
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, HashFault> {
        self.in_turn(move |argon2| argon2.hash(password.0.as_bytes())).await
    }

    /// Whether `unverified_password` is the one that `kept` was made of. Without `kept`, because
    /// there is no such account, the same work is done and the answer is no: the time taken does not
    /// tell which names exist.
    ///
    /// # Errors
    /// [`HashFault`].
    pub(crate) async fn verify(
        &self,
        unverified_password: Zeroizing<String>,
        kept: Option<String>,
    ) -> Result<bool, HashFault> {
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.to_string());
        let matches = move |argon2: &mut Argon2id| {
            let long = unverified_password.len() > PASSWORD_MAX_BYTES;
            let password: &[u8] = if long { b"" } else { unverified_password.as_bytes() };
            Ok(argon2.matches(password, &kept)? && !long)
        };
        Ok(self.in_turn(matches).await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Argon2id) -> Result<T, HashFault> + Send + 'static,
    ) -> Result<T, HashFault> {
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(&self.argon2).lock_owned()).await;
        let mut turn = turn.map_err(|_| HashFault::Crowded)?;
        // The turn goes with the work: it must not end with a caller who goes away.
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
            ("I am Ana.Tembe, really", PasswordFault::HoldsLogin),
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
    async fn a_turn_lasts_as_long_as_its_work_though_nobody_waits_for_it() {
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
    async fn a_panic_costs_only_its_own_answer() {
        let hashers = Hashers::new().expect("hashers");
        let lost = hashers.in_turn(|_| -> Result<(), HashFault> { panic!("on purpose") }).await;
        assert!(matches!(lost, Err(HashFault::Lost)));
        assert!(hashers.in_turn(|_| Ok(true)).await.expect("answered"));
    }

    #[tokio::test]
    async fn nobodys_password_matches_nothing() {
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
