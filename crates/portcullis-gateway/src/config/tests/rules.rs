//! The rules for tokens: each field of the library's rules is a key, and each mistake in one is shown on its line.

use portcullis::{ClaimRule, DpopRules, InvalidTokenStatus, TokenCacheRules};
use serde::Serialize;
use serde_json::json;

use super::*;

const ROUTE: &str = "[[routes]]\npath = \"/a\"\n";

/// Sample values; each field takes one of them.
const SAMPLES: [&str; 10] = [
    "true",
    "401",
    "403",
    "7",
    "\"7s\"",
    "\"required\"",
    "\"a\"",
    "[\"ES256\"]",
    "[{ name = \"a\" }]",
    "{ a = [\"b\"] }",
];

/// Returns true if a configuration is good, and a field of its meaning differs from the default.
fn is_read<T: Serialize>(text: &str, field: &str, of: impl Fn(&Config) -> T, default: &T) -> bool {
    let member = |rules: &T| serde_json::to_value(rules).unwrap().get(field).cloned();
    read(text).is_ok_and(|config| member(&of(&config)) != member(default))
}

#[test]
fn each_field_of_the_library_s_rules_is_a_key_without_a_line_of_mapping() {
    let all = good(ISSUER).rules;
    for field in fields::<Rules>() {
        let on_route = |sample: &&str| {
            is_read(&format!("{ISSUER}{ROUTE}{field} = {sample}"), field, |config| config.routes[0].rules.clone(), &all)
        };
        assert!(SAMPLES.iter().any(on_route), "[[routes]] {field}");
        let on_top = |sample: &&str| {
            is_read(&format!("{field} = {sample}\n{ISSUER}"), field, |config| config.rules.clone(), &all)
        };
        assert_eq!(SAMPLES.iter().any(on_top), !route::NOT_FOR_ALL.iter().any(|(key, _)| key == field), "{field}");
    }
    let is_not_here = |field: &str| issuer::NOT_HERE.iter().any(|(key, _)| *key == field);
    let of_issuer = |config: &Config| config.issuers[0].rules.clone();
    for field in fields::<IssuerRules>().iter().filter(|field| **field != "issuer" && !is_not_here(field)) {
        let known = match *field {
            "trust_domain" => "jwks_uri = \"https://a\"",
            "tenant_claim" => "issuer = \"https://a/{t}\"",
            "tenants" => "issuer = \"https://a/{t}\"\ntenant_claim = \"t\"",
            _ => "issuer = \"https://a\"",
        };
        let audience = if *field == "rfc9068" { "audience = \"b\"" } else { "" };
        let is_key = |sample: &&str| {
            let text = format!("[[issuers]]\n{known}\n{audience}\n{field} = {sample}");
            is_read(&text, field, of_issuer, &IssuerRules::default())
        };
        assert!(SAMPLES.iter().any(is_key), "[[issuers]] {field}");
    }
}

#[test]
fn the_rules_of_a_route_are_its_own_and_those_at_the_top() {
    let config = good(&format!(
        "realm = \"all\"\nimplied_scopes = {{ write = [\"read\"] }}\nproblem_json = true\n{ISSUER}\
         {ROUTE}any_scope = [[\"a\", \"b\"], [\"c\"]]\nclaims = [{{ name = \"sub\", matches = \"repo:my-org/*\" }},\n\
         {{ name = \"tid\", one_of = [\"x\", \"y\"] }}, {{ name = \"act\", absent = true }}]\n\
         [[routes]]\npath = \"/b\"\nrealm = \"b\"\nany_scope = [\"a\", \"b\"]\nimplied_scopes = {{ admin = \
         [\"write\"] }}\n invalid_token_status = 403\nproblem_json = false\noptional = true\nmax_token_bytes = \
         \"1KiB\"\n"
    ));
    let [first, second] = [&config.routes[0].rules, &config.routes[1].rules];
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(first.any_scope, [texts(&["a", "b"]), texts(&["c"])]);
    assert_eq!(
        first.claims,
        [ClaimRule::matches("sub", "repo:my-org/*"), ClaimRule::one_of("tid", ["x", "y"]), ClaimRule::absent("act")]
    );
    assert_eq!((first.realm.as_deref(), second.realm.as_deref()), (Some("all"), Some("b")));
    assert_eq!(first.implied_scopes, [("write".to_owned(), texts(&["read"]))].into());
    assert_eq!(
        second.implied_scopes,
        [("admin".to_owned(), texts(&["write"]))].into(),
        "the route's own, and no others"
    );
    assert_eq!(second.any_scope, [texts(&["a", "b"])]);
    assert_eq!((first.problem_json, second.problem_json), (true, false));
    assert_eq!(first.invalid_token_status, InvalidTokenStatus::Unauthorized);
    assert_eq!(second.invalid_token_status, InvalidTokenStatus::Forbidden);
    assert_eq!((second.optional, second.max_token_bytes), (true, Some(1024)));
    assert_eq!((config.rules.realm.as_deref(), config.rules.scope.len()), (Some("all"), 0));
}

#[test]
fn the_rules_of_an_issuer_are_read() {
    let config = good(&format!(
        "{ISSUER}scope_claims = [\"roles\", \"/x/scopes\"]\nmax_token_lifetime = \"1h\"\nmax_token_bytes = \"20KiB\"\n\
         dangerously_accept_tokens_without_expiry = true\n[cache]\nbytes = \"1MiB\"\ntokens = 5\n"
    ));
    let rules = &config.issuers[0].rules;
    assert_eq!(rules.scope_claims, ["roles", "/x/scopes"]);
    assert_eq!((rules.max_token_lifetime, rules.max_token_bytes), (Some(Duration::from_secs(3600)), Some(20 << 10)));
    assert!(rules.dangerously_accept_tokens_without_expiry);
    assert_eq!((rules.token_cache.bytes, rules.token_cache.tokens, rules.token_cache.off), (1 << 20, 5, false));
}

#[test]
fn a_mistake_in_a_rule_is_shown_on_its_line() {
    let claim = |rule: &str| format!("{ROUTE}claims = [{{ name = \"role\" }},\n{rule}]");
    let named = |rule: &str| claim(&format!("{{ name = \"sub\", {rule} }}"));
    let table: &[(String, usize, &str)] = &[
        (named("value = \"a\", one_of = [\"b\"]"), 6, "at most one of"),
        (named("one_of = []"), 6, "leave `one_of` out"),
        (named("one_of = \"a\""), 6, "an array of values"),
        (named("one_of = [\"a\", [\"b\"]]"), 6, "one of several"),
        (named("one_of = [\"a\", \"\"]"), 6, "leave `one_of` out"),
        (named("one_of = [\"a\", 5]"), 6, "expected a text for `sub`"),
        (named("matches = \"repo:my-org/api\""), 6, "a pattern with `*`"),
        (named("matches = \"\""), 6, "an empty one"),
        (named("matches = \" repo:*\""), 6, "compared to the letter"),
        (named("matches = [\"repo:*\"]"), 6, "in quotes"),
        (named("absent = false"), 6, "leave `absent` out"),
        (named("absent = \"true\""), 6, "without quotes"),
        (named("absnt = true"), 6, "did you mean `absent`?"),
        (named("matches = \"a*\" }, { name = \"/sub\", absent = true"), 6, "exclude each other"),
        (claim("{ name = \"role\", absent = true }"), 6, "exclude each other"),
        (claim("{ name = \"iat\", matches = \"17*\" }"), 6, "times are numbers"),
        (claim("{ name = \"exp\", one_of = [17] }"), 6, "no value for the time"),
        (claim("{ name = \"exp\", absent = true }"), 6, "a token without `exp` is refused"),
        (claim("{ name = \"iss\", absent = true }"), 6, "a token without `iss` is refused"),
        (claim("{ name = \"iss\", one_of = [\"https://b.example\", \"https://c.example\"] }"), 6, "one of the issuers"),
        (named("one_of = [\"a\", \"b\"] },\n{ name = \"sub\", one_of = [\"c\"]"), 7, "exclude each other"),
        (format!("{ROUTE}any_scope = [[\"a\"], []]"), 5, "at least one scope value"),
        (format!("{ROUTE}any_scope = [[\"a\"], [\"b c\"]]"), 5, "quotes of its own"),
        (format!("{ROUTE}any_scope = [5]"), 5, "in quotes"),
        (
            format!("{ROUTE}any_scope = [\"a\",\n[\"b\"]]"),
            6,
            "expected scope values alone, or groups of them alone, got both",
        ),
        (
            format!("{ROUTE}dpop = true"),
            5,
            "expected \"off\", \"allowed\" or \"required\", got true / write one of them, in quotes",
        ),
        (format!("{ROUTE}dpop = \"require\""), 5, "did you mean `required`?"),
        (format!("{ROUTE}max_age = -300"), 5, "expected a time with its unit, such as 30s, got -300"),
        (format!("{ROUTE}implied_scopes = {{ write = \"read\" }}"), 5, "expected an array"),
        (format!("{ROUTE}implied_scopes = {{ write = [\"read all\"] }}"), 5, "one scope value"),
        (format!("{ROUTE}[routes.implied_scopes]\nwrite = [\"read\"]\nadmin = [\"write\",\n5]"), 8, "in quotes"),
        (format!("{ROUTE}report_only = \"yes\""), 5, "without quotes"),
        (format!("{ROUTE}max_token_bytes = 0"), 5, "at least 1 byte"),
        (format!("{ROUTE}max_token_bytes = \"1 kb\""), 5, "\"64KiB\" or \"32MiB\", got \"1 kb\""),
        (format!("{ROUTE}invalid_token_status = 400"), 5, "401 or 403"),
        (format!("{ROUTE}public = true\nimplied_scopes = {{ a = [\"b\"] }}"), 6, "public route"),
        (format!("{ROUTE}public = true\nproblem_json = false"), 6, "public route"),
        ("scope_claims = []".into(), 3, "names of claims"),
        ("scope_claims = \"roles\"".into(), 3, "an array of names"),
        ("scope_claims = [\"realm_access.roles\"]".into(), 3, "\"/realm_access/roles\""),
        ("max_token_lifetime = \"1 hour\"".into(), 3, "\"1h\""),
        ("max_token_lifetime = \"0s\"".into(), 3, "no token could pass"),
        ("dangerously_accept_tokens_without_expiry = 1".into(), 3, "`true` or `false`"),
        // Fields that a table cannot have.
        ("token_cache = { bytes = 1 }".into(), 3, "write it as `[cache]`"),
        // What stands in the wrong table.
        ("scope = [\"read\"]".into(), 3, "`scope` is a key of `[[routes]]`"),
        (format!("{ROUTE}max_token_lifetime = \"1h\""), 5, "a key of `[[issuers]]`"),
        (format!("{ROUTE}scope_claims = [\"roles\"]"), 5, "a key of `[[issuers]]`"),
        (format!("{ROUTE}claims = [\"sub\"]"), 5, "`claims = [{ … }]`"),
        ("leeway = 0.5".into(), 3, "got 0.5"),
        ("[dpop]\nuse = \"required\"\nmax_age = true".into(), 5, "a time with its unit, such as 30s, got true"),
        ("[cache]\nbites = 1".into(), 4, "did you mean `bytes`?"),
    ];
    for (lines, line, words) in table {
        let found = mistakes(&format!("{ISSUER}{lines}"));
        assert!(matches!(&found[..], [(at, told)] if at == line && told.contains(words)), "{lines}: {found:?}");
    }
    for (line, words) in [
        ("scope = [\"read\"]", "in the `[[routes]]`"),
        ("claims = [{ name = \"sub\" }]", "in the `[[routes]]`"),
        ("optional = true", "requests without a token"),
        ("report_only = true", "it guards nothing"),
        ("implied_scopes = [\"a\"]", "in braces"),
        ("realm = \"a\\nb\"", "plain ASCII"),
    ] {
        let found = mistakes(&format!("{line}\n{ISSUER}{ROUTE}[[routes]]\npath = \"/b\""));
        assert!(matches!(&found[..], [(1, told)] if told.contains(words)), "{line}: {found:?}");
    }
}

#[test]
fn each_key_with_a_mistake_is_told() {
    let text = format!(
        "{ISSUER}leeway = \"10m\"\nmax_token_age = true\n{ROUTE}scope = [\"a b\"]\nreport_only = 1\n\
         implied_scopes = 5\nclaims = [{{ name = \"a\", vlue = 1 }}, {{ nme = \"b\" }}]\nscop = []\n"
    );
    let found = mistakes(&text);
    let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 7, 8, 9, 10, 10, 10, 11], "{found:?}");
}

#[test]
fn what_is_named_on_the_command_line_is_read_as_a_configuration_is() {
    let (issuer, rules) = named("issuer = \"a\"\nleeway = \"30s\"\nscope = [\"read\"]\n", "here").unwrap();
    assert_eq!((issuer.issuer.as_deref(), issuer.leeway), (Some("a"), Duration::from_secs(30)));
    assert_eq!(json!(rules.scope), json!(["read"]));
    for (text, words) in [
        ("leeway = \"6m\"", "set the clocks"),
        ("rfc9068 = true\naudience = [\"a\"]", "expected `issuer`"),
        ("algorithms = [\"HS256\"]", "`jwks_file`"),
        ("claims = [{ name = \"exp\", value = null }]", "not TOML"),
    ] {
        let report = named(text, "here").unwrap_err();
        assert!(graphical(&report).contains("[here:"), "{}", graphical(&report));
        assert!(rendered(&report).contains(words), "{}", rendered(&report));
    }
}

#[test]
fn each_field_is_in_the_documentation() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gateway.md")).unwrap();
    let not_here = issuer::NOT_HERE.map(|(key, _)| key);
    let fields = [
        fields::<Rules>(),
        fields::<IssuerRules>(),
        fields::<ClaimRule>(),
        fields::<TokenCacheRules>(),
        fields::<DpopRules>(),
    ]
    .concat();
    for field in fields.iter().filter(|field| !not_here.contains(field)) {
        assert!(page.contains(&format!("`{field}`")), "{field}");
    }
}

#[test]
fn the_examples_of_the_documentation_are_good() {
    let mut read = 0;
    for page in ["README.md", "docs/gateway.md", "docs/sender-constrained.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page)).unwrap();
        for example in text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let issuer = if example.contains("[[issuers]]") { "" } else { ISSUER };
            // Files that the test has: a certificate, and a token.
            let example = example
                .replace("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "cert.pem")
                .replace("/var/run/secrets/kubernetes.io/serviceaccount/token", "secret");
            good(&format!("{example}{issuer}"));
            read += 1;
        }
    }
    assert!(read >= 5, "{read}");
}

/// README.md says so of the library's rules.
#[test]
fn rules_are_read_from_toml_by_serde_alone() {
    let toml = "realm = \"orders\"\nany_scope = [[\"a\", \"b\"], [\"c\"]]\ninvalid_token_status = 401\n\
                claims = [{ name = \"plan\", one_of = [\"team\", 7, true] }, { name = \"act\", absent = true }]\n\
                [implied_scopes]\n\"orders:write\" = [\"orders:read\"]\n";
    let json = json!({
        "realm": "orders",
        "any_scope": [["a", "b"], ["c"]],
        "invalid_token_status": 401,
        "claims": [{ "name": "plan", "one_of": ["team", 7, true] }, { "name": "act", "absent": true }],
        "implied_scopes": { "orders:write": ["orders:read"] },
    });
    let rules: Rules = toml::from_str(toml).unwrap();
    assert_eq!(rules, serde_json::from_value(json).unwrap());
    rules.check().unwrap();

    let toml = "issuer = \"https://as.example.com\"\naudience = \"api\"\nalgorithms = [\"ES256\", \"ML-DSA-65\"]\n\
                leeway = 2.5\nmax_token_lifetime = \"1h\"\ntoken_cache = { tokens = 5 }\n";
    let rules: IssuerRules = toml::from_str(toml).unwrap();
    assert_eq!(rules.leeway, Duration::from_millis(2500));
    assert_eq!((rules.max_token_lifetime, rules.audience), (Some(Duration::from_secs(3600)), vec!["api".to_owned()]));
    for misspelt in ["scop = [\"a\"]", "claims = [{ name = \"a\", vlue = 1 }]", "scope = \"a\""] {
        assert!(toml::from_str::<Rules>(misspelt).is_err(), "{misspelt}");
    }
}

#[test]
fn the_counterparts_of_other_programs_keys_are_documented() {
    let page =
        |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)).unwrap();
    let (others, ours) = (page("coming-from.md"), page("gateway.md"));
    let of_envoy = others.split("## From `express").next().unwrap();
    let counterparts = of_envoy.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(1));
    let words = counterparts.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let is_key = |word: &&str| word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let keys: Vec<_> = words.filter(is_key).collect();
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys {
        // `value_prefix`, `ext_authz` and `context_extensions` are Envoy's.
        assert!(
            ours.contains(&format!("`{key}`")) || ["value_prefix", "ext_authz", "context_extensions"].contains(&key),
            "{key} is not in docs/gateway.md"
        );
    }
}
