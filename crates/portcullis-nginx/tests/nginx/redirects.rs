//! Internal redirects: the guard of the new location decides, no verdict is made twice, and a challenge is of the guard that answers.

use portcullis_testkit::{Algorithm, DpopClient, Endpoint, Fault};

use crate::{
    scene::{Scene, ask},
    site::{ISSUER, STATUS, decisions, introspecting, site},
};

/// Locations that lead to each other. The token of a reader passes all but `/strict`.
const BLOCK: &str = r"
    server {
        listen {port};
        portcullis_issuer {issuer};
        portcullis_audience https://api.example.com;
        portcullis_scope read;
        portcullis_realm reading;
        root {folder};
        proxy_set_header Host $host;
        STATUS
        location / { proxy_pass http://{api}; }
        location /strict/ { portcullis_scope admin; portcullis_realm strict; proxy_pass http://{api}; }
        location /open/ { portcullis off; proxy_pass http://{api}; }
        location = /login { portcullis off; add_header X-Code $portcullis_code always; return 200 login; }
        location @login { portcullis off; proxy_pass http://{api}; }
        location @strict { portcullis_scope admin; rewrite ^ /plain? break; proxy_pass http://{api}; }

        location /page/ { error_page 401 = /login; proxy_pass http://{api}; }
        location /kept/ { error_page 401 /login; proxy_pass http://{api}; }
        location /named/ { error_page 401 = @login; proxy_pass http://{api}; }
        location /same/ { error_page 401 /same/page; proxy_pass http://{api}; }
        location /denied/ { portcullis_scope admin; error_page 403 = /open/denied; proxy_pass http://{api}; }
        location /lenient/ { portcullis_scope admin; portcullis_realm strict; error_page 401 403 = /read; proxy_pass http://{api}; }
        location /harder/ { error_page 404 = /strict/x; proxy_intercept_errors on; proxy_pass http://{api}; }
        location /again/ { error_page 404 = /again/y; proxy_intercept_errors on; proxy_pass http://{api}/; }

        location /files/ { try_files $uri /strict$uri; }
        location /found/ { try_files /files/page.html =404; }
        location /missing/ { try_files $uri @login; }
        location /old/ { rewrite ^/old/(.*)$ /strict/$1 last; }
        location /new/ { rewrite ^/new/(.*)$ /read/$1 last; }
        location /broken/ { rewrite ^/broken/(.*)$ /strict/$1 break; proxy_pass http://{api}; }
        location /from-open/ { portcullis off; rewrite ^/from-open/(.*)$ /strict/$1 last; }
        location /site/ { index index.html; }
        location /closed/ { index index.html; }
        location = /closed/index.html { portcullis_scope admin; }
        location /inside/ { internal; proxy_pass http://{api}; }
    }";

async fn scene() -> Scene {
    let files = [("files/page.html", "page"), ("site/index.html", "site"), ("closed/index.html", "closed")];
    site(&files, &BLOCK.replace("STATUS", STATUS)).await
}

#[tokio::test]
async fn the_guard_of_the_new_location_decides() {
    let scene = scene().await;
    let reader = Some(scene.read().sign());
    let admin = Some(scene.authorization.token().scope("read admin").sign());
    for (line, token, status) in [
        ("GET /page/x", &None, 200),
        ("GET /kept/x", &None, 401),
        ("GET /named/x", &None, 200),
        ("GET /same/x", &None, 401),
        ("GET /denied/x", &None, 401),
        ("GET /denied/x", &reader, 200),
        ("GET /lenient/x", &None, 401),
        ("GET /lenient/x", &reader, 200),
        ("GET /harder/x?status=404", &reader, 403),
        ("GET /harder/x", &reader, 200),
        ("GET /files/page.html", &None, 401),
        ("GET /files/page.html", &reader, 200),
        ("GET /files/no-page", &reader, 403),
        ("GET /files/no-page", &admin, 200),
        ("GET /found/x", &None, 401),
        ("GET /found/x", &reader, 200),
        ("GET /missing/x", &None, 401),
        ("GET /missing/x", &reader, 200),
        ("GET /old/x", &reader, 403),
        ("GET /old/x", &admin, 200),
        ("GET /new/x", &None, 401),
        ("GET /new/x", &reader, 200),
        ("GET /broken/x", &None, 401),
        ("GET /broken/x", &reader, 200),
        ("GET /from-open/x", &None, 401),
        ("GET /from-open/x", &reader, 403),
        ("GET /from-open/x", &admin, 200),
        ("GET /site/", &None, 401),
        ("GET /site/", &reader, 200),
        ("GET /closed/", &reader, 403),
        ("GET /closed/", &admin, 200),
        ("GET /read?accel=/strict/x", &reader, 403),
        ("GET /read?accel=/strict/x", &admin, 200),
        ("GET /open/x?accel=/read", &None, 401),
        ("GET /open/x?accel=/read", &reader, 200),
        ("GET /open/x?accel=/inside/x", &None, 401),
        ("GET /open/x?accel=/inside/x", &reader, 200),
        ("GET /open/x?accel=@strict", &None, 401),
        ("GET /open/x?accel=@strict", &reader, 403),
        ("GET /open/x?accel=@strict", &admin, 200),
        ("GET /inside/x", &reader, 404),
    ] {
        let answer = scene.ask(line, token.as_deref()).await;
        assert_eq!(answer.status, status, "{line} {token:?} {answer:?}");
    }
    assert_eq!(scene.ask("GET /closed/", admin.as_deref()).await.body, "closed");
}

#[tokio::test]
async fn a_challenge_occurs_once_and_is_of_the_guard_that_answers() {
    let scene = scene().await;
    let reader = Some(scene.read().sign());
    let bad = Some("no-token".to_owned());
    for (line, token, realm) in [
        ("GET /page/x", &None, "reading"),
        ("GET /page/x", &bad, "reading"),
        ("GET /kept/x", &None, "reading"),
        ("GET /same/x", &None, "reading"),
        ("GET /named/x", &None, "reading"),
        ("GET /lenient/x", &None, "reading"),
        ("GET /harder/x?status=404", &reader, "strict"),
        ("GET /read?accel=/strict/x", &reader, "strict"),
        ("GET /open/x?accel=/strict/x", &None, "strict"),
    ] {
        let answer = scene.ask(line, token.as_deref()).await;
        assert!(answer.challenge().starts_with(&format!("Bearer realm=\"{realm}\"")), "{line} {answer:?}");
    }
    let lenient = scene.ask("GET /lenient/x", reader.as_deref()).await;
    assert_eq!(lenient.all("www-authenticate"), [""; 0], "the new guard lets the request pass: {lenient:?}");
    let page = scene.ask("GET /page/x", bad.as_deref()).await;
    assert_eq!(
        (page.all("x-code"), page.body.as_str()),
        (vec!["malformed_token_parts"], "login"),
        "the page knows the verdict"
    );
}

#[tokio::test]
async fn a_verdict_of_the_same_guard_is_made_once() {
    let scene = scene().await;
    let reader = scene.read().sign();
    let mut passed = decisions(&scene, "pass").await;
    for line in [
        "GET /again/x?status=404",
        "GET /found/x",
        "GET /new/x",
        "GET /site/",
        "GET /read?accel=/read/again",
        "GET /read?accel=/read/again?accel=/read/thrice",
    ] {
        scene.ask(line, Some(&reader)).await;
        passed += 1;
        assert_eq!(decisions(&scene, "pass").await, passed, "{line}");
    }
    assert_eq!(decisions(&scene, "no_credentials").await, 0);
    scene.ask("GET /same/x", None).await;
    assert_eq!(decisions(&scene, "no_credentials").await, 1);
}

/// Two guards for DPoP, the second of which demands another scope.
const PROOFS: &str = "
[dpop]
public_url = \"http://api.example.com\"
[[routes]]
name = \"read\"
path = \"/*\"
scope = [\"read\"]
dpop = \"required\"
[[routes]]
name = \"write\"
path = \"/*\"
scope = [\"write\"]
dpop = \"required\"
[[routes]]
name = \"admin\"
path = \"/*\"
scope = [\"admin\"]
dpop = \"required\"
";

#[tokio::test]
async fn a_proof_is_not_used_up_by_its_own_redirect_and_passes_no_second_time() {
    let http = "server {
        listen {port};
        portcullis_config portcullis.toml;
        portcullis_route read;
        location / { proxy_pass http://{api}; }
        location /again/ { error_page 404 = /read; proxy_intercept_errors on; proxy_pass http://{api}; }
        location /write/ { portcullis_route write; proxy_pass http://{api}; }
        location /admin/ { portcullis_route admin; error_page 403 = /write/x; proxy_pass http://{api}; }
    }";
    let scene = site(&[("portcullis.toml", &format!("{ISSUER}{PROOFS}"))], http).await;
    let client = DpopClient::new(Algorithm::ES256);
    let token = |scope: &str| scene.authorization.token().scope(scope).bound_to_key(client.thumbprint()).sign();
    for (line, scope, status) in [
        ("GET /x", "read", 200),
        ("GET /again/x?status=404", "read", 200),
        ("GET /x?accel=/write/x", "read write", 200),
        ("POST /x?accel=/write/x", "read write", 200),
        ("POST /again/x?status=404", "read write", 200),
        ("GET /x?accel=/write/x", "read", 403),
        // A guard that refuses has looked at the proof first: another guard takes it for a replay, and never for a new one.
        ("GET /admin/x", "write", 401),
    ] {
        let (method, target) = line.split_once(' ').unwrap();
        let path = target.split('?').next().unwrap();
        let fields = client.fields(method, &format!("http://api.example.com{path}"), &token(scope));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = ask(scene.port, line, &fields).await;
        assert_eq!(answer.status, status, "{line} {scope} {answer:?}");
        let again = ask(scene.port, line, &fields).await;
        assert_eq!(again.status, 401, "the same proof once more: {line} {again:?}");
    }
}

#[tokio::test]
async fn another_guard_judges_the_fields_of_the_client() {
    let http = "server {
        listen {port};
        portcullis_config portcullis.toml;
        portcullis_route first;
        STATUS
        location / { proxy_pass http://{api}; }
        location /second/ { portcullis_route second; proxy_pass http://{api}; }
        location /none/ { portcullis_route none; proxy_pass http://{api}; }
    }";
    let routes = "
[[routes]]
name = \"first\"
path = \"/*\"
[[routes]]
name = \"second\"
path = \"/*\"
scope = [\"read\"]
[[routes]]
name = \"none\"
path = \"/*\"
forward_authorization = false
[[headers]]
name = \"X-Auth-Subject\"
claim = \"sub\"
";
    let file = format!("{}{routes}", introspecting("phantom"));
    let scene = site(&[("portcullis.toml", &file)], &http.replace("STATUS", STATUS)).await;
    let opaque = scene.authorization.issue_opaque(scene.read().subject("alice"));
    let forged = |line: &'static str, opaque: String| async move {
        let bearer = format!("Bearer {opaque}");
        ask(scene.port, line, &[("Authorization", &bearer), ("X-Auth-Subject", "root"), ("X-Other", "kept")]).await
    };
    for line in ["GET /x", "GET /second/x", "GET /x?accel=/second/x", "GET /x?accel=/second/y"] {
        let echo = forged(line, opaque.clone()).await.echo();
        let [authorization] = echo.all("authorization")[..] else { panic!("{echo:?}") };
        assert_eq!(authorization.split('.').count(), 3, "the JWT: {line} {authorization}");
        assert_eq!((echo.all("x-auth-subject"), echo.all("x-other")), (vec!["alice"], vec!["kept"]), "{line}");
    }
    let echo = forged("GET /x?accel=/none/x", opaque.clone()).await.echo();
    assert_eq!((echo.all("authorization"), echo.all("x-auth-subject")), (vec![], vec!["alice"]));
    assert_eq!(scene.authorization.requests(Endpoint::Introspection), 1, "one answer for all guards");
}

#[tokio::test]
async fn an_unguarded_page_for_a_refusal_gets_no_forged_field() {
    let http = "server {
        listen {port};
        portcullis_config portcullis.toml;
        error_page 401 403 503 = @page;
        location / { proxy_pass http://{api}; }
        location @page { portcullis off; proxy_pass http://{api}; }
    }";
    let routes = "
[limits]
request_time = \"1s\"
[[routes]]
path = \"/*\"
scope = [\"read\"]
problem_json = true
[[headers]]
name = \"X-Auth-Subject\"
claim = \"sub\"
";
    let file = format!("{}{routes}", introspecting("json"));
    let scene = site(&[("portcullis.toml", &file)], http).await;
    scene.authorization.fault(Endpoint::Introspection, Fault::Hang);
    let other = scene.authorization.token().sign();
    for token in ["", "nonsense", &other, "waits-in-vain"] {
        let bearer = format!("Bearer {token}");
        let fields = [("Authorization", bearer.as_str()), ("X-Auth-Subject", "root"), ("X-Other", "kept")];
        let echo = ask(scene.port, "GET /x", &fields).await.echo();
        assert_eq!((echo.all("x-auth-subject"), echo.all("x-other")), (vec![], vec!["kept"]), "{token} {echo:?}");
    }
    scene.logged("its decision took longer than limits.request_time").await;
}
