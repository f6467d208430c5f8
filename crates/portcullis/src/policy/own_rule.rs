//! A rule of the application: a named closure over the claims.

use std::{fmt, sync::Arc};

use crate::{
    check::{Actual, CheckRow},
    claims::Claims,
    configuration_error::ConfigurationError,
    refusal::{AccessFault, CODES, CheckKind, Refusal},
};

/// A rule of the application. Its name is the code of its refusal.
#[derive(Clone)]
pub(crate) struct OwnRule {
    name: &'static str,
    holds: Arc<dyn Fn(&Claims) -> bool + Send + Sync>,
}

impl OwnRule {
    const LONGEST_NAME: usize = 64;

    pub(crate) fn new(
        name: &'static str,
        holds: impl Fn(&Claims) -> bool + Send + Sync + 'static,
    ) -> Result<Self, ConfigurationError> {
        let problem = |problem| Err(ConfigurationError::rule("rule", problem));
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.starts_with(|first: char| first.is_ascii_lowercase())
            || !name.bytes().all(fits)
            || name.len() > Self::LONGEST_NAME
        {
            return problem(format!(
                "expected a name in snake_case of at most {} characters, got {name:?}: it is the code in logs and metrics",
                Self::LONGEST_NAME
            ));
        }
        if CODES.contains(&name) {
            return problem(format!(
                "expected a name of its own, got `{name}`, the code of another refusal: choose another name"
            ));
        }
        Ok(Self { name, holds: Arc::new(holds) })
    }

    pub(crate) fn check(&self, claims: &Claims) -> Result<(), Refusal> {
        if (self.holds)(claims) { Ok(()) } else { Err(Refusal::Access(AccessFault::OwnRule { name: self.name })) }
    }

    /// The check as an explanation shows it.
    pub(super) fn row(&self, claims: &Claims) -> CheckRow {
        CheckRow {
            kind: CheckKind::Rule,
            expected: Some(format!("the rule `{}` holds", self.name)),
            actual: Actual::Nothing,
            result: self.check(claims),
        }
    }
}

impl fmt::Debug for OwnRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnRule").field("name", &self.name).finish_non_exhaustive()
    }
}
