//! Hints for scope and claims that a valid token lacks.

use super::{
    kind::other_kind,
    provider::{self, Provider},
    remedy, step_up,
};
use crate::{
    claims::find,
    explain::walk::Walk,
    json::{Object, Value},
    policy::{ClaimCheck, ClaimRule, Policy},
    refusal::AccessFault,
};

/// Claims that are easily mistaken for a scope.
const NO_SCOPES: [&str; 6] = ["permissions", "scopes", "roles", "groups", "/realm_access/roles", "authorities"];

pub(super) fn of(walk: &Walk<'_>, fault: &AccessFault) -> Option<String> {
    let (claims, policy) = (walk.claims.as_ref()?, walk.policy?);
    Some(match fault {
        AccessFault::InsufficientScope { .. } => scope(walk, claims, policy),
        AccessFault::InsufficientUserAuthentication { is_too_old: false, .. } => step_up::acr(walk, claims),
        AccessFault::InsufficientUserAuthentication { is_too_old: true, .. } => step_up::age(walk, claims),
        AccessFault::RequiredClaims { claim } => required(claims, policy, claim),
        AccessFault::ForbiddenClaim { claim } => {
            format!("tokens with `{claim}` are for something else: have the client ask for another kind of token")
        }
        // An explanation exchanges no token.
        AccessFault::ExchangeRefused { .. } => return None,
        AccessFault::OwnRule { name } => format!("a rule in the code of this endpoint is not met: `{name}`"),
    })
}

fn scope(walk: &Walk<'_>, claims: &Object, policy: &Policy) -> String {
    let granted_scope = walk.granted_scope(claims);
    let lacking = policy.scope.lacking(|value| granted_scope.has(value));
    if let Some(several) = lacking.iter().find(|value| value.is_empty() || value.contains(' ')) {
        return format!(
            "no token can grant `{several}`: a scope value contains no space, so list each value by itself"
        );
    }
    let elsewhere =
        |name: &&&str| find(claims, name).is_some_and(|claim| lacking.iter().any(|value| holds(claim, value)));
    if let Some(name) = NO_SCOPES.iter().find(elsewhere) {
        return format!(
            "the value is in `{name}`, which grants no scope (RFC 9068 section 2.2.3): ask for it by a claim rule, or name that \
             claim in `scope_claims`"
        );
    }
    let scope = granted_scope.claim();
    if scope.is_some_and(|scope| scope.elements().any(is_several)) {
        return "an element of the array is one value, and one with a space grants nothing: have the issuer split it"
            .to_owned();
    }
    if lacking.iter().any(|value| granted_scope.values().any(|granted| is_among_commas(granted, value))) {
        return "the scope has commas, which separate nothing: RFC 8693 asks for one string with spaces".to_owned();
    }
    if lacking.iter().any(|value| granted_scope.values().any(|granted| granted.eq_ignore_ascii_case(value))) {
        return "it differs by upper and lower case, which counts: write the scope as the issuer does".to_owned();
    }
    if lacking.iter().any(|value| granted_scope.values().any(|granted| is_last_part(granted, value))) {
        return "one of the two has the API's name before the scope (Cognito grants `API/read`, Entra ID grants `read` of \
                `api://API/read`): write the scope as the token does"
            .to_owned();
    }
    if provider::of(walk) == Some(Provider::Entra) && is_of_an_app(claims) {
        return "this token is an app's own, without a user: Entra ID grants app permissions in `roles`, so ask for one by a \
                claim rule on `roles`"
            .to_owned();
    }
    let (was, it) = if lacking.len() == 1 { ("was", "it") } else { ("were", "them") };
    let lacking = quoted(&lacking);
    if scope.is_none() {
        if let Some(hint) = remedy::without_scope(walk).map(str::to_owned).or_else(|| other_kind(walk)) {
            return hint;
        }
        return format!(
            "the token grants no scope at all: the client has to ask for {lacking}, and the issuer to allow it"
        );
    }
    format!("{lacking} {was} not granted: the client has to ask for {it}, and the user or the issuer to allow {it}")
}

/// Tells whether the value is one of several that are separated by commas.
fn is_among_commas(granted: &str, value: &str) -> bool {
    granted.contains(',') && granted.split(',').any(|part| part == value)
}

/// Tells whether one is the other with something before it.
fn is_last_part(one: &str, other: &str) -> bool {
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|before| before.ends_with(['/', ':']));
    ends(one, other) || ends(other, one)
}

/// Tells whether Entra ID issued the token for an app alone: by `idtyp`, or by `roles` without `scp`.
fn is_of_an_app(claims: &Object) -> bool {
    let says_so = claims.get("idtyp").and_then(Value::as_str) == Some("app");
    says_so || (claims.contains_key("roles") && !claims.contains_key("scp"))
}

fn is_several(element: Value<'_>) -> bool {
    element.as_str().is_some_and(|text| text.contains(' '))
}

fn quoted(values: &[&str]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

/// Tells whether a claim has this value, as a word of its string or among its elements.
fn holds(claim: Value<'_>, value: &str) -> bool {
    let is = |claim: Value<'_>| claim.as_str().is_some_and(|text| text.split(' ').any(|word| word == value));
    is(claim) || claim.elements().any(is)
}

fn required(claims: &Object, policy: &Policy, name: &str) -> String {
    let rule = policy.claims.iter().find(|rule| rule.name() == name && !rule.is_met(claims));
    let asked = rule.map_or(&[][..], |rule| rule.values());
    match find(claims, name) {
        None => match nested(claims, name) {
            Some(pointer) => format!("the claim is at `{pointer}`: name it by that JSON Pointer"),
            None => format!(
                "the token has no `{name}`: the user or client does not have it, or the issuer does not put it into access tokens"
            ),
        },
        Some(actual) if asked.iter().any(|expected| is_same_text(actual, expected)) => {
            "it differs only in type (string or number) or in upper and lower case, which counts".to_owned()
        }
        Some(_)
            if rule.and_then(ClaimCheck::pattern).is_some_and(|pattern| is_matched_within(claims, name, pattern)) =>
        {
            "a pattern has to match the whole value: write `*` where any text may come before or after".to_owned()
        }
        Some(_) if asked.iter().any(|expected| is_matched_by(claims, name, expected)) => {
            "in a value, `*` is a character like any other: write the rule with `matches`, which takes it for a pattern"
                .to_owned()
        }
        Some(_) => "the user or client does not have the value that this endpoint asks for".to_owned(),
    }
}

/// Tells whether the value would be met as a pattern.
fn is_matched_by(claims: &Object, name: &str, value: &serde_json::Value) -> bool {
    let pattern = value.as_str().filter(|text| text.contains('*'));
    pattern.is_some_and(|pattern| ClaimCheck::new(&ClaimRule::matches(name, pattern)).is_met(claims))
}

fn is_matched_within(claims: &Object, name: &str, pattern: &str) -> bool {
    ClaimCheck::new(&ClaimRule::matches(name, format!("*{pattern}*"))).is_met(claims)
}

/// The JSON Pointer to a member of this name within a claim, one level down.
fn nested(claims: &Object, name: &str) -> Option<String> {
    let is_plain = !name.contains(['/', '~']);
    let (outer, _) = claims.iter().find(|(_, value)| value.get(name).is_some()).filter(|_| is_plain)?;
    Some(format!("/{}/{name}", outer.replace('~', "~0").replace('/', "~1")))
}

fn is_same_text(actual: Value<'_>, expected: &serde_json::Value) -> bool {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is = |actual: Value<'_>| text(&actual.to_json()).eq_ignore_ascii_case(&text(expected));
    is(actual) || actual.elements().any(is)
}
