//! `portcullis`: the gateway beside nginx, Envoy, Traefik, Caddy and HAProxy.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_gateway::main()
}
