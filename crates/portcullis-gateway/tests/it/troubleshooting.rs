//! `docs/troubleshooting.md`: each entry is a mistake that is made here, and the page must have the actual texts.
//!
//! The page is the input: an entry without a mistake here fails, and so does a mistake without an entry.

mod clients;
mod page;
mod possession;
mod providers;
mod proxies;

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::{Answer, Gateway, ROUTES, client, text},
    terminal::Desk,
};
use page::Entry;

/// The routes that need a certain authentication, beside [`ROUTES`].
const STEP_UP: &str = r#"
[[routes]]
path = "/gold"
acr = ["gold"]

[[routes]]
path = "/recent"
max_age = "5m"
"#;

/// An MCP server with a rule for a tool.
const MCP_SERVER: &str = r#"
[[routes]]
path = "/mcp/*"

[[resources]]
resource = "https://mcp.example.com/mcp"
mcp = { tools = [{ name = "delete_*", scope = ["files:write"] }] }
"#;

/// The listener, whose proxy is nginx with certificates of clients.
const LISTEN: &str =
    r#"listen = { address = "127.0.0.1:0", client_certificate = { field = "X-Client-Cert", format = "escaped_pem" } }"#;

/// The issuer of mistakes without a particular provider.
const OWN: &str = "https://login.example.com";

const AUDIENCE: &str = "https://api.example.com";

/// A mistake, as people make it.
struct Mistake {
    /// `Section: heading` of the page.
    entry: &'static str,
    /// The configured issuer.
    issuer: &'static str,
    /// The configured audience.
    audience: &'static str,
    /// Keys above the tables.
    keys: &'static str,
    /// The fields of questions that are asked before.
    before: Vec<Fields>,
    made: Made,
}

/// Header fields of a question.
type Fields = Vec<(&'static str, String)>;

/// The kind of the mistake.
enum Made {
    /// A token, for this path: the page has the hint.
    Token(String, &'static str),
    /// A question with these fields: the page has the cause and the remedy of the code.
    Question(Fields),
    /// A mistake outside of the gateway, which lets the request pass.
    Elsewhere(String),
}

/// The issuer's key, and the time of all tokens.
struct Issuer {
    key: SigningKey,
    now: SystemTime,
}

impl Issuer {
    fn new() -> Self {
        Self { key: SigningKey::generate(Algorithm::ES256, "k1"), now: SystemTime::now() }
    }

    /// Makes a token as most issuers write it, without `client_id` and `typ: at+jwt`.
    fn token(&self, issuer: &str) -> TokenBuilder {
        let token = TokenBuilder::new(&self.key, issuer, self.now).typ("JWT").without_claim("client_id");
        token.expires_in(Duration::from_secs(3_600))
    }

    fn jwks(&self) -> String {
        json!({ "keys": [self.key.public_jwk()] }).to_string()
    }

    fn seconds(&self) -> String {
        self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string()
    }
}

impl Mistake {
    fn new(entry: &'static str, made: Made) -> Self {
        Self { entry, issuer: OWN, audience: AUDIENCE, keys: "", before: Vec::new(), made }
    }

    fn token(entry: &'static str, token: impl Into<String>) -> Self {
        Self::new(entry, Made::Token(token.into(), "/any/x"))
    }

    fn question(entry: &'static str, fields: &[(&'static str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Self::new(entry, Made::Question(fields.collect()))
    }

    fn by(self, issuer: &'static str) -> Self {
        Self { issuer, ..self }
    }

    fn to(mut self, path: &'static str) -> Self {
        if let Made::Token(_, target) = &mut self.made {
            *target = path;
        }
        self
    }

    fn configuration(&self) -> String {
        let Self { issuer, audience, keys, .. } = self;
        let tables = format!(
            "[[issuers]]\nissuer = \"{issuer}\"\naudience = \"{audience}\"\njwks_file = \"keys.json\"\n\
             {ROUTES}{STEP_UP}{MCP_SERVER}"
        );
        text(keys, &tables).replace("listen = \"127.0.0.1:0\"", LISTEN)
    }
}

#[tokio::test]
async fn the_page_says_what_comes() {
    let issuer = Issuer::new();
    let mut entries: BTreeMap<String, Entry> = page::entries();
    let mut wrong = Vec::new();
    assert!(entries.len() >= 30, "{}", entries.len());
    for mistake in all(&issuer) {
        let (entry, name) = (entries.remove(mistake.entry), mistake.entry);
        let entry = entry.unwrap_or_else(|| panic!("docs/troubleshooting.md has no entry `{name}`"));
        let (answer, told) = make(&issuer, &mistake, &entry).await;
        if (answer.status, answer.code(), &told) != (entry.status, entry.code, &entry.says) {
            wrong.push(format!("### {name}\n{} `{}`\n{told}\n", answer.status, answer.code()));
        }
    }
    assert!(wrong.is_empty(), "docs/troubleshooting.md says something else than:\n\n{}", wrong.join("\n"));
    assert!(entries.is_empty(), "no mistake is made for {:?}", entries.keys());
}

fn all(issuer: &Issuer) -> impl Iterator<Item = Mistake> {
    let all = [
        providers::mistakes(issuer),
        clients::mistakes(issuer),
        possession::mistakes(issuer),
        proxies::mistakes(issuer),
    ];
    all.into_iter().flatten()
}

/// Makes the mistake; returns the gateway's answer, and the words of `portcullis explain`.
async fn make(issuer: &Issuer, mistake: &Mistake, entry: &Entry) -> (Answer, String) {
    let (folder, configuration, jwks) = (TempDir::new().unwrap(), mistake.configuration(), issuer.jwks());
    std::fs::write(folder.path().join("portcullis.toml"), &configuration).unwrap();
    std::fs::write(folder.path().join("keys.json"), &jwks).unwrap();
    std::fs::write(folder.path().join("secret"), "a secret of 32 bytes for the store").unwrap();
    let desk = Desk::new(&[("portcullis.toml", &configuration), ("keys.json", &jwks)]);
    let gateway = Gateway::start_in(folder).await;
    match &mistake.made {
        Made::Token(token, path) => {
            let report = explained(issuer, &desk, path, token).await;
            let failed = report["checks"].as_array().unwrap().iter().find(|check| check["outcome"] == "failed");
            let hint = failed.and_then(|check| check["hint"].as_str()).unwrap_or_default().to_owned();
            (gateway.ask("GET", path, Some(token)).await, hint)
        }
        Made::Question(fields) => {
            for earlier in &mistake.before {
                assert_eq!(question(&gateway, earlier).await.code(), "pass", "before {}", mistake.entry);
            }
            let answer = question(&gateway, fields).await;
            let ran = desk.run(&["explain", "--code", &entry.code, "--json"], "").await;
            let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}: {ran:?}", mistake.entry));
            assert_eq!(report["status"], answer.status, "{}", mistake.entry);
            (answer, format!("{} {}", report["cause"].as_str().unwrap(), report["remedy"].as_str().unwrap()))
        }
        Made::Elsewhere(token) => {
            let arguments = ["explain", "--config", "portcullis.toml", "--path", "/any/x"];
            let ran = desk.run(&arguments, token).await;
            (gateway.ask("GET", "/any/x", Some(token)).await, ran.out.lines().next().unwrap_or_default().to_owned())
        }
    }
}

async fn question(gateway: &Gateway, fields: &Fields) -> Answer {
    let mut request = client().get(gateway.url("/auth"));
    for (name, value) in fields {
        request = request.header(*name, value);
    }
    Answer::of(request.send().await.unwrap()).await
}

async fn explained(issuer: &Issuer, desk: &Desk, path: &str, token: &str) -> Value {
    let (now, start) = (issuer.seconds(), ["explain", "--config", "portcullis.toml", "--json", "--path"]);
    let ran = desk.run(&[&start[..], &[path, "--at", &now]].concat(), &format!("Bearer {token}")).await;
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON: {ran:?}"))
}
