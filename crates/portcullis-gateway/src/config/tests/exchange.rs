//! Token exchange: the endpoint of an issuer, and the target of a route.

use super::*;

/// An issuer whose tokens are exchanged, with further keys in the table.
fn issuer(further: &str) -> String {
    format!(
        "[[issuers]]\nissuer = \"https://as.example.com\"\n[issuers.exchange]\nendpoint = \
         \"https://as.example.com/token\"\nclient_id = \"gateway\"\nclient_secret_env = \"PATH\"\n{further}\n"
    )
}

fn route(further: &str) -> String {
    format!("[[routes]]\npath = \"/orders/*\"\n{further}\n")
}

const INVENTORY: &str = "exchange = { audience = \"inventory\", scope = [\"stock:read\"] }";

#[test]
fn an_issuer_has_an_endpoint_and_a_route_a_target() {
    let config = good(&format!(
        "{}{}",
        issuer("timeout = \"2s\"\nkeep_for = \"1m\"\nmay_outlive = \"5m\"\nmax_questions = 8"),
        route("exchange = { audience = \"inventory\", resource = \"urn:example:inventory\", scope = [\"a\", \"b\"] }")
    ));
    let exchange = config.issuers[0].exchange.as_ref().unwrap();
    let endpoint = exchange.endpoint.as_deref();
    assert_eq!((endpoint, exchange.client_id.as_str()), (Some("https://as.example.com/token"), "gateway"));
    let discovered = issuer("").replace("endpoint = \"https://as.example.com/token\"\n", "");
    assert_eq!(good(&format!("{discovered}{}", route(INVENTORY))).issuers[0].exchange.as_ref().unwrap().endpoint, None);
    assert_eq!((exchange.may_outlive, exchange.max_questions), (Some(Duration::from_secs(300)), Some(8)));
    assert!(!exchange.dangerously_accept_other_subjects && !exchange.dangerously_accept_unverified_tokens);
    let dangerous = good(&format!("{}{}", issuer("dangerously_accept_other_subjects = true"), route("")));
    assert!(dangerous.issuers[0].exchange.as_ref().unwrap().dangerously_accept_other_subjects);
    let target = config.routes[0].exchange.as_ref().unwrap();
    assert_eq!(target.to_string(), "a token for audience inventory and resource urn:example:inventory with scope a b");
    assert!(good(&format!("{}{}", issuer(""), route(""))).routes[0].exchange.is_none());
}

#[test]
fn a_mistake_in_an_exchange_is_shown_on_its_line() {
    for (text, line, words) in [
        (format!("{ISSUER}{}", route(INVENTORY)), 5, "expected `[issuers.exchange]` at each issuer"),
        (issuer("") + &route("exchange = \"inventory\""), 10, "expected a table"),
        (issuer("") + &route("exchange = {}"), 10, "expected `audience` or `resource`, got neither"),
        (issuer("") + &route("exchange = { audience = 5 }"), 10, "expected a text"),
        (issuer("") + &route("exchange = { audience = \"a\", audiences = \"b\" }"), 10, "did you mean `audience`?"),
        (issuer("") + &route("exchange = { resource = \"inventory\" }"), 10, "expected an absolute URI"),
        (issuer("") + &route("exchange = { audience = \"a\", scope = \"b\" }"), 10, "expected an array"),
        (
            issuer("") + &route("exchange = { audience = \"a\", scope = [\"b c\"] }"),
            10,
            "one scope value in each element",
        ),
        (issuer("") + &route("exchange = { audience = \"a\", token_type = \"id_token\" }"), 10, "access_token"),
        (issuer("") + &route(&format!("{INVENTORY}\npublic = true")), 10, "no `exchange` with `public = true`"),
        (
            issuer("") + &route(&format!("{INVENTORY}\nreport_only = true")),
            10,
            "no `exchange` with `report_only = true`",
        ),
        (
            issuer("") + &route(&format!("{INVENTORY}\nforward_authorization = false")),
            10,
            "no `exchange` with `forward_authorization = false`",
        ),
        (issuer("may_outlive = \"soon\""), 7, "expected a time"),
        (issuer("max_question = 5"), 7, "did you mean `max_questions`?"),
        (
            "[[issuers]]\nissuer = \"a\"\njwks_uri = \"https://a/keys\"\nexchange = { client_id = \"b\", client_secret_env = \
             \"PATH\" }\n"
                .into(),
            4,
            "expected `endpoint` in this table, got none",
        ),
        ("[[issuers]]\nissuer = \"https://a\"\nexchange = { endpoint = \"https://b\" }\n".into(), 3, "`client_id`"),
        (
            "[[issuers]]\nissuer = \"https://a/{t}\"\ntenant_claim = \"t\"\njwks_uri = \"https://a/k\"\nexchange = { \
             endpoint = \"https://a/token\", client_id = \"b\", client_secret_env = \"PATH\" }\n"
                .into(),
            5,
            "expected no exchange with `tenant_claim`",
        ),
    ] {
        let found = mistakes(&text);
        assert!(
            found.iter().any(|(at, told)| *at == line && told.contains(words)),
            "{text}: expected `{words}` on line {line}, got {found:#?}"
        );
    }
}
