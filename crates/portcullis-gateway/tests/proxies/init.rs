//! `docs/gateway.md`, from an issuer's URL to a guarded API: its commands as typed, with Keycloak's shape as the issuer.

use std::{fs, process::Command};

use portcullis_testkit::{AuthorizationServer, provider};

use crate::{
    client::{ask, ask_with},
    docs,
    process::Process,
    scene::{Proxy, Stage},
};

const ISSUER: &str = "https://login.example.com/realms/shop";

#[tokio::test]
async fn an_issuer_s_url_is_all_that_an_api_behind_nginx_needs() {
    let stage = Stage::set();
    let keycloak = AuthorizationServer::builder().provider(provider::keycloak()).start().await.unwrap();
    let init = docs::line("   portcullis init --issuer");
    assert!(init.contains(ISSUER), "{init}");
    // The authorization server lives in this process, so the command needs a thread of its own.
    let arguments: Vec<_> =
        init.split_whitespace().skip(1).map(|word| word.replace(ISSUER, keycloak.issuer())).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(arguments).current_dir(stage.path(""));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    // Only the port differs from the written file.
    let written = stage.path("portcullis.toml");
    let text = fs::read_to_string(&written).unwrap();
    let [port, _, admin] = stage.ports.gateway;
    fs::write(&written, format!("listen = \"127.0.0.1:{port}\"\nadmin = \"127.0.0.1:{admin}\"\n{text}")).unwrap();
    let serve = docs::line("   portcullis serve --config portcullis.toml");
    let _gateway = Process::typed(serve.trim(), &stage.path("")).listening(port).await;
    let (_api, _nginx) = (stage.upstream().await, stage.start(Proxy::Nginx.line(), stage.ports.proxy).await);

    let nginx = stage.ports.proxy;
    let good = keycloak.token().audience("https://api.example.com");
    let echo = ask_with(nginx, "GET /orders/1", &good.clone().sign()).await.echo();
    assert_eq!((echo.all("x-auth-subject").len(), echo.all("x-auth-scope").len()), (1, 1), "{echo:?}");
    let stranger = ask(nginx, "GET /orders/1", &[]).await;
    assert_eq!((stranger.status, stranger.all("www-authenticate").len()), (401, 1), "{stranger:?}");
    let elsewhere = good.audience("account").sign();
    assert_eq!(ask_with(nginx, "GET /orders/1", &elsewhere).await.status, 401);
}
