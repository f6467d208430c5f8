//! The counted cases: one way of verifying a token, repeated.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::SystemTime,
};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use portcullis::{
    Content, Judging, JwksService, Presented, ProtectedResource, Secure, VerifiedToken, Verifier, VerifierBuilder,
};
use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::json;

use crate::{layered::Layered, possession::Possession, tool_call};

const ISSUER: &str = "https://as.example.com";
const AUDIENCE: &str = "https://api.example.com";

/// The claims in a handler's type.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "the fields are deserialised, then dropped")]
pub(crate) struct Typed {
    sub: String,
    client_id: String,
    scope: String,
}

/// One way of verifying a token.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    algorithm: Algorithm,
    cached: bool,
    door: Door,
    /// The upper bound of heap allocations for each token.
    pub(crate) allocations: u64,
    /// The upper bound of instructions for each token, on the `x86_64` that callgrind emulates.
    pub(crate) instructions: u64,
}

/// The way in.
#[derive(Clone, Copy)]
enum Door {
    /// A token at a verifier.
    Verifier,
    /// A request at a gate with a rule of each kind.
    Gate,
    /// The call of a tool at such a gate of an MCP server, by its header fields.
    McpFields,
    /// The same by its content.
    McpContent,
    /// A request at the tower layer.
    Tower,
    /// A request with a DPoP proof at a gate.
    Possession,
}

/// A case that is ready to run.
pub(crate) struct Prepared {
    verifier: Verifier,
    token: String,
    way: Way,
}

/// The way in, ready.
enum Way {
    Verifier,
    Gate(Gate),
    Tower(Layered),
    Possession(Possession),
}

/// A gate and a request.
struct Gate {
    secure: Secure,
    fields: HeaderMap,
    content: Content<'static>,
}

impl Case {
    pub(crate) const ALL: &[Self] = &[
        // Only the signature differs between algorithms. HS256 shows the rest best: its MAC takes 22,600 of the 36,000
        // instructions. The instructions of ECDSA and EdDSA depend on the key.
        Self::new("cached", Algorithm::RS256, true, 0, 1_050),
        Self { door: Door::Gate, ..Self::new("judged-cached", Algorithm::RS256, true, 0, 6_200) },
        Self { door: Door::McpFields, ..Self::new("judged-mcp-fields", Algorithm::RS256, true, 1, 11_950) },
        Self { door: Door::McpContent, ..Self::new("judged-mcp-content", Algorithm::RS256, true, 4, 21_200) },
        Self { door: Door::Tower, ..Self::new("tower-cached", Algorithm::RS256, true, 5, 4_400) },
        Self { door: Door::Possession, ..Self::new("judged-dpop", Algorithm::ES256, true, 14, 830_000) },
        Self::new("new-hs256", Algorithm::HS256, false, 12, 38_000),
        Self::new("new-rs256", Algorithm::RS256, false, 12, 325_000),
        Self::new("new-es256", Algorithm::ES256, false, 12, 800_000),
        Self::new("new-eddsa", Algorithm::EdDSA, false, 12, 400_000),
    ];

    const fn new(name: &'static str, algorithm: Algorithm, cached: bool, allocations: u64, instructions: u64) -> Self {
        Self { name, algorithm, cached, door: Door::Verifier, allocations, instructions }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|case| case.name == name).copied()
    }

    /// Makes a verifier and a token, verified twice: at the second time the thread takes its own handle.
    pub(crate) fn prepare(self) -> Prepared {
        let key = SigningKey::generate(self.algorithm, "2026-11-24");
        let builder = if self.cached { builder(&key) } else { builder(&key).without_token_cache() };
        #[expect(clippy::expect_used, reason = "without it there is nothing to count")]
        let verifier = builder.build().expect("a verifier");
        let unsigned = token(&key);
        let token = unsigned.clone().sign();
        let secure = || Secure::new(verifier.clone());
        let way = match self.door {
            Door::Verifier => Way::Verifier,
            Door::Gate => gate(secure(), &token, Content::Unseen),
            Door::McpFields => gate(mcp_server(&key), &token, Content::Unseen),
            Door::McpContent => gate(mcp_server(&key), &token, Content::Whole(tool_call::CONTENT)),
            Door::Tower => Way::Tower(Layered::new(&secure(), field(&token))),
            Door::Possession => Way::Possession(Possession::new(secure(), unsigned)),
        };
        let prepared = Prepared { verifier, token, way };
        prepared.repeat(2);
        prepared
    }
}

impl Prepared {
    /// Verifies the token this many times and reads its claims.
    #[inline(never)]
    pub(crate) fn repeat(&self, times: u64) {
        for _ in 0..times {
            assert!(self.passes(), "a good token was refused");
        }
    }

    fn passes(&self) -> bool {
        let token = match &self.way {
            Way::Verifier => at_once(self.verifier.verify(&self.token)).and_then(Result::ok),
            Way::Gate(gate) => gate.judge(),
            Way::Possession(possession) => possession.judge(),
            Way::Tower(layered) => return layered.passes(),
        };
        let typed = token.and_then(|token| token.typed::<Typed>().ok());
        std::hint::black_box(typed).is_some()
    }
}

impl Gate {
    fn judge(&self) -> Option<VerifiedToken> {
        let presented = Presented::new(&self.fields).request("POST", "/").content(self.content);
        let Judging::Done(verdict) = self.secure.judge(&presented) else { return None };
        Some(verdict.outcome.ok()?.access()?.token().clone())
    }
}

/// A verifier for tokens signed with this key.
#[expect(clippy::expect_used, reason = "without it there is nothing to count")]
pub(crate) fn builder(key: &SigningKey) -> VerifierBuilder {
    let jwks = JwksService::from_json(&json!({ "keys": [key.public_jwk()] }).to_string()).expect("a key set");
    let algorithms = portcullis::Algorithm::ASYMMETRIC.iter().copied().chain([portcullis::Algorithm::HS256]);
    Verifier::builder(jwks).issuer(ISSUER).audience(AUDIENCE).algorithms(algorithms)
}

/// An MCP server with rules for tools, one of which matches the call.
#[expect(clippy::expect_used, reason = "without it there is nothing to count")]
fn mcp_server(key: &SigningKey) -> Secure {
    let resource = ProtectedResource::new(AUDIENCE).issuer(builder(key));
    let resource = resource.tool("list_*", ["orders:list"]).tool("delete_*", ["orders:write"]);
    Secure::mcp(resource).expect("an MCP server")
}

/// The gate with a rule of each kind that the token meets, and a tool's call with the token.
fn gate(secure: Secure, token: &str, content: Content<'static>) -> Way {
    let secure = secure
        .implied_scopes("orders:write", ["orders:list"])
        .scope(["orders:read", "orders:list"])
        .any_scope(["profile", "email"])
        .claim("sub")
        .claim_value("roles", "editor")
        .claim_one_of("acr", ["urn:example:gold", "urn:example:silver"])
        .claim_matches("tenant", "tenant-*")
        .claim_absent("act");
    Way::Gate(Gate { secure, fields: tool_call::fields().chain([(AUTHORIZATION, field(token))]).collect(), content })
}

/// The `Authorization` field with the token.
#[expect(clippy::expect_used, reason = "without it there is nothing to count")]
fn field(token: &str) -> HeaderValue {
    HeaderValue::try_from(format!("Bearer {token}")).expect("a field value")
}

/// A token of about 1 KB.
fn token(key: &SigningKey) -> TokenBuilder {
    TokenBuilder::new(key, ISSUER, SystemTime::now())
        .scope("orders:read orders:write profile")
        .claim("name", "Alice Example")
        .claim("email", "alice@example.com")
        .claim("tenant", "tenant-42")
        .claim("roles", json!(["user", "editor", "auditor"]))
        .claim("auth_time", 1_790_000_000)
        .claim("acr", "urn:example:gold")
}

/// The outcome of a future that does not wait, because the keys are known.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}
