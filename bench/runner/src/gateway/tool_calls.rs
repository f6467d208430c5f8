//! A call of an MCP server's tool: judged as any request, by its fields, and by its content.

use harness::Result;

use super::{
    Bench, TOOL_CALLS,
    question::{self, Asked, about},
    servers::{AUTH, Gateway, until_it_passes},
    tokens::MCP_SERVER,
    turns::take,
};
use crate::{
    http::{TOOL_CALL, wrk::Question},
    programs::Build,
    results::Results,
};

/// The paths of the same call, without MCP rules and with them.
const API: &str = "/api/call";
const MCP: &str = "/mcp";

/// The rows.
const FORWARD_AUTH: [&str; 2] = ["forward-auth, without MCP rules", "forward-auth, the fields decide"];
const EXT_AUTHZ: [&str; 3] =
    ["ext_authz, without MCP rules", "ext_authz, the fields decide", "ext_authz, the content decides"];

/// The column that compares with the same door without MCP rules.
const OF_API: &str = "of the call without MCP rules";

pub(super) fn measure(bench: &Bench<'_>, results: &mut Results) -> Result {
    let gateway = Gateway::start_with(bench, Build::This, &tables())?;
    let token = &bench.tokens.for_both;
    let by_fields = [API, MCP].map(description);
    let by_grpc = [(API, ""), (MCP, ""), (MCP, TOOL_CALL.content)]
        .map(|(path, content)| about(&Asked { method: "POST", path, fields: TOOL_CALL.fields, content }, token));
    let mut contenders = Vec::new();
    for (row, fields) in FORWARD_AUTH.into_iter().zip(&by_fields) {
        until_it_passes(gateway.forward_auth, AUTH, fields, token)?;
        let question = Question { path: AUTH, fields, ..Question::with(&bench.tokens.for_both_file) };
        let address = gateway.forward_auth;
        contenders.push(gateway.contender(row, move |seconds| bench.by_wrk(address, &question, seconds)));
    }
    for (row, asked) in EXT_AUTHZ.into_iter().zip(&by_grpc) {
        question::until_it_passes(bench, gateway.ext_authz, asked)?;
        let address = gateway.ext_authz;
        contenders.push(gateway.contender(row, move |seconds| bench.h2load.ask(address, asked, seconds)));
    }
    let compared = [
        (FORWARD_AUTH[1], OF_API, FORWARD_AUTH[0]),
        (EXT_AUTHZ[1], OF_API, EXT_AUTHZ[0]),
        (EXT_AUTHZ[2], OF_API, EXT_AUTHZ[0]),
    ];
    take(bench, TOOL_CALLS, contenders, &compared, results);
    Ok(())
}

/// The MCP server, and a route for each path. The token grants what the tool needs.
fn tables() -> String {
    format!(
        r#"
[[resources]]
resource = "{MCP_SERVER}"

[resources.mcp]
tools = [
    {{ name = "list_*", scope = ["orders:read"] }},
    {{ name = "delete_*", scope = ["orders:write"] }},
]

[[routes]]
path = "{API}"
methods = ["POST"]
scope = ["orders:read"]

[[routes]]
path = "{MCP}"
methods = ["POST"]
scope = ["profile"]
"#
    )
}

/// The header fields by which Traefik and Caddy describe the call.
fn description(path: &str) -> Vec<&'static str> {
    let uri = if path == MCP { "X-Forwarded-Uri: /mcp" } else { "X-Forwarded-Uri: /api/call" };
    let described = ["X-Forwarded-Method: POST", "X-Forwarded-Proto: https", "X-Forwarded-Host: api.example.com", uri];
    [&described, TOOL_CALL.fields].concat()
}
