//! `satisfy any` and `satisfy all`, beside `allow`, `deny` and `auth_basic`.

use crate::{
    scene::{Answer, Scene, ask},
    site::{ISSUER, site},
};

const FILE: &str = "
[[routes]]
name = \"read\"
path = \"/*\"
scope = [\"read\"]
token_field = \"X-Access-Token\"
[[routes]]
name = \"hidden\"
path = \"/*\"
token_field = \"X-Access-Token\"
forward_authorization = false
[[routes]]
name = \"problem\"
path = \"/*\"
scope = [\"read\"]
problem_json = true
[[headers]]
name = \"X-Auth-Subject\"
claim = \"sub\"
";

const BLOCK: &str = r#"
    server {
        listen {port};
        root {folder};
        portcullis_config portcullis.toml;
        portcullis_route read;
        location / { proxy_pass http://{api}; }
        location /any-allow/ { satisfy any; allow 127.0.0.1; deny all; proxy_pass http://{api}; }
        location /any-problem/ { portcullis_route problem; satisfy any; allow 127.0.0.1; deny all; proxy_pass http://{api}; }
        location /any-deny/ { satisfy any; deny all; proxy_pass http://{api}; }
        location /any-basic/ { satisfy any; auth_basic zone; auth_basic_user_file {folder}/users; proxy_pass http://{api}; }
        location /all-allow/ { satisfy all; allow 127.0.0.1; deny all; proxy_pass http://{api}; }
        location /all-deny/ { satisfy all; deny all; proxy_pass http://{api}; }
        location /all-basic/ { satisfy all; auth_basic zone; auth_basic_user_file {folder}/users; proxy_pass http://{api}; }
        location /all-hidden/ {
            portcullis_route hidden;
            satisfy all;
            auth_basic zone;
            auth_basic_user_file {folder}/users;
            proxy_set_header X-User $remote_user;
            proxy_pass http://{api};
        }
        location /to-strict/ { satisfy any; allow 127.0.0.1; deny all; rewrite_log off; try_files $uri /strict/x; }
        location /strict/ { proxy_pass http://{api}; }
        location /three/ {
            satisfy any;
            auth_basic zone;
            auth_basic_user_file {folder}/users;
            auth_request /ask;
            proxy_pass http://{api};
        }
        location = /ask { proxy_pass http://{api}/ask; }
    }"#;

async fn scene() -> Scene {
    site(&[("portcullis.toml", &format!("{ISSUER}{FILE}")), ("users", "alice:{PLAIN}wonder\n")], BLOCK).await
}

/// The client's proof.
#[derive(Debug, Clone, Copy)]
enum With {
    Nothing,
    Token,
    /// A token without the scope.
    Other,
    BadToken,
    Basic,
    WrongBasic,
    BasicAndToken,
    BasicAndBadToken,
}

async fn send(scene: &Scene, line: &str, with: With) -> Answer {
    let (token, other) = (scene.read().subject("alice").sign(), scene.authorization.token().sign());
    // alice:wonder, alice:wrong
    let (basic, wrong) = ("Basic YWxpY2U6d29uZGVy".to_owned(), "Basic YWxpY2U6d3Jvbmc=".to_owned());
    let bearer = |token: &str| format!("Bearer {token}");
    let (authorization, field) = match with {
        With::Nothing => (None, None),
        With::Token => (Some(bearer(&token)), None),
        With::Other => (Some(bearer(&other)), None),
        With::BadToken => (Some(bearer("nonsense")), None),
        With::Basic => (Some(basic), None),
        With::WrongBasic => (Some(wrong), None),
        With::BasicAndToken => (Some(basic), Some(token)),
        With::BasicAndBadToken => (Some(basic), Some("nonsense".to_owned())),
    };
    let mut fields = vec![("X-Auth-Subject", "root")];
    fields.extend(authorization.as_deref().map(|value| ("Authorization", value)));
    fields.extend(field.as_deref().map(|value| ("X-Access-Token", value)));
    ask(scene.port, line, &fields).await
}

#[tokio::test]
async fn each_combination_of_satisfy() {
    use With::{BadToken, Basic, BasicAndBadToken, BasicAndToken, Nothing, Other, Token, WrongBasic};
    let scene = scene().await;
    for (line, with, status, challenges) in [
        ("GET /any-allow/x", Nothing, 200, &[][..]),
        ("GET /any-allow/x", Token, 200, &[]),
        ("GET /any-allow/x", Other, 200, &[]),
        ("GET /any-allow/x", BadToken, 200, &[]),
        ("GET /any-problem/x", Nothing, 200, &[]),
        ("GET /any-problem/x", BadToken, 200, &[]),
        ("GET /any-deny/x", Nothing, 401, &["Bearer"]),
        ("GET /any-deny/x", Token, 200, &[]),
        ("GET /any-deny/x", Other, 403, &["Bearer"]),
        ("GET /any-deny/x", BadToken, 401, &["Bearer"]),
        ("GET /any-basic/x", Nothing, 401, &["Bearer", "Basic"]),
        ("GET /any-basic/x", Token, 200, &[]),
        ("GET /any-basic/x", Basic, 200, &[]),
        ("GET /any-basic/x", WrongBasic, 401, &["Bearer", "Basic"]),
        ("GET /any-basic/x", BadToken, 401, &["Bearer", "Basic"]),
        ("GET /any-basic/x", BasicAndBadToken, 200, &[]),
        ("GET /all-allow/x", Nothing, 401, &["Bearer"]),
        ("GET /all-allow/x", Token, 200, &[]),
        ("GET /all-allow/x", Other, 403, &["Bearer"]),
        ("GET /all-deny/x", Nothing, 401, &["Bearer"]),
        ("GET /all-deny/x", Token, 403, &[]),
        ("GET /all-basic/x", Nothing, 401, &["Bearer"]),
        ("GET /all-basic/x", Token, 401, &["Basic"]),
        ("GET /all-basic/x", Basic, 401, &["Bearer"]),
        ("GET /all-basic/x", BasicAndBadToken, 401, &["Bearer"]),
        ("GET /all-basic/x", BasicAndToken, 200, &[]),
        ("GET /all-hidden/x", BasicAndToken, 200, &[]),
        ("GET /all-hidden/x", Token, 401, &["Basic"]),
        ("GET /to-strict/x", Nothing, 401, &["Bearer"]),
        ("GET /to-strict/x", Token, 200, &[]),
        ("GET /three/x", BasicAndToken, 200, &[]),
        // `auth_request` alone lets it pass.
        ("GET /three/x", Nothing, 200, &[]),
    ] {
        let answer = send(&scene, line, with).await;
        assert_eq!(answer.status, status, "{line} {with:?} {answer:?}");
        let schemes = answer.all("www-authenticate").into_iter().map(|value| value.split(' ').next().unwrap());
        assert_eq!(schemes.collect::<Vec<_>>(), challenges, "{line} {with:?} {answer:?}");
    }
}

#[tokio::test]
async fn a_forged_field_does_not_arrive_by_whatever_way_the_request_passes() {
    use With::{BadToken, Basic, BasicAndToken, Nothing, Token};
    let scene = scene().await;
    for (line, with, subject) in [
        ("GET /any-allow/x", Nothing, &[][..]),
        ("GET /any-allow/x", BadToken, &[]),
        ("GET /any-allow/x", Token, &["alice"]),
        ("GET /any-problem/x", BadToken, &[]),
        ("GET /any-basic/x", Basic, &[]),
        ("GET /any-basic/x", BasicAndToken, &["alice"]),
    ] {
        let echo = send(&scene, line, with).await.echo();
        assert_eq!(echo.all("x-auth-subject"), subject, "{line} {with:?}");
    }
    let echo = send(&scene, "GET /any-basic/x", Basic).await.echo();
    assert_eq!(echo.all("authorization"), ["Basic YWxpY2U6d29uZGVy"], "as without the module");
    let echo = send(&scene, "GET /all-basic/x", BasicAndToken).await.echo();
    let [authorization] = echo.all("authorization")[..] else { panic!("{echo:?}") };
    assert!(authorization.starts_with("Bearer "), "the token of the other field: {echo:?}");
    let echo = send(&scene, "GET /all-hidden/x", BasicAndToken).await.echo();
    assert_eq!((echo.all("authorization"), echo.all("x-user")), (vec![], vec!["alice"]));
}
