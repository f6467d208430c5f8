//! Issuers with a placeholder for the tenant.

mod explained;
mod floods;
mod outages;

use std::time::Duration;

use portcullis::{CheckKind, ClientAuthentication, Introspector, IssuerRules, JwksService, Verifier, VerifierBuilder};
use portcullis_testkit::{TenantServer, TestClock, TokenBuilder};
use serde_json::json;

use crate::support::{answer, app, bearer, by};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A server of some tenants, by a stopped clock.
struct Setup {
    server: TenantServer,
    clock: TestClock,
}

impl Setup {
    async fn new<T: Into<String>>(tenants: impl IntoIterator<Item = T>) -> Self {
        let clock = TestClock::new();
        Self { server: TenantServer::start_with(tenants, clock.clone()).await, clock }
    }

    /// Accepts all tenants, each by keys of its own.
    fn verifier(&self) -> VerifierBuilder {
        self.with_jwks(&self.jwks())
    }

    fn with_jwks(&self, jwks: &JwksService) -> VerifierBuilder {
        Verifier::builder(jwks.clone()).issuer(self.server.template()).tenant_claim("tid")
    }

    fn jwks(&self) -> JwksService {
        by(&self.clock, JwksService::discover(&self.server.template())).build().unwrap()
    }

    /// Accepts all tenants, by the key set that they share.
    fn common(&self) -> VerifierBuilder {
        let jwks = by(&self.clock, JwksService::builder(&self.server.common_jwks_uri())).build().unwrap();
        self.with_jwks(&jwks)
    }
}

async fn code(verifier: &Verifier, token: TokenBuilder) -> &'static str {
    verifier.verify(&token.sign()).await.map_or_else(|refusal| refusal.code(), |_| "passes")
}

#[tokio::test]
async fn each_tenant_has_keys_of_its_own() {
    let setup = Setup::new(["acme", "globex", "a.b~c-d_e"]).await;
    let (server, verifier) = (&setup.server, setup.verifier().build().unwrap());
    for tenant in ["acme", "globex", "a.b~c-d_e"] {
        assert_eq!(code(&verifier, server.token(tenant)).await, "passes");
        assert_eq!(server.requests(tenant), 2, "metadata and keys, once");
    }
    assert_eq!(code(&verifier, server.token_by(&server.key("globex"), "acme")).await, "unknown_key");
    let same_kid = server.token_by(&server.key("globex"), "acme").kid(server.key("acme").kid());
    assert_eq!(code(&verifier, same_kid).await, "bad_signature");
    // Their server signs for its tenant only, whatever the token says.
    let of_other = server.token_by(&server.key("globex"), "globex").claim("tid", "acme");
    assert_eq!(code(&verifier, of_other).await, "wrong_tenant");
}

/// A row: the way to the keys, the token, and its verdict.
#[tokio::test]
async fn hostile_issuers_and_tenants() {
    let setup = Setup::new(["acme", "globex"]).await;
    let server = &setup.server;
    let own = setup.verifier().build().unwrap();
    let common = setup.common().build().unwrap();
    let origin = server.issuer("").trim_end_matches("//v2.0").to_owned();
    let iss = |iss: String| server.token("acme").issuer(iss);
    let tenant = |tenant: &str| iss(server.issuer(tenant)).claim("tid", tenant);
    let huge = "a".repeat(10_000);
    let strange = [
        "",
        ".",
        "..",
        "acme/..",
        "../acme",
        "acme%2f..",
        "%61cme",
        "acme?",
        "acme#",
        "acme@evil.example",
        "acme:80",
        "acme\\",
        "a cme",
        "acme\n",
        "äcme",
        "аcme",
        "\u{202e}acme",
        "acme\0",
        "{tenantid}",
        "{acme}",
        "acme/v2.0",
        "acme;x",
    ];
    let mut table: Vec<_> = strange.iter().map(|text| (tenant(text), "wrong_issuer")).collect();
    table.extend([
        (iss(server.issuer(&huge)), "wrong_issuer"),
        (iss(format!("{origin}.evil.example/acme/v2.0")), "wrong_issuer"),
        (iss(format!("{origin}@evil.example/acme/v2.0")), "wrong_issuer"),
        (iss("https://evil.example/acme/v2.0".to_owned()), "wrong_issuer"),
        (iss(format!("{origin}/acme/v2.0/")), "wrong_issuer"),
        (iss(format!("{origin}/acme")), "wrong_issuer"),
        (iss(format!("{origin}//acme/v2.0")), "wrong_issuer"),
        (iss(server.template()), "wrong_issuer"),
        (iss(server.template().to_uppercase()), "wrong_issuer"),
        (server.token("acme").claim("iss", json!([server.issuer("acme")])), "malformed_claim"),
        (server.token("acme").claim("iss", 5), "malformed_claim"),
        (server.token("acme").without_claim("iss"), "missing_claim"),
        (server.token("acme").without_claim("tid"), "wrong_tenant"),
        (server.token("acme").claim("tid", "globex"), "wrong_tenant"),
        (server.token("acme").claim("tid", "ACME"), "wrong_tenant"),
        (server.token("acme").claim("tid", ""), "wrong_tenant"),
        (server.token("acme").claim("tid", 5), "wrong_tenant"),
        (server.token("acme").claim("tid", json!(["acme"])), "wrong_tenant"),
        (server.token("acme").claim("tid", json!(null)), "wrong_tenant"),
        (server.token("acme").claim("tid", server.issuer("acme")), "wrong_tenant"),
        (server.token("acme"), "passes"),
    ]);
    for (index, (token, expected)) in table.into_iter().enumerate() {
        for verifier in [&own, &common] {
            assert_eq!(code(verifier, token.clone()).await, expected, "row {index}");
        }
    }
    assert_eq!(
        server.all_requests(),
        3,
        "metadata and keys of acme, and the common set: no other tenant was asked for"
    );
}

#[tokio::test]
async fn a_key_with_an_issuer_verifies_tokens_of_that_issuer_only() {
    let setup = Setup::new(["acme", "globex"]).await;
    let (server, verifier) = (&setup.server, setup.common().build().unwrap());
    let table = [
        (server.common_token("acme"), "passes"),
        (server.common_token("globex"), "passes"),
        (server.common_token("unknown-to-the-server"), "passes"),
        (server.token("acme"), "passes"),
        (server.token_by(&server.key("globex"), "acme"), "unusable_key"),
        (server.common_token("acme").claim("tid", "globex"), "wrong_tenant"),
        (server.common_token("acme").issuer("https://evil.example/acme/v2.0"), "wrong_issuer"),
    ];
    for (index, (token, expected)) in table.into_iter().enumerate() {
        assert_eq!(code(&verifier, token).await, expected, "row {index}");
    }
    assert_eq!(server.all_requests(), 1, "all tenants share one fetch");
    // The same holds without a template: keys of a shared set are each for their own issuer.
    let jwks = JwksService::new(&server.common_jwks_uri()).unwrap();
    let exact = Verifier::builder(jwks.clone()).issuer(server.issuer("acme")).build().unwrap();
    assert_eq!(code(&exact, server.token("acme")).await, "passes");
    assert_eq!(code(&exact, server.common_token("acme")).await, "passes");
    assert_eq!(code(&exact, server.token_by(&server.key("globex"), "acme")).await, "unusable_key");
    let any: Verifier = jwks.into();
    assert_eq!(code(&any, server.token("globex")).await, "passes");
    assert_eq!(code(&any, server.token("globex").without_claim("iss")).await, "unusable_key");
}

#[tokio::test]
async fn a_list_or_a_function_says_which_tenants_are_accepted() {
    let setup = Setup::new(["acme", "globex", "initech"]).await;
    let server = &setup.server;
    let listed = setup.verifier().tenants(["acme", "globex"]).build().unwrap();
    let by_function = setup.verifier().tenants_where(|tenant| tenant != "initech").build().unwrap();
    let both = setup.verifier().tenants(["acme"]).tenants_where(|tenant| tenant == "globex").build().unwrap();
    for verifier in [&listed, &by_function] {
        assert_eq!(code(verifier, server.token("acme")).await, "passes");
        assert_eq!(code(verifier, server.token("globex")).await, "passes");
        assert_eq!(code(verifier, server.token("initech")).await, "wrong_issuer");
    }
    for tenant in ["acme", "globex", "initech"] {
        assert_eq!(code(&both, server.token(tenant)).await, "wrong_issuer", "both have to accept it");
    }
    assert_eq!(server.requests("initech"), 0);
}

#[tokio::test]
async fn names_beat_templates_and_templates_do_not_overlap() {
    let setup = Setup::new(["acme", "globex"]).await;
    let server = &setup.server;
    let named = || {
        let jwks = JwksService::discover(&server.issuer("acme")).build().unwrap();
        Verifier::builder(jwks).issuer(server.issuer("acme")).audience("other")
    };
    let verifier = Verifier::any_of([setup.verifier(), named()]).unwrap();
    assert_eq!(code(&verifier, server.token("acme")).await, "wrong_audience");
    assert_eq!(code(&verifier, server.token("acme").audience("other").without_claim("tid")).await, "passes");
    assert_eq!(code(&verifier, server.token("globex")).await, "passes");

    let twice = Verifier::any_of([setup.verifier(), setup.common().issuer(server.issuer("{t}"))]);
    assert!(twice.unwrap_err().to_string().contains("expected each issuer once"));
    let others = setup.common().issuer("https://sts.windows.net/{tenantid}/");
    let verifier = Verifier::any_of([setup.verifier(), others]).unwrap();
    assert_eq!(code(&verifier, server.token("acme")).await, "passes");
}

#[tokio::test]
async fn a_tenant_whose_server_is_down_concerns_no_other() {
    let setup = Setup::new(["acme", "globex"]).await;
    let (server, app) = (&setup.server, app(portcullis::Secure::new(setup.verifier().build().unwrap())));
    let ask = async |token: TokenBuilder| answer(&app, bearer(&token.sign())).await;
    server.fault("acme", 500);
    let down = ask(server.token("acme")).await;
    assert_eq!(down.status, 503);
    assert!(down.headers.contains_key("retry-after"));
    assert!(!down.body.contains("acme"), "{}", down.body);
    assert_eq!(ask(server.token("globex")).await.status, 200);
    // It is asked again after its backoff, and has to draw on no budget for that.
    server.heal("acme");
    assert_eq!(ask(server.token("acme")).await.status, 503);
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(server.token("acme")).await.status, 200);
    // Later its keys go on working.
    server.fault("acme", 500);
    setup.clock.advance(Duration::from_secs(3600));
    assert_eq!(ask(server.token("acme")).await.status, 200);
}

#[tokio::test]
async fn metadata_have_to_name_the_tenant_s_issuer() {
    let setup = Setup::new(["acme"]).await;
    let server = &setup.server;
    // A server that answers for every tenant with the metadata of one.
    let origin = server.issuer("").trim_end_matches("//v2.0").to_owned();
    let jwks = by(&setup.clock, JwksService::discover(&format!("{origin}/{{tenantid}}"))).build().unwrap();
    let verifier =
        Verifier::builder(jwks).issuer(format!("{origin}/{{tenantid}}")).tenant_claim("tid").build().unwrap();
    let token = server.token("acme").issuer(format!("{origin}/acme"));
    assert_eq!(code(&verifier, token).await, "keys_unavailable");
}

#[tokio::test]
async fn a_tenant_that_rotates_its_keys_is_followed() {
    let setup = Setup::new(["acme"]).await;
    let (server, verifier) = (&setup.server, setup.verifier().build().unwrap());
    let before = server.token("acme").sign();
    verifier.verify(&before).await.unwrap();
    server.rotate("acme");
    assert_eq!(code(&verifier, server.token("acme")).await, "passes", "an unknown kid causes a fetch");
    assert_eq!(verifier.verify(&before).await.unwrap_err().code(), "unknown_key", "a withdrawn key verifies nothing");
}

#[tokio::test]
async fn a_tenant_s_token_is_cached_and_passes_through_layers() {
    let setup = Setup::new(["acme"]).await;
    let server = &setup.server;
    let verifier = setup.verifier().build().unwrap();
    let secure = portcullis::Secure::new(verifier.clone());
    let inner = portcullis::Secure::new(verifier.clone()).scope(["read"]);
    let app = app(inner).layer(secure);
    let token = server.token("acme").scope("read").sign();
    for _ in 0..3 {
        assert_eq!(answer(&app, bearer(&token)).await.status, 200);
    }
    assert_eq!(verifier.token_cache_size().tokens, 1);
    assert_eq!(server.requests("acme"), 2);
    setup.clock.advance(DAY);
    assert_eq!(answer(&app, bearer(&token)).await.status, 403, "it has expired");
}

#[test]
fn rules_of_tenants_are_checked() {
    const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let table = [
        (json!({ "issuer": ENTRA }), "`issuer`: expected `tenant_claim` with the placeholder for the tenant, got none"),
        (json!({ "issuer": "https://as.example", "tenant_claim": "tid" }), "`tenant_claim`: expected a placeholder"),
        (json!({ "tenant_claim": "tid" }), "`tenant_claim`: expected a placeholder"),
        (json!({ "issuer": "https://as.example", "tenants": ["a"] }), "`tenants`: expected a placeholder"),
        (json!({ "issuer": ENTRA, "tenant_claim": "" }), "`tenant_claim`: expected the name of a claim"),
        (json!({ "issuer": ENTRA, "tenant_claim": "/a~b" }), "`tenant_claim`: expected a JSON Pointer"),
        (
            json!({ "issuer": ENTRA, "tenant_claim": "tid", "tenants": ["a", "b/c"] }),
            "`tenants`: expected the part of `iss`",
        ),
        (
            json!({ "issuer": ENTRA, "tenant_claim": "tid", "tenants": "https://a.example" }),
            "got \"https://a.example\"",
        ),
        (json!({ "issuer": "https://{tenant}.example/", "tenant_claim": "tid" }), "never a server"),
        (json!({ "issuer": "https://a.example/{b}/{c}", "tenant_claim": "tid" }), "`issuer`: expected one placeholder"),
        (json!({ "issuer": "https://a.example/b{c}", "tenant_claim": "tid" }), "part of a segment"),
    ];
    for (rules, problem) in table {
        let read: IssuerRules = serde_json::from_value(rules.clone()).unwrap();
        let error = read.check().unwrap_err().to_string();
        assert!(error.contains(problem), "{rules}: {error}");
    }
    let none = serde_json::from_value::<IssuerRules>(json!({ "tenants": [] })).unwrap_err().to_string();
    assert!(none.contains("expected at least one text in `tenants`"), "{none}");
    let good = json!({ "issuer": ENTRA, "tenant_claim": "/tenant/id", "tenants": "a" });
    serde_json::from_value::<IssuerRules>(good).unwrap().check().unwrap();
}

#[tokio::test]
async fn the_claim_may_be_within_another() {
    let setup = Setup::new(["acme"]).await;
    let verifier = setup.verifier().tenant_claim("/org/id").build().unwrap();
    let token = |claim| setup.server.token("acme").claim("org", claim);
    assert_eq!(code(&verifier, token(json!({ "id": "acme" }))).await, "passes");
    assert_eq!(code(&verifier, token(json!({ "id": "globex" }))).await, "wrong_tenant");
    assert_eq!(code(&verifier, token(json!("acme"))).await, "wrong_tenant");
}

#[tokio::test]
async fn contradictions_are_told_when_the_verifier_is_built() {
    let setup = Setup::new(["acme"]).await;
    let problem = |builder: VerifierBuilder| builder.build().unwrap_err().to_string();
    let client = ClientAuthentication::basic("api", "secret");
    let introspector = Introspector::builder(&setup.server.issuer("introspect"), client).build().unwrap();
    let table = [
        (problem(setup.verifier().issuer(setup.server.issuer("acme")).tenant_claim("tid")), "placeholder"),
        (problem(setup.verifier().issuer("https://other.example/{tenantid}/")), "for which the keys are looked up"),
        (problem(setup.verifier().introspection(introspector)), "does not name its tenant"),
        (
            problem(Verifier::builder(JwksService::empty()).issuer("https://a.example").tenants_where(|_| true)),
            "expected a placeholder",
        ),
    ];
    for (problem, expected) in table {
        assert!(problem.contains(expected), "{problem}");
    }
    let cache = portcullis::InMemoryCache::default();
    let error = JwksService::discover(&setup.server.template()).cache(cache).build().unwrap_err().to_string();
    assert!(error.contains("mix the keys of all tenants"), "{error}");
    let error = JwksService::discover("https://{tenant}.example").build().unwrap_err().to_string();
    assert!(error.contains("never a server"), "{error}");
    let error = JwksService::discover("http://as.example/{tenant}").build().unwrap_err().to_string();
    assert!(error.contains("https"), "{error}");
    // Without rules for the issuer such keys verify nothing.
    let any: Verifier = setup.jwks().into();
    assert_eq!(code(&any, setup.server.token("acme")).await, "unknown_key");
    assert_eq!(setup.server.all_requests(), 0);
}

#[tokio::test]
async fn the_tenant_is_a_check_of_its_own() {
    let setup = Setup::new(["acme"]).await;
    let verifier = setup.verifier().build().unwrap();
    let refusal = verifier.verify(&setup.server.token("acme").claim("tid", "b").sign()).await.unwrap_err();
    assert_eq!(refusal.check(), CheckKind::Tenant);
    for text in [refusal.to_string(), refusal.description().to_owned(), format!("{refusal:?}")] {
        assert!(!text.contains("acme"), "{text}");
    }
}
