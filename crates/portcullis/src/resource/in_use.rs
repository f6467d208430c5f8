//! The scope values of the rules in use.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The scope values that a resource's rules ask for: of those rules that are alive, and of handlers that named their scope.
#[derive(Debug, Default)]
pub(crate) struct ScopesInUse(Mutex<Values>);

#[derive(Debug, Default)]
struct Values {
    /// The values of rules, in the order of their registration.
    rules: Vec<Weak<[String]>>,
    /// The values of handlers: there are as many as types in the program.
    handlers: Vec<String>,
}

/// Scope values that are published while this, or a clone of it, lives.
#[derive(Debug, Clone)]
pub(crate) struct RegisteredScopes(#[expect(dead_code, reason = "it only has to live")] Arc<[String]>);

impl ScopesInUse {
    pub(super) fn register(&self, scopes: Vec<String>) -> RegisteredScopes {
        let scopes: Arc<[String]> = scopes.into();
        self.with(|values| {
            values.rules.retain(|rules| rules.strong_count() > 0);
            values.rules.push(Arc::downgrade(&scopes));
        });
        RegisteredScopes(scopes)
    }

    #[cfg(any(feature = "actix", feature = "axum", test))]
    pub(super) fn publish(&self, scopes: &[&str]) {
        self.with(|values| {
            for scope in scopes {
                if !values.handlers.iter().any(|known| known == scope) {
                    values.handlers.push((*scope).to_owned());
                }
            }
        });
    }

    /// Returns the values of rules, then those of handlers, with repetitions.
    pub(super) fn values(&self) -> Vec<String> {
        self.with(|values| {
            let alive = values.rules.iter().filter_map(Weak::upgrade);
            let of_rules = alive.flat_map(|scopes| scopes.to_vec());
            of_rules.chain(values.handlers.iter().cloned()).collect()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Values) -> T) -> T {
        // Each change leaves the values whole, so that a panic elsewhere spoils nothing.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
