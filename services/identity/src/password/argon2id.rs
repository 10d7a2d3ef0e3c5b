//! Argon2id (RFC 9106) hashes as PHC strings.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};

use super::HashFault;

/// Argon2id memory. OWASP's Password Storage Cheat Sheet recommends at least 19 MiB with two passes.
const MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id passes over that memory (the same source).
const PASSES: u32 = 2;
/// Argon2id lanes. More would only help a defender with idle cores.
const LANES: u32 = 1;

/// Argon2id and the memory that every hash uses again. If each hash allocated and freed the memory, glibc 2.36
/// (Debian 12) would hold eight times as much: its aligned allocations do not reuse the freed blocks.
pub(super) struct Argon2id {
    params: Params,
    memory: Vec<Block>,
}

impl Argon2id {
    pub(super) fn new() -> Result<Self, HashFault> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(password_hash::Error::from)?;
        Ok(Self { params, memory: Vec::new() })
    }

    /// Hashes a password with a new salt into a PHC string.
    pub(super) fn hash(&mut self, password: &[u8]) -> Result<String, HashFault> {
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

    /// Whether `password` matches the PHC string `stored`, under the parameters that the string names.
    pub(super) fn matches(&mut self, password: &[u8], stored: &str) -> Result<bool, HashFault> {
        let stored = PasswordHash::new(stored).map_err(password_hash::Error::from)?;
        let (Some(salt), Some(output)) = (&stored.salt, &stored.hash) else { return Ok(false) };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str())?;
        let version =
            stored.version.map(Version::try_from).transpose().map_err(password_hash::Error::from)?;
        let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), Params::try_from(&stored)?);
        // `Output` compares in constant time.
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

    #[test]
    fn hashes_equal_the_librarys_for_all_parameters() {
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
}
