//! The header fields for the upstream: those of `[[headers]]`, and no forged copy of them, whatever the protocol to the upstream.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    scene::{Answer, Scene, ask, exchange},
    site::{ISSUER, introspecting, site},
};

const ROUTES: &str = "
[[routes]]
path = \"/public/*\"
public = true
[[routes]]
path = \"/hidden/*\"
forward_authorization = false
[[routes]]
path = \"/hidden-public/*\"
public = true
forward_authorization = false
[[routes]]
path = \"/reported/*\"
scope = [\"admin\"]
report_only = true
[[routes]]
path = \"/app/*\"
token_cookie = \"access_token\"
token_field = \"X-Access-Token\"
[[routes]]
path = \"/*\"
scope = [\"read\"]
[[headers]]
name = \"X-Auth-Subject\"
claim = \"sub\"
[[headers]]
name = \"X-Auth-Role\"
claim = \"role\"
[[headers]]
name = \"X-Auth-Scope\"
scope = true
separator = \",\"
[[headers]]
name = \"X-Auth-Claims\"
claims = true
[[headers]]
name = \"X-Anonymous\"
anonymous = \"true\"
";

/// Takes any name of a field that a client writes.
const LENIENT: &str = "server {
    listen {port};
    underscores_in_headers on;
    ignore_invalid_headers off;
    portcullis_config portcullis.toml;
    location / { proxy_pass http://{api}; }
}";

async fn scene(mode: &str) -> Scene {
    site(&[("portcullis.toml", &format!("{}{ROUTES}", introspecting(mode)))], LENIENT).await
}

/// Each spelling in which a server may take a field for `X-Auth-Subject`.
const SPELLINGS: [&str; 7] = [
    "X-Auth-Subject",
    "x-auth-subject",
    "X_Auth_Subject",
    "X_AUTH-SUBJECT",
    "x.auth.subject",
    "X~Auth-Subject",
    "X-Auth_Subject",
];

fn fields<'a>(bearer: Option<&'a str>, forged: &'a [(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    bearer.map(|bearer| ("Authorization", bearer)).into_iter().chain(forged.iter().copied()).collect()
}

#[tokio::test]
async fn a_forged_field_in_any_spelling_does_not_arrive() {
    let scene = scene("json").await;
    let bearer = format!("Bearer {}", scene.read().subject("alice").sign());
    let is_spelling = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "-") == "x-auth-subject";
    for line in ["GET /x", "GET /public/x", "GET /hidden/x", "GET /reported/x", "GET /app/x"] {
        for name in SPELLINGS {
            let forged = [(name, "root"), ("X-Auth-Role", "admin"), ("X-Anonymous", "false"), ("X-Other", "kept")];
            let echo = ask(scene.port, line, &fields(Some(&bearer), &forged)).await.echo();
            let subjects: Vec<_> = echo.names().filter(|own| is_spelling(own)).flat_map(|own| echo.all(own)).collect();
            let (is_public, is_reported) = (line.contains("public"), line.contains("reported"));
            let expected: &[&str] = if is_public || is_reported { &[] } else { &["alice"] };
            // A route that only reports tells about a token that would be refused as about none.
            assert_eq!(subjects, expected, "{line} {name} {echo:?}");
            assert_eq!(echo.all("x-auth-role"), [""; 0], "no such claim: {line} {echo:?}");
            assert!(!echo.all("x-anonymous").contains(&"false"), "{line} {echo:?}");
            assert_eq!(echo.all("x-other"), ["kept"], "{line} {echo:?}");
            assert_eq!(echo.all("authorization").is_empty(), line.contains("hidden"), "{line} {echo:?}");
        }
    }
    // Fields that another server takes for hop-by-hop would be dropped behind nginx.
    for connection in ["close, X-Auth-Subject", "x-auth-role", "Authorization"] {
        let http = ask(scene.port, "GET /x", &fields(Some(&bearer), &[("Connection", connection)])).await;
        assert!(http.status == 403 || http.echo().all("x-auth-subject") == ["alice"], "{connection} {http:?}");
    }
}

#[tokio::test]
async fn each_kind_of_field_and_no_field_without_its_claim() {
    let scene = scene("json").await;
    let token =
        scene.authorization.token().subject("älice").scope("read write").claim("role", json!(["a", "b"])).sign();
    let echo = scene.ask("GET /x", Some(&token)).await.echo();
    assert_eq!(echo.all("x-auth-subject"), ["älice"]);
    assert_eq!(echo.all("x-auth-role"), ["[\"a\",\"b\"]"]);
    assert_eq!(echo.all("x-auth-scope"), ["read,write"]);
    assert_eq!((echo.all("x-auth-claims").len(), echo.all("x-anonymous").len()), (1, 0));
    let anonymous = scene.ask("GET /public/x", None).await.echo();
    assert_eq!((anonymous.all("x-anonymous"), anonymous.all("x-auth-claims").len()), (vec!["true"], 0));
    for (name, claim) in
        [("line break", "a\r\nX-Auth-Role: admin"), ("nothing", ""), ("an array", "[1]"), ("zero", "a\0b")]
    {
        let answer = scene.ask("GET /x", Some(&scene.read().claim("role", claim).sign())).await;
        assert_eq!(answer.status, 403, "{name} {answer:?}");
    }
}

#[tokio::test]
async fn the_jwt_in_place_of_the_opaque_token() {
    let scene = scene("phantom").await;
    let opaque = scene.authorization.issue_opaque(scene.read().subject("alice"));
    let bearer = format!("Bearer {opaque}");
    for round in ["introspected", "known"] {
        let answer = ask(scene.port, "GET /x", &fields(Some(&bearer), &[("X-Auth-Subject", "root")])).await;
        let echo = answer.echo();
        let [authorization] = echo.all("authorization")[..] else { panic!("{round} {echo:?}") };
        assert!(authorization.starts_with("Bearer ey") && !answer.body.contains(&opaque), "{round} {echo:?}");
        assert_eq!(echo.all("x-auth-subject"), ["alice"], "{round}");
    }
    let hidden = scene.ask("GET /hidden/x", Some(&opaque)).await.echo();
    assert_eq!((hidden.all("authorization"), hidden.all("x-auth-subject")), (vec![], vec!["alice"]));
    let public = ask(scene.port, "GET /hidden-public/x", &fields(Some("Basic x"), &[])).await.echo();
    assert_eq!(public.all("authorization"), [""; 0]);
}

#[tokio::test]
async fn a_token_in_a_cookie_or_a_field_arrives_in_authorization_alone() {
    let scene = scene("json").await;
    let (token, other) = (scene.read().subject("alice").sign(), scene.read().subject("bob").sign());
    let (cookie, bearer) = (format!("a=1; access_token={token}; b=2"), format!("Bearer {token}"));
    let (alone, second) = (format!("access_token={token}"), format!("access_token={other}"));
    for (sent, status, cookies) in [
        (vec![("Cookie", &cookie)], 200, &["a=1; b=2"][..]),
        (vec![("Cookie", &alone)], 200, &[]),
        (vec![("X-Access-Token", &token)], 200, &[]),
        (vec![("Authorization", &bearer)], 200, &[]),
        (vec![("Cookie", &cookie), ("Authorization", &bearer)], 400, &[]),
        (vec![("Cookie", &cookie), ("X-Access-Token", &token)], 400, &[]),
        (vec![("Cookie", &alone), ("Cookie", &second)], 400, &[]),
        (vec![("Cookie", &second), ("Cookie", &"c=3".to_owned())], 200, &["c=3"]),
    ] {
        let sent: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = ask(scene.port, "GET /app/x", &sent).await;
        assert_eq!(answer.status, status, "{sent:?} {answer:?}");
        if status == 200 {
            let echo = answer.echo();
            assert_eq!(echo.all("cookie"), cookies, "{sent:?} {echo:?}");
            assert_eq!(
                (echo.all("authorization").len(), echo.all("x-access-token").len()),
                (1, 0),
                "{sent:?} {echo:?}"
            );
        }
    }
    let elsewhere = ask(scene.port, "GET /x", &[("Cookie", &alone)]).await;
    assert_eq!(elsewhere.status, 401, "a cookie is a token on its route only: {elsewhere:?}");
}

#[tokio::test]
async fn variables_of_fields_are_those_after_the_verdict_even_if_they_were_read_before_it() {
    let http = "limit_req_zone $http_x_auth_subject zone=subjects:1m rate=1000r/s;
    server {
        listen {port};
        portcullis_config portcullis.toml;
        proxy_set_header X-Told-Subject $http_x_auth_subject;
        proxy_set_header X-Told-Authorization $http_authorization;
        proxy_set_header X-Told-Cookie $http_cookie;
        proxy_set_header X-Told-Token $cookie_access_token;
        location / { proxy_pass http://{api}; }
        location /limited/ { limit_req zone=subjects burst=10; proxy_pass http://{api}; }
        location /app/ {
            set $read $http_x_auth_subject$cookie_access_token$http_cookie;
            if ($http_authorization) { set $read 1; }
            proxy_pass http://{api};
        }
        location /hidden/ { if ($http_authorization) { set $read 1; } proxy_pass http://{api}; }
    }";
    let scene = site(&[("portcullis.toml", &format!("{ISSUER}{ROUTES}"))], http).await;
    let token = scene.read().subject("alice").sign();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("access_token={token}; a=1"));
    for (line, name, value, authorization) in [
        ("GET /x", "Authorization", &bearer, Some(&bearer)),
        ("GET /limited/x", "Authorization", &bearer, Some(&bearer)),
        ("GET /app/x", "Cookie", &cookie, Some(&bearer)),
        ("GET /hidden/x", "Authorization", &bearer, None),
    ] {
        let echo = ask(scene.port, line, &[(name, value), ("X-Auth-Subject", "root")]).await.echo();
        assert_eq!(echo.all("x-told-subject"), ["alice"], "{line} {echo:?}");
        let told = echo.all("x-told-authorization");
        assert_eq!(told.first().copied(), authorization.map(String::as_str), "{line} {echo:?}");
        assert!(echo.all("x-told-token").is_empty(), "{line} {echo:?}");
        assert!(echo.all("x-told-cookie").iter().all(|cookie| *cookie == "a=1"), "{line} {echo:?}");
    }
}

/// Answers each request over uwsgi, and notes its parameters.
async fn uwsgi() -> (String, Arc<Mutex<Vec<(String, String)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, noted) = (listener.local_addr().unwrap().to_string(), Arc::new(Mutex::new(Vec::new())));
    let parameters = Arc::clone(&noted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4];
            stream.read_exact(&mut head).await.unwrap();
            let mut body = vec![0; usize::from(u16::from_le_bytes([head[1], head[2]]))];
            stream.read_exact(&mut body).await.unwrap();
            let mut rest = body.as_slice();
            let mut text = || {
                let (size, after) = rest.split_first_chunk::<2>()?;
                let (text, after) = after.split_at(usize::from(u16::from_le_bytes(*size)));
                rest = after;
                Some(String::from_utf8_lossy(text).into_owned())
            };
            while let (Some(name), Some(value)) = (text(), text()) {
                parameters.lock().unwrap().push((name, value));
            }
            stream.write_all(b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nok").await.unwrap();
        }
    });
    (address, noted)
}

#[tokio::test]
async fn a_parameter_of_uwsgi_is_not_forgeable() {
    let (address, noted) = uwsgi().await;
    let http = LENIENT.replace("proxy_pass http://{api};", &format!("uwsgi_pass {address};"));
    let scene = site(&[("portcullis.toml", &format!("{ISSUER}{ROUTES}"))], &http).await;
    let bearer = format!("Bearer {}", scene.read().subject("alice").sign());
    for name in SPELLINGS {
        let answer: Answer =
            ask(scene.port, "GET /x", &fields(Some(&bearer), &[(name, "root"), ("X-Other", "kept")])).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{name}");
        let told = std::mem::take(&mut *noted.lock().unwrap());
        let of =
            |name: &str| told.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
        assert_eq!(
            (of("HTTP_X_AUTH_SUBJECT"), of("HTTP_X_OTHER")),
            (vec!["alice".to_owned()], vec!["kept".to_owned()])
        );
        assert!(!told.iter().any(|(_, value)| value == "root"), "{name} {told:?}");
    }
}

#[tokio::test]
async fn cookies_of_http_2_are_one_list() {
    let http = LENIENT.replace("{port}", "{port} http2");
    let scene = site(&[("portcullis.toml", &format!("{ISSUER}{ROUTES}"))], &http).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let (token, url) = (scene.read().subject("alice").sign(), format!("http://127.0.0.1:{}/app/x", scene.port));
    for (cookies, status, kept) in [
        (vec!["a=1".to_owned(), format!("access_token={token}"), "b=2".to_owned()], 200, Some("a=1; b=2")),
        (vec![format!("access_token={token}")], 200, None),
        (vec![format!("access_token={token}"), format!("access_token={token}")], 400, None),
        (vec!["a=1".to_owned()], 401, None),
    ] {
        let request = cookies.iter().fold(client.get(&url), |request, cookie| request.header("cookie", cookie));
        let response = request.header("x-auth-subject", "root").send().await.unwrap();
        assert_eq!(response.status(), status, "{cookies:?}");
        if status == 200 {
            let told: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
            let of = |name: &str| told["fields"][name].as_array().cloned().unwrap_or_default();
            assert_eq!(of("cookie"), kept.map(|kept| json!(kept)).into_iter().collect::<Vec<_>>(), "{cookies:?}");
            assert_eq!((of("x-auth-subject"), of("authorization").len()), (vec![json!("alice")], 1), "{cookies:?}");
        }
    }
}

#[tokio::test]
async fn an_upgrade_that_leads_past_the_module_does_not_arrive() {
    let http = "map $http_upgrade $kind { default upgrade; '' close; }
    server {
        listen {port};
        portcullis_config portcullis.toml;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $kind;
        location / { proxy_pass http://{api}; }
        location /public/early/ { if ($http_upgrade) { set $early 1; } proxy_pass http://{api}; }
    }";
    let scene = site(&[("portcullis.toml", &format!("{ISSUER}{ROUTES}"))], http).await;
    let bearer = format!("Bearer {}", scene.read().sign());
    for line in ["GET /x", "GET /public/x", "GET /public/early/x"] {
        for (upgrade, arrives) in [("websocket", true), ("h2c", false), ("websocket, h2c", false), ("HTTP/2.0", false)]
        {
            let answer = ask(scene.port, line, &[("Authorization", &bearer), ("Upgrade", upgrade)]).await;
            let upgrades: &[&str] = if arrives { &[upgrade] } else { &[] };
            assert!(
                answer.status == 403 && !arrives || answer.echo().all("upgrade") == upgrades,
                "{line} {upgrade} {answer:?}"
            );
        }
    }
}

/// Rules of nginx that read fields before the access phase, and a location that nobody guards.
const EARLY: &str = "
    map $http_x_auth_subject $mapped { default $http_x_auth_subject; }
    server {
        listen {port};
        underscores_in_headers on;
        set $at_server $http_x_auth_subject;
        location / { portcullis_config portcullis.toml; proxy_pass http://{api}; }
        location /set/ {
            portcullis_config portcullis.toml;
            set $early $http_x_auth_subject;
            set $early_map $mapped;
            if ($http_x_auth_subject) { return 418; }
            proxy_set_header X-Early $early$early_map$at_server;
            proxy_pass http://{api};
        }
        location /open/ { portcullis off; proxy_pass http://{api}; }
    }
    server {
        listen {port};
        server_name other.example.com;
        location / { proxy_pass http://{api}; }
    }";

#[tokio::test]
async fn no_rule_of_nginx_sees_a_forged_field_not_even_before_the_verdict() {
    let scene = site(&[("portcullis.toml", &format!("{ISSUER}{ROUTES}"))], EARLY).await;
    let bearer = format!("Bearer {}", scene.read().sign());
    for spelling in ["X-Auth-Subject", "X_Auth_Subject", "x-auth-subject"] {
        let fields = [("Authorization", bearer.as_str()), (spelling, "root")];
        let echo = ask(scene.port, "GET /set/x", &fields).await.echo();
        assert_eq!((echo.all("x-early"), echo.all("x-auth-subject")), (vec![], vec!["alice"]), "{spelling}");
        let open = ask(scene.port, "GET /open/x", &fields).await.echo();
        assert!(open.all("x-auth-subject").is_empty() && open.all("x_auth_subject").is_empty(), "{spelling}: {open:?}");
    }
    // A server without guards is left alone.
    let request = "GET / HTTP/1.1\r\nHost: other.example.com\r\nX-Auth-Subject: own\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(scene.port, request).await.echo().all("x-auth-subject"), ["own"]);
}
