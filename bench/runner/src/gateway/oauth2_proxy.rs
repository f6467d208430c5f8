//! oauth2-proxy, from its Go module, with bearer JWTs (`--skip-jwt-bearer-tokens`) and without its logs.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use harness::{AUDIENCE, Result, Server};

use super::{Bench, servers::free_address};

/// The module and its version.
pub(crate) const MODULE: &str = "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6";

/// The path that proxies ask.
pub(super) const AUTH: &str = "/oauth2/auth";

/// Starts it on the server's core. It has no rules for scope: the subject stands for the e-mail address that it requires.
pub(super) fn start(bench: &Bench<'_>) -> Result<Server> {
    let address = free_address()?;
    let issuer = &bench.tokens.issuer;
    let mut command = bench.cores.for_server(&program(&bench.folder)?);
    command.args(["--provider=oidc", "--skip-oidc-discovery", "--skip-jwt-bearer-tokens", "--reverse-proxy"]);
    command.args(["--email-domain=*", "--oidc-email-claim=sub", "--set-xauthrequest", "--upstream=static://202"]);
    command.args(["--client-secret=secret", "--cookie-secret=0123456789abcdef0123456789abcdef"]);
    command.args(["--request-logging=false", "--auth-logging=false", "--standard-logging=false"]);
    command.args([
        format!("--http-address={address}"),
        format!("--client-id={AUDIENCE}"),
        format!("--oidc-issuer-url={}", issuer.issuer()),
        format!("--oidc-jwks-url={}", issuer.jwks_uri()),
        format!("--login-url={}", issuer.url("/authorize")),
        format!("--redeem-url={}", issuer.url("/token")),
    ]);
    Server::start_at(command, address).map_err(|reason| format!("oauth2-proxy: {reason}"))
}

/// The path of its program, which Go builds into a folder of its own at the first call.
fn program(folder: &Path) -> Result<PathBuf> {
    let version = MODULE.rsplit('@').next().unwrap_or_default();
    let folder = folder.join(format!("oauth2-proxy-{version}"));
    let program = folder.join("oauth2-proxy");
    if program.is_file() {
        return Ok(program);
    }
    println!("bench: building {MODULE} with Go");
    let folder = std::path::absolute(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let built = Command::new("go").args(["install", MODULE]).env("GOBIN", folder).stdin(Stdio::null()).status();
    if built.is_ok_and(|status| status.success()) { Ok(program) } else { Err(format!("go cannot install {MODULE}")) }
}
