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
