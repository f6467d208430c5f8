//! The algorithms of a verifier, held against its keys.

use super::VerifierBuilder;
use crate::{algorithm::Algorithm, configuration_error::ConfigurationError};

impl VerifierBuilder {
    /// Checks that a key can verify a token by one of the algorithms, where that is known and no token passes without a key.
    pub(super) fn check_algorithms(&self) -> Result<(), ConfigurationError> {
        let accepted = &self.rules.algorithms;
        if self.introspects() || self.with_any_keys {
            return Ok(());
        }
        let problem = match self.jwks.local_algorithms() {
            None if accepted.iter().all(|algorithm| is_of_secret(*algorithm)) => format!(
                "expected an algorithm with public keys, since the keys are fetched, got {} alone: a fetched key is never a secret, so \
                 name another algorithm, or take the secret from `JwksService::from_secret`",
                names(accepted)
            ),
            None => return Ok(()),
            // Without any key, they are looked up elsewhere.
            Some(own) if own.is_empty() || own.iter().any(|algorithm| accepted.contains(algorithm)) => return Ok(()),
            Some(own) => format!(
                "expected an algorithm of the keys ({}), got {} alone: no token could pass, so {}",
                names(&own),
                names(accepted),
                remedy(&own, accepted)
            ),
        };
        Err(ConfigurationError::rule("algorithms", problem))
    }
}

fn remedy(own: &[Algorithm], accepted: &[Algorithm]) -> String {
    let Some(secret) = own.iter().find(|algorithm| is_of_secret(**algorithm)) else {
        return "name one of them".to_owned();
    };
    match accepted.iter().any(|algorithm| is_of_secret(*algorithm)) {
        true => format!(
            "name {secret}, or take a longer secret: it has 32 bytes or more for HS256, 48 for HS384, 64 for HS512"
        ),
        false => {
            format!("name {secret} in `algorithms`: a secret is used where its algorithm is named")
        }
    }
}

fn is_of_secret(algorithm: Algorithm) -> bool {
    Algorithm::SYMMETRIC.contains(&algorithm)
}

fn names(algorithms: &[Algorithm]) -> String {
    if algorithms == Algorithm::ASYMMETRIC {
        return "those with public keys".to_owned();
    }
    algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ")
}
