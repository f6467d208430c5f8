//! A user's browser at Keycloak: its cookies, the login's forms, and a client that exchanges the code for a token.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{digest, hmac};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::{Client, RequestBuilder, Response, header, redirect};
use serde_json::Value;
use url::Url;

/// The user of `realm.json`, and where its clients are sent back to.
const USER: [(&str, &str); 2] = [("username", "alice"), ("password", "alice-password")];
const ONE_TIME_SECRET: &[u8] = b"alice-one-time-secret";
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// The `code_verifier` of each login (RFC 7636).
const CODE_VERIFIER: &str = "a-code-verifier-has-43-characters-at-the-least";

/// The realm of `realm.json`, at the running Keycloak.
pub(crate) struct Realm {
    pub(crate) issuer: String,
}

/// A browser of one user, with the session that Keycloak has for it.
pub(crate) struct Browser {
    client: Client,
    client_id: &'static str,
    protocol: String,
    cookies: BTreeMap<String, String>,
}

/// A finished login.
pub(crate) struct Login {
    pub(crate) token: String,
    /// The factors that Keycloak asked for.
    pub(crate) asked: Vec<&'static str>,
}

impl Realm {
    pub(crate) fn running() -> Self {
        let url = std::env::var("PORTCULLIS_KEYCLOAK");
        let url = url.expect("PORTCULLIS_KEYCLOAK names no address: run `cargo xtask test`, which starts Keycloak");
        Self { issuer: format!("{url}/realms/portcullis") }
    }

    /// Opens a browser without a session.
    pub(crate) fn browser(&self) -> Browser {
        self.browser_for("shop")
    }

    /// Opens a browser for another client than the usual one.
    pub(crate) fn browser_for(&self, client_id: &'static str) -> Browser {
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        let protocol = format!("{}/protocol/openid-connect", self.issuer);
        Browser { client, client_id, protocol, cookies: BTreeMap::new() }
    }

    /// Returns a token of a client that acts for itself: nobody has logged in.
    pub(crate) async fn robot_token(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", "robot-secret")];
        self.browser().token(&form).await
    }
}

impl Browser {
    /// Logs in with further parameters of the authorization request, such as `acr_values` (RFC 9470 section 4).
    pub(crate) async fn log_in(&mut self, parameters: &[(String, String)]) -> Login {
        let mut asked = Vec::new();
        let mut answer = self.send(self.client.get(self.authorization_request(parameters))).await;
        while answer.status().is_success() {
            let page = answer.text().await.unwrap();
            let code = one_time_code();
            let (factor, fields) = if page.contains("name=\"otp\"") {
                ("one-time code", &[("otp", code.as_str())][..])
            } else {
                ("password", &USER[..])
            };
            asked.push(factor);
            assert!(asked.len() < 5, "{asked:?}: expected the end of the login, got another form:\n{page}");
            answer = self.send(self.client.post(action(&page)).form(fields)).await;
        }
        let code = code(&answer);
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", self.client_id),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", CODE_VERIFIER),
            ("code", &code),
        ];
        Login { token: self.token(&form).await, asked }
    }

    fn authorization_request(&self, parameters: &[(String, String)]) -> Url {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, CODE_VERIFIER.as_bytes()));
        let mut url = Url::parse(&format!("{}/auth", self.protocol)).unwrap();
        url.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", self.client_id), ("redirect_uri", REDIRECT_URI)])
            .extend_pairs([("scope", "openid"), ("code_challenge_method", "S256"), ("code_challenge", &challenge)])
            .extend_pairs(parameters);
        url
    }

    /// Sends a request with the cookies, and keeps those of the answer.
    async fn send(&mut self, request: RequestBuilder) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(header::COOKIE, cookies.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> String {
        let answer = self.client.post(format!("{}/token", self.protocol)).form(form).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }
}

/// Returns the address of a page's form.
fn action(page: &str) -> String {
    let form = page.split("<form").nth(1).unwrap_or_else(|| panic!("expected a form, got:\n{page}"));
    let address = form.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    address.replace("&amp;", "&")
}

/// Returns the code in the redirection back to the client.
fn code(answer: &Response) -> String {
    let target = answer.headers().get(header::LOCATION).unwrap_or_else(|| panic!("no redirection: {answer:?}"));
    let target = Url::parse(target.to_str().unwrap()).unwrap();
    let code = target.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code: {target}")).1.into_owned()
}

/// Returns the present code of the user's device (RFC 6238).
fn one_time_code() -> String {
    let counter = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ONE_TIME_SECRET);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().unwrap() & 0xf);
    let number = u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
