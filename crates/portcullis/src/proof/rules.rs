//! The rules for DPoP proofs, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{algorithm::Algorithm, configuration_error::ConfigurationError, units};

/// The longest leeway: a proof made further ahead tells of a wrong clock.
const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// The longest age: each proof is remembered for as long, so that it is not used twice.
const LONGEST_AGE: Duration = Duration::from_secs(60 * 60);

/// The rules for DPoP proofs (RFC 9449), as plain data: builders fill them, and configurations deserialise into them.
///
/// Durations are read as a number of seconds or as a text with a unit (`30`, `"30s"`, `"5m"`), sizes as a number of bytes or
/// with a unit (`"8KiB"`): see [`units`]. Omitted members have their defaults; unknown ones are an error.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use portcullis::{Algorithm, DpopRules};
///
/// let rules: DpopRules = serde_json::from_str(r#"{ "algorithms": ["ES256"], "max_age": "1m" }"#)?;
/// assert_eq!(rules.algorithms, [Algorithm::ES256]);
/// assert_eq!((rules.max_age, rules.leeway), (Duration::from_secs(60), Duration::from_secs(10)));
///
/// let mut rules = DpopRules::default();
/// rules.algorithms = vec![Algorithm::HS256];
/// let error = rules.check().unwrap_err();
/// assert_eq!(error.to_string(), "`algorithms`: expected algorithms with a public key, got HS256: leave it out");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DpopRules {
    /// The algorithms that proofs may be signed by; all of [`Algorithm::ASYMMETRIC`] by default. They are apart from those of
    /// tokens.
    pub algorithms: Vec<Algorithm>,
    /// The accepted time since a proof was made (`iat`): 5 min by default, 1 h at the most. Where nonces are asked for, the
    /// nonce's age counts instead.
    #[serde(with = "units::duration")]
    pub max_age: Duration,
    /// The accepted difference between this machine's clock and a client's that is fast: 10 s by default, 5 min at the most.
    #[serde(with = "units::duration")]
    pub leeway: Duration,
    /// The limit of a proof's length, in bytes: 12 KiB by default, for the keys and signatures of every algorithm; ML-DSA-87 needs 11 KiB.
    #[serde(with = "units::size")]
    pub max_proof_bytes: usize,
}

impl Default for DpopRules {
    fn default() -> Self {
        Self {
            algorithms: Algorithm::ASYMMETRIC.to_vec(),
            max_age: Duration::from_secs(5 * 60),
            leeway: Duration::from_secs(10),
            max_proof_bytes: 12 << 10,
        }
    }
}

impl DpopRules {
    /// Checks that a proof can meet the rules.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`], which names the field, the expected value and the actual one.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        let symmetric = self.algorithms.iter().find(|algorithm| Algorithm::SYMMETRIC.contains(algorithm));
        let (age, leeway) = (units::span(self.max_age), units::span(self.leeway));
        // True if the field is wrong; the field; the error.
        let table = [
            (
                self.algorithms.is_empty(),
                "algorithms",
                "expected at least one algorithm, got none: leave it out to accept all asymmetric ones",
            ),
            (
                symmetric.is_some(),
                "algorithms",
                &format!(
                    "expected algorithms with a public key, got {}: leave it out",
                    symmetric.map_or("", |algorithm| algorithm.name())
                ),
            ),
            (self.max_age.is_zero(), "max_age", "expected a time longer than zero, got zero: no proof could pass"),
            (
                self.max_age > LONGEST_AGE,
                "max_age",
                &format!("expected 1 h at the most, got {age}: clients make a new proof for each request"),
            ),
            (
                self.leeway > LONGEST_LEEWAY,
                "leeway",
                &format!("expected 5 min at the most, got {leeway}: set the clocks, or use nonces"),
            ),
            (self.max_proof_bytes == 0, "max_proof_bytes", "expected 1 or more, got 0: no proof could pass"),
        ];
        match table.into_iter().find(|(is_wrong, ..)| *is_wrong) {
            Some((_, field, problem)) => Err(ConfigurationError::rule(field, problem)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_no_proof_could_meet_are_refused() {
        assert!(DpopRules::default().check().is_ok());
        for (rules, expected) in [
            (r#"{ "algorithms": [] }"#, "`algorithms`: expected at least one"),
            (r#"{ "algorithms": ["ES256", "HS512"] }"#, "got HS512"),
            (r#"{ "max_age": 0 }"#, "`max_age`: expected a time longer than zero"),
            (r#"{ "max_age": "2h" }"#, "`max_age`: expected 1 h at the most, got 2 h"),
            (r#"{ "leeway": "6m" }"#, "`leeway`: expected 5 min at the most, got 6 min"),
            (r#"{ "max_proof_bytes": 0 }"#, "`max_proof_bytes`: expected 1 or more"),
        ] {
            let rules: DpopRules = serde_json::from_str(rules).unwrap();
            let error = rules.check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(serde_json::from_str::<DpopRules>(r#"{ "algorithms": ["none"] }"#).is_err());
        assert!(serde_json::from_str::<DpopRules>(r#"{ "max_ages": 1 }"#).is_err());
    }
}
