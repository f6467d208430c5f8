//! The checks of an authorization server.

use url::Url;

use super::{
    ResourceCheck, ResourceCheckKind as Kind, ResourceFinding as Finding,
    client::allowed,
    rows::{Judged, about, found, not_asked, not_reached, passed},
    seen::{Asked, Miss, Seen, Server, text, texts},
};
use crate::{json::Object, keys::JwkSet, loopback::is_this_machine};

/// The endpoints that clients and resource servers use.
const ENDPOINTS: [&str; 8] = [
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "jwks_uri",
    "introspection_endpoint",
    "revocation_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
];

pub(super) fn checks(seen: &Seen, server: &Server) -> Vec<ResourceCheck> {
    let metadata = server.metadata().map(|(_, metadata)| metadata);
    let of_object = |check: &dyn Fn(&Object) -> Judged| metadata.as_ref().map_or_else(not_reached, check);
    let of_users = |check: fn(&Object) -> Judged| {
        of_object(&|metadata| if is_for_users(metadata) { check(metadata) } else { not_asked() })
    };
    about(
        &server.issuer,
        [
            (Kind::ServerMetadata, fetched(server)),
            (Kind::Issuer, of_object(&|metadata| issuer(server, metadata))),
            (Kind::Grant, of_object(&grant)),
            (Kind::AuthorizationEndpoint, of_users(authorization_endpoint)),
            (Kind::TokenEndpoint, of_object(&token_endpoint)),
            (Kind::Endpoints, of_object(&|metadata| endpoints(server, metadata))),
            (Kind::Pkce, of_users(pkce)),
            (Kind::Registration, of_users(registration)),
            (Kind::ScopesOffered, of_object(&|metadata| scopes_offered(seen, metadata))),
            (Kind::ResourceListed, of_object(&|metadata| resource_listed(seen, metadata))),
            (Kind::Keys, of_object(&|metadata| keys(server, metadata))),
            (Kind::IssuerIdentification, of_object(&|metadata| issuer_identification(seen, metadata))),
        ],
    )
}

fn fetched(server: &Server) -> Judged {
    if let Some((attempt, _)) = server.metadata() {
        return if matches!(attempt.asked, Asked::Given(_)) { not_asked() } else { passed(attempt.url.as_str()) };
    }
    let misses: Vec<_> = server.attempts.iter().filter_map(|attempt| attempt.object().err()).collect();
    let Some(miss) = misses.iter().max_by_key(|miss| weight(miss)) else { return not_reached() };
    let finding = match miss {
        Miss::Nothing(_) => Finding::ServerUnreachable,
        Miss::Html | Miss::NotJson(_) => Finding::ServerMetadataNotJson,
        Miss::Absent(_) | Miss::NeedsToken(_) | Miss::Status(_) | Miss::Redirected(_) => Finding::NoServerMetadata,
    };
    let places: Vec<_> = server.attempts.iter().map(|attempt| attempt.url.as_str()).collect();
    found(finding, format!("metadata at {}", places.join(" or ")), miss.told())
}

/// Returns the worth of a miss for a person: any answer tells more than that there is nothing.
fn weight(miss: &Miss) -> u8 {
    match miss {
        Miss::Absent(_) => 0,
        Miss::NeedsToken(_) | Miss::Status(_) | Miss::Redirected(_) => 1,
        Miss::Nothing(_) => 2,
        Miss::Html | Miss::NotJson(_) => 3,
    }
}

fn issuer(server: &Server, metadata: &Object) -> Judged {
    let expected = &server.issuer;
    match text(metadata, "issuer") {
        Some(actual) if actual == expected => passed(actual),
        Some(actual) if actual.trim_end_matches('/') == expected.trim_end_matches('/') => {
            found(Finding::SlashIssuer, expected, actual)
        }
        actual => found(Finding::OtherIssuer, expected, actual.unwrap_or("no such member")),
    }
}

/// Tells whether users authorize clients there: by the default of RFC 8414 section 2, unless the grants leave it out.
fn is_for_users(metadata: &Object) -> bool {
    let grants = texts(metadata, "grant_types_supported");
    let responses = texts(metadata, "response_types_supported");
    grants.is_none_or(|grants| grants.contains(&"authorization_code"))
        && responses
            .is_none_or(|responses| responses.iter().any(|response| response.split(' ').any(|one| one == "code")))
}

fn grant(metadata: &Object) -> Judged {
    if is_for_users(metadata) {
        return passed("offered");
    }
    let of = |name: &str| texts(metadata, name).map_or_else(|| "none named".to_owned(), |names| names.join(", "));
    let actual =
        format!("grant types: {}; response types: {}", of("grant_types_supported"), of("response_types_supported"));
    found(Finding::NoAuthorizationCode, "the grant authorization_code, the response type code", actual)
}

fn authorization_endpoint(metadata: &Object) -> Judged {
    endpoint(metadata, "authorization_endpoint", Finding::NoAuthorizationEndpoint)
}

fn token_endpoint(metadata: &Object) -> Judged {
    endpoint(metadata, "token_endpoint", Finding::NoTokenEndpoint)
}

fn endpoint(metadata: &Object, name: &str, finding: Finding) -> Judged {
    match text(metadata, name) {
        Some(url) if !url.is_empty() => passed(url),
        _ => found(finding, "a URL", "no such member"),
    }
}

fn endpoints(server: &Server, metadata: &Object) -> Judged {
    // Only an issuer on this machine may have endpoints there by http.
    let is_local = Url::parse(&server.issuer).is_ok_and(|issuer| issuer.scheme() == "http" && is_this_machine(&issuer));
    let is_good = |text: &str| allowed(text).is_some_and(|url| url.scheme() == "https" || is_local);
    let named: Vec<_> = ENDPOINTS.iter().filter_map(|name| Some((name, text(metadata, name)?))).collect();
    match named.iter().find(|(_, url)| !is_good(url)) {
        Some((name, url)) => found(Finding::InsecureEndpoint, format!("{name} as an https URL"), *url),
        None => passed(format!("{} endpoints", named.len())),
    }
}

fn pkce(metadata: &Object) -> Judged {
    match texts(metadata, "code_challenge_methods_supported") {
        None => found(Finding::NoPkce, "code_challenge_methods_supported with S256", "no such member"),
        Some(methods) if methods.contains(&"S256") => passed(methods.join(", ")),
        Some(methods) => found(Finding::NoS256, "S256", methods.join(", ")),
    }
}

fn registration(metadata: &Object) -> Judged {
    let by_document = metadata.get("client_id_metadata_document_supported").and_then(|flag| flag.as_bool());
    let dynamic = text(metadata, "registration_endpoint");
    match (by_document, dynamic) {
        (Some(true), Some(_)) => passed("client ID metadata documents, dynamic registration"),
        (Some(true), None) => passed("client ID metadata documents"),
        (_, Some(_)) => passed("dynamic registration"),
        (_, None) => found(Finding::NoRegistration, "a way to register without a person", "none"),
    }
}

fn scopes_offered(seen: &Seen, metadata: &Object) -> Judged {
    let of_resource = seen.metadata();
    let published = of_resource.as_ref().and_then(|metadata| texts(metadata, "scopes_supported")).unwrap_or_default();
    let mut asked = seen.challenged_scopes();
    asked.extend(published.into_iter().filter(|scope| !seen.challenged_scopes().contains(scope)));
    let Some(offered) = texts(metadata, "scopes_supported").filter(|_| !asked.is_empty()) else { return not_asked() };
    let missing: Vec<_> = asked.iter().copied().filter(|scope| !offered.contains(scope)).collect();
    if missing.is_empty() {
        return passed(asked.join(", "));
    }
    found(Finding::ScopeNotOffered, format!("in scopes_supported: {}", asked.join(", ")), missing.join(", "))
}

fn resource_listed(seen: &Seen, metadata: &Object) -> Judged {
    let of_resource = seen.metadata();
    let identifier = of_resource.as_ref().and_then(|metadata| text(metadata, "resource")).unwrap_or(&seen.text);
    match texts(metadata, "protected_resources") {
        None => not_asked(),
        Some(listed) if listed.contains(&identifier) => passed(identifier),
        Some(listed) => found(Finding::ResourceNotListed, identifier, listed.join(", ")),
    }
}

fn keys(server: &Server, metadata: &Object) -> Judged {
    const EXPECTED: &str = "a JWK Set";
    let Some(place) = text(metadata, "jwks_uri") else {
        return found(Finding::NoKeys, "a URL", "no such member");
    };
    let Some(attempt) = &server.keys else {
        return if allowed(place).is_some() { not_asked() } else { not_reached() };
    };
    let body = match attempt.body() {
        Ok(body) => body,
        Err(miss) => return found(Finding::KeysUnreachable, EXPECTED, miss.told()),
    };
    let set = match JwkSet::from_slice(body) {
        Ok(set) => set,
        Err(error) => return found(Finding::KeysUnreachable, EXPECTED, error.came.to_string()),
    };
    let usable = set.published_keys().filter(|(_, judged)| judged.is_ok()).count();
    let all = set.published_keys().count();
    match usable {
        0 => found(Finding::NoUsableKeys, "a usable key", format!("{all} keys, none of them usable")),
        1 => passed("1 usable key"),
        _ => passed(format!("{usable} usable keys")),
    }
}

fn issuer_identification(seen: &Seen, metadata: &Object) -> Judged {
    const NAME: &str = "authorization_response_iss_parameter_supported";
    if seen.servers.len() < 2 {
        return not_asked();
    }
    match metadata.get(NAME).and_then(|flag| flag.as_bool()) {
        Some(true) => passed("promised"),
        _ => found(Finding::NoIssuerIdentification, format!("{NAME}: true"), "not promised"),
    }
}
