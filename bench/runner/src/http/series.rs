//! The servers.

use crate::programs::Build;

/// Servers on one framework, to be compared with each other.
#[derive(Debug)]
pub(crate) struct Field {
    /// The framework of the servers.
    pub(crate) framework: Framework,
    /// The request, apart from its token.
    pub(crate) request: Request,
    /// The answer of each server to the first user.
    pub(crate) answer: &'static str,
    /// The columns that compare a server with the first: by requests per second, and by the CPU time of a request.
    pub(crate) compared: [&'static str; 2],
    /// The servers; the others are compared with the first.
    pub(crate) series: &'static [Series],
}

/// A request, apart from its token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// Its header fields.
    pub(crate) fields: &'static [&'static str],
    /// The content of a `POST` request; empty for `GET`.
    pub(crate) content: &'static str,
}

/// The framework of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framework {
    /// A framework in Rust; the programs are beside this one.
    Axum,
    /// A framework in JavaScript; the programs are scripts with an event loop.
    Express,
}

/// A measured server.
#[derive(Debug)]
pub(crate) struct Series {
    /// Its name in tables and plots.
    pub(crate) name: &'static str,
    /// Its program.
    pub(crate) program: &'static str,
    /// Its arguments in addition to those of all servers.
    pub(crate) options: &'static [&'static str],
    /// True if the storms are measured with it.
    pub(crate) meets_storms: bool,
    /// The build of the program.
    pub(crate) build: Build,
}

/// The row with the minimum cost of a new token: bare axum that verifies its signature and does nothing else.
pub(crate) const RAW: &str = "bare axum, signature alone";
/// The name of Portcullis' row.
pub(crate) const OURS: &str = "portcullis";
/// The same, without its cache.
const OURS_WITHOUT_CACHE: &str = "portcullis without cache";

/// The peers on Express, set up according to their documentation.
const EXPRESS_PEERS: [&str; 3] = ["express-oauth-jwt", "express-oauth2-jwt-bearer", "fast-jwt"];
/// The last peer with its cache on, large enough for all rotating tokens.
const FITTED: &str = "fast-jwt, cache for 10,000";

/// The columns that compare with the bare framework.
const OF_BARE: [&str; 2] = ["of bare", "of bare, by CPU"];

/// Servers in Rust that answer `GET` requests.
const IN_RUST: Field = Field {
    framework: Framework::Axum,
    request: Request { fields: &[], content: "" },
    answer: "ok",
    compared: OF_BARE,
    series: &[],
};

/// axum and the libraries for it.
pub(crate) const AXUM: Field = Field {
    series: &[
        Series { meets_storms: false, ..peer("bare axum", "server-bare") },
        Series { meets_storms: false, ..peer(RAW, "server-raw-verify") },
        peer(OURS, "server-portcullis"),
        OURS_ON_AXUM_WITHOUT_CACHE,
        peer("jwt-authorizer", "server-jwt-authorizer"),
        peer("tower-oauth2-resource-server", "server-tower-oauth2-resource-server"),
        peer("axum-jwt-auth", "server-axum-jwt-auth"),
        peer("huskarl-resource-server", "server-huskarl-resource-server"),
    ],
    ..IN_RUST
};

/// actix-web, and the middleware there.
pub(crate) const ACTIX: Field =
    Field { series: &[peer("bare actix-web", "server-actix-bare"), peer(OURS, "server-actix-portcullis")], ..IN_RUST };

/// A call of an MCP server's tool on axum: the endpoint guarded as any API, and as an MCP server. The handler reads the
/// content in each case.
pub(crate) const MCP: Field = Field {
    request: TOOL_CALL,
    compared: ["of the call without MCP rules", "of the call without MCP rules, by CPU"],
    series: &[
        mcp("portcullis without MCP rules", &["--guard", "api"]),
        mcp("portcullis, an MCP server without rules for tools", &["--guard", "mcp"]),
        mcp("portcullis, rules for tools: the content decides", &["--guard", "tools"]),
    ],
    ..IN_RUST
};

/// axum and the libraries for it that verify DPoP proofs, and a server that verifies the signature of the proof with a parsed key, and
/// nothing else.
pub(crate) const PROVING: Field = Field {
    request: TO_LOCALHOST,
    compared: ["of the proof's signature alone", "of the proof's signature alone, by CPU"],
    series: &[
        proving(peer("bare axum, the proof's signature alone", "server-raw-verify")),
        proving(peer(OURS, "server-portcullis")),
        proving(peer("huskarl-resource-server", "server-huskarl-resource-server")),
    ],
    ..IN_RUST
};

/// Express, and the packages for it that verify DPoP proofs.
pub(crate) const PROVING_ON_EXPRESS: Field = Field {
    request: TO_LOCALHOST,
    series: &[
        BARE_EXPRESS,
        proving(script(OURS, "portcullis.js")),
        proving(script(EXPRESS_PEERS[1], "express-oauth2-jwt-bearer.js")),
    ],
    ..ON_EXPRESS
};

/// A request to the host that proofs name.
const TO_LOCALHOST: Request = Request { fields: &["Host: localhost"], content: "" };

/// The call of a tool, as clients of the revision 2026-07-28 send it.
pub(crate) const TOOL_CALL: Request = Request {
    fields: &[
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        "MCP-Protocol-Version: 2026-07-28",
        "Mcp-Method: tools/call",
        "Mcp-Name: list_orders",
    ],
    content: concat!(
        r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"list_orders","#,
        r#""arguments":{"customer":"7f6c2a4e-91d3-4b58-8e0a-000000000000","since":"2026-10-01","limit":20},"#,
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
        r#""io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1.0.0"},"#,
        r#""io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
};

/// This build on axum, and the other revision's.
pub(crate) const AXUM_AGAINST: Field = Field {
    series: &[
        peer("bare axum", "server-bare"),
        peer(OURS, "server-portcullis"),
        Series { build: Build::Before, ..peer("portcullis, before", "server-portcullis") },
        OURS_ON_AXUM_WITHOUT_CACHE,
        Series { build: Build::Before, name: "portcullis without cache, before", ..OURS_ON_AXUM_WITHOUT_CACHE },
    ],
    ..IN_RUST
};

/// This build on Express, and the other revision's.
pub(crate) const EXPRESS_AGAINST: Field = Field {
    series: &[
        BARE_EXPRESS,
        script(OURS, "portcullis.js"),
        Series { build: Build::Before, ..script("portcullis, before", "portcullis.js") },
    ],
    ..ON_EXPRESS
};

/// Express and the packages for it.
pub(crate) const EXPRESS: Field = Field {
    series: &[
        BARE_EXPRESS,
        script(OURS, "portcullis.js"),
        OURS_ON_EXPRESS_WITHOUT_CACHE,
        script(EXPRESS_PEERS[0], "express-oauth-jwt.js"),
        script(EXPRESS_PEERS[1], "express-oauth2-jwt-bearer.js"),
        script(EXPRESS_PEERS[2], "fast-jwt.js"),
        FITTED_FAST_JWT,
    ],
    ..ON_EXPRESS
};

/// The servers that only look up known tokens, all of them on one core at once.
pub(crate) const SIDE_BY_SIDE: Field =
    Field { series: &[BARE_EXPRESS, script(OURS, "portcullis.js"), FITTED_FAST_JWT], ..ON_EXPRESS };

/// Express that verifies on its event loop or in libuv's pool, and the addon, which uses the event loop.
pub(crate) const INLINE_OR_POOL: Field = Field {
    series: &[
        BARE_EXPRESS,
        script("bare, signature inline", "signature.js"),
        Series { options: &["--pool"], ..script("bare, signature in the pool", "signature.js") },
        OURS_ON_EXPRESS_WITHOUT_CACHE,
    ],
    ..ON_EXPRESS
};

const OURS_ON_AXUM_WITHOUT_CACHE: Series =
    Series { options: &["--no-cache"], meets_storms: false, ..peer(OURS_WITHOUT_CACHE, "server-portcullis") };

const ON_EXPRESS: Field =
    Field { framework: Framework::Express, answer: r#"{"subject":"7f6c2a4e-91d3-4b58-8e0a-000000000000"}"#, ..IN_RUST };
const BARE_EXPRESS: Series = script("bare Express", "bare.js");
const FITTED_FAST_JWT: Series = Series { options: &["--cache", "10000"], ..script(FITTED, "fast-jwt.js") };
const OURS_ON_EXPRESS_WITHOUT_CACHE: Series =
    Series { options: &["--no-cache"], ..script(OURS_WITHOUT_CACHE, "portcullis.js") };

impl Field {
    /// Returns true for the server to compare the others with.
    pub(crate) fn is_bare(&self, name: &str) -> bool {
        self.series.first().is_some_and(|first| first.name == name)
    }
}

const fn peer(name: &'static str, program: &'static str) -> Series {
    Series { name, program, options: &[], meets_storms: true, build: Build::This }
}

/// The same server, with DPoP required.
const fn proving(series: Series) -> Series {
    Series { options: &["--dpop"], meets_storms: false, ..series }
}

const fn mcp(name: &'static str, options: &'static [&'static str]) -> Series {
    Series { options, meets_storms: false, ..peer(name, "server-mcp-portcullis") }
}

const fn script(name: &'static str, program: &'static str) -> Series {
    Series { meets_storms: false, ..peer(name, program) }
}
