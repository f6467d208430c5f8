//! `portcullis explain`: the report, its exit status, and the secrets that it must not print.

use std::time::{Duration, UNIX_EPOCH};

use portcullis_testkit::{Attack, AuthorizationServer, Endpoint, Fault};
use serde_json::{Value, json};

use crate::{
    support::{ROUTES, introspecting, issuer},
    terminal::{Desk, Ran, without_colours},
};

const AUDIENCE: &str = "https://api.example.com";

fn by(server: &AuthorizationServer) -> Vec<String> {
    ["explain", "--issuer", server.issuer(), "--audience", AUDIENCE].map(str::to_owned).to_vec()
}

async fn run(desk: &Desk, arguments: &[String], further: &[&str], input: &str) -> Ran {
    let all: Vec<&str> = arguments.iter().map(String::as_str).chain(further.iter().copied()).collect();
    desk.run(&all, input).await
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON: {ran:?}"))
}

#[tokio::test]
async fn a_good_token_passes_however_it_is_given() {
    let server = AuthorizationServer::start().await;
    let (desk, by, token) = (Desk::new(&[]), by(&server), server.token().sign());
    for input in
        [token.clone(), format!("{token}\n"), format!("Bearer {token}\r\n"), format!(" Authorization: Bearer {token} ")]
    {
        for further in [&[][..], &["-"]] {
            let ran = run(&desk, &by, further, &input).await;
            assert_eq!(ran.status, Some(0), "{ran:?}");
            assert!(ran.out.starts_with("passed: the token is good"), "{ran:?}");
            assert!(!ran.out.contains("unverified"), "{}", ran.out);
            assert_eq!(ran.err, "");
        }
    }
    let ran = run(&desk, &by, &[&token], "").await;
    assert_eq!(ran.status, Some(0));
    assert!(ran.err.contains("shell's history"), "{}", ran.err);
}

#[tokio::test]
async fn a_refused_token_is_told_with_cause_hint_and_section() {
    let server = AuthorizationServer::start().await;
    let (desk, by) = (Desk::new(&[]), by(&server));
    let token = server.token().issued_at(server.now() - Duration::from_secs(390)).expired_for(Duration::from_secs(90));
    let ran = run(&desk, &by, &[], &token.sign()).await;
    assert_eq!(ran.status, Some(1));
    assert!(ran.out.starts_with("refused: expired: "), "{}", ran.out);
    for words in [
        "✗ exp",
        "expected  later than now",
        "hint      it expired ",
        "see       RFC 7519 section 4.1.4",
        "✓ signature",
    ] {
        assert!(ran.out.contains(words), "{words} is not in:\n{}", ran.out);
    }
    let line: Vec<_> = ran.out.lines().skip_while(|line| *line != "time line").collect();
    let names: Vec<_> = line[1].split_whitespace().collect();
    assert_eq!(names, ["iat", "exp", "now"], "{}", ran.out);
    assert!(line[2].contains("━") && line[2].trim_end().ends_with('●'), "{}", ran.out);
    assert!(line[4].starts_with("  exp  20") && line[4].contains(" ago"), "{}", ran.out);
    let columns: Vec<_> = ran.out.lines().filter(|line| line.starts_with(['✓', '✗'])).collect();
    assert!(columns.len() > 15);
    let begins = |line: &str| line.chars().skip(2).collect::<String>().find("  ").is_some_and(|at| at < 28);
    assert!(columns.iter().all(|line| begins(line)), "{}", ran.out);
}

#[tokio::test]
async fn what_nobody_vouches_for_is_marked() {
    let server = AuthorizationServer::start().await;
    let ran = run(&Desk::new(&[]), &by(&server), &[], &server.hostile(Attack::ForgedKey)).await;
    assert_eq!(ran.status, Some(1));
    assert!(ran.out.starts_with("refused: bad_signature: "), "{}", ran.out);
    assert!(ran.out.contains("claims (unverified: no issuer vouches for it)"), "{}", ran.out);
    assert!(ran.out.contains("time line (unverified)"), "{}", ran.out);
    assert!(ran.out.contains(&format!("{AUDIENCE} (unverified)")), "{}", ran.out);
}

#[tokio::test]
async fn the_exit_status_says_passed_refused_or_not_judged() {
    let server = AuthorizationServer::start().await;
    let desk = Desk::new(&[("no-set.json", "[]"), ("bad.toml", "[[issuers]]\n")]);
    let token = server.token().scope("read").sign();
    let jwks = server.jwks_uri();
    let rows: [(&[&str], i32); 18] = [
        (&["--jwks-uri", &jwks], 0),
        (&["--jwks-uri", &jwks, "--scope", "read"], 0),
        (&["--jwks-uri", &jwks, "--scope", "read write"], 1),
        (&["--jwks-uri", &jwks, "--claim", "sub=alice", "--claim", "client_id"], 0),
        (&["--jwks-uri", &jwks, "--claim", "sub=bob"], 1),
        (&["--jwks-uri", &jwks, "--audience", "other"], 1),
        (&["--jwks-uri", &jwks, "--algorithm", "ES512"], 1),
        (&["--jwks-uri", &jwks, "--at", "2001-09-09T01:46:40Z"], 1),
        (&["--jwks-uri", "http://127.0.0.1:1/jwks"], 2),
        (&["--jwks-uri", "http://as.example.com/jwks"], 2),
        (&["--jwks-file", "no-set.json"], 2),
        (&["--jwks-file", "nowhere.json"], 2),
        (&["--config", "bad.toml"], 2),
        (&[], 2),
        (&["--jwks-uri", &jwks, "--at", "yesterday"], 2),
        (&["--jwks-uri", &jwks, "--path", "/orders"], 2),
        (&["--jwks-uri", &jwks, "--method", "PUT"], 2),
        (&["--config", "bad.toml", "--scope", "read"], 2),
    ];
    for (arguments, status) in rows {
        let ran = run(&desk, &["explain".to_owned()], arguments, &token).await;
        assert_eq!(ran.status, Some(status), "{arguments:?}: {ran:?}");
        assert_eq!(ran.out.is_empty(), status == 2 && !ran.out.starts_with("could not be judged"), "{ran:?}");
    }
    let ran = run(&desk, &["explain".to_owned()], &["--jwks-uri", "http://127.0.0.1:1/jwks"], &token).await;
    assert!(ran.out.starts_with("could not be judged: keys_unavailable: "), "{}", ran.out);
}

#[tokio::test]
async fn a_token_is_judged_as_of_a_time_and_by_a_leeway() {
    let server = AuthorizationServer::start().await;
    let (desk, by) = (Desk::new(&[]), by(&server));
    let token = server.token().expires_in(Duration::from_secs(60)).sign();
    let at = |seconds| {
        let time = server.now() + Duration::from_secs(seconds);
        time.duration_since(UNIX_EPOCH).unwrap().as_secs().to_string()
    };
    for (time, leeway, status) in [(30, "0s", 0), (90, "0s", 1), (90, "60s", 0), (90, "1m", 0), (400, "5m", 1)] {
        let ran = run(&desk, &by, &["--at", &at(time), "--leeway", leeway], &token).await;
        assert_eq!(ran.status, Some(status), "{time} {leeway}: {ran:?}");
    }
    assert_eq!(run(&desk, &by, &["--leeway", "6m"], &token).await.status, Some(2));
    assert_eq!(run(&desk, &by, &["--rfc9068"], &token).await.status, Some(0));
    assert_eq!(run(&desk, &by, &["--rfc9068"], &server.token().typ("JWT").sign()).await.status, Some(1));
}

#[tokio::test]
async fn a_token_is_judged_by_the_types_and_the_limit_that_are_named() {
    let server = AuthorizationServer::start().await;
    let (desk, by) = (Desk::new(&[]), by(&server));
    let (typed, untyped) = (server.token().sign(), server.token().without_header("typ").sign());
    let bound =
        server.token().claim("cnf", serde_json::json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })).sign();
    let rows: [(&[&str], &str, i32, &str); 9] = [
        (&["--type", "at+jwt"], &typed, 0, ""),
        (&["--type", "JOSE,JWT"], &typed, 1, "wrong_type"),
        (&["--type", "at+jwt"], &untyped, 1, "wrong_type"),
        (&["--type", "at+jwt", "--or-no-type"], &untyped, 0, ""),
        (&["--rfc9068", "--or-no-type"], &untyped, 0, ""),
        (&["--max-token-bytes", "100"], &typed, 1, "max_token_bytes"),
        (&[], &bound, 1, "sender_constrained_token"),
        (&["--dangerously-accept-sender-constrained-tokens"], &bound, 0, ""),
        (&["--config", "portcullis.toml", "--or-no-type"], &typed, 2, ""),
    ];
    for (arguments, token, status, words) in rows {
        let ran = run(&desk, &by, arguments, token).await;
        assert_eq!(ran.status, Some(status), "{arguments:?}: {ran:?}");
        assert!(format!("{ran:?}").contains(words), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test]
async fn a_configuration_judges_as_the_gateway_would() {
    let server = AuthorizationServer::start().await;
    let text = format!("{}{ROUTES}", introspecting(&server, "json", ""));
    let desk = Desk::new(&[("portcullis.toml", &text), ("secret", "test-secret\n")]);
    let reader = server.token().scope("read").sign();
    let opaque = server.issue_opaque(server.token().scope("read"));
    let roles = server.token().scope("read").claim("realm_access", json!({ "roles": " admin" })).sign();
    let rows: [(&[&str], &str, i32, &str); 12] = [
        (&[], &reader, 0, ""),
        (&["--path", "/orders/1"], &reader, 0, ""),
        (&["--path", "/orders/1", "--method", "PUT"], &reader, 1, "insufficient_scope"),
        (&["--path", "/orders/1"], &opaque, 0, ""),
        (&["--path", "/orders/1", "--method", "POST"], &opaque, 1, "insufficient_scope"),
        (&["--path", "/orders/1"], "never-issued", 1, "inactive_token"),
        (&["--path", "/orders/1"], &roles, 1, "unmappable_claim"),
        (&["--path", "/admin"], &reader, 1, "required_claims"),
        (&["--path", "/nowhere"], &reader, 1, "no_route"),
        (&["--path", "/open/x"], &reader, 0, ""),
        (&["--path", "/orders/1?_method=PUT"], &reader, 1, "ambiguous_method"),
        (&["--path", "/open/a%2fb/%2e%2e/%2e%2e/admin"], &reader, 1, "ambiguous_path"),
    ];
    for (further, token, status, code) in rows {
        let arguments = ["explain", "--config", "portcullis.toml", "--json"].map(str::to_owned);
        let ran = run(&desk, &arguments, further, token).await;
        assert_eq!(ran.status, Some(status), "{further:?}: {ran:?}");
        assert_eq!(report(&ran)["code"].as_str().unwrap_or_default(), code, "{further:?}: {ran:?}");
    }
    let plain = ["explain", "--config", "portcullis.toml", "--path"].map(str::to_owned);
    let ran = run(&desk, &plain, &["/orders/1"], &reader).await;
    assert!(ran.out.contains("by the route GET /orders/*"), "{}", ran.out);
    let ran = run(&desk, &plain, &["/open/x"], &reader).await;
    assert_eq!(ran.out, "passed: the route /open/* is public: no token is needed\n");
    let ran = run(&desk, &plain, &["/nowhere"], &reader).await;
    assert!(ran.out.starts_with("refused: no_route: "), "{}", ran.out);
}

#[tokio::test]
async fn a_field_that_would_not_arrive_is_told_for_the_time_of_the_report() {
    let server = AuthorizationServer::start().await;
    let headers = "[[headers]]\nname = \"X-Scopes\"\nscope = true\nseparator = \",\"\n";
    let desk = Desk::new(&[("portcullis.toml", &format!("{}{headers}", issuer(&server, "")))]);
    let at = (server.now() + Duration::from_secs(3600)).duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let rows: [(&str, &[&str], &str); 3] =
        [("read write", &[], ""), ("read,write", &[], "unmappable_claim"), ("read,write", &["--at", &at], "expired")];
    for (scope, further, code) in rows {
        let arguments = ["explain", "--config", "portcullis.toml", "--json", "--path", "/x"].map(str::to_owned);
        let ran = run(&desk, &arguments, further, &server.token().scope(scope).sign()).await;
        assert_eq!(report(&ran)["code"].as_str().unwrap_or_default(), code, "{scope} {further:?}: {ran:?}");
    }
}

#[tokio::test]
async fn a_resource_is_named_by_its_url() {
    let server = AuthorizationServer::start().await;
    let resource = "[[resources]]\nresource = \"https://mcp.example.com/mcp\"\n[resources.mcp]\ntools = [{ name = \"delete_*\", \
                    scope = [\"write\"] }]\n[[routes]]\npath = \"/mcp/*\"\nscope = [\"read\"]\n[[routes]]\npath = \"/any/*\"\n";
    let text = format!("{}{resource}", introspecting(&server, "json", ""));
    let desk = Desk::new(&[("portcullis.toml", &text), ("secret", "test-secret\n")]);
    let own = server.token().audience("https://mcp.example.com/mcp").scope("read").sign();
    let other = server.token().scope("read").sign();
    let rows: [(&[&str], &str, i32, &str); 8] = [
        (&["--path", "https://mcp.example.com/mcp"], &own, 0, ""),
        (&["--path", "https://MCP.example.com:443/mcp/x?y"], &own, 0, ""),
        (&["--path", "https://mcp.example.com/mcp"], &other, 1, "wrong_audience"),
        // A report is about a token, and not about a message.
        (&["--path", "https://mcp.example.com/mcp", "--method", "POST"], &own, 0, ""),
        (&["--path", "https://b.example.com/mcp"], &own, 1, "wrong_host"),
        (&["--path", "/mcp"], &own, 1, "wrong_host"),
        (&["--path", "/mcp?x=https://mcp.example.com/"], &own, 1, "wrong_host"),
        (&["--path", "/any/x"], &other, 0, ""),
    ];
    for (further, token, status, code) in rows {
        let arguments = ["explain", "--config", "portcullis.toml", "--json"].map(str::to_owned);
        let ran = run(&desk, &arguments, further, token).await;
        assert_eq!(ran.status, Some(status), "{further:?}: {ran:?}");
        assert_eq!(report(&ran)["code"].as_str().unwrap_or_default(), code, "{further:?}: {ran:?}");
    }
}

#[tokio::test]
async fn a_route_that_only_reports_is_told_so() {
    let server = AuthorizationServer::start().await;
    let route = "[[routes]]\npath = \"/new/*\"\nscope = [\"read\"]\nreport_only = true\n";
    let desk = Desk::new(&[("portcullis.toml", &format!("{}{route}", issuer(&server, "")))]);
    let arguments = ["explain", "--config", "portcullis.toml", "--path", "/new/x"].map(str::to_owned);
    let ran = run(&desk, &arguments, &[], &server.token().sign()).await;
    assert_eq!(ran.status, Some(1), "the token is refused, though the request passes: {ran:?}");
    assert!(ran.out.contains("the route only reports"), "{}", ran.out);
    assert_eq!(report(&run(&desk, &arguments, &["--json"], &server.token().sign()).await)["report_only"], true);
    let ran = run(&desk, &arguments, &[], &server.token().scope("read").sign()).await;
    assert!(ran.status == Some(0) && !ran.out.contains("only reports"), "{ran:?}");
}

/// The first line, and the lines beneath, of a configuration's report.
#[tokio::test]
async fn the_report_tells_what_was_judged_and_what_is_missing() {
    let server = AuthorizationServer::start().await;
    let routes = "[[routes]]\npath = \"/any/*\"\n[[routes]]\npath = \"/orders/*\"\nmethods = [\"GET\", \"POST\"]\n\
                  [[routes]]\npath = \"/new/*\"\nscope = [\"read\"]\nreport_only = true\n\
                  [[routes]]\npath = \"/mcp/*\"\n[[resources]]\nresource = \"https://mcp.example.com:8443/mcp\"\n";
    let hosts = "[[routes]]\npath = \"/a/*\"\nhost = \"a.example.com\"\n";
    let config = |tables: &str| format!("{}{tables}", issuer(&server, ""));
    let desk = Desk::new(&[("routes", &config(routes)), ("hosts", &config(hosts)), ("none", &config(""))]);
    let (good, meets) = (
        "passed: the token is good for the issuers; no route was judged: add --path or --url\n",
        "passed: the token is good, and meets the rules\n",
    );
    let table: [(&[&str], i32, &[&str]); 15] = [
        (&["routes"], 0, &[good]),
        (&["hosts"], 0, &[good]),
        (&["none"], 0, &[meets]),
        (&["routes", "--path", "/any/x"], 0, &[meets]),
        (
            &["routes", "--path", "/new/x"],
            1,
            &["would be refused: insufficient_scope: ", "the route only reports refusals"],
        ),
        (
            &["hosts", "--url", "https://b.example.com/a/x"],
            1,
            &["refused: no_route: ", "got       GET https://b.example.com/a/x\n"],
        ),
        (&["routes", "--path", "/nowhere?x"], 1, &["refused: no_route: ", "\n    got       GET /nowhere\n"]),
        (
            &["routes", "--path", "/orders/1", "--method", "PUT"],
            1,
            &["refused: no_route: ", "got       PUT /orders/1\n", "the path has a route for GET, HEAD, POST: name"],
        ),
        (
            &["routes", "--path", "/mcp/x?y"],
            1,
            &["refused: wrong_host: ", "hint      no host was given: write --url https://mcp.example.com:8443/mcp/x\n"],
        ),
        (
            &["hosts", "--path", "/a/x"],
            1,
            &["refused: unknown_host: ", "no host was given: write --url https://HOST/a/x\n"],
        ),
        (&["routes", "--path", "any/x"], 2, &["a path starts with `/`: write `/any/x`"]),
        (&["routes", "--path", ""], 2, &["a path starts with `/`: write `/`"]),
        (&["routes", "--path", "ftp://a/b"], 2, &["expected a URL such as"]),
        // The request is foreign text, too.
        (&["routes", "--path", "/\u{202e}x"], 1, &["refused: "]),
        (&["routes", "--path", "/x", "--method", "\u{9b}31m"], 1, &["refused: "]),
    ];
    for (further, status, words) in table {
        let ran = desk.run(&[&["explain", "--config"], further].concat(), &server.token().sign()).await;
        assert_eq!(ran.status, Some(status), "{further:?}: {ran:?}");
        let told = if status == 2 { &ran.err } else { &ran.out };
        assert!(status == 2 || told.starts_with(words[0]), "{further:?}: {told}");
        assert!(words.iter().all(|words| told.contains(words)), "{further:?}: {told}");
        assert!(!told.contains(['\u{202e}', '\u{9b}']), "{further:?}: {told:?}");
    }
    let told = desk.run(&["explain", "--config", "routes", "--path", "/nowhere"], &server.token().sign()).await.out;
    assert!(!told.contains("hint"), "no other method has a route: {told}");
    let help = desk.run(&["explain", "--help"], "").await.out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["and by no route", "also if the route only reports it"] {
        assert!(help.contains(words), "{words} is not in:\n{help}");
    }
}

#[tokio::test]
async fn without_options_the_configuration_is_that_of_the_environment_or_the_folder() {
    let server = AuthorizationServer::start().await;
    let config = |path: &str| format!("{}[[routes]]\npath = \"{path}\"\n", issuer(&server, ""));
    let desk = Desk::new(&[("portcullis.toml", &config("/here")), ("other.toml", &config("/there"))]);
    let empty = Desk::new(&[]);
    let (variable, jwks) = ([("PORTCULLIS_CONFIG", "other.toml")], server.jwks_uri());
    let (none, token) = (
        "expected --config FILE, --issuer URL, --jwks-uri URL, --jwks-file FILE or --code CODE",
        server.token().sign(),
    );
    type Row<'a> = (&'a Desk, &'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);
    let table: [Row<'_>; 12] = [
        (&desk, &[], &[], 0, "no route was judged"),
        (&desk, &["--path", "/here"], &[], 0, "by the route /here"),
        (&desk, &["--path", "/there"], &variable, 0, "by the route /there"),
        (&desk, &["--path", "/here"], &variable, 1, "no_route"),
        (&desk, &["--config", "portcullis.toml", "--path", "/here"], &variable, 0, "by the route /here"),
        (&desk, &["--jwks-uri", &jwks], &variable, 0, "passed"),
        (&desk, &["--jwks-uri", &jwks, "--scope", "read"], &variable, 1, "insufficient_scope"),
        (&desk, &["--issuer", server.issuer()], &variable, 0, "passed"),
        (&desk, &["--code", "expired"], &variable, 0, "expired: status 401"),
        // Rules without an issuer are no reason to judge by others.
        (&desk, &["--scope", "read"], &variable, 2, none),
        (&empty, &[], &[], 2, none),
        (&empty, &["--path", "/here"], &variable, 2, "cannot read other.toml"),
    ];
    for (desk, further, variables, status, words) in table {
        let ran = desk.run_among(&[&["explain"], further].concat(), &token, variables).await;
        assert_eq!(ran.status, Some(status), "{further:?} {variables:?}: {ran:?}");
        let told = format!("{}{}", ran.out, ran.err)
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>()
            .join(" ");
        assert!(told.contains(words), "{further:?} {variables:?}: {told}");
    }
}

#[tokio::test]
async fn json_has_one_shape_for_every_verdict() {
    let server = AuthorizationServer::start().await;
    let desk = Desk::new(&[("portcullis.toml", &format!("{}{ROUTES}", issuer(&server, "")))]);
    let arguments = ["explain", "--config", "portcullis.toml", "--json", "--path"].map(str::to_owned);
    let members = ["checks", "claims", "code", "header", "now", "reason", "report_only", "route", "verdict", "vouched"];
    for (path, verdict) in [("/any/x", "passed"), ("/open/x", "passed"), ("/admin", "refused"), ("/nowhere", "refused")]
    {
        let ran = run(&desk, &arguments, &[path], &server.token().sign()).await;
        let report = report(&ran);
        let keys: Vec<_> = report.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, members, "{path}");
        assert_eq!(report["verdict"], verdict, "{path}");
        assert_eq!(ran.err, "", "{path}");
    }
    server.fault(Endpoint::Jwks, Fault::Status(500));
    let ran = run(&desk, &arguments, &["/any/x"], &server.token().sign()).await;
    assert_eq!((ran.status, report(&ran)["verdict"].clone()), (Some(2), json!("not_judged")));
}

#[tokio::test]
async fn the_token_is_told_to_nobody() {
    let server = AuthorizationServer::start().await;
    let (desk, by) = (Desk::new(&[]), by(&server));
    let good = server.token().sign();
    for token in [
        good.clone(),
        format!("\"{good}\""),
        format!("{good}=="),
        server.hostile(Attack::ForgedKey),
        "opaque-secret-token".into(),
    ] {
        for further in [&[][..], &["--json"], &["--config", "nowhere.toml"], &["--nonsense"]] {
            let ran = run(&desk, &by, further, &token).await;
            let secrets = token.trim_matches('"').split('.').filter(|part| part.len() > 8);
            for part in secrets {
                assert!(!ran.err.contains(part) && !ran.out.contains(part), "{further:?}: {ran:?}");
            }
        }
    }
}

#[tokio::test]
async fn hostile_text_does_not_reach_the_terminal() {
    let server = AuthorizationServer::start().await;
    let hostile = "\x1b]0;owned\x07\x1b[2J\u{9b}31m\u{202e}\r\n";
    let tokens = [
        server.token().claim("name", hostile).claim(hostile, json!([hostile])),
        server.token().header(hostile, hostile).kid(hostile),
        server.token().issuer(hostile).audience(hostile).typ(hostile),
        server.token().claim("iat", hostile).scope(hostile),
    ];
    let harmless = |text: &str| !text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}');
    for token in tokens {
        let token = token.sign();
        let desk = Desk::new(&[("token", &token)]);
        let arguments = ["explain", "--jwks-uri", &server.jwks_uri(), "--scope", "read", "--claim", "name=x"];
        for further in [&[][..], &["--json"]] {
            let all = [&arguments, further].concat();
            let ran = desk.run(&all, &token).await;
            assert!(harmless(&ran.out) && harmless(&ran.err), "{ran:?}");
            let shown = desk.on_terminal(&all, "< token", &[]).await.out;
            let plain = without_colours(&shown).replace("\r\n", "\n");
            assert!(harmless(&plain.replace("\r\x1b[2K", "")), "{plain:?}");
        }
    }
    // Nor text that is no token.
    for input in ["\x1b[2J", "\u{9b}x\u{202e}"] {
        let ran = Desk::new(&[]).run(&["explain", "--jwks-uri", &server.jwks_uri()], input).await;
        assert!(harmless(&ran.out) && harmless(&ran.err), "{ran:?}");
    }
}

#[tokio::test]
async fn colours_are_for_terminals_that_show_them() {
    let server = AuthorizationServer::start().await;
    let desk = Desk::new(&[("token", &server.token().sign())]);
    let jwks = server.jwks_uri();
    let arguments = ["explain", "--jwks-uri", &jwks];
    let shown = desk.on_terminal(&arguments, "< token", &[]).await;
    assert_eq!(shown.status, Some(0));
    assert!(shown.out.contains("\x1b[1m\x1b[32mpassed:\x1b[0m"), "{:?}", shown.out);
    for environment in [&[("NO_COLOR", "1")], &[("TERM", "dumb")]] {
        let shown = desk.on_terminal(&arguments, "< token 2> err", environment).await;
        assert!(!shown.out.contains('\x1b'), "{environment:?}: {:?}", shown.out);
    }
    desk.on_terminal(&arguments, "< token > out", &[]).await;
    assert!(!desk.read("out").contains('\x1b'), "a file gets no colours");
    let refused = desk.on_terminal(&["explain", "--jwks-uri", &jwks, "--scope", "read"], "< token", &[]).await;
    assert_eq!(refused.status, Some(1));
    assert!(refused.out.contains("\x1b[31m"), "{:?}", refused.out);
}

#[tokio::test]
async fn a_slow_fetch_shows_a_sign_of_life_on_a_terminal_alone() {
    let server = AuthorizationServer::start().await;
    let desk = Desk::new(&[("token", &server.token().sign())]);
    server.fault(Endpoint::Jwks, Fault::Delay(Duration::from_millis(900)));
    let jwks = server.jwks_uri();
    let arguments = ["explain", "--jwks-uri", &jwks];
    let shown = desk.on_terminal(&arguments, "< token > out", &[]).await;
    assert_eq!(shown.status, Some(0), "{shown:?}");
    assert!(shown.out.contains("⠋ asking the issuer"), "{:?}", shown.out);
    assert!(shown.out.trim_end_matches('\n').ends_with("\r\x1b[2K"), "the spinner is wiped away: {:?}", shown.out);
    assert!(!desk.read("out").contains("asking"));
    let ran = desk.run(&arguments, &desk.read("token")).await;
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""));
    let dumb = desk.on_terminal(&arguments, "< token > out", &[("TERM", "dumb")]).await;
    assert_eq!(dumb.out, "");
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_fault() {
    let server = AuthorizationServer::start().await;
    let desk = Desk::new(&[("token", &server.token().sign())]);
    let jwks = server.jwks_uri();
    let shown = desk.on_terminal(&["explain", "--jwks-uri", &jwks], "< token 2> err | head -c 1", &[]).await;
    assert_eq!(shown.out, "p");
}

#[tokio::test]
async fn a_code_is_explained_without_a_token() {
    let desk = Desk::new(&[]);
    let ran = desk.run(&["explain", "--code", "untrusted_proxy"], "").await;
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""));
    for words in ["untrusted_proxy: status 403", "cause     ", "remedy    ", "`trusted_proxies`"] {
        assert!(ran.out.contains(words), "{words} is not in:\n{}", ran.out);
    }
    let expired = report(&desk.run(&["explain", "--code", "expired", "--json"], "").await);
    assert_eq!((&expired["code"], &expired["status"]), (&json!("expired"), &json!(401)));
    assert!(expired["cause"].is_string() && expired["remedy"].is_string());
    // Without a value, all are listed.
    let list = desk.run(&["explain", "--code"], "").await;
    assert_eq!((list.status, list.err.as_str()), (Some(0), ""));
    for line in
        ["401 expired at the gateway; 403 in the library", "403 no_route, given by the gateway alone\n", "--code CODE`"]
    {
        assert!(list.out.contains(line), "{line} is not in:\n{}", list.out);
    }
    let all = report(&desk.run(&["explain", "--code", "--json"], "").await);
    assert!(all.as_array().unwrap().contains(&expired), "{all}");
    for wrong in [&["--code", "expird"][..], &["--code", "expired", "--path", "/x"], &["--code", "expired", "token"]] {
        let ran = desk.run(&[&["explain"], wrong].concat(), "").await;
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_code_is_explained_with_its_status_in_the_library_and_no_error_is_taken_for_one() {
    let desk = Desk::new(&[]);
    let table = [
        (
            "expired",
            "status 401 at the gateway; 403 in the library and the npm package (invalid_token_status)\n",
            json!(403),
        ),
        ("required_claims", "status 401 at the gateway; 403 in the library", json!(403)),
        ("no_credentials", "status 401\n", json!(401)),
        ("insufficient_scope", "status 403\n", json!(403)),
        ("no_route", "status 403, given by the gateway alone\n", json!(null)),
    ];
    for (code, status, library_status) in table {
        let ran = desk.run(&["explain", "--code", code], "").await;
        assert!(ran.out.starts_with(&format!("{code}: {status}")), "{}", ran.out);
        let report = report(&desk.run(&["explain", "--code", code, "--json"], "").await);
        assert_eq!(report["library_status"], library_status, "{code}");
    }
    for (text, words) in [
        ("expird", "did you mean `expired`? docs/troubleshooting.md lists the codes"),
        ("nonsense-of-mine", ": docs/troubleshooting.md lists the codes"),
        ("invalid_token", "look for `code=` in the log, or show the token to `portcullis explain --config FILE`"),
    ] {
        let ran = desk.run(&["explain", "--code", text], "").await;
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{text}");
        assert!(ran.err.contains(words), "{text}: {}", ran.err);
        assert!(!ran.err.contains("inactive_token"), "{text}: {}", ran.err);
    }
}
