//! Passwords: which are taken, and how they are kept.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        mpsc::{self, SyncSender},
    },
    thread,
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
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

/// Computes and compares hashes, one at a time and off the event loop, on a thread of its own.
#[derive(Clone)]
pub(crate) struct Hashers {
    turns: Arc<Semaphore>,
    work: SyncSender<Work>,
    nobody: Arc<str>,
}

type Work = Box<dyn FnOnce(&mut Argon2id) + Send>;

/// A hash that was not computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashFault {
    /// Too many log-ins at once.
    #[error("no turn to hash a password within {} s", TURN_WAIT.as_secs())]
    Crowded,
    /// Argon2 said no, which no password makes it do.
    #[error("password hashing failed: {0}")]
    Argon2(#[from] password_hash::Error),
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
        let mut argon2 = Argon2id::new()?;
        let nobody = argon2.hash(b"nobody has this password")?.into();
        let (work, waiting) = mpsc::sync_channel::<Work>(AT_ONCE);
        let work_all = move || {
            for work in waiting {
                // A panic has been reported by its hook, and its caller is told: others go on.
                let _ = panic::catch_unwind(AssertUnwindSafe(|| work(&mut argon2)));
            }
        };
        thread::Builder::new()
            .name("password hashing".to_owned())
            .spawn(work_all)
            .map_err(HashFault::NoThread)?;
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), work, nobody })
    }

    /// The PHC string to keep of a password.
    ///
    /// # Errors
    /// [`HashFault`].
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, HashFault> {
        self.on_the_thread(move |argon2| argon2.hash(password.0.as_bytes())).await
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
        Ok(self.on_the_thread(matches).await? && known)
    }

    async fn on_the_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Argon2id) -> Result<T, HashFault> + Send + 'static,
    ) -> Result<T, HashFault> {
        let turn = self.turn().await?;
        let (reply, answer) = oneshot::channel();
        let work = Box::new(move |argon2: &mut Argon2id| {
            // The turn ends with the work, not with a caller who goes away: those would queue up without end.
            let _turn = turn;
            // Whoever went away does not want the answer.
            let _ = reply.send(work(argon2));
        });
        // There is room: only who has a turn sends.
        self.work.try_send(work).map_err(|_| HashFault::Lost)?;
        answer.await.map_err(|_| HashFault::Lost)?
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, HashFault> {
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        // The semaphore is never closed; a timeout is the only way not to get a turn.
        turn.ok().and_then(Result::ok).ok_or(HashFault::Crowded)
    }
}

/// Argon2id with its memory, which every hash uses again. Taken and given back each time, glibc 2.36 (Debian 12) keeps
/// eight times as much: its aligned allocations do not find what they gave back.
struct Argon2id {
    params: Params,
    memory: Vec<Block>,
}

impl Argon2id {
    fn new() -> Result<Self, HashFault> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(password_hash::Error::from)?;
        Ok(Self { params, memory: Vec::new() })
    }

    /// A new PHC string.
    fn hash(&mut self, password: &[u8]) -> Result<String, HashFault> {
        let (algorithm, version, params) = (Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let salt = Salt::generate();
        let hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(salt),
            hash: Some(self.output(&Argon2::new(algorithm, version, params), password, &salt)?),
        };
        Ok(hash.to_string())
    }

    /// Whether the PHC string `kept` was made of `password`, under whatever parameters it names.
    fn matches(&mut self, password: &[u8], kept: &str) -> Result<bool, HashFault> {
        let kept = PasswordHash::new(kept).map_err(password_hash::Error::from)?;
        let (Some(salt), Some(output)) = (&kept.salt, &kept.hash) else { return Ok(false) };
        let algorithm = Algorithm::try_from(kept.algorithm.as_str())?;
        let version = kept.version.map(Version::try_from).transpose().map_err(password_hash::Error::from)?;
        let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), Params::try_from(&kept)?);
        // Outputs are compared in constant time.
        Ok(self.output(&argon2, password, salt)? == *output)
    }

    fn output(&mut self, argon2: &Argon2<'_>, password: &[u8], salt: &Salt) -> Result<Output, HashFault> {
        let blocks = argon2.params().block_count();
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::new());
        }
        let mut bytes = [0; Output::MAX_LENGTH];
        let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let bytes = bytes.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
        argon2
            .hash_password_into_with_memory(password, salt, bytes, &mut self.memory)
            .map_err(password_hash::Error::from)?;
        Ok(Output::new(bytes).map_err(password_hash::Error::from)?)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, PasswordVerifier};

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

    #[test]
    fn hashes_are_those_of_the_library_whatever_their_parameters() {
        let mut ours = Argon2id::new().expect("parameters");
        let library = |kib| Argon2::from(Params::new(kib, PASSES, LANES, None).expect("parameters"));
        for kib in [64, 2 * MEMORY_KIB, MEMORY_KIB] {
            let kept = library(kib).hash_password(b"three boats by moonlight").expect("hashed").to_string();
            assert!(ours.matches(b"three boats by moonlight", &kept).expect("compared"), "{kept}");
            assert!(!ours.matches(b"three boats by moonligh", &kept).expect("compared"), "{kept}");
        }
        let kept = ours.hash(b"three boats by moonlight").expect("hashed");
        library(64).verify_password(b"three boats by moonlight", kept.as_str()).expect("the library agrees");
        assert!(ours.matches(b"three boats by moonlight", "three boats by moonlight").is_err());
    }

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_work_though_nobody_waits_for_it() {
        let hashers = Hashers::new().expect("hashers");
        let (go, may_go) = mpsc::channel::<()>();
        let mut abandoned = Box::pin(hashers.on_the_thread(move |_| Ok(may_go.recv().is_ok())));
        assert!(futures::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        assert_eq!(hashers.turns.available_permits(), 0, "its work is not done");
        let mut next = Box::pin(hashers.on_the_thread(|_| Ok("next")));
        assert!(futures::poll!(&mut next).is_pending());
        go.send(()).expect("it waits");
        assert_eq!(next.await.expect("its turn came"), "next");
    }

    #[tokio::test]
    async fn a_panic_costs_only_its_own_answer() {
        let hashers = Hashers::new().expect("hashers");
        let lost = hashers.on_the_thread(|_| -> Result<(), HashFault> { panic!("on purpose") }).await;
        assert!(matches!(lost, Err(HashFault::Lost)));
        assert!(hashers.on_the_thread(|_| Ok(true)).await.expect("answered"));
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
