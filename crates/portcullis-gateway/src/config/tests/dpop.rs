//! `[dpop]`: each key, and each mistake on its line.

use super::*;

const ROUTE: &str = "[[routes]]\npath = \"/a\"\n";

const STORE: &str = "[store]\nurl = \"redis://127.0.0.1:6379\"\nsecret_file = \"long\"\n";

#[test]
fn the_use_of_all_routes_is_in_the_table_and_a_route_may_have_its_own() {
    for (dpop, route, expected) in [
        ("", "", [DpopUse::Off; 2]),
        ("", "dpop = \"required\"", [DpopUse::Off, DpopUse::Required]),
        ("[dpop]\nuse = \"off\"", "", [DpopUse::Off; 2]),
        ("[dpop]\nuse = \"required\"", "", [DpopUse::Required; 2]),
        ("[dpop]\nuse = \"allowed\"", "dpop = \"required\"", [DpopUse::Allowed, DpopUse::Required]),
        ("[dpop]\nuse = \"required\"", "dpop = \"off\"", [DpopUse::Required, DpopUse::Off]),
        ("[dpop]\nmax_age = \"1m\"", "dpop = \"allowed\"", [DpopUse::Off, DpopUse::Allowed]),
    ] {
        let config = good(&format!("{ISSUER}{ROUTE}{route}\n{dpop}"));
        assert_eq!([config.rules.dpop, config.routes[0].rules.dpop], expected, "{dpop} {route}");
    }
}

#[test]
fn all_keys_are_read() {
    let dpop = good(&format!("{ISSUER}{STORE}[dpop]\nuse = \"required\"")).dpop.unwrap();
    let defaults = Dpop {
        used: Some(DpopUse::Required),
        rules: DpopRules::default(),
        public_url: None,
        nonces: Nonces::Off,
        store_away: ReplayStoreAway::JudgeLocally,
    };
    assert_eq!(dpop, defaults);

    let dpop = good(&format!(
        "{ISSUER}{STORE}[dpop]\nuse = \"allowed\"\nalgorithms = [\"ES256\", \"EdDSA\"]\nmax_age = \"1m\"\nleeway = \"2s\"\n\
         max_proof_bytes = \"4KiB\"\npublic_url = \"https://api.example.com/v1\"\nnonces = true\n\
         when_store_is_away = \"refuse\""
    ));
    let dpop = dpop.dpop.unwrap();
    assert_eq!(dpop.rules.algorithms, [Algorithm::ES256, Algorithm::EdDSA]);
    assert_eq!((dpop.rules.max_age, dpop.rules.leeway), (Duration::from_secs(60), Duration::from_secs(2)));
    assert_eq!(dpop.rules.max_proof_bytes, 4096);
    assert_eq!(dpop.public_url.as_deref(), Some("https://api.example.com/v1"));
    assert_eq!((dpop.nonces, dpop.store_away), (Nonces::On, ReplayStoreAway::Refuse));

    let dpop = good(&format!("{ISSUER}[dpop]\nuse = \"required\"\nnonces = true\nnonce_secret_file = \"long\"")).dpop;
    assert_eq!(dpop.unwrap().nonces, Nonces::Secret(Secret::new("a secret that is long enough to seal with")));
}

#[test]
fn a_mistake_is_shown_on_its_line() {
    for (lines, line, words) in [
        ("use = \"mandatory\"", 4, "\"off\", \"allowed\" or \"required\""),
        ("use = \"require\"", 4, "did you mean `required`?"),
        ("use = true", 4, "\"required\", got true"),
        ("", 3, "`use = \"required\"`"),
        ("algorithms = [\"HS256\"]\nuse = \"required\"", 4, "a public key"),
        ("algorithms = [\"ES255\"]\nuse = \"required\"", 4, "expected one of RS256"),
        ("algorithms = [true]\nuse = \"required\"", 4, "expected an algorithm, got true"),
        ("algorithms = []\nuse = \"required\"", 4, "at least one algorithm"),
        ("max_age = \"0s\"\nuse = \"required\"", 4, "longer than zero"),
        ("max_age = \"2h\"\nuse = \"required\"", 4, "1 h at the most"),
        ("leeway = \"6m\"\nuse = \"required\"", 4, "5 min at the most"),
        ("max_proof_bytes = \"8 KB\"\nuse = \"required\"", 4, "\"64KiB\""),
        ("use = \"required\"\npublic_url = \"api.example.com\"", 5, "the http or https URL"),
        ("use = \"required\"\npublic_url = \"ftp://api.example.com\"", 5, "the http or https URL"),
        ("use = \"required\"\npublic_url = \"https://me@api.example.com\"", 5, "the http or https URL"),
        ("use = \"required\"\npublic_url = \"https://api.example.com/?a\"", 5, "the http or https URL"),
        ("use = \"required\"\npublic_url = \"https:api.example.com\"", 5, "the http or https URL"),
        ("use = \"required\"\npublic_url = \"https:///api.example.com\"", 5, "the http or https URL"),
        ("use = \"required\"\nnonces = \"yes\"", 5, "`true` or `false`"),
        ("use = \"required\"\nnonce_secret_file = \"long\"", 5, "`nonces = true`"),
        ("use = \"required\"\nnonces = true\nnonce_secret_file = \"secret\"", 6, "32 bytes or more"),
        ("use = \"required\"\nnonces = true\nnonce_secret = \"a\"", 6, "`nonce_secret_file`"),
        ("use = \"required\"\nwhen_store_is_away = \"refuse\"", 5, "`[store]`"),
        ("use = \"required\"\nmax_ages = \"1m\"", 5, "did you mean `max_age`?"),
    ] {
        let found = mistakes(&format!("{ISSUER}[dpop]\n{lines}\n"));
        assert!(found.len() == 1 && found[0].0 == line && found[0].1.contains(words), "{lines}: {found:#?}");
    }
    let stored = mistakes(&format!("{ISSUER}{STORE}[dpop]\nuse = \"required\"\nwhen_store_is_away = \"pass\"\n"));
    assert!(stored[0].0 == 8 && stored[0].1.contains("\"judge_locally\" or \"refuse\""), "{stored:#?}");
}

#[test]
fn the_use_of_all_routes_is_no_key_at_the_top() {
    let found = mistakes(&format!("dpop = \"required\"\n{ISSUER}{ROUTE}"));
    assert!(found.len() == 1 && found[0].0 == 1 && found[0].1.contains("below `[dpop]`"), "{found:#?}");
}
