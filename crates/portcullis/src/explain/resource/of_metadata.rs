//! The checks of the resource's metadata.

use http::{
    HeaderName,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE},
};
use url::Url;

use super::{
    ResourceCheck, ResourceCheckKind as Kind, ResourceFinding as Finding,
    client::{BROWSER, allowed},
    rows::{Judged, about, found, not_asked, not_reached, passed},
    seen::{Asked, Attempt, Miss, Seen, text, texts},
    walk,
};
use crate::json::Object;

/// The members that are arrays of texts.
const LISTS: [&str; 6] = [
    "authorization_servers",
    "scopes_supported",
    "bearer_methods_supported",
    "resource_signing_alg_values_supported",
    "authorization_details_types_supported",
    "dpop_signing_alg_values_supported",
];

/// The members that are texts.
const TEXTS: [&str; 6] =
    ["resource", "jwks_uri", "resource_name", "resource_documentation", "resource_policy_uri", "resource_tos_uri"];

pub(super) fn checks(seen: &Seen) -> Vec<ResourceCheck> {
    let attempt = judged_attempt(seen);
    let subject = attempt.map_or(&seen.well_known, |attempt| &attempt.url);
    let metadata = seen.metadata();
    let of_object = |check: &dyn Fn(&Object) -> Judged| metadata.as_ref().map_or_else(not_reached, check);
    let of_attempt = |check: fn(&Attempt) -> Judged| attempt.map_or_else(not_reached, check);
    about(
        subject.as_str(),
        [
            (Kind::Metadata, of_attempt(fetched)),
            (Kind::MetadataJson, of_attempt(json)),
            (Kind::MetadataType, of_attempt(media_type)),
            (Kind::MetadataCors, of_attempt(cors)),
            (Kind::WellKnown, well_known(seen)),
            (Kind::Members, of_object(&members)),
            (Kind::Identifier, of_object(&|metadata| identifier(seen, metadata))),
            (Kind::AuthorizationServers, of_object(&authorization_servers)),
            (Kind::BearerMethods, of_object(&bearer_methods)),
            (Kind::Scopes, of_object(&|metadata| scopes(seen, metadata))),
        ],
    )
}

/// Returns the attempt to judge: the one that the challenge names, or else the one that succeeded, or else the one that tells
/// the most.
fn judged_attempt(seen: &Seen) -> Option<&Attempt> {
    let first = seen.attempts.first()?;
    let is_named = seen.challenged("resource_metadata").is_some();
    let found = || seen.attempts.iter().find(|attempt| attempt.object().is_ok());
    let telling = || seen.attempts.iter().find(|attempt| !matches!(attempt.object(), Err(Miss::Absent(_))));
    if is_named { Some(first) } else { found().or_else(telling).or(Some(first)) }
}

fn fetched(attempt: &Attempt) -> Judged {
    let Err(miss) = attempt.body() else {
        return if matches!(attempt.asked, Asked::Given(_)) { not_asked() } else { passed("200 OK") };
    };
    let finding = match miss {
        Miss::Absent(_) => Finding::NoMetadata,
        Miss::NeedsToken(_) => Finding::MetadataNeedToken,
        Miss::Redirected(_) => Finding::MetadataRedirect,
        Miss::Nothing(_) => Finding::MetadataUnreachable,
        Miss::Status(_) | Miss::Html | Miss::NotJson(_) => Finding::MetadataStatus,
    };
    found(finding, format!("status 200 at {}", attempt.url), miss.told())
}

fn json(attempt: &Attempt) -> Judged {
    match attempt.object() {
        Ok(metadata) => passed(format!("{} members", metadata.len())),
        Err(miss @ Miss::Html) => found(Finding::MetadataHtml, "a JSON object", miss.told()),
        Err(miss @ Miss::NotJson(_)) => found(Finding::MetadataNotJson, "a JSON object", miss.told()),
        Err(_) => not_reached(),
    }
}

fn media_type(attempt: &Attempt) -> Judged {
    of_field(attempt, &CONTENT_TYPE, |value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            return passed(value);
        }
        found(Finding::WrongContentType, "application/json", or_none(value))
    })
}

fn cors(attempt: &Attempt) -> Judged {
    of_field(attempt, &ACCESS_CONTROL_ALLOW_ORIGIN, |value| {
        if value == "*" || BROWSER == value {
            return passed(value);
        }
        found(Finding::NoCors, "Access-Control-Allow-Origin: *", or_none(value))
    })
}

/// Judges the value of a field of readable metadata; an absent field is empty.
fn of_field(attempt: &Attempt, name: &HeaderName, judge: impl Fn(&str) -> Judged) -> Judged {
    match (&attempt.asked, attempt.object()) {
        (Asked::Given(_), _) => not_asked(),
        (Asked::Answered(answer), Ok(_)) => {
            judge(answer.fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default())
        }
        _ => not_reached(),
    }
}

fn or_none(value: &str) -> &str {
    if value.is_empty() { "no such field" } else { value }
}

fn well_known(seen: &Seen) -> Judged {
    let attempt = seen.attempts.iter().find(|attempt| attempt.url == seen.well_known);
    match attempt {
        Some(attempt) if matches!(attempt.asked, Asked::Given(_)) => not_asked(),
        Some(attempt) => match attempt.object() {
            Ok(metadata) => describes_the_same(&metadata, seen),
            Err(miss) if seen.metadata().is_some() => {
                found(Finding::NotWellKnown, format!("metadata at {}", seen.well_known), miss.told())
            }
            Err(_) => not_reached(),
        },
        None => not_reached(),
    }
}

/// Compares the document at the well-known URI with the one that the challenge names.
fn describes_the_same(metadata: &Object, seen: &Seen) -> Judged {
    let identifier = |metadata: &Object| text(metadata, "resource").map(str::to_owned);
    let (here, expected) = (identifier(metadata), seen.metadata().as_ref().and_then(identifier));
    if here == expected {
        return passed(seen.well_known.as_str());
    }
    let actual = here.map_or_else(|| "a document without `resource`".to_owned(), |here| format!("those of {here}"));
    found(Finding::NotWellKnown, format!("the same metadata at {}", seen.well_known), actual)
}

fn members(metadata: &Object) -> Judged {
    let is_list = |name: &str| {
        metadata
            .get(name)
            .is_none_or(|value| value.is_array() && value.elements().all(|element| element.as_str().is_some()))
    };
    let is_text = |name: &str| metadata.get(name).is_none_or(|value| value.as_str().is_some());
    let malformed = |name: &str, form: &str| {
        let actual = metadata.get(name).map(|value| value.to_string()).unwrap_or_default();
        found(Finding::MalformedMember, format!("`{name}` as {form}"), actual)
    };
    if let Some(name) = LISTS.iter().find(|name| !is_list(name)) {
        return malformed(name, "an array of strings");
    }
    match TEXTS.iter().find(|name| !is_text(name)) {
        Some(name) => malformed(name, "a string"),
        None => passed("as specified"),
    }
}

fn identifier(seen: &Seen, metadata: &Object) -> Judged {
    let Some(actual) = text(metadata, "resource") else {
        return found(Finding::NoIdentifier, &seen.text, "no such member");
    };
    let Some(url) = allowed(actual).filter(|url| url.fragment().is_none()) else {
        return found(Finding::MalformedIdentifier, &seen.text, actual);
    };
    let without_slash = |text: &str| text.strip_suffix('/').map(str::to_owned).unwrap_or_else(|| text.to_owned());
    let is_twin = without_slash(actual) == without_slash(&seen.text);
    let finding = match () {
        () if actual == seen.text => return passed(actual),
        () if is_twin && url == seen.url => Finding::RootSlash,
        // Such as an upper-case host.
        () if url == seen.url => return passed(actual),
        () if is_twin || without_slash(url.as_str()) == without_slash(seen.url.as_str()) => Finding::SlashIdentifier,
        () if is_parent(&url, &seen.url) => Finding::ParentIdentifier,
        () => Finding::OtherIdentifier,
    };
    found(finding, &seen.text, actual)
}

/// Tells whether one URL has the same origin as another, and a path of which that of the other is a part.
fn is_parent(parent: &Url, child: &Url) -> bool {
    let path = parent.path().trim_end_matches('/');
    parent.origin() == child.origin()
        && parent.query().is_none()
        && child.path().strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

fn authorization_servers(metadata: &Object) -> Judged {
    const EXPECTED: &str = "at least one issuer";
    let issuers = texts(metadata, "authorization_servers");
    match issuers {
        // A member of another form has its own finding.
        None if metadata.contains_key("authorization_servers") => not_reached(),
        None => found(Finding::NoAuthorizationServers, EXPECTED, "no such member"),
        Some(issuers) if issuers.is_empty() => found(Finding::NoAuthorizationServers, EXPECTED, "an empty array"),
        Some(issuers) => match issuers.iter().find(|issuer| walk::identifier(issuer).is_none()) {
            Some(issuer) => {
                found(Finding::MalformedAuthorizationServer, "an https URL without query and fragment", *issuer)
            }
            None => passed(issuers.join(", ")),
        },
    }
}

fn bearer_methods(metadata: &Object) -> Judged {
    match texts(metadata, "bearer_methods_supported") {
        None => not_asked(),
        Some(methods) if methods.contains(&"header") => passed(methods.join(", ")),
        Some(methods) => found(Finding::NoHeaderMethod, "header", or_empty(&methods)),
    }
}

fn or_empty(texts: &[&str]) -> String {
    if texts.is_empty() { "an empty array".to_owned() } else { texts.join(", ") }
}

fn scopes(seen: &Seen, metadata: &Object) -> Judged {
    let challenged = seen.challenged_scopes();
    let published = texts(metadata, "scopes_supported");
    let known = published.clone().unwrap_or_default();
    if challenged.iter().chain(&known).any(|scope| *scope == "offline_access") {
        return found(Finding::OfflineAccess, "scopes of the resource", "offline_access");
    }
    let missing: Vec<_> = challenged.iter().copied().filter(|scope| !known.contains(scope)).collect();
    match published {
        Some(_) if !missing.is_empty() => {
            let expected = format!("each scope of the challenge in scopes_supported, {}", or_empty(&known));
            found(Finding::ScopeNotPublished, expected, missing.join(" "))
        }
        Some(published) => passed(or_empty(&published)),
        None if challenged.is_empty() => not_asked(),
        None => passed(challenged.join(", ")),
    }
}
