//! Hints for issuer and audience.

use url::Url;

use super::{
    issuer,
    kind::other_kind,
    provider::{self, Provider, audiences},
    remedy,
};
use crate::{
    claims::find,
    explain::walk::Walk,
    issuer_spelling,
    issuer_template::IssuerTemplate,
    refusal::{CheckKind, TokenFault},
};

/// Parts of host names and paths that name an environment.
const ENVIRONMENTS: [&str; 13] = [
    "test",
    "testing",
    "stage",
    "staging",
    "dev",
    "develop",
    "development",
    "qa",
    "sandbox",
    "uat",
    "int",
    "preprod",
    "localhost",
];

pub(super) fn of(walk: &Walk<'_>, kind: CheckKind, fault: &TokenFault) -> Option<String> {
    let hint = match fault {
        TokenFault::MissingClaim { name } => return Some(missing(walk, kind, name)),
        TokenFault::Issuer { actual, .. } => return Some(issuer(walk, actual.reveal())),
        TokenFault::Audience { .. } => return Some(audience(walk)),
        TokenFault::Tenant => return Some(tenant(walk)),
        TokenFault::Subject { .. } => {
            "the token is of another user, client or workload than those that are accepted of this issuer (`subjects`), in which `*` \
             stands for any characters"
        }
        TokenFault::TrustDomain => {
            "only workloads of the configured trust domain are accepted: `sub` has to be `spiffe://DOMAIN/…`, to the \
             letter"
        }
        TokenFault::Inactive => remedy::opaque(walk)
            .unwrap_or("it was revoked, has expired, or was never issued by the server that is asked"),
        TokenFault::SenderConstrained => {
            "the token is bound to its client's key, so that a stolen one is of no use: the client must send it with the DPoP \
             scheme and a DPoP proof (RFC 9449), and DPoP must be switched on here; or present its certificate (RFC 8705)"
        }
        TokenFault::UnsupportedConfirmation => {
            "the issuer binds the token to a key in a way that no HTTP request proves: have it issue bearer tokens for this API"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn missing(walk: &Walk<'_>, kind: CheckKind, name: &str) -> String {
    if kind == CheckKind::Audience {
        return audience(walk);
    }
    if let Some(hint) = other_kind(walk) {
        return hint;
    }
    match kind {
        CheckKind::Lifetime => {
            format!("without `{name}` the lifetime of the token is unknown: have the issuer add it")
        }
        CheckKind::RequiredClaims => {
            format!("the strict mode of RFC 9068 asks for `{name}`: have the issuer add it, or leave the strict mode")
        }
        CheckKind::IssuerKnown | CheckKind::Issuer if provider::of(walk) == Some(Provider::Spiffe) => {
            "a JWT-SVID has no `iss`, but a trust domain in `sub`: trust that domain in the place of an issuer \
             (`trust_domain`)"
                .to_owned()
        }
        CheckKind::Expiry => "a token without `exp` never expires: have the issuer add it".to_owned(),
        _ => format!("have the issuer put `{name}` into its access tokens"),
    }
}

fn issuer(walk: &Walk<'_>, actual: &str) -> String {
    if walk.templates().any(|template| template.tenant(actual).is_some()) {
        return "the issuer is one of the template, but its tenant is not one of those that are accepted: add it if it is to be \
                trusted (`tenants`)"
            .to_owned();
    }
    let likely = |known: &str| IssuerTemplate::of(known).and_then(|template| template.likely(actual));
    let known: Vec<_> =
        walk.known_issuers().into_iter().map(|known| likely(known).unwrap_or_else(|| known.to_owned())).collect();
    let by = |hint: fn(&str, &str) -> Option<String>| known.iter().find_map(|expected| hint(expected, actual));
    by(spelled_otherwise)
        .or_else(|| remedy::not_for_us(walk).map(str::to_owned))
        .or_else(|| by(issuer::of_token))
        .or_else(|| by(relative))
        .unwrap_or_else(|| "this token is of another issuer: add that one if it is to be trusted".to_owned())
}

/// The hint for a claim that does not name the tenant of `iss`.
fn tenant(walk: &Walk<'_>) -> String {
    let name = walk.branch.as_ref().and_then(|branch| branch.rules.tenant_claim.as_deref()).unwrap_or_default();
    match walk.claims.as_ref().and_then(|claims| find(claims, name)) {
        None => format!(
            "the token has no claim `{name}`: name the claim in which the issuer writes the tenant (`tenant_claim`)"
        ),
        Some(_) => format!(
            "`iss` names one tenant and `{name}` another: if the issuer writes the tenant into another claim, name that one \
             (`tenant_claim`); if not, a tenant has signed in the name of another"
        ),
    }
}

/// The difference between the issuer that metadata name and the configured one.
pub(super) fn of_metadata(expected: &str, actual: &str) -> Option<String> {
    spelled_otherwise(expected, actual).or_else(|| issuer::of_metadata(expected, actual))
}

/// A difference in spelling alone, which counts: issuers are compared to the letter.
fn spelled_otherwise(expected: &str, actual: &str) -> Option<String> {
    let differs = issuer_spelling::difference(expected, actual)?;
    Some(format!("it differs by {differs}: write the issuer as its tokens do"))
}

/// Another environment or tenant of the same organisation.
fn relative(expected: &str, actual: &str) -> Option<String> {
    let (expected, actual) = (Url::parse(expected).ok()?, Url::parse(actual).ok()?);
    if expected.host_str()? == actual.host_str()? {
        return Some(if expected.port() == actual.port() {
            "it is of the same server, but of another tenant or realm: compare the paths".to_owned()
        } else {
            "it is of the same host, but of another port: another server or environment".to_owned()
        });
    }
    let [ours, theirs] = [environment(&expected), environment(&actual)];
    let is_of_ours = domain(&expected) == domain(&actual) || actual.host_str() == Some("localhost");
    if !is_of_ours || ours == theirs {
        return None;
    }
    let of = theirs.map_or("production".to_owned(), |name| format!("the environment `{name}`"));
    let here = ours.map_or("production".to_owned(), |name| format!("`{name}`"));
    Some(format!("this token seems to be of {of}, and one of {here} is expected here"))
}

/// The last two labels of the host.
fn domain(issuer: &Url) -> Vec<&str> {
    issuer.host_str().unwrap_or_default().rsplit('.').take(2).collect()
}

/// The environment in an issuer's name, if there is one.
fn environment(issuer: &Url) -> Option<&str> {
    let words = issuer.as_str().split(|character: char| !character.is_ascii_alphanumeric());
    words.into_iter().find(|word| ENVIRONMENTS.contains(word))
}

/// The hint for a wrong or missing audience.
fn audience(walk: &Walk<'_>) -> String {
    if let Some(hint) = remedy::not_for_us(walk) {
        return hint.to_owned();
    }
    // Google has no other tokens for an API than ID tokens.
    let has_other_kinds = provider::of(walk) != Some(Provider::Google);
    if let Some(hint) = other_kind(walk).filter(|_| has_other_kinds) {
        return hint;
    }
    if is_spelled_otherwise(walk) {
        return "it differs only by a slash at its end, or by upper and lower case, which counts: \
                write the audience as the tokens do"
            .to_owned();
    }
    remedy::audience(walk).unwrap_or_else(|| {
        let names_none = walk.claims.as_ref().is_some_and(|claims| !claims.contains_key("aud"));
        if names_none {
            "the client has to ask for a token for this API (`resource` or `audience`), so that the issuer names it"
        } else {
            "this token is for another API: the client has to ask for one for this API (`resource` or `audience`)"
        }
        .to_owned()
    })
}

fn is_spelled_otherwise(walk: &Walk<'_>) -> bool {
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    let ours: Vec<String> = walk.audiences().iter().map(|audience| bare(audience)).collect();
    walk.claims.as_ref().is_some_and(|claims| audiences(claims).any(|theirs| ours.contains(&bare(theirs))))
}
