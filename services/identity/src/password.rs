//! Passwords: which are taken, and how they are kept.

use std::{
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use zeroize::Zeroizing;

use crate::Login;

/// Argon2id memory: OWASP's Password Storage Cheat Sheet asks for at least 19 MiB with two passes.
const MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id passes over that memory (the same source).
const PASSES: u32 = 2;
/// Argon2id lanes: more would only help a defender with idle cores.
const LANES: u32 = 1;

/// Hashes computed at the same time. Each holds 19 MiB and a core for some 30 ms: one after the other is
/// thirty log-ins a second, and a flood of them leaves memory and a core for everything else.
const AT_ONCE: usize = 1;
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

/// Computes and compares hashes, one at a time and off the event loop.
///
/// On a thread of its own, which keeps the memory that a hash takes for the next one. The runtime's threads would
/// each keep as much, and there are many.
#[derive(Clone)]
pub(crate) struct Hashers {
    turns: Arc<Semaphore>,
    work: Sender<Work>,
    nobody: Arc<str>,
}

type Work = Box<dyn FnOnce() + Send>;

/// A hash that was not computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashFault {
    /// Too many log-ins at once.
    #[error("no turn to hash a password within {} s", TURN_WAIT.as_secs())]
    Crowded,
    /// Argon2 said no, which no password makes it do.
    #[error("password hashing failed: {0}")]
    Argon2(#[from] argon2::password_hash::Error),
    /// The machine gave no thread to hash on.
    #[error("password hashing could not start: {0}")]
    NoThread(std::io::Error),
    /// The thread ended before it answered.
    #[error("password hashing was cut short")]
    Lost,
}

impl Hashers {
    /// Makes the hash that stands in for accounts that do not exist.
    ///
    /// # Errors
    /// [`HashFault`].
    pub(crate) fn new() -> Result<Self, HashFault> {
        let (work, waiting) = mpsc::channel();
        let hash_all = move || waiting.into_iter().for_each(|work: Work| work());
        thread::Builder::new()
            .name("password hashing".to_owned())
            .spawn(hash_all)
            .map_err(HashFault::NoThread)?;
        let nobody = argon2()?.hash_password(b"nobody has this password")?;
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), work, nobody: nobody.to_string().into() })
    }

    /// The PHC string to keep of a password.
    ///
    /// # Errors
    /// [`HashFault`].
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, HashFault> {
        let hash = move || Ok(argon2()?.hash_password(password.0.as_bytes())?.to_string());
        self.on_a_thread(hash).await
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
        let matches = move || {
            let long = unverified_password.len() > PASSWORD_MAX_BYTES;
            let password: &[u8] = if long { b"" } else { unverified_password.as_bytes() };
            Ok(argon2()?.verify_password(password, kept.as_str()).is_ok() && !long)
        };
        Ok(self.on_a_thread(matches).await? && known)
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashFault> + Send + 'static,
    ) -> Result<T, HashFault> {
        let _turn = self.turn().await?;
        let (reply, answer) = oneshot::channel();
        let work = Box::new(move || {
            // Whoever went away does not want the answer.
            let _ = reply.send(work());
        });
        self.work.send(work).map_err(|_| HashFault::Lost)?;
        answer.await.map_err(|_| HashFault::Lost)?
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, HashFault> {
        let turn = tokio::time::timeout(TURN_WAIT, self.turns.acquire()).await;
        // The semaphore is never closed; a timeout is the only way not to get a turn.
        turn.ok().and_then(Result::ok).ok_or(HashFault::Crowded)
    }
}

fn argon2() -> Result<Argon2<'static>, HashFault> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashFault::Lost)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
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
