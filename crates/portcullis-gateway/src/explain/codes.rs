//! Every stable code, of the library and the gateway: its likely cause, and the remedy.

use crate::config::nearest;

/// A code, as in logs, metrics, problem details and `portcullis explain`.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) name: &'static str,
    /// The gateway's status, unless `invalid_token_status` changes it.
    pub(super) status: u16,
    /// The status in the library and the npm package, unless `invalid_token_status` changes it; none if the gateway alone gives the code.
    pub(super) library_status: Option<u16>,
    pub(super) cause: &'static str,
    pub(super) remedy: &'static str,
}

/// Returns the code of this name.
pub(super) fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

/// Returns the names of all codes.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|code| code.name)
}

/// Reads the name of a code.
///
/// # Errors
///
/// The remedy for another text: the code that was probably meant, and the place of the list.
pub(super) fn named(text: &str) -> Result<String, String> {
    if find(text).is_some() {
        return Ok(text.to_owned());
    }
    if ERRORS.contains(&text) {
        return Err(format!(
            "`{text}` is the error of a challenge (WWW-Authenticate), which many codes share: look for `code=` in the log, or show the \
             token to `portcullis explain --config FILE`"
        ));
    }
    let meant = nearest(text, &names().collect::<Vec<_>>());
    let meant = meant.map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
    Err(format!("{meant}docs/troubleshooting.md lists the codes"))
}

/// The errors of challenges that are no codes (RFC 6750 section 3.1, RFC 9449 sections 7.1 and 9).
const ERRORS: [&str; 4] = ["invalid_request", "invalid_token", "invalid_dpop_proof", "use_dpop_nonce"];

/// A code with the same status everywhere.
const fn code(name: &'static str, status: u16, cause: &'static str, remedy: &'static str) -> Code {
    Code { name, status, library_status: Some(status), cause, remedy }
}

/// The code of a bad token.
const fn token(name: &'static str, cause: &'static str, remedy: &'static str) -> Code {
    Code { name, status: 401, library_status: Some(403), cause, remedy }
}

/// A code that the gateway alone gives.
const fn own(name: &'static str, cause: &'static str, remedy: &'static str) -> Code {
    Code { name, status: 403, library_status: None, cause, remedy }
}

pub(super) const CODES: &[Code] = &[
    // The request.
    code(
        "no_credentials",
        401,
        "The request has no token: the client sent none, or the proxy in between dropped the Authorization field.",
        "Send `Authorization: Bearer TOKEN`, and have each proxy hand the field on. For CORS preflights, which never \
         have it, set `preflight = true` in the route.",
    ),
    code(
        "other_scheme",
        401,
        "The Authorization field has another scheme than Bearer: Basic, DPoP where it is off, or the token alone.",
        "Write `Authorization: Bearer TOKEN`; keep Basic for servers that ask for it. For DPoP, set `use` of `[dpop]`, or \
         `dpop` of the route, to \"allowed\" or \"required\".",
    ),
    code(
        "empty_token",
        401,
        "`Bearer` has no token behind it: the variable that the client takes the token from is empty.",
        "Look at how the client gets its token, and have it fail when there is none.",
    ),
    code(
        "several_tokens",
        400,
        "The request carries two tokens, or two Authorization fields: one of the client's and one of a proxy's, mostly.",
        "Have the proxy set the field instead of adding to it, and the client send the token in one place.",
    ),
    // The message to an MCP server.
    code(
        "mcp_origin",
        403,
        "A web page of another origin sends the request. Without that check, any page could talk to an MCP server on the user's \
         machine (DNS rebinding).",
        "Add the origin to `allowed_origins` if pages of it may send requests; `null` cannot be allowed.",
    ),
    code(
        "mcp_fields_missing",
        400,
        "Scope values depend on the tool or method, only header fields are seen, and they do not tell: the client uses a revision \
         before 2026-07-28, whose servers do not hold Mcp-Method and Mcp-Name against the message, or another method than POST, with \
         which content may come unseen.",
        "Have the client use revision 2026-07-28, or show the message: with Envoy's `with_request_body`, or in the server's own \
         process.",
    ),
    code(
        "mcp_fields_malformed",
        400,
        "MCP-Protocol-Version, Mcp-Method or Mcp-Name comes twice, is not visible ASCII, has a malformed `=?base64?…?=`, or, where the message is not seen, stands beside another spelling of it (Mcp_Name).",
        "Send each once; write other characters as standard base64 of UTF-8 between `=?base64?` and `?=`.",
    ),
    code(
        "mcp_fields_disagree",
        400,
        "Mcp-Method or Mcp-Name names another operation than the message: a mistake of the client, or an attempt to get past a rule.",
        "Have the client copy `method` and `params.name` or `params.uri` into the fields, to the letter.",
    ),
    code(
        "mcp_content_type",
        415,
        "The message is not `application/json` in UTF-8 as it stands: another type, another character set, or compressed; \
         or it is an upgrade to WebSocket, whose messages would not be judged.",
        "Send `Content-Type: application/json`, and no Content-Encoding.",
    ),
    code(
        "mcp_body",
        400,
        "The message is cut off, is not strict JSON, has a member twice or one that differs only in case, or is no JSON-RPC \
         message. With Envoy, perhaps only a part of it is shown.",
        "Look at the reason in the log; with Envoy set `allow_partial_message: false`.",
    ),
    code(
        "mcp_body_too_large",
        413,
        "The message is longer than the limit up to which it is read to find out the tool.",
        "Raise `max_body_bytes`, or have the client send large data in another way.",
    ),
    // The form of the token.
    token(
        "token_too_large",
        "The token is longer than the limit, often by its groups or roles.",
        "Have the issuer leave out claims that this API does not need, or raise `max_token_bytes`.",
    ),
    token(
        "malformed_token",
        "The token has characters that no bearer token has: quotes, a second `Bearer`, line breaks, padding. Or it is in a cookie \
         under another spelling of its name, as access.token for access_token, which another site may have set.",
        "Show the token to `portcullis explain`, which names the character; send the token alone behind `Bearer`.",
    ),
    token(
        "malformed_token_parts",
        "The token does not have three parts: it is opaque, or was cut off.",
        "For opaque tokens configure [issuers.introspection], or have the issuer give out JWTs for this API.",
    ),
    token(
        "encrypted_token",
        "The token is encrypted (JWE). Often it is for the issuer itself, as Auth0 issues it without an audience.",
        "Have the client ask for a token for this API, and the issuer sign it only.",
    ),
    token(
        "malformed_base64",
        "A part of the token is not base64url: it was cut off, or encoded again on its way.",
        "Compare the token that arrives with the one that was issued, from its end.",
    ),
    token(
        "malformed_json",
        "Header or payload is not a JSON object: the issuer's template is broken, or the token was made by hand.",
        "Decode the payload, and look for a template or mapper at the issuer that writes it.",
    ),
    token(
        "duplicate_member",
        "A member is in the token twice, and readers differ on which one counts: two mappers of the issuer write it.",
        "Remove one of the two at the issuer.",
    ),
    token(
        "nested_too_deep",
        "Claims are nested deeper than 32 levels: foreign data, or an attack.",
        "Have the issuer leave that claim out of access tokens.",
    ),
    token(
        "malformed_header",
        "`alg`, `kid` or `typ` is not a text, or `kid` is too long: often the issuer writes a number.",
        "Have the issuer write texts, as RFC 7515 says.",
    ),
    token(
        "critical_header",
        "The header asks for an extension (`crit`) that access tokens do not need.",
        "Have the extension switched off at the issuer.",
    ),
    token(
        "algorithm_not_allowed",
        "The token is signed by an algorithm that is not allowed for this issuer: a shared secret (HS256), or `none`.",
        "Have the issuer sign by RS256, PS256, ES256 or EdDSA, or name its algorithm in `algorithms`.",
    ),
    token(
        "wrong_type",
        "The token is not an access token, but an ID token, a refresh token or a DPoP proof; or `at+jwt` is required \
         and the issuer does not write it.",
        "Have the client send its access token; where the issuer writes another `typ` or none, name it in `types`, or \
         set `or_no_type`.",
    ),
    // Key and signature.
    token(
        "unknown_key",
        "The issuer publishes no key of this `kid`: the token is of another environment, or its key was withdrawn.",
        "Compare the token's `iss` with the environment that it was issued in; `portcullis keys` lists the keys that are there.",
    ),
    token(
        "key_mismatch",
        "The key exists, but for another algorithm than the token's.",
        "Have the issuer's key set and its signer agree; the key's `alg` names its algorithm.",
    ),
    token(
        "unusable_key",
        "The issuer publishes the key, but it cannot be used: it is malformed, or declared for another use.",
        "`portcullis keys` tells the problem of each unused key; have the issuer fix it.",
    ),
    token(
        "too_many_keys",
        "The token names no key (`kid`), and more keys fit than are tried.",
        "Have the issuer write `kid` into its tokens, or raise `max_key_attempts`.",
    ),
    token(
        "bad_signature",
        "The signature does not verify: the token was changed, or is of another environment, or is for its issuer \
         alone (Microsoft Graph).",
        "Have the client ask for a token for this API, and compare the environments.",
    ),
    // The claims.
    token(
        "inactive_token",
        "The authorization server does not accept the token: it is revoked, expired, or of another server.",
        "Have the client get a new token, and check that both use the same server.",
    ),
    token(
        "expired",
        "The token has expired; if it was just issued, the clocks differ.",
        "Have the client get a new one a little before the end, and set clocks by NTP; `leeway` allows up to five minutes.",
    ),
    token(
        "not_yet_valid",
        "The token is not valid yet (`nbf`): often this machine's clock is behind.",
        "Set clocks by NTP, or raise `leeway`.",
    ),
    token(
        "issued_in_future",
        "The token was issued in the future (`iat`): this machine's clock is behind, or the issuer writes milliseconds.",
        "Set clocks by NTP, or raise `leeway`.",
    ),
    token(
        "token_too_old",
        "The token was issued longer ago (`iat`) than `max_token_age` allows.",
        "Have the client get a new token, or raise `max_token_age`.",
    ),
    token(
        "token_lifetime_too_long",
        "From `iat` to `exp` the token is good for longer than `max_token_lifetime` allows.",
        "Have the issuer give out tokens for a shorter time, or raise `max_token_lifetime`.",
    ),
    token(
        "missing_claim",
        "A claim that every token needs is missing, often `exp` or `aud`.",
        "Have the issuer put it into its access tokens; `portcullis explain` says how, where it knows the provider.",
    ),
    token(
        "malformed_claim",
        "A registered claim is not in the form of RFC 7519: often a time is a text.",
        "Have the issuer write times as numbers of seconds, without quotes.",
    ),
    token(
        "wrong_issuer",
        "`iss` is not exactly one of the configured issuers: a slash, http, another realm, tenant or environment.",
        "Show the token to `portcullis explain`, which says how the two differ, and write `issuer` as the tokens do.",
    ),
    token(
        "wrong_tenant",
        "`iss` names one tenant and the claim of the tenant (`tenant_claim`) another, or the token lacks that claim.",
        "Name the claim in which the issuer writes the tenant (`tid` for Microsoft Entra); else refuse such tokens, as is done.",
    ),
    token(
        "wrong_subject",
        "`sub` is none of the `subjects` that are accepted of this issuer.",
        "Compare them with the token, as `portcullis explain` shows it; `*` stands for any characters, and case matters.",
    ),
    token(
        "wrong_audience",
        "`aud` does not name this API: the client asked for no audience, or for another.",
        "Have the client ask for a token for this API; `portcullis explain` says how, where it knows the provider.",
    ),
    code(
        "sender_constrained_token",
        401,
        "The token is bound to its client's key or certificate (`cnf`), and the request does not prove possession of it.",
        "Have the client send it by the scheme DPoP with a proof, where `dpop` accepts that, or present its certificate.",
    ),
    code(
        "unsupported_confirmation",
        401,
        "The token is bound (`cnf`) in a way that cannot be checked here.",
        "Have the client, or the issuer for this API, use bearer tokens.",
    ),
    code(
        "unbound_token",
        401,
        "A DPoP proof, or the scheme DPoP, was sent with a token that is bound to no key.",
        "Have the client ask for the token with a proof, or send it as `Bearer`, without one.",
    ),
    code(
        "dpop_required",
        401,
        "The route asks for tokens that are bound to a key by DPoP (`dpop = \"required\"`).",
        "Have the client ask for the token with a DPoP proof.",
    ),
    code(
        "sender_constraint_required",
        401,
        "The route asks for tokens that are bound to a key (`sender_constrained = true`).",
        "Have the client use DPoP, or a client certificate, when it asks for the token.",
    ),
    code(
        "wrong_certificate",
        401,
        "The token is bound to another client certificate than that of the connection.",
        "Have the client use the certificate with which it asked for the token.",
    ),
    code(
        "missing_dpop_proof",
        401,
        "The token was sent by the scheme DPoP, without a `DPoP` field.",
        "Have the client send a proof; look if a proxy in between drops the field.",
    ),
    code("several_dpop_proofs", 401, "The request has more than one `DPoP` field.", "Have the client send one."),
    code(
        "dpop_proof_too_large",
        401,
        "The proof is longer than 12 KiB, or `max_proof_bytes` of `[dpop]`.",
        "Have the client use a shorter key and fewer claims, or raise the limit.",
    ),
    code(
        "malformed_dpop_proof",
        401,
        "The proof is no signed JWT with all members of RFC 9449.",
        "Show the proof's members to the client's developers: `jti`, `htm`, `htu`, `iat` and `ath` are needed.",
    ),
    code("dpop_type", 401, "The proof's `typ` is not `dpop+jwt`.", "Have the client's library make the proof."),
    code(
        "dpop_algorithm",
        401,
        "The proof is signed by an algorithm that is not accepted, such as `none` or HS256.",
        "Have the client use ES256 or another algorithm with a public key.",
    ),
    code(
        "dpop_key",
        401,
        "The proof's `jwk` is no usable public key for its algorithm.",
        "Have the client send its public key alone, RSA keys of 2048 bits at least.",
    ),
    code("dpop_method", 401, "The proof is for another method.", "Have the client make a proof for each request."),
    code(
        "dpop_url",
        401,
        "The proof is for another URL than that of the request.",
        "Compare scheme, host and path with the reason in the log. Name the URL by `public_url` of `[dpop]`, or have the proxy tell \
         scheme and host of the client's URL.",
    ),
    code(
        "dpop_url_unknown",
        401,
        "The URL that the client used is not clear: scheme or host are missing, doubled or malformed.",
        "Name the URL by `public_url` of `[dpop]`, or have the proxy tell scheme and host, each once, in place of the client's own fields.",
    ),
    code(
        "dpop_too_old",
        401,
        "The proof was made too long ago, or too many proofs arrive.",
        "Compare the clocks; have the client make a proof for each request.",
    ),
    code(
        "dpop_ahead",
        401,
        "The proof was made in the future.",
        "Compare the clocks of the client and of this machine.",
    ),
    code(
        "dpop_nonce_missing",
        401,
        "The server asks for a nonce in each proof. A client's first request has none.",
        "The client takes it from the `DPoP-Nonce` field of this response, and sends the request again: have the proxy hand the field on.",
    ),
    code(
        "dpop_nonce_stale",
        401,
        "The nonce of the proof is too old, or of another server: replicas need the same secret (`[store]`, or `nonce_secret_file`).",
        "The client takes the one of the `DPoP-Nonce` field of this response, and sends the request again.",
    ),
    code(
        "dpop_wrong_token",
        401,
        "The proof is for another access token (`ath`).",
        "Have the client make the proof for the token that it sends.",
    ),
    code(
        "dpop_wrong_key",
        401,
        "The token is bound to another key than that of the proof.",
        "Have the client sign proofs with the key with which it asked for the token.",
    ),
    code(
        "dpop_signature",
        401,
        "The signature of the proof does not verify with its own key.",
        "Have the client's library make the proof.",
    ),
    code(
        "dpop_replayed",
        401,
        "The proof was used before.",
        "Have the client make a proof for each request, retries included.",
    ),
    code(
        "replay_store_unavailable",
        503,
        "The shared store of used DPoP proofs is away, and is configured to be needed.",
        "Bring the store back; `when_store_is_away = \"judge_locally\"` of `[dpop]` accepts proofs meanwhile.",
    ),
    // The access.
    code(
        "insufficient_scope",
        403,
        "The token is good, but lacks the scope that this route requires.",
        "Have the client ask for the scope that the challenge names, and the issuer grant it.",
    ),
    code(
        "insufficient_user_authentication",
        401,
        "The token is good, but its user authenticated in another way than this route requires (`acr`), or too long ago \
         (`max_age`).",
        "Have the client ask for a token again, with the challenge's `acr_values` and `max_age`; the issuer has to write `acr` \
         and `auth_time` into access tokens.",
    ),
    token(
        "required_claims",
        "The token is good, but lacks a claim that this route requires, or has another value there.",
        "Compare the route's `claims` with the token; each issuer writes roles and groups in other claims.",
    ),
    token(
        "forbidden_claim",
        "The token is good, but has a claim that this route forbids (`absent`).",
        "Have the client ask for another kind of token, or take the rule out of the route's `claims`.",
    ),
    code(
        "exchange_refused",
        403,
        "The token is good, but the authorization server does not exchange it for one of the upstream's; or the token is of an \
         issuer without an exchange.",
        "The log names the server's error: allow this gateway's client to exchange tokens for that audience, resource and scope \
         there, or correct `exchange` of the route.",
    ),
    // Not judged.
    code(
        "keys_unavailable",
        503,
        "The issuer's keys cannot be fetched: it is unreachable, or its address, certificate or metadata are wrong.",
        "The log names the address and the error; `portcullis keys` tries it from this machine.",
    ),
    code(
        "introspection_unavailable",
        503,
        "The token cannot be introspected: the authorization server is unreachable, or its answer is not acceptable.",
        "The log names the error: the address, the credentials of [issuers.introspection], or the server itself.",
    ),
    code(
        "exchange_unavailable",
        503,
        "The token cannot be exchanged: the authorization server is unreachable, too slow, or does not know this client.",
        "The log names the error: the address, the credentials of [issuers.exchange], or the server itself.",
    ),
    code(
        "exchange_unusable",
        503,
        "The authorization server's token for the upstream is not handed on: it is for another audience, lives longer than the \
         client's, is not signed by the issuer, or is no bearer token.",
        "The log names what is wrong with it: correct the client's settings at the server, or `exchange` of the route.",
    ),
    code(
        "missing_layer",
        500,
        "A handler needs a token's claims, but no Secure layer is in front of it.",
        "Add the layer to its route or router.",
    ),
    code(
        "no_runtime",
        500,
        "Keys have to be fetched, and there is no tokio runtime to do it on.",
        "Poll the verification on a tokio runtime, or give the keys from a file.",
    ),
    code(
        "unknown_exchange",
        500,
        "A handler asks for a token exchange by a name that the layer before it does not have.",
        "The log names those that it has: declare the exchange by `Secure::exchange`, or correct the name.",
    ),
    code(
        "mistaken_rule",
        500,
        "A rule of the layer can be met by no token: a scope value is empty or has a space in it, or a rule for a claim has no name or no \
         value.",
        "The log names the rule, at the start and at each request: write each scope value in quotes of its own, as in \
         `.scope([\"a\", \"b\"])`.",
    ),
    // The gateway's own codes.
    own(
        "no_route",
        "No [[routes]] entry has this path and method.",
        "Add one, with `public = true` for an open route.",
    ),
    own(
        "ambiguous_path",
        "Read another way, the path is under another route: encoded slashes or dots, `..`, `;`, doubled slashes; or a \
         field overrides the path (X-Original-URL, X-Rewrite-URL).",
        "Have clients send the plain path and no such field, and proxies forward it unchanged.",
    ),
    own(
        "malformed_path",
        "The path has a broken percent-encoding, or a forbidden character.",
        "Have the client encode the path once.",
    ),
    own(
        "ambiguous_method",
        "A field or the query overrides the method (X-HTTP-Method-Override and the like), and the two methods are \
         under different routes.",
        "Have the client send the request with the intended method.",
    ),
    own(
        "malformed_method",
        "The method is a route's in other letter case, or no method at all.",
        "Have the client write methods in capitals, as RFC 9110 says.",
    ),
    own(
        "unknown_host",
        "The routes name hosts, and the proxy tells the gateway no host, several, or a malformed one.",
        "Have the proxy hand the client's Host on, as the examples do.",
    ),
    own(
        "unknown_route",
        "Envoy chooses a route by a name (portcullis_route in context_extensions) that no entry of [[routes]] has.",
        "Write the `name` of an entry there, or add an entry with that name.",
    ),
    own(
        "wrong_host",
        "The path is one of a protected resource ([[resources]]), and the request's host is not the one of its \
         identifier; or the proxy does not hand the client's Host on.",
        "Have the proxy hand the host on, as the examples do. If the API has several hosts, add an entry of \
         [[resources]] for each.",
    ),
    own(
        "metadata_not_forwarded",
        "The path is that of a protected resource's metadata, and the proxy asks the gateway whether the request may pass, \
         in place of forwarding it.",
        "Have the proxy forward this path to `listen` unchanged, as the examples do; a public route would lead to the API, \
         which does not have the metadata.",
    ),
    own(
        "no_original_request",
        "The question does not describe the original request: the proxy sends neither X-Original-Method with \
         X-Original-URI or X-Original-URL, nor X-Forwarded-Method with X-Forwarded-Uri.",
        "Set both fields of one family in the proxy's question; the examples for each proxy do.",
    ),
    own(
        "ambiguous_original_request",
        "The original request is described twice or incompletely: often a client's own X-Original-… or X-Forwarded-… \
         field gets through beside the proxy's.",
        "Have the proxy set one family, once each, and remove the client's fields of the other.",
    ),
    own(
        "untrusted_proxy",
        "The peer is not in `trusted_proxies`; by default only this machine is.",
        "Add the proxy's address or network to `trusted_proxies`, as the gateway sees it: in Kubernetes the pod's, \
         not the service's. No more than that.",
    ),
    own(
        "forged_header",
        "The client sent a field that only the gateway may set, or one that is judged, spelled with another character for `-`, as X_Auth_Subject or \
         Mcp_Name.",
        "Nothing, if it is an attack; else rename the client's field.",
    ),
    own(
        "hop_by_hop_header",
        "The client's Connection field names a field that only the gateway may set, or one that is judged (Authorization, \
         those of MCP, of the content and of client certificates), so that a proxy would drop it; or its Upgrade field names another HTTP (h2c), whose requests would not be judged.",
        "Nothing, if it is an attack; else have the client name only `keep-alive`, `close` or `upgrade` there, and \
         the proxy forward no upgrade but that to WebSocket.",
    ),
    own(
        "several_client_certificates",
        "The field that `client_certificate` names occurs several times: the proxy adds its own to the client's, or leaves the \
         client's where the client has no certificate.",
        "Have the proxy set the field in place of the client's, also to nothing; docs/gateway.md shows the lines for each.",
    ),
    own(
        "malformed_client_certificate",
        "The client's certificate is in another notation than `format` says, or malformed; or X-Forwarded-Client-Cert has several \
         elements, the first of which a client can make up.",
        "Compare `format` with the proxy's configuration. Have Envoy replace the field: \
         `forward_client_cert_details: SANITIZE_SET`.",
    ),
    own(
        "unmappable_claim",
        "A claim for the upstream would not arrive unchanged: it is empty, has control or invisible characters or \
         white space at an end, or begins like JSON.",
        "Write `json = true` beside it in [[headers]], which carries any value and has the upstream read JSON; or map \
         another claim.",
    ),
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Returns the texts within the bodies of functions `code`.
    fn codes_of(source: &str) -> Vec<String> {
        let bodies = source.split("fn code(").skip(1).map(|body| body.split("\n    }").next().unwrap_or_default());
        let texts = bodies.flat_map(|body| body.split('"').skip(1).step_by(2));
        texts.map(str::to_owned).collect()
    }

    #[test]
    fn no_code_is_without_cause_and_remedy() {
        let faults = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/decision/fault.rs")).unwrap();
        let mut all: BTreeSet<_> = codes_of(&faults).into_iter().collect();
        assert!(all.len() > 5, "the codes are found: {all:?}");
        all.extend(portcullis::refusal::CODES.iter().map(|code| (*code).to_owned()));
        let missing: Vec<_> = all.iter().filter(|name| find(name).is_none()).collect();
        assert!(missing.is_empty(), "no cause and remedy for {missing:?}");
    }

    /// An entry has the code below its heading; `tests/it/troubleshooting.rs` holds it against a real answer.
    #[test]
    fn each_code_has_an_entry_or_a_row_in_the_troubleshooting_page() {
        let page = include_str!("../../../../docs/troubleshooting.md");
        let has_entry = |code: &Code| page.contains(&format!("\n\n{} `{}`", code.status, code.name));
        let row = |code: &Code| format!("| `{}` | {} | {} {} |", code.name, code.status, code.cause, code.remedy);
        let expected: Vec<_> = CODES.iter().filter(|code| !has_entry(code)).map(row).collect();
        let table = page.split_once("\n## The other codes\n").map_or("", |(_, section)| section);
        let actual: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(actual, expected, "write into docs/troubleshooting.md:\n{}", expected.join("\n"));
    }

    /// A code that is gone, or has another status, breaks the users' alerts: docs/stability.md.
    #[test]
    fn the_codes_are_those_that_were_promised() {
        let mut expected: Vec<_> = CODES.iter().map(|code| format!("code {} {}", code.name, code.status)).collect();
        expected.sort();
        let list = include_str!("../../../../docs/stable-names.txt").lines();
        let listed: Vec<_> = list.filter(|line| line.starts_with("code ")).collect();
        assert_eq!(listed, expected, "write into docs/stable-names.txt:\n{}", expected.join("\n"));
    }

    #[test]
    fn the_statuses_of_the_library_are_those_of_its_table() {
        let table = include_str!("../../../portcullis/src/refusal/mod.rs");
        let cells = |row: &'static str| row.strip_prefix("//! | `")?.split_once("` | ");
        let listed: Vec<_> =
            table.lines().filter_map(cells).filter_map(|(name, rest)| Some((name, rest.split_once(' ')?.0))).collect();
        assert_eq!(listed.len(), portcullis::refusal::CODES.len(), "the rows are found: {listed:?}");
        for code in CODES {
            let expected = listed.iter().find(|(name, _)| *name == code.name).map(|(_, status)| (*status).to_owned());
            let actual = code.library_status.map(|status| match (status, code.status) {
                (403, 401) => "403*".to_owned(),
                _ => status.to_string(),
            });
            assert_eq!(actual, expected, "{}", code.name);
            assert!(
                matches!(code.library_status, None | Some(403)) || code.library_status == Some(code.status),
                "{}",
                code.name
            );
        }
    }

    #[test]
    fn another_text_than_a_code_gets_the_remedy() {
        let table = [
            ("invalid_token", "`code=`"),
            ("invalid_request", "`code=`"),
            ("invalid_dpop_proof", "`code=`"),
            ("use_dpop_nonce", "`code=`"),
            ("expird", "did you mean `expired`? docs/troubleshooting.md lists"),
            ("Expired", "did you mean `expired`? "),
            ("wrong_audiance", "did you mean `wrong_audience`? "),
            ("401", "docs/troubleshooting.md lists the codes"),
            ("", "docs/troubleshooting.md lists the codes"),
        ];
        for (text, words) in table {
            let remedy = named(text).unwrap_err();
            assert!(remedy.contains(words), "{text}: {remedy}");
            assert_eq!(remedy.contains("did you mean"), words.contains("did you mean"), "{text}: {remedy}");
        }
        // An error that is a code, too, is explained.
        for code in ["expired", "insufficient_scope", "insufficient_user_authentication"] {
            assert_eq!(named(code).as_deref(), Ok(code));
        }
    }

    #[test]
    fn a_code_stands_once_and_in_whole_sentences() {
        let distinct: BTreeSet<_> = names().collect();
        assert_eq!(distinct.len(), CODES.len());
        for code in CODES {
            for text in [code.cause, code.remedy] {
                assert!(text.ends_with('.') && text.len() > 20, "{}: {text}", code.name);
                assert!(!text.contains("  "), "{}: {text}", code.name);
            }
        }
    }
}
