//! Scope values that others imply, as writing implies reading.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::is_scope_value;

/// For each implied scope value, the values that imply it, directly or by others.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImpliedScopes {
    granting: BTreeMap<String, Vec<String>>,
}

impl ImpliedScopes {
    /// Closes the declared implications (`orders:write` implies `orders:read`) transitively. Cycles are harmless.
    pub(super) fn new(declared: &BTreeMap<String, Vec<String>>) -> Self {
        let mut granting: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for value in declared.keys() {
            for implied in reachable(declared, value) {
                // A text that is not a scope value is never granted, so that a rule with a space in it stays unmet.
                if implied != value && is_scope_value(implied) {
                    granting.entry(implied.to_owned()).or_default().push(value.clone());
                }
            }
        }
        Self { granting }
    }

    /// The other values that grant this one.
    pub(crate) fn granting(&self, value: &str) -> &[String] {
        self.granting.get(value).map_or(&[], Vec::as_slice)
    }
}

fn reachable<'a>(declared: &'a BTreeMap<String, Vec<String>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(value) = left.pop() {
        if seen.insert(value) {
            left.extend(declared.get(value).into_iter().flatten().map(String::as_str));
        }
    }
    seen
}
