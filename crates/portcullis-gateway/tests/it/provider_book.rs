//! `docs/providers`: each configuration runs to the letter against the provider's shape, and each mistake gives the hint that the
//! page has.
//!
//! The host names are the real ones: the gateway reaches the stand-in as its https proxy.

mod mistakes;

use std::{collections::BTreeSet, fs, path::PathBuf};

use portcullis_testkit::{AuthorizationServer, CertificateAuthority, Provider, provider};
use serde_json::{Value, json};

use crate::terminal::Desk;

/// The folder in a pod that the page about Kubernetes names.
const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/";

/// A configuration in the book: its page, its label, and the provider's shape.
type Configuration = (&'static str, &'static str, fn() -> Provider);

const CONFIGURATIONS: [Configuration; 21] = [
    ("keycloak", "keycloak", provider::keycloak),
    ("entra", "entra_v2", provider::entra_v2),
    ("entra", "entra_v1", provider::entra_v1),
    ("entra", "entra_tenants", provider::entra_v2),
    ("entra", "entra_b2c", provider::entra_b2c),
    ("auth0", "auth0", provider::auth0),
    ("okta", "okta", provider::okta),
    ("cognito", "cognito", provider::cognito),
    ("google", "google", provider::google),
    ("firebase", "firebase", provider::firebase),
    ("supabase", "supabase", provider::supabase),
    ("github-actions", "github_actions", provider::github_actions),
    ("kubernetes", "kubernetes", provider::kubernetes),
    ("spiffe", "spiffe", provider::spiffe),
    ("zitadel", "zitadel", provider::zitadel),
    ("curity", "curity", provider::curity),
    ("curity", "curity_jwt", provider::curity),
    ("duende", "duende", provider::duende),
    ("spring-authorization-server", "spring_authorization_server", provider::spring_authorization_server),
    ("adfs", "adfs", provider::adfs),
    ("laravel-passport", "laravel_passport", provider::laravel_passport),
];

/// A stand-in for a provider on the internet, and a desk with the files that configurations name.
struct Stand {
    server: AuthorizationServer,
    desk: Desk,
}

/// The verdict of an explanation, and its first hint.
type Explained = (String, String);

impl Stand {
    async fn of(shape: Provider, configuration: &str) -> Self {
        let authority = CertificateAuthority::new();
        let server = AuthorizationServer::builder().provider(shape).client("gateway", "test-secret");
        let server = server.by_its_names(authority.clone()).start().await.unwrap();
        let desk = Desk::new(&[
            ("portcullis.toml", &configuration.replace(MOUNT, "")),
            ("client-secret", "test-secret"),
            ("oauth-public.key", &server.signing_key().public_pem()),
            ("ca.crt", &authority.pem()),
            ("authority.pem", &authority.pem()),
            ("token", "a token of the gateway's own"),
        ]);
        Self { server, desk }
    }

    async fn explain(&self, token: &str) -> Explained {
        let authority = self.desk.path("authority.pem");
        let variables =
            [("HTTPS_PROXY", self.server.proxy()), ("SSL_CERT_FILE", authority), ("NO_PROXY", String::new())];
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let arguments = ["explain", "--config", "portcullis.toml", "--path", "/orders/1", "--json"];
        let ran = self.desk.run_among(&arguments, token, &variables).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON: {ran:?}"));
        let hint = report["checks"].as_array().unwrap().iter().find_map(|check| check["hint"].as_str());
        let code = report["code"].as_str().unwrap_or("passes");
        (code.to_owned(), hint.unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn each_configuration_lets_the_token_of_its_provider_pass() {
    for (page, label, shape) in CONFIGURATIONS {
        let stand = Stand::of(shape(), &block(page, "toml", label)).await;
        let token = stand.server.token();
        let token = if label == "curity" { stand.server.issue_opaque(token) } else { token.sign() };
        assert_eq!(stand.explain(&token).await, ("passes".to_owned(), String::new()), "{label}");
        let expired = stand.server.token().expired_for(std::time::Duration::from_secs(3_600)).sign();
        assert_eq!(stand.explain(&expired).await.0, "expired", "{label}");
        let checked = stand.desk.run(&["check-config"], "").await;
        assert_eq!(checked.status, Some(0), "{label}: {checked:?}");
    }
}

#[tokio::test]
async fn each_mistake_gives_the_hint_of_the_page() {
    let mut wrong = Vec::new();
    for mistake in mistakes::ALL {
        let (page, label) = (mistake.page, mistake.label);
        let (_, _, shape) = CONFIGURATIONS.into_iter().find(|(_, known, _)| *known == label).unwrap();
        let good = block(page, "toml", label);
        let configuration = mistake.configuration.map_or(good.clone(), |(from, to)| good.replace(from, to));
        assert!(mistake.configuration.is_none() || configuration != good, "{label}: {}", mistake.title);
        let stand = Stand::of(shape(), &configuration).await;
        let (code, hint) = stand.explain(&(mistake.token)(&stand.server)).await;
        let told = told(&section(page, mistake.title));
        if hint.is_empty() || !told.contains(&hint) || !told.contains(&format!("`{code}`")) {
            wrong.push(json!({ "page": page, "title": mistake.title, "code": code, "hint": hint }));
        }
    }
    assert!(wrong.is_empty(), "{}", serde_json::to_string_pretty(&wrong).unwrap());
}

#[test]
fn each_page_has_three_mistakes_and_shows_the_token_of_its_shape() {
    for page in pages() {
        let titles: BTreeSet<_> = mistakes::ALL.iter().filter(|one| one.page == page).map(|one| one.title).collect();
        let text = text(&page);
        let shown: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        assert_eq!(shown, titles, "{page}");
        assert!(titles.len() >= 3, "{page}");
    }
    for shape in provider::all().into_iter().filter(|shape| shape.name() != "okta_org") {
        let page = CONFIGURATIONS.iter().find(|(_, label, _)| *label == shape.name()).unwrap().0;
        let shown: Value = serde_json::from_str(&block(page, "json", shape.name())).unwrap();
        assert_eq!(shown, json!({ "header": shape.header(), "claims": shape.claims() }), "{}", shape.name());
    }
}

#[test]
fn the_book_lists_each_page() {
    let contents = text("README");
    for page in pages() {
        assert!(contents.contains(&format!("({page}.md)")), "{page}");
    }
    for link in contents.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let file = link.split('#').next().unwrap();
        assert!(folder().join(file).exists(), "{link}");
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers")
}

fn text(page: &str) -> String {
    fs::read_to_string(folder().join(format!("{page}.md"))).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn pages() -> BTreeSet<String> {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.strip_suffix(".md")?.to_owned())).filter(|page| page != "README").collect()
}

/// Returns the one block of a page in a language with this label.
fn block(page: &str, language: &str, label: &str) -> String {
    let text = text(page);
    let start = format!("{language} {label}\n");
    let found: Vec<_> = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(&start)).collect();
    assert_eq!(found.len(), 1, "{page}.md should have one block of {language} with the label {label}");
    found[0].to_owned()
}

/// Returns the text under the heading of a mistake.
fn section(page: &str, title: &str) -> String {
    let text = text(page);
    let (_, rest) = text.split_once(&format!("\n### {title}\n")).unwrap_or_else(|| panic!("{page}: ### {title}"));
    rest.split("\n#").next().unwrap().to_owned()
}

/// Returns the text without its line breaks, the marks of quotations, and the escapes of what Markdown would take for HTML.
fn told(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim_start_matches("> ").trim());
    lines.collect::<Vec<_>>().join(" ").replace("\\<", "<")
}
