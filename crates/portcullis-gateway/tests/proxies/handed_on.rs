//! The client's own fields: what the API gets of them, and what it must not.

use crate::{
    client::ask,
    each_proxy::behind_each_proxy,
    scene::{Proxy, Scene, Stage},
};

const GATEWAY: &str = "examples/gateway/portcullis.toml";

behind_each_proxy!(no_authorization_arrives_that_the_api_must_not_get, other_cookies_stay_where_one_may_be_the_token,);

/// Returns the values of a field that the API gets, without empty ones: some proxies cannot leave a field out.
async fn arrived(scene: &Scene, line: &str, fields: &[(&str, &str)], name: &str) -> Vec<String> {
    let echo = ask(scene.stage.ports.proxy, line, fields).await.echo();
    echo.all(name).into_iter().filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

async fn no_authorization_arrives_that_the_api_must_not_get(proxy: Proxy) {
    let stage = Stage::set();
    stage.edit(GATEWAY, "public = true", "public = true\nforward_authorization = false");
    stage.edit(GATEWAY, "methods = [\"GET\"]", "methods = [\"GET\"]\noptional = true\nforward_authorization = false");
    let scene = Scene::on(stage, proxy).await;
    let (jwt, opaque) = (scene.read().sign(), scene.opaque());
    for authorization in [
        format!("Bearer {jwt}"),
        format!("Bearer {opaque}"),
        format!("DPoP {jwt}"),
        format!("Token {jwt}"),
        "Basic YTpi".to_owned(),
        "1".to_owned(),
    ] {
        let fields = [("Authorization", authorization.as_str())];
        for line in ["GET /health", "GET /orders/1"] {
            if ask(scene.stage.ports.proxy, line, &fields).await.status != 200 {
                continue;
            }
            assert!(arrived(&scene, line, &fields, "authorization").await.is_empty(), "{line} {authorization}");
            // No client opens the way itself.
            let marked = [fields[0], ("Portcullis-Unjudged", "1")];
            assert!(arrived(&scene, line, &marked, "authorization").await.is_empty(), "{line} {authorization}");
        }
    }
    assert_eq!(scene.ask("GET /orders/1", Some(&jwt)).await.echo().all("x-auth-subject"), ["alice"]);
}

/// As docs/gateway.md says: the proxy takes `Cookie` from the answer as it takes `Authorization`.
fn take_cookies(stage: &Stage, proxy: Proxy) {
    match proxy {
        Proxy::Nginx => stage.edit(
            "examples/nginx/nginx.conf",
            "            proxy_set_header Authorization $authorization;\n",
            "            proxy_set_header Authorization $authorization;\n            \
             auth_request_set $auth_cookie $upstream_http_cookie;\n            proxy_set_header Cookie $auth_cookie;\n",
        ),
        Proxy::Caddy => {
            stage.edit("examples/caddy/Caddyfile", "copy_headers Authorization", "copy_headers Cookie Authorization")
        }
        Proxy::Traefik => stage.edit("examples/traefik/dynamic.yaml", "[Authorization,", "[Cookie, Authorization,"),
        Proxy::Haproxy => stage.edit("examples/haproxy/haproxy.cfg", " Authorization,", " Cookie,Authorization,"),
        Proxy::EnvoyByHttp => stage.edit(
            "examples/envoy/http.yaml",
            "                    - { exact: authorization, ignore_case: true }\n",
            "                    - { exact: authorization, ignore_case: true }\n                    \
             - { exact: cookie, ignore_case: true }\n",
        ),
        Proxy::EnvoyByGrpc | Proxy::EnvoyBeforeTwo | Proxy::NginxModule => {}
    }
}

async fn other_cookies_stay_where_one_may_be_the_token(proxy: Proxy) {
    let stage = Stage::set();
    stage.edit(GATEWAY, "methods = [\"GET\"]", "methods = [\"GET\"]\ntoken_cookie = \"token\"");
    take_cookies(&stage, proxy);
    let scene = Scene::on(stage, proxy).await;
    let token = scene.read().sign();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("token={token}"));
    let planted = format!("toke%6e=x; a=1; {cookie}; b=2,token=x");
    let among = format!("a=1; {cookie}; b=2");
    for (line, fields, cookies) in [
        ("GET /orders/1", &[("Cookie", among.as_str())][..], &["a=1; b=2"][..]),
        ("GET /orders/1", &[("Cookie", cookie.as_str())], &[]),
        ("GET /orders/1", &[("Cookie", "a=1"), ("Authorization", bearer.as_str())], &["a=1"]),
        // Other routes have the cookies as they are.
        ("GET /health", &[("Cookie", "a=1; b=2")], &["a=1; b=2"]),
        // Some servers would find the token of another site in these.
        ("GET /orders/1", &[("Cookie", planted.as_str())], &["a=1; b=2"]),
        ("GET /orders/1", &[("Cookie", "a=1 token=x"), ("Authorization", bearer.as_str())], &["a=1"]),
    ] {
        assert_eq!(arrived(&scene, line, fields, "cookie").await, cookies, "{line} {fields:?}");
        if line != "GET /health" {
            assert_eq!(arrived(&scene, line, fields, "authorization").await, [bearer.as_str()], "{line} {fields:?}");
        }
    }
    let port = scene.stage.ports.proxy;
    // In two fields, which no browser sends: Envoy joins them by a comma, as another site could write it.
    let fields = [("Cookie", "a=1"), ("Cookie", cookie.as_str())];
    match proxy {
        Proxy::EnvoyByGrpc | Proxy::EnvoyByHttp => assert_eq!(ask(port, "GET /orders/1", &fields).await.status, 401),
        _ => assert_eq!(arrived(&scene, "GET /orders/1", &fields, "cookie").await, ["a=1"]),
    }
    let twice = [("Authorization", bearer.as_str()), ("Cookie", cookie.as_str()), ("Cookie", "a=1")];
    assert_eq!(ask(port, "GET /orders/1", &twice).await.status, 400);
}
