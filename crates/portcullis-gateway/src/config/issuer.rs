//! `[[issuers]]`: the issuers of accepted tokens.

use std::time::Duration;

use portcullis::{
    Algorithm, ClaimRule, ClientAuthentication, IntrospectedTokens, IntrospectionForm, IssuerRules, JwksService,
    TokenCacheRules, UnknownAlgorithm,
};
use serde::Deserialize;

use super::{
    Client, Introspection, Issuer, Keys,
    bytes::bytes,
    claims::{self, claim_name},
    duration::{any_time, duration, leeway, some_time},
    exchange, fetching,
    file::{NotHere, Read, Table, Value},
    files,
    key_algorithms::of_local_set,
    problem::Problem,
    secret,
    server_url::{check_server_url, server_url},
    starred::without_secrets,
};

/// A shared secret as a key.
const SECRET: &str = "{\"kty\":\"oct\",\"k\":\"BASE64URL\"}";

/// The key of an issuer whose tokens need no `iss`.
pub(super) const ANY: &str = "dangerously_accept_any_issuer";

/// The fields that an issuer cannot have.
pub(super) const NOT_HERE: [NotHere; 1] =
    [("token_cache", "write it as `[cache]`: the issuers share one, so that all bytes go where the tokens are")];

/// Reads the issuers: at least one, each once, and at most one that introspects.
pub(super) fn issuers(root: &Table<'_>, cache: TokenCacheRules) -> Vec<Issuer> {
    let none_given = root.value("issuers").is_none_or(|value| value.elements() == Some(0));
    if none_given {
        let place = root.value("issuers").map_or(0..0, |value| value.place);
        root.note(
            Problem::new(place, "expected at least one issuer, got none")
                .help("add `[[issuers]]` with `issuer = \"https://as.example.com\"`: without one no token could pass"),
        );
    }
    let tables = root.tables("issuers");
    refuse_twice(root, &tables);
    refuse_second_introspection(root, &tables);
    refuse_others_beside_any(root, &tables);
    let mut issuers: Vec<_> = tables.into_iter().filter_map(issuer).collect();
    issuers.iter_mut().for_each(|issuer| issuer.rules.token_cache = cache);
    issuers
}

fn refuse_twice(root: &Table<'_>, tables: &[Table<'_>]) {
    let names: Vec<_> = tables.iter().filter_map(|table| table.value("issuer")).collect();
    for (index, name) in names.iter().enumerate() {
        let same = |first: &&Value<'_>| first.text().is_ok() && first.text() == name.text();
        if let (Some(first), Ok(text)) = (names.iter().take(index).find(same), name.text()) {
            let problem = name.problem(format!("expected each issuer once, got `{text}` twice"));
            root.note(problem.and(first.place.clone(), "first here").help("merge the two: `audience` may be an array"));
        }
    }
}

fn refuse_second_introspection(root: &Table<'_>, tables: &[Table<'_>]) {
    let mut introspecting = tables.iter().filter_map(|table| table.value("introspection"));
    let first = introspecting.next();
    if let (Some(first), Some(second)) = (first, introspecting.next()) {
        let problem = second.problem("expected one issuer at most that introspects, got a second");
        root.note(problem.and(first.place, "first here").help(
            "an opaque token does not say whose it is, and to show it to another issuer would give it away: run a gateway for each",
        ));
    }
}

fn refuse_others_beside_any(root: &Table<'_>, tables: &[Table<'_>]) {
    let any = tables.iter().find_map(|table| table.value(ANY).filter(|value| value.boolean() == Ok(true)));
    if let Some(any) = any.filter(|_| tables.len() > 1) {
        let problem = any.problem("expected no other issuer beside one without a name, got several");
        root.note(problem.help("a token's `iss` chooses between issuers: name each, or run a gateway for each"));
    }
}

fn refuse_introspection_of_tenants(table: &Table<'_>) {
    if let (Some(value), Some(_)) = (table.value("introspection"), table.value("tenant_claim")) {
        let problem = value.problem("expected no introspection with `tenant_claim`, got both");
        let help = "an opaque token does not name its tenant: add the server that is asked as an issuer of its own";
        table.look_at("introspection", || table.note(problem.help(help)));
    }
}

fn issuer(table: Table<'_>) -> Option<Issuer> {
    let trust_domain = table.get("trust_domain", fetching::trust_domain);
    let name = name(&table, trust_domain.as_deref());
    let key_uses = fetching::key_uses(&table);
    let of_bundle = trust_domain.is_some().then(|| "jwt-svid".to_owned());
    let key_uses = key_uses.unwrap_or_else(|| of_bundle.into_iter().collect());
    let dangerously_allow_http = table.get("dangerously_allow_http", Value::boolean).unwrap_or(false);
    let keys = keys(&table, &key_uses);
    let fetching = fetching::fetching(&table);
    let rules = rules(&table, &NOT_HERE);
    if let Some(rules) = &rules {
        refuse_unusable_keys(&table, &keys, rules);
    }
    let given = table.value("introspection").is_some();
    refuse_introspection_of_tenants(&table);
    let introspection = table.table("introspection").and_then(|asked| introspection(asked, dangerously_allow_http));
    let exchanges = table.value("exchange").is_some();
    let exchange = exchange::of_issuer(&table);
    table.finish();
    if (given && introspection.is_none()) || (exchanges && exchange.is_none()) {
        return None;
    }
    let (name, rules) = (name?, rules?);
    Some(Issuer { name, rules, keys, key_uses, fetching, dangerously_allow_http, introspection, exchange })
}

/// Reads the rules for an issuer's tokens.
///
/// The keys named here get better messages than the library's; the library alone knows all keys.
pub(super) fn rules(table: &Table<'_>, not_here: &[NotHere]) -> Option<IssuerRules> {
    table.get("max_key_attempts", |value| value.integer(1, 1_000));
    audience(table);
    algorithms(table);
    types(table);
    table.get("leeway", leeway);
    for key in ["max_token_age", "max_token_lifetime"] {
        table.get(key, token_time);
    }
    table.get("max_token_bytes", |value| bytes(value, 1, 16 << 20));
    table.list("scope_claims", "an array of names of claims, as in [\"scope\", \"scp\"]", claim_name);
    let is_strict = table.value("rfc9068").is_some_and(|value| value.boolean() == Ok(true));
    if let Some(value) = table.value("trust_domain").filter(|_| is_strict) {
        let problem = value.problem("expected no `trust_domain` with `rfc9068`, got one");
        let help = "JWT-SVIDs are no tokens of RFC 9068, which have an `iss`: leave one of the two out";
        table.look_at("trust_domain", || table.note(problem.help(help)));
    }
    table.rest(None, not_here, IssuerRules::check)
}

/// Reads the issuer's name: its `iss`, or a trust domain as a URI.
fn name(table: &Table<'_>, trust_domain: Option<&str>) -> Option<String> {
    if table.get(ANY, Value::boolean) == Some(true) {
        return any_name(table);
    }
    let Some(named) = table.value("trust_domain") else {
        return table.require(
            "issuer",
            "write what tokens have as `iss`, as in `issuer = \"https://as.example.com\"`",
            Value::exact,
        );
    };
    if let Some(value) = table.value("issuer") {
        let problem = value.problem("expected `issuer` or `trust_domain`, got both");
        let help = "tokens of a trust domain are known by `sub`, and need no `iss`: leave `issuer` out";
        table.look_at("issuer", || table.note(problem.help(help)));
    }
    if table.value("jwks_uri").or_else(|| table.value("jwks_file")).is_none() {
        let problem = named.problem("expected `jwks_uri` or `jwks_file` with `trust_domain`, got neither");
        table.note(problem.help("name the trust domain's bundle: there are no metadata to find it by"));
    }
    trust_domain.map(|domain| format!("spiffe://{domain}"))
}

/// Returns the name, for people, of an issuer that tokens need not name.
fn any_name(table: &Table<'_>) -> Option<String> {
    for key in ["issuer", "trust_domain", "rfc9068"] {
        if let Some(value) = table.value(key) {
            let problem = value.problem(format!("expected no `{key}` with `{ANY}`, got one"));
            table.look_at(key, || table.note(problem.help("take out one of the two: they contradict each other")));
        }
    }
    let Some(keys) = table.value("jwks_uri").or_else(|| table.value("jwks_file")) else {
        let problem =
            Problem::new(table.place(), format!("expected `jwks_uri` or `jwks_file` with `{ANY}`, got neither"));
        table.note(problem.help("name the keys: they alone decide which tokens pass"));
        return None;
    };
    keys.text().ok().map(|_| "any".to_owned())
}

fn keys(table: &Table<'_>, key_uses: &[String]) -> Keys {
    if let (Some(one), Some(other)) = (table.value("jwks_uri"), table.value("jwks_file")) {
        let problem = one.problem("expected `jwks_uri` or `jwks_file`, got both").and(other.place, "and here");
        table.note(problem.help("leave one of them out; without both, the issuer's metadata name its keys"));
    }
    let allows_http = allows_http(table);
    if table.value("jwks_uri").or_else(|| table.value("jwks_file")).is_none() {
        refuse_unreachable(table, allows_http);
    }
    let uri = table.get("jwks_uri", |value| server_url(value, allows_http)).map(Keys::Uri);
    let file = table.get("jwks_file", |value| local_keys(value, table, key_uses));
    file.or(uri).unwrap_or(Keys::Discovery)
}

/// Returns true if the issuer's servers may be asked over plain http.
pub(super) fn allows_http(issuer: &Table<'_>) -> bool {
    issuer.value("dangerously_allow_http").is_some_and(|value| value.boolean() == Ok(true))
}

/// Notes an issuer whose metadata cannot be fetched by its name.
fn refuse_unreachable(table: &Table<'_>, allows_http: bool) {
    let is_any = table.value(ANY).is_some_and(|value| value.boolean() == Ok(true));
    let is_named = table.value("trust_domain").is_none() && !is_any;
    let Some(value) = table.value("issuer").filter(|_| is_named) else { return };
    // A name that is no text, or an empty one, has its own problem.
    if let Ok(name) = value.exact()
        && let Err(problem) = check_server_url(&value, &name, allows_http).and_then(|()| no_document(&value, &name))
    {
        table.look_at("issuer", || table.note(problem));
    }
}

/// Refuses the URL of metadata in place of the issuer, as the library does: no issuer has a segment `.well-known` (RFC 8615).
fn no_document(value: &Value<'_>, name: &str) -> Read<()> {
    let name = without_secrets(name);
    let Some((before, document)) = name.split_once("/.well-known/") else { return Ok(()) };
    // It stands at the end of the issuer, or between its host and path (RFC 8414 section 3).
    let path = document.split_once('/').map_or("", |(_, path)| path);
    let slash = if path.is_empty() { "" } else { "/" };
    Err(value
        .problem("expected the issuer, got the URL of its metadata or keys")
        .help(format!("write `{before}{slash}{path}`, or the `iss` of its tokens to the letter")))
}

/// Notes a file none of whose keys is for an accepted algorithm.
fn refuse_unusable_keys(table: &Table<'_>, keys: &Keys, rules: &IssuerRules) {
    let (Keys::Local { file, text }, Some(value)) = (keys, table.value("jwks_file")) else { return };
    let algorithms = of_local_set(text).unwrap_or_default();
    if let Some(first) = algorithms.first().filter(|_| !algorithms.iter().any(|own| rules.algorithms.contains(own))) {
        let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
        let file = file.file_name().unwrap_or_default().display();
        let problem = value.problem(format!(
            "expected a key for one of the accepted `algorithms`, got keys for {} alone: no key of {file} can be used",
            names.join(", ")
        ));
        let also = if names.len() > 1 { " (or another of these)" } else { "" };
        let help = format!("{first} has to be named: `algorithms = [\"{first}\"]`{also}");
        table.look_at("jwks_file", || table.note(problem.help(help)));
    }
}

fn local_keys(value: &Value<'_>, table: &Table<'_>, key_uses: &[String]) -> Read<Keys> {
    let text = files::bytes(value, table)?;
    match JwksService::from_text_for(&text, key_uses) {
        Ok(_) => Ok(Keys::Local { file: files::path(value, table)?, text }),
        Err(error) => Err(value
            .problem(error.to_string())
            .help(format!(
                "the file has to be a JWK Set, {{\"keys\": [...]}}, or public keys or certificates in PEM; a shared secret (HS256) \
                 is written as {SECRET}"
            ))),
    }
}

fn audience(table: &Table<'_>) {
    let Some(value) = table.value("audience") else { return };
    if value.is_text() {
        table.get("audience", Value::exact);
        return;
    }
    if value.elements() == Some(0) {
        let problem = value.problem("expected an audience, got an empty array");
        table.look_at("audience", || table.note(problem.help("leave `audience` out to accept any")));
    }
    table.list("audience", "a text or an array of texts", Value::exact);
}

fn algorithms(table: &Table<'_>) {
    let local = table.value("jwks_file").is_some();
    if let Some(value) = table.value("algorithms").filter(|value| value.elements() == Some(0)) {
        let problem = value.problem("expected an algorithm, got an empty array");
        table
            .look_at("algorithms", || table.note(problem.help("leave `algorithms` out to accept all asymmetric ones")));
    }
    table.list("algorithms", "an array of algorithms", |value| {
        let algorithm = algorithm(value)?;
        if Algorithm::SYMMETRIC.contains(&algorithm) && !local {
            let got = if table.value("jwks_uri").is_some() { "`jwks_uri`" } else { "none" };
            let problem = value.problem(format!("expected `jwks_file` with {algorithm}, got {got}"));
            return Err(problem.help(format!(
                "a server that verifies by a shared secret can sign as well, so that it is taken from a local file only: take \
                 {algorithm} out, or put {SECRET} into a file and name it by `jwks_file`"
            )));
        }
        Ok(algorithm)
    });
}

fn types(table: &Table<'_>) {
    if let Some(value) = table.value("types").filter(|value| value.elements() == Some(0)) {
        let problem = value.problem("expected a type of token, got an empty array");
        let help = "leave `types` out to accept `JWT`, `at+jwt` and tokens without a type";
        table.look_at("types", || table.note(problem.help(help)));
    }
    table.list("types", "an array of types of token, as in [\"at+jwt\"]", Value::exact);
}

/// Reads the limit of a token's time.
fn token_time(value: &Value<'_>) -> Read<Duration> {
    match any_time(value)? {
        Duration::ZERO => Err(value.wrong("a time longer than zero").help("no token could pass")),
        time => Ok(time),
    }
}

fn algorithm(value: &Value<'_>) -> Read<Algorithm> {
    let name = algorithm_name(value)?;
    name.parse().map_err(|unknown: UnknownAlgorithm| {
        value.problem(unknown.to_string()).help(match name {
            "none" => "a token without a signature proves nothing and is never accepted",
            _ => "HS256, HS384 and HS512 need a local secret (`jwks_file`)",
        })
    })
}

/// Reads the text of an algorithm's name.
pub(super) fn algorithm_name<'a>(value: &Value<'a>) -> Read<&'a str> {
    match value.is_text() {
        true => value.text(),
        false => Err(value.wrong("an algorithm").help("write its name in quotes, as in \"ES256\"")),
    }
}

#[derive(Clone, Copy)]
enum Method {
    Basic,
    Post,
    PrivateKeyJwt,
    Tls,
    None,
}

const METHODS: [(&str, Method); 5] = [
    ("basic", Method::Basic),
    ("post", Method::Post),
    ("private_key_jwt", Method::PrivateKeyJwt),
    ("tls", Method::Tls),
    ("none", Method::None),
];

const FORMS: [(&str, IntrospectionForm); 3] =
    [("json", IntrospectionForm::Json), ("jwt", IntrospectionForm::Jwt), ("phantom", IntrospectionForm::Phantom)];

fn introspection(table: Table<'_>, allows_http: bool) -> Option<Introspection> {
    let endpoint = table.require("endpoint", "write the URL of the introspection endpoint (RFC 7662)", |value| {
        server_url(value, allows_http)
    });
    let client_id = client_id(&table);
    let form = table.get("mode", |value| value.word(&FORMS)).unwrap_or_default();
    let tokens = introspected(&table);
    let client = client(&table, client_id.as_deref());
    let timeout = table.get("timeout", some_time);
    let keep_for = table.get("keep_for", duration);
    let cache_bytes = table.get("cache_bytes", |value| bytes(value, 0, 64 << 30));
    let remember_refusals_for = table.get("remember_refusals_for", duration);
    let remember_refusals = table.get("remember_refusals", |value| value.integer(0, 10_000_000));
    let max_questions = table.get("max_questions", |value| value.integer(1, 10_000));
    let max_answer_bytes = table.get("max_answer_bytes", |value| bytes(value, 1 << 10, 64 << 20));
    let max_answer_age = table.get("max_answer_age", duration);
    table.finish();
    Some(Introspection {
        endpoint: endpoint?,
        client_id: client_id?,
        client: client?,
        form,
        tokens,
        timeout,
        keep_for,
        cache_bytes,
        remember_refusals_for,
        remember_refusals,
        max_questions,
        max_answer_bytes,
        max_answer_age,
    })
}

/// The rules for introspected JWTs, as they are written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct JwtsToo {
    introspect: Vec<ClaimRule>,
}

/// Reads the choice of tokens: a word, or rules for the claims of JWTs.
fn introspected(table: &Table<'_>) -> IntrospectedTokens {
    let Some(value) = table.value("introspect") else { return IntrospectedTokens::Opaque };
    if value.elements().is_none() {
        let is_all = table.get("introspect", |value| match value.text() {
            Err(_) => Err(value.expected("\"opaque\", \"all\", or an array of rules for the claims of JWTs")),
            Ok(_) => value.word(&[("opaque", false), ("all", true)]),
        });
        return if is_all == Some(true) { IntrospectedTokens::All } else { IntrospectedTokens::Opaque };
    }
    claims::each_in(table, "introspect");
    let rules = table.rest::<JwtsToo>(None, &[], |_| Ok(())).unwrap_or_default();
    IntrospectedTokens::JwtsToo(rules.introspect)
}

/// Reads the client identifier, which goes with every authentication but none.
pub(super) fn client_id(table: &Table<'_>) -> Option<String> {
    match table.value("authentication").is_none_or(|value| value.text() != Ok("none")) {
        true => table.require("client_id", "write what the authorization server knows this gateway by", Value::string),
        false => table.get("client_id", no_client_id).or(Some(String::new())),
    }
}

fn no_client_id(value: &Value<'_>) -> Read<String> {
    Err(value
        .problem("expected no `client_id` with `authentication = \"none\"`, got one")
        .help("an id without a secret proves nothing, and is not sent: leave it out"))
}

/// Reads the client authentication at an endpoint.
pub(super) fn client(table: &Table<'_>, id: Option<&str>) -> Option<Client> {
    let method = match table.value("authentication") {
        None => Some(Method::Basic),
        Some(_) => table.get("authentication", |value| value.word(&METHODS)),
    };
    // Each key is read by its own method only; here, so that the others do not count as unknown.
    let by_secret: &[_] = &["client_secret", "client_secret_file", "client_secret_env"];
    let groups: [(&[&'static str], &str, bool); 4] = [
        (by_secret, "basic\" or \"post", matches!(method, Some(Method::Basic | Method::Post) | None)),
        (&["algorithm", "kid", "audience"], "private_key_jwt", matches!(method, Some(Method::PrivateKeyJwt) | None)),
        (&["certificate_file"], "tls", matches!(method, Some(Method::Tls) | None)),
        (
            &["key_file"],
            "private_key_jwt\" or \"tls",
            matches!(method, Some(Method::PrivateKeyJwt | Method::Tls) | None),
        ),
    ];
    for (keys, methods, fits) in groups {
        for (key, value) in keys.iter().filter_map(|key| Some((key, table.value(key)?))).filter(|_| !fits) {
            let problem = value.problem(format!("expected no `{key}` with this authentication, got one"));
            table.note(problem.help(format!("set `authentication = \"{methods}\"`, or leave `{key}` out")));
        }
    }
    match method? {
        Method::Basic => client_secret(table).map(Client::Basic),
        Method::Post => client_secret(table).map(Client::Post),
        Method::PrivateKeyJwt => private_key_jwt(table, id),
        Method::None => Some(Client::None),
        Method::Tls => {
            let certificate_pem = table.require("certificate_file", "name the client's certificate in PEM", |value| {
                files::certificates(value, table)
            });
            let key_pem = table
                .require("key_file", "name the client's private key in PEM", |value| files::private_key(value, table));
            Some(Client::Tls { certificate_pem: certificate_pem?, key_pem: key_pem? })
        }
    }
}

fn client_secret(table: &Table<'_>) -> Option<super::Secret> {
    secret::required(table, "client_secret", "client_secret_file", "client_secret_env")
}

fn private_key_jwt(table: &Table<'_>, id: Option<&str>) -> Option<Client> {
    let algorithm =
        table.require("algorithm", "write what the key signs by: RS256, PS256, ES256, ES384 or EdDSA", algorithm);
    let kid = table.get("kid", Value::string);
    let audience = table.get("audience", Value::string);
    let key_pem = table.require("key_file", "name the file of the private key (PKCS#8, PEM)", |value| {
        let key = files::private_key(value, table)?;
        ClientAuthentication::private_key_jwt(id.unwrap_or_default(), key.reveal(), kid.as_deref(), algorithm)
            .map(|_| key)
            .map_err(|error| {
                value.problem(error.to_string()).help("`openssl pkcs8 -topk8 -nocrypt` turns other forms into it")
            })
    });
    Some(Client::PrivateKeyJwt { algorithm: algorithm?, key_pem: key_pem?, kid, audience })
}
