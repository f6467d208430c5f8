//! The check of the scope that an endpoint requires.

use super::{Rules, implied_scopes::ImpliedScopes, mistaken, rules::ungrantable};
use crate::{
    claims::GrantedScope,
    refusal::{AccessFault, CheckKind, Refusal},
};

/// The scope values that a token has to grant: all of `all`, and one of each group of `any` (RFC 6749 section 3.3).
#[derive(Debug, Clone, Default)]
pub(crate) struct ScopeCheck {
    all: Vec<Asked>,
    any: Vec<Vec<Asked>>,
    /// The mistake for which no token can meet it.
    mistake: Option<String>,
}

/// A scope value, and the values that imply it.
#[derive(Debug, Clone)]
struct Asked {
    value: String,
    implied_by: Vec<String>,
}

impl ScopeCheck {
    pub(super) fn new(rules: &Rules, implied: &ImpliedScopes) -> Self {
        let group = |values: &Vec<String>| asked(values, implied);
        let any = rules.any_scope.iter().map(group).collect();
        Self { any, mistake: ungrantable(rules), ..Self::of_all(&rules.scope, implied) }
    }

    /// A check of these values, all of which a token has to grant.
    pub(super) fn of_all(values: &[String], implied: &ImpliedScopes) -> Self {
        Self { all: asked(values, implied), any: Vec::new(), mistake: None }
    }

    /// Tells whether no scope is required.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.any.is_empty()
    }

    /// Checks the scope that a token grants, which is looked for only if some is required.
    pub(crate) fn check<'a>(&self, granted: impl FnOnce() -> GrantedScope<'a>) -> Result<(), Refusal> {
        if self.is_empty() {
            return Ok(());
        }
        let granted = granted();
        if self.is_met(|value| granted.has(value)) { Ok(()) } else { Err(self.refusal()) }
    }

    fn refusal(&self) -> Refusal {
        match &self.mistake {
            Some(problem) => mistaken(CheckKind::Scope, problem.clone()),
            None => insufficient_scope(self.values()),
        }
    }

    /// Tells whether a token grants enough; `grants` tells whether it grants a value directly.
    pub(crate) fn is_met(&self, grants: impl Fn(&str) -> bool) -> bool {
        let is_met = |asked: &Asked| asked.is_met(&grants);
        self.all.iter().all(is_met) && self.any.iter().all(|group| group.iter().any(is_met))
    }

    /// All required values: of a group, each of its values.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.all.iter().chain(self.any.iter().flatten()).map(|asked| asked.value.as_str())
    }

    /// The required scope, in words.
    pub(crate) fn expected(&self) -> String {
        let words = |group: &[Asked]| group.iter().map(|asked| asked.value.as_str()).collect::<Vec<_>>().join(" ");
        let all = (!self.all.is_empty()).then(|| words(&self.all));
        let any = self.any.iter().map(|group| format!("one of {}", words(group)));
        all.into_iter().chain(any).collect::<Vec<_>>().join(", and ")
    }

    /// The scope values that are missing: of a group, all, since any of them is enough.
    pub(crate) fn lacking(&self, grants: impl Fn(&str) -> bool) -> Vec<&str> {
        let is_met = |asked: &Asked| asked.is_met(&grants);
        let all = self.all.iter().filter(|asked| !is_met(asked));
        let any = self.any.iter().filter(|group| !group.iter().any(is_met)).flatten();
        all.chain(any).map(|asked| asked.value.as_str()).collect()
    }
}

fn asked(values: &[String], implied: &ImpliedScopes) -> Vec<Asked> {
    let asked = |value: &String| Asked { value: value.clone(), implied_by: implied.granting(value).to_vec() };
    values.iter().map(asked).collect()
}

impl Asked {
    fn is_met(&self, grants: impl Fn(&str) -> bool) -> bool {
        grants(&self.value) || self.implied_by.iter().any(|value| grants(value))
    }
}

/// The refusal that names all scope values that the client should request.
pub(crate) fn insufficient_scope<'a>(values: impl Iterator<Item = &'a str>) -> Refusal {
    let required = values.collect::<Vec<_>>().join(" ");
    Refusal::Access(AccessFault::InsufficientScope { required })
}
