//! Names, hosts and preflights of routes.

use super::*;

#[test]
fn routes_have_hosts_names_and_preflights() {
    let config = good(&format!(
        "preflight = true\n{ISSUER}[[routes]]\npath = \"/a\"\nhost = \"API.example.com\"\nmethods = [\"GET\"]\n\
         [[routes]]\npath = \"/a\"\nhost = [\"*.example.com\", \"b.example\"]\npreflight = false\n\
         [[routes]]\npath = \"/c\"\nhost = \"*\"\nname = \"c-1\"\n[[routes]]\nname = \"d\"\n"
    ));
    let told: Vec<_> = config.routes.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["GET api.example.com/a", "*.example.com,b.example/a", "c-1", "d"]);
    let preflights: Vec<_> = config.routes.iter().map(|route| route.preflight).collect();
    assert_eq!((preflights, config.preflight), (vec![true, false, true, true], true));
    assert!(config.routes[3].pattern.is_none());
}

#[test]
fn a_mistake_in_hosts_names_and_preflights_is_shown_on_its_line() {
    let route = |lines: &str| format!("[[routes]]\n{lines}\n");
    for (tables, line, words) in [
        (route("path = \"/a\"\nhost = \"api.example.com:443\""), 5, "without a port"),
        (route("path = \"/a\"\nhost = [\"a\", \"https://b\"]"), 5, "expected a host"),
        (route("path = \"/a\"\nhost = []"), 5, "leave `host` out"),
        (route("path = \"/a\"\nhost = 5"), 5, "a host or an array of hosts"),
        (route("path = \"/a\"\nhost = \"a\"") + &route("path = \"/b\""), 7, "write `host = \"*\"`"),
        (route("path = \"/b\"") + &route("path = \"/a\"\nhost = \"a\""), 4, "write `host = \"*\"`"),
        (route("path = \"/a\"\nhost = \"*\"") + &route("path = \"/a\"\nhost = \"a\""), 7, "is covered already"),
        (route("path = \"/a\"\nhost = \"*.a\"") + &route("path = \"/a\"\nhost = \"b.a\""), 7, "is covered already"),
        (route("path = \"/a\"\nname = \"a b\""), 5, "expected a name of letters"),
        (route("path = \"/a\"\nname = \"a\"") + &route("name = \"a\""), 7, "each name of a route once"),
        (route("scope = [\"a\"]"), 3, "`path` in this table"),
        (route("path = \"/a\"\npreflight = \"yes\""), 5, "`true` or `false`"),
    ] {
        let found = mistakes(&format!("{ISSUER}{tables}"));
        assert!(matches!(&found[..], [(at, told)] if *at == line && told.contains(words)), "{tables}: {found:?}");
    }
}

#[test]
fn a_token_may_have_other_places_and_each_mistake_in_them_is_shown() {
    let route = |lines: &str| format!("{ISSUER}[[routes]]\npath = \"/a\"\n{lines}\n");
    let places =
        good(&route("token_cookie = \"__Host-token\"\ntoken_field = \"X-Token\"")).routes[0].token_places.clone();
    assert_eq!(
        (places.cookie.as_deref(), places.field),
        (Some("__Host-token"), Some(HeaderName::from_static("x-token")))
    );
    for (lines, line, words) in [
        ("token_cookie = \"a=b\"", 5, "the name of a cookie"),
        ("token_cookie = \"\"", 5, "got an empty one"),
        ("token_cookie = [\"a\"]", 5, "expected a text"),
        ("token_field = \"Authorization\"", 5, "got `Authorization`"),
        ("token_field = \"X Token\"", 5, "the name of a header field"),
        ("token_field = \"Cookie\"", 5, "for a token in a cookie write `token_cookie`"),
        ("token_field = \"X_Original-URI\"", 5, "by which requests are described or judged"),
        ("token_field = \"Portcullis-Unjudged\"", 5, "by which requests are described or judged"),
        ("token_field = \"X-T\"\n[[headers]]\nname = \"x_t\"\nclaim = \"sub\"", 7, "`token_field` of a route"),
        ("token_cookie = \"a\"\npublic = true", 5, "take out one of the two"),
        ("token_field = \"X-T\"\n[[headers]]\nname = \"x-t\"\nclaim = \"sub\"", 7, "`token_field` of a route"),
        ("token_query = \"access_token\"", 5, "unknown key"),
    ] {
        let found = mistakes(&route(lines));
        assert!(matches!(&found[..], [(at, told)] if *at == line && told.contains(words)), "{lines}: {found:?}");
    }
    let certificate =
        "listen = { address = \"127.0.0.1:0\", client_certificate = { field = \"X-T\", format = \"rfc9440\" } }\n";
    let found = mistakes(&format!("{certificate}{}", route("token_field = \"x-t\"")));
    assert!(matches!(&found[..], [(6, told)] if told.contains("that of `client_certificate`")), "{found:?}");
}
