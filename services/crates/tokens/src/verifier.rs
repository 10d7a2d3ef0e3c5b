//! Checks access tokens of the configured issuers.

mod keys;

use std::{collections::HashMap, sync::Arc};

use rovuma_schemas::Timestamp;

use crate::{
    AccessToken, IssuerConfig, IssuerFault, JwksSource, TokenError, TokensConfig, provider,
    remembered::Remembered,
    signed::{HeaderRules, Unverified, unverified_issuer},
    source,
};
use keys::IssuerKeys;

/// Checks access tokens. A service has one, which all its requests share.
pub struct TokenVerifier {
    issuers: HashMap<String, Issuer>,
    remembered: Remembered,
}

struct Issuer {
    config: IssuerConfig,
    keys: IssuerKeys,
}

impl TokenVerifier {
    /// A verifier for the configured issuers, whose keys are fetched when the first token needs them.
    ///
    /// # Errors
    /// [`IssuerFault`] when an entry is invalid.
    pub fn new(config: TokensConfig) -> Result<Self, IssuerFault> {
        config.check_agencies()?;
        let with_sources = config
            .issuers
            .into_iter()
            .map(|config| source::configured(&config).map(|source| (config, source)));
        Self::with_sources(with_sources.collect::<Result<_, _>>()?)
    }

    /// A verifier whose keys come from the given sources; it ignores `jwks_url` and `jwks_file`.
    ///
    /// # Errors
    /// [`IssuerFault`] when an entry is invalid.
    pub fn with_sources(issuers: Vec<(IssuerConfig, Arc<dyn JwksSource>)>) -> Result<Self, IssuerFault> {
        provider::install();
        let mut by_name = HashMap::new();
        for (config, source) in issuers {
            config.check_lists()?;
            let issuer = config.issuer.clone();
            let keys = IssuerKeys::new(issuer.clone(), source);
            if by_name.insert(issuer.clone(), Issuer { config, keys }).is_some() {
                return Err(IssuerFault::Twice { issuer });
            }
        }
        Ok(Self { issuers: by_name, remembered: Remembered::default() })
    }

    /// Checks a token: type, algorithm, key, signature, issuer, audience, times and claims. A token that passed is cached
    /// until it expires.
    ///
    /// # Errors
    /// [`TokenError`]; see [`TokenError::is_temporary`].
    pub async fn check(
        &self,
        unverified_token: &str,
        now: Timestamp,
    ) -> Result<Arc<AccessToken>, TokenError> {
        let unverified_issuer = unverified_issuer(unverified_token)?;
        let Some(issuer) = self.issuers.get(&unverified_issuer) else {
            return Err(TokenError::UnknownIssuer { unverified_issuer });
        };
        let header = HeaderRules { algorithms: &issuer.config.algorithms, types: &issuer.config.typ };
        let unverified = Unverified::read(unverified_token, &header)?;
        let keys = issuer.keys.including(unverified.unverified_kid(), now).await?;
        if keys.withdrawn {
            self.remembered.clear();
        }
        if let Some(token) = self.remembered.get(unverified_token, now) {
            return Ok(token);
        }
        let claims = unverified.verify(&keys.set)?;
        let token = Arc::new(AccessToken::from_claims(&claims, &issuer.config, now)?);
        self.remembered.put(unverified_token, Arc::clone(&token), now);
        Ok(token)
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier").field("issuers", &self.issuers.keys()).finish_non_exhaustive()
    }
}
