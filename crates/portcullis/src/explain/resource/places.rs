//! The well-known URIs of metadata, in the order in which clients try them.

use url::Url;

use crate::resource::ResourceDocument;

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// Returns the URI of a resource's metadata: the well-known part goes before its path (RFC 9728 section 3.1).
pub(super) fn of_resource(resource: &Url) -> Url {
    inserted(resource, ResourceDocument::WELL_KNOWN)
}

/// Returns the URI of the metadata of a whole origin, where MCP clients look last.
pub(super) fn of_origin(resource: &Url) -> Url {
    let mut url = with_path(resource, ResourceDocument::WELL_KNOWN);
    url.set_query(None);
    url
}

/// Returns the URIs of an authorization server's metadata (RFC 8414 sections 3.1 and 5, OpenID Connect Discovery 1.0
/// section 4.1).
pub(super) fn of_server(issuer: &Url) -> Vec<Url> {
    // A slash at the end of an issuer's path goes; that of a resource's path stays.
    let issuer = with_path(issuer, issuer.path().trim_end_matches('/'));
    let mut places = vec![inserted(&issuer, OAUTH), inserted(&issuer, OPENID), appended(&issuer, OPENID)];
    places.dedup();
    places
}

fn inserted(url: &Url, well_known: &str) -> Url {
    let path = if url.path() == "/" { "" } else { url.path() };
    with_path(url, &format!("{well_known}{path}"))
}

fn appended(url: &Url, well_known: &str) -> Url {
    with_path(url, &format!("{}{well_known}", url.path().trim_end_matches('/')))
}

fn with_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(path);
    url.set_fragment(None);
    url
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_where_each_specification_says() {
        let table = [
            ("https://a.example", "/.well-known/oauth-protected-resource"),
            ("https://a.example/", "/.well-known/oauth-protected-resource"),
            ("https://a.example/mcp", "/.well-known/oauth-protected-resource/mcp"),
            ("https://a.example/mcp/?a=b#c", "/.well-known/oauth-protected-resource/mcp/?a=b"),
        ];
        for (resource, path) in table {
            let resource = Url::parse(resource).unwrap();
            assert_eq!(of_resource(&resource).as_str(), format!("https://a.example{path}"));
            assert_eq!(of_origin(&resource).as_str(), "https://a.example/.well-known/oauth-protected-resource");
        }
        let servers = |issuer: &str| {
            let places = of_server(&Url::parse(issuer).unwrap());
            places.iter().map(|url| url.path().to_owned()).collect::<Vec<_>>()
        };
        let [oauth, openid] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
        assert_eq!(servers("https://a.example/"), [oauth, openid]);
        let with_path = [format!("{oauth}/t/1"), format!("{openid}/t/1"), format!("/t/1{openid}")];
        assert_eq!(servers("https://a.example/t/1"), with_path);
        assert_eq!(servers("https://a.example/t/1/"), with_path);
    }
}
