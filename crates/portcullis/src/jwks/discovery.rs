//! From an issuer to the URL of its keys (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3).

use serde::Deserialize;
use url::Url;

use super::{
    endpoint::Issuer,
    fetch::{self, FetchError},
};
use crate::transport::{AnyHttpClient, Transport};

/// The members of the metadata that matter.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Asks for the OpenID Connect metadata, and where there is none, for those of RFC 8414.
pub(super) async fn jwks_uri(
    client: &dyn AnyHttpClient,
    issuer: &Issuer,
    transport: Transport,
) -> Result<Url, FetchError> {
    let document = match fetch::document(client, &openid_url(&issuer.url)).await {
        Err(FetchError::Status(_)) => fetch::document(client, &oauth_url(&issuer.url)).await?,
        answer => answer?,
    };
    let metadata: Metadata = serde_json::from_slice(&document).map_err(|_| FetchError::NotMetadata)?;
    if metadata.issuer != issuer.identifier {
        return Err(FetchError::WrongIssuer { expected: issuer.identifier.clone() });
    }
    transport.url(&metadata.jwks_uri).map_err(|problem| FetchError::JwksUri(problem.to_string()))
}

/// The well-known part goes behind the issuer's path.
fn openid_url(issuer: &Url) -> Url {
    let path = format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/'));
    with_path(issuer, &path)
}

/// The well-known part goes before the issuer's path (RFC 8414 section 3.1).
fn oauth_url(issuer: &Url) -> Url {
    let path = format!("/.well-known/oauth-authorization-server{}", issuer.path().trim_end_matches('/'));
    with_path(issuer, &path)
}

fn with_path(issuer: &Url, path: &str) -> Url {
    let mut url = issuer.clone();
    url.set_path(path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_where_each_specification_says() {
        let table = [
            (
                "https://as.example",
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://as.example/",
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://as.example/t/1",
                "https://as.example/t/1/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server/t/1",
            ),
        ];
        for (issuer, openid, oauth) in table {
            let issuer = Url::parse(issuer).unwrap();
            assert_eq!(openid_url(&issuer).as_str(), openid);
            assert_eq!(oauth_url(&issuer).as_str(), oauth);
        }
    }
}
