//! A changed configuration: taken as a whole or not at all, without a refused request.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use portcullis_testkit::{AuthorizationServer, Endpoint};
use tempfile::TempDir;

use crate::{
    forward_auth::send_to,
    support::{Gateway, ROUTES, client, introspecting, issuer, text, within},
};

const OPEN: &str = "[[routes]]\npath = \"/*\"\npublic = true\n";

async fn status_becomes(gateway: &Gateway, target: &str, status: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while gateway.ask("GET", target, None).await.status != status {
        assert!(Instant::now() < deadline, "{target} did not become {status}: {}", gateway.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_hangup_puts_the_new_configuration_in_force() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    assert_eq!(gateway.ask("GET", "/orders/1", None).await.status, 401);
    gateway.rewrite("", &format!("{}{OPEN}", issuer(&server, "")));
    gateway.signal("HUP");
    status_becomes(&gateway, "/orders/1", 200).await;
    assert_eq!(gateway.metric("portcullis_gateway_reloads_total{outcome=\"ok\"}").await, 1.0);
    assert_eq!(server.requests(Endpoint::Jwks), 1, "the issuer is the same, and so are its keys");
}

#[tokio::test]
async fn what_has_not_changed_is_kept() {
    let server = AuthorizationServer::start().await;
    let issuer = introspecting(&server, "json", "");
    let gateway = Gateway::start(&format!("{issuer}{ROUTES}")).await;
    let opaque = server.issue_opaque(server.token().scope("read"));
    let jwt = server.token().scope("read").sign();
    let passes = async || {
        for token in [&opaque, &jwt] {
            assert_eq!(gateway.ask("GET", "/orders/1", Some(token)).await.status, 200);
        }
    };
    passes().await;
    let asked = || [Endpoint::Introspection, Endpoint::Jwks].map(|endpoint| server.requests(endpoint));
    assert_eq!(asked(), [1, 1]);
    // Other routes: the issuers stay, with their state.
    gateway.rewrite("", &format!("{issuer}{ROUTES}[[routes]]\npath = \"/new\"\npublic = true\n"));
    gateway.signal("HUP");
    status_becomes(&gateway, "/new", 200).await;
    passes().await;
    assert_eq!(asked(), [1, 1]);
    // Another cache: the issuers are made again, with the keys at hand.
    gateway.rewrite(
        "",
        &format!("{issuer}{ROUTES}[[routes]]\npath = \"/newer\"\npublic = true\n[cache]\nbytes = \"1MiB\"\n"),
    );
    gateway.signal("HUP");
    status_becomes(&gateway, "/newer", 200).await;
    passes().await;
    assert_eq!(server.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn the_metadata_of_a_resource_follow_its_routes() {
    let server = AuthorizationServer::start().await;
    let resource = "[[resources]]\nresource = \"https://mcp.example.com/mcp\"\n";
    let route = |scope: &str| format!("[[routes]]\npath = \"/mcp/*\"\nscope = [\"{scope}\"]\n");
    let tables = |scope: &str| format!("{}{resource}{}", issuer(&server, ""), route(scope));
    let gateway = Gateway::start(&tables("old")).await;
    gateway.ready().await;
    let scopes = async || {
        let path = "/.well-known/oauth-protected-resource/mcp";
        let answer = send_to("mcp.example.com", &gateway, "GET", path, "").await;
        let metadata: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        metadata["scopes_supported"].to_string()
    };
    assert_eq!(scopes().await, "[\"old\"]");
    let token = server.token().audience("https://mcp.example.com/mcp").scope("new").sign();
    let described = format!("Authorization: Bearer {token}\r\nX-Original-Method: GET\r\nX-Original-URI: /mcp\r\n");
    let judged = async || send_to("mcp.example.com", &gateway, "GET", "/auth", &described).await.status;
    assert_eq!(judged().await, 403);
    gateway.rewrite("", &tables("new"));
    gateway.signal("HUP");
    let deadline = Instant::now() + Duration::from_secs(20);
    while scopes().await != "[\"new\"]" {
        assert!(Instant::now() < deadline, "{} {}", scopes().await, gateway.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(judged().await, 200);
    assert_eq!(server.requests(Endpoint::Jwks), 1, "the issuer and the resource are the same");
}

#[tokio::test]
async fn a_changed_file_is_seen_without_a_signal() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.rewrite("", &format!("{}{OPEN}# end\n", issuer(&server, "")));
    status_becomes(&gateway, "/orders/1", 200).await;
}

#[tokio::test]
async fn what_is_added_or_changed_is_taken_without_a_mark() {
    let server = AuthorizationServer::start().await;
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    assert_eq!(gateway.ask("GET", "/new", None).await.status, 403);
    gateway.rewrite("", &format!("{}[[routes]]\npath = \"/new\"\npublic = true\n{ROUTES}", issuer(&server, "")));
    status_becomes(&gateway, "/new", 200).await;
    gateway.rewrite("", &format!("{}[[routes]]\npath = \"/newer\"\npublic = true\n{ROUTES}", issuer(&server, "")));
    status_becomes(&gateway, "/newer", 200).await;
}

#[tokio::test]
async fn a_file_that_was_cut_is_not_taken_until_somebody_says_so() {
    let server = AuthorizationServer::start().await;
    let whole = format!("{}{ROUTES}", issuer(&server, ""));
    let gateway = Gateway::start(&whole).await;
    gateway.ready().await;
    let foreign = server.token().scope("read").audience("https://other.example.com").sign();
    let judged = async || {
        let token = gateway.ask("GET", "/orders/1", Some(&foreign)).await.status;
        (token, gateway.ask("GET", "/elsewhere", Some(&foreign)).await.status)
    };
    assert_eq!(judged().await, (401, 403));
    let without_routes = whole.split("[[routes]]").next().unwrap();
    let without_audience = whole.replace("audience = [\"https://api.example.com\"]\n", "");
    for (cut, gone) in [(without_routes, "routes"), (&*without_audience, ".audience")] {
        gateway.rewrite("", cut);
        let told = |line: &serde_json::Value| {
            line["level"] == "WARN"
                && line["message"].to_string().contains("SIGHUP")
                && line["gone"].to_string().contains(gone)
        };
        gateway.logged(told).await;
        assert_eq!(judged().await, (401, 403), "{gone}");
        let status = gateway.page("/status").await.body;
        assert!(status.contains("\"waits_for_confirmation\": true") && status.contains(gone), "{status}");
        assert_eq!(gateway.metric("portcullis_gateway_reload_waits").await, 1.0);
    }
    // The operator vouches for the file with the signal.
    gateway.signal("HUP");
    status_becomes_with(&gateway, &foreign, 200).await;
    let status = gateway.page("/status").await.body;
    assert!(status.contains("\"waits_for_confirmation\": false"), "{status}");
    assert_eq!(gateway.metric("portcullis_gateway_reload_waits").await, 0.0);
}

#[tokio::test]
async fn a_refused_file_is_told_until_it_is_mended() {
    let server = AuthorizationServer::start().await;
    let good = format!("{}{ROUTES}", issuer(&server, ""));
    let gateway = Gateway::start(&good).await;
    let refused = async |told: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let page: serde_json::Value = serde_json::from_str(&gateway.page("/status").await.body).unwrap();
            let state = &page["configuration"];
            if state["refused"].to_string().contains(told) && state["waits_for_confirmation"] == false {
                return gateway.metric("portcullis_gateway_reload_refused").await;
            }
            assert!(Instant::now() < deadline, "{told}: {page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(refused("null").await, 0.0);
    // It waits before it is refused, and is not told to wait any longer.
    gateway.rewrite("", &issuer(&server, ""));
    gateway.logged(|line| line["message"].to_string().contains("SIGHUP")).await;
    for (keys, tables, told) in [
        ("", good.replace("scope = [\"read\"]", "scopes = [\"read\"]"), "scopes"),
        ("console = true", good.clone(), "expected the same `console` as before"),
    ] {
        gateway.rewrite(keys, &tables);
        assert_eq!(refused(told).await, 1.0, "{told}");
    }
    gateway.rewrite("", &good);
    assert_eq!(refused("null").await, 0.0);
    assert_eq!(gateway.metric("portcullis_gateway_reload_waits").await, 0.0);
}

async fn status_becomes_with(gateway: &Gateway, token: &str, status: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while gateway.ask("GET", "/orders/1", Some(token)).await.status != status {
        assert!(Instant::now() < deadline, "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_bad_configuration_changes_nothing_and_is_told() {
    let server = AuthorizationServer::start().await;
    let good = format!("{}{ROUTES}", issuer(&server, ""));
    let gateway = Gateway::start(&good).await;
    for bad in ["rotues = 1", "[[routes]]\npath = \"/*\"\npublic = true\nscope = [\"read\"]", "listen ="] {
        let failed = gateway.metric("portcullis_gateway_reloads_total{outcome=\"failed\"}").await;
        std::fs::write(gateway.file("portcullis.toml"), format!("{good}\n{bad}")).unwrap();
        gateway.signal("HUP");
        let deadline = Instant::now() + Duration::from_secs(20);
        while gateway.metric("portcullis_gateway_reloads_total{outcome=\"failed\"}").await <= failed {
            assert!(Instant::now() < deadline, "{bad} was not noticed: {}", gateway.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(gateway.ask("GET", "/orders/1", None).await.status, 401, "{bad}");
    }
    // The sockets are made once.
    let moved = crate::support::text("", &good).replace("admin = \"127.0.0.1:0\"", "admin = false");
    std::fs::write(gateway.file("portcullis.toml"), moved).unwrap();
    gateway.signal("HUP");
    let told = |line: &serde_json::Value| line.to_string().contains("the same `admin` as before");
    gateway.logged(told).await;
}

#[tokio::test]
async fn a_new_issuer_counts_and_an_old_one_no_longer() {
    let (first, second) = (AuthorizationServer::start().await, AuthorizationServer::start().await);
    let tokens = [&first, &second].map(|server| server.token().scope("read").sign());
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&first, ""))).await;
    gateway.ready().await;
    let judged = async |gateway: &Gateway| {
        let mut statuses = Vec::new();
        for token in &tokens {
            statuses.push(gateway.ask("GET", "/orders/1", Some(token)).await.status);
        }
        statuses
    };
    assert_eq!(judged(&gateway).await, [200, 401]);
    gateway.rewrite("", &format!("{}{ROUTES}", issuer(&second, "")));
    gateway.signal("HUP");
    let deadline = Instant::now() + Duration::from_secs(20);
    while judged(&gateway).await != [401, 200] {
        assert!(Instant::now() < deadline, "{}", gateway.log());
    }
}

#[tokio::test]
async fn no_request_is_lost_while_configurations_change() {
    let server = AuthorizationServer::start().await;
    let tables =
        [ROUTES, "[[routes]]\npath = \"/orders/*\"\n"].map(|routes| format!("{}{routes}", issuer(&server, "")));
    let gateway = Gateway::start(&tables[0]).await;
    gateway.ready().await;
    let token = server.token().scope("read").sign();
    for round in 0..10 {
        gateway.rewrite("", &tables[round % 2]);
        gateway.signal("HUP");
        for _ in 0..50 {
            assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.status, 200);
        }
    }
}

/// A pipe that nobody writes to, and a device without an end, in the place of a file that the gateway reads again and again.
#[tokio::test]
async fn a_file_that_becomes_a_pipe_or_a_device_holds_nothing_up() {
    let server = AuthorizationServer::start().await;
    let token = server.token().scope("read").sign();
    let keys = client().get(server.jwks_uri()).send().await.unwrap().bytes().await.unwrap();
    let pipe = "mkfifo \"$0\"";
    let device = "ln -s /dev/zero \"$0\"";
    for (file, make) in
        [("portcullis.toml", pipe), ("portcullis.toml", device), ("keys.json", pipe), ("keys.json", device)]
    {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join(file);
        std::fs::write(folder.path().join("keys.json"), &keys).unwrap();
        let tables = format!("{}{ROUTES}", issuer(&server, "jwks_file = \"keys.json\""));
        std::fs::write(folder.path().join("portcullis.toml"), text("", &tables)).unwrap();
        let mut gateway = Gateway::start_in(folder).await;
        std::fs::remove_file(&place).unwrap();
        assert!(Command::new("sh").args(["-c", make]).arg(&place).status().unwrap().success());
        gateway.signal("HUP");
        gateway.logged(|line| line.to_string().contains("expected a regular file")).await;
        assert_eq!(gateway.ask("GET", "/orders/1", Some(&token)).await.status, 200, "{file} {make}");
        assert_eq!(gateway.page("/healthz").await.status, 200, "{file} {make}");
        gateway.signal("TERM");
        assert!(gateway.ended().await.success(), "{}", gateway.log());
    }
}

#[tokio::test]
async fn asked_to_stop_it_ends_with_good_grace() {
    let server = AuthorizationServer::start().await;
    let mut gateway = Gateway::start(&issuer(&server, "")).await;
    gateway.ready().await;
    gateway.signal("TERM");
    assert!(gateway.ended().await.success(), "{}", gateway.log());
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_it_ends() {
    let server = AuthorizationServer::start().await;
    let token = server.token().scope("read").sign();
    let mut gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, ""))).await;
    gateway.ready().await;
    // An unknown key makes the request wait for a fetch.
    server.fault(Endpoint::Jwks, portcullis_testkit::Fault::Delay(Duration::from_secs(1)));
    server.rotate();
    let unknown = server.token().scope("read").sign();
    let asked = server.requests(Endpoint::Jwks);
    let (answer, ()) = tokio::join!(gateway.ask("GET", "/orders/1", Some(&unknown)), async {
        within(|| (server.requests(Endpoint::Jwks) > asked).then_some(())).await.unwrap();
        gateway.signal("TERM");
    });
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(gateway.ended().await.success());
    drop(token);
}

#[tokio::test]
async fn a_hangup_is_heard_while_an_authorization_server_hangs() {
    let server = AuthorizationServer::start().await;
    let further = format!("jwks_uri = \"{}\"", server.jwks_uri());
    server.fault(Endpoint::Jwks, portcullis_testkit::Fault::Hang);
    let gateway = Gateway::start(&format!("{}{ROUTES}", issuer(&server, &further))).await;
    gateway.rewrite("", &format!("{}{OPEN}", issuer(&server, &further)));
    gateway.signal("HUP");
    status_becomes(&gateway, "/orders/1", 200).await;
}
