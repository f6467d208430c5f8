//! The remedy where an issuer has another name than the configured one, in the words of each provider.

use url::Url;

use super::provider::{self, Provider};

/// The hint for two names of the same issuer, or of issuers that are easily confused.
pub(super) fn of_token(expected: &str, actual: &str) -> Option<String> {
    match provider::of_issuer(actual)? {
        Provider::Auth0 if provider::of_issuer(expected).is_none() => Some(
            "Auth0 writes into `iss` the domain that the client asked: if the configured issuer is this tenant's custom domain, \
             have the client ask that one"
                .to_owned(),
        ),
        Provider::Entra => of_entra(expected, actual),
        Provider::Keycloak => of_keycloak(expected, actual),
        Provider::Kubernetes if actual == provider::LEGACY_SERVICE_ACCOUNT => Some(
            "this token is kept in a Secret, without an end and for any audience: have the workload use a projected one \
             (`serviceAccountToken.audience`), which the cluster's own issuer signs"
                .to_owned(),
        ),
        Provider::Kubernetes if provider::of_issuer(expected) == Some(Provider::Kubernetes) => Some(
            "a cluster has one issuer, whatever names lead to its API server: `kubectl get --raw \
             /.well-known/openid-configuration` shows it"
                .to_owned(),
        ),
        Provider::Okta => of_okta(expected, actual),
        Provider::AdFs => Some(
            "AD FS has an issuer for access tokens alone, `access_token_issuer` in its metadata: write that one \
             (http://HOST/adfs/services/trust), with `jwks_uri`"
                .to_owned(),
        ),
        Provider::Supabase if actual == provider::SUPABASE_KEY => Some(
            "this is a key of the project (`anon` or `service_role`), not a user's token: after sign-in the client has to send \
             the session's `access_token`"
                .to_owned(),
        ),
        _ => None,
    }
}

/// The hint for metadata of another issuer than the configured one, if the product explains it.
pub(super) fn of_metadata(expected: &str, actual: &str) -> Option<String> {
    match provider::of_issuer(actual)? {
        Provider::Entra => no_tenant(tenant(expected)?).or_else(|| {
            is_of_v1(actual).then(|| {
                "at Entra ID an address without `/v2.0` has the metadata of v1.0 tokens: write \
                 https://sts.windows.net/TENANT-ID/ for these, or https://login.microsoftonline.com/TENANT-ID/v2.0 for v2.0 \
                 tokens"
                    .to_owned()
            })
        }),
        Provider::Keycloak => of_keycloak(expected, actual),
        _ => None,
    }
}

/// The hint for Entra ID's names that stand for many tenants.
fn no_tenant(tenant: &str) -> Option<String> {
    ["common", "organizations", "consumers"].contains(&tenant).then(|| {
        format!(
            "`{tenant}` is where clients sign in, and no issuer: Entra ID writes the tenant's own ID into `iss`, so write the \
             issuer with that ID, or, to accept all organisations, with `{{tenantid}}` and `tenant_claim`"
        )
    })
}

fn of_entra(expected: &str, actual: &str) -> Option<String> {
    let (ours, theirs) = (tenant(expected)?, tenant(actual)?);
    if let Some(hint) = no_tenant(ours) {
        return Some(hint);
    }
    if ours != theirs {
        return Some(
            "this token is of another tenant of Entra ID: add that tenant's issuer if it is to be trusted".to_owned(),
        );
    }
    match [expected, actual].map(is_of_v1) {
        [false, true] => Some(
            "this is a v1.0 token of Entra ID: set `requestedAccessTokenVersion` to 2 in the manifest of this API's app \
             registration (`accessTokenAcceptedVersion` in older ones), or write https://sts.windows.net/TENANT-ID/ as issuer"
                .to_owned(),
        ),
        [true, false] => Some(
            "this is a v2.0 token of Entra ID: write https://login.microsoftonline.com/TENANT-ID/v2.0 as issuer, or have v1.0 \
             tokens issued (`requestedAccessTokenVersion` in the manifest of this API's app registration)"
                .to_owned(),
        ),
        [false, false] => Some(
            "the issuer of Entra ID's v2.0 tokens ends in `/v2.0`: write https://login.microsoftonline.com/TENANT-ID/v2.0 as \
             issuer"
                .to_owned(),
        ),
        [true, true] => None,
    }
}

/// The hint for two authorization servers of one Okta organisation, each with its own keys and audiences.
fn of_okta(expected: &str, actual: &str) -> Option<String> {
    let host = |issuer: &str| Url::parse(issuer).ok()?.host_str().map(str::to_owned);
    (host(expected)? == host(actual)?).then(|| {
        "it is of another authorization server of the same Okta organisation: compare the Issuer URI (Security > API > \
         Authorization Servers) with the address that the client asks"
            .to_owned()
    })
}

/// The first segment of the path.
fn tenant(issuer: &str) -> Option<&str> {
    provider::of_issuer(issuer).filter(|provider| *provider == Provider::Entra)?;
    issuer.split_once("://")?.1.split('/').nth(1)
}

fn is_of_v1(issuer: &str) -> bool {
    issuer.contains("://sts.windows.net/")
}

/// The hint for a realm under another name: Keycloak writes into `iss` the host of the client's request.
fn of_keycloak(expected: &str, actual: &str) -> Option<String> {
    let (before, realm) = expected.split_once("/realms/")?;
    let (theirs, same) = actual.split_once("/realms/")?;
    if realm.trim_end_matches('/') != same.trim_end_matches('/') {
        return None;
    }
    if before.trim_end_matches("/auth") == theirs.trim_end_matches("/auth") {
        return Some(
            "it differs by `/auth` before `/realms`, which Keycloak has left out since version 17: write the issuer as its \
             tokens do"
                .to_owned(),
        );
    }
    Some(
        "it is the same realm of Keycloak under another name: Keycloak writes the address that it was asked by, so set its \
         `hostname` option (KC_HOSTNAME), and write that one as issuer"
            .to_owned(),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::super::origin;

    #[test]
    fn metadata_of_another_issuer_are_told_by_the_product() {
        let v1 = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/";
        let any = "https://login.microsoftonline.com/{tenantid}/v2.0";
        let table = [
            ("https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555", v1, "without `/v2.0`"),
            ("https://login.microsoftonline.com/common/v2.0", any, "`common`"),
            ("https://login.microsoftonline.com/organizations/v2.0", any, "`organizations`"),
            ("http://keycloak:8080/realms/shop", "https://login.example.com/realms/shop", "KC_HOSTNAME"),
            ("http://login.example.com", "https://login.example.com", "`http`, `https`"),
            ("https://login.example.com", "https://login.example.com/", "slash"),
        ];
        for (expected, actual, words) in table {
            let hint = origin::of_metadata(expected, actual).unwrap();
            assert!(hint.contains(words), "{expected}: {hint}");
        }
        assert_eq!(origin::of_metadata("https://login.example.com", "https://evil.example"), None);
    }
}
