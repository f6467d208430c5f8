//! `docs/providers`: the Rust of each page runs to the letter against the provider's shape.
//!
//! The host names are the real ones: a process of its own reaches the stand-in as its https proxy.

use std::{error::Error, fs, path::Path, process::Command, time::Duration};

use portcullis::{
    Algorithm, ClientAuthentication, IntrospectionForm, Introspector, Judging, JwksService, Presented, Secure, Verifier,
};
use portcullis_testkit::{AuthorizationServer, CertificateAuthority, Provider, provider};

/// The variable that names the page's block to the process of its own.
const LABEL: &str = "PORTCULLIS_PROVIDER_BOOK";

/// A block: its label, its page, its code without white space, and the provider's shape.
type Block = (&'static str, &'static str, &'static str, fn() -> Provider);

macro_rules! blocks {
    ($orders:ident $($label:ident of $shape:ident in $page:literal ($($argument:ident)?) { $($code:tt)* })*) => {
        const BLOCKS: &[Block] = &[$((stringify!($label), $page, stringify!($($code)*), provider::$shape)),*];

        fn orders(label: &str) -> Result<Secure, Box<dyn Error>> {
            match label {
                $(stringify!($label) => {
                    $(let $argument = ".";)?
                    $($code)*
                    Ok($orders)
                })*
                _ => Err(format!("no such block: {label}").into()),
            }
        }
    };
}

// The code of the pages. Where a page names a folder that no test has, the name is an argument.
blocks! {
    orders
    keycloak of keycloak in "keycloak" () {
        let verifier = Verifier::discover("https://login.example.com/realms/shop")?.audience("orders-api").build()?;
        let orders = Secure::new(verifier).scope(["orders:read"]);
    }
    entra_v2 of entra_v2 in "entra" () {
        let verifier = Verifier::discover("https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0")?
            .audience("66666666-7777-8888-9999-000000000000")
            .build()?;
        let orders = Secure::new(verifier).scope(["orders.read"]);
    }
    entra_v1 of entra_v1 in "entra" () {
        let verifier = Verifier::discover("https://sts.windows.net/11111111-2222-3333-4444-555555555555/")?
            .audience("api://66666666-7777-8888-9999-000000000000")
            .build()?;
        let orders = Secure::new(verifier).scope(["orders.read"]);
    }
    entra_tenants of entra_v2 in "entra" () {
        let verifier = Verifier::discover("https://login.microsoftonline.com/{tenantid}/v2.0")?
            .tenant_claim("tid")
            .tenants(["11111111-2222-3333-4444-555555555555"])
            .audience("66666666-7777-8888-9999-000000000000")
            .build()?;
        let orders = Secure::new(verifier).scope(["orders.read"]);
    }
    entra_b2c of entra_b2c in "entra" () {
        let flow = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin";
        let keys = JwksService::new(&format!("{flow}/discovery/v2.0/keys"))?;
        let verifier = Verifier::builder(keys)
            .issuer("https://contoso.b2clogin.com/11111111-2222-3333-4444-555555555555/v2.0/")
            .audience("66666666-7777-8888-9999-000000000000")
            .build()?;
        let orders = Secure::new(verifier).scope(["orders.read"]);
    }
    auth0 of auth0 in "auth0" () {
        let verifier = Verifier::discover("https://example.eu.auth0.com/")?
            .audience("https://api.example.com")
            .scope_claims(["permissions", "scope"])
            .build()?;
        let orders = Secure::new(verifier).scope(["orders:read"]);
    }
    okta of okta in "okta" () {
        let verifier = Verifier::discover("https://dev-1234.okta.com/oauth2/default")?.audience("api://default").build()?;
        let orders = Secure::new(verifier).scope(["orders:read"]);
    }
    cognito of cognito in "cognito" () {
        let verifier = Verifier::discover("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi")?.build()?;
        let orders = Secure::new(verifier)
            .scope(["orders/read"])
            .claim_value("token_use", "access")
            .claim_value("client_id", "3n4b5v6c7x8z9a1s2d3f4g5h6j");
    }
    google of google in "google" () {
        let verifier = Verifier::discover("https://accounts.google.com")?
            .audience("1234987819200.apps.googleusercontent.com")
            .build()?;
        let orders = Secure::new(verifier).claim_value("hd", "example.com");
    }
    firebase of firebase in "firebase" () {
        let verifier = Verifier::discover("https://securetoken.google.com/shop-prod")?.audience("shop-prod").build()?;
        let orders = Secure::new(verifier).claim_value("email_verified", true);
    }
    supabase of supabase in "supabase" () {
        let auth = "https://abcdefghijklmnopqrst.supabase.co/auth/v1";
        let keys = JwksService::new(&format!("{auth}/.well-known/jwks.json"))?;
        let verifier = Verifier::builder(keys).issuer(auth).audience("authenticated").build()?;
        let orders = Secure::new(verifier).claim_value("role", "authenticated");
    }
    github_actions of github_actions in "github-actions" () {
        let verifier = Verifier::discover("https://token.actions.githubusercontent.com")?
            .audience("https://deploy.example.com")
            .build()?;
        let orders = Secure::new(verifier)
            .claim_matches("sub", "repo:my-org/shop:*")
            .claim_value("repository_owner_id", "65");
    }
    kubernetes of kubernetes in "kubernetes" (mount) {
        let keys = JwksService::builder("https://kubernetes.default.svc/openid/v1/jwks")
            .ca_file(format!("{mount}/ca.crt"))
            .bearer_token_file(format!("{mount}/token"))
            .build()?;
        let verifier = Verifier::builder(keys)
            .issuer("https://kubernetes.default.svc.cluster.local")
            .audience("https://orders.example.com")
            .build()?;
        let orders = Secure::new(verifier).claim_matches("sub", "system:serviceaccount:shop:*");
    }
    spiffe of spiffe in "spiffe" () {
        let bundle = JwksService::builder("https://spire.example.org/keys").key_uses(["jwt-svid"]).build()?;
        let verifier = Verifier::jwt_svid(bundle, "example.org", "spiffe://example.org/orders").build()?;
        let orders = Secure::new(verifier).claim_matches("sub", "spiffe://example.org/ns/shop/*");
    }
    zitadel of zitadel in "zitadel" () {
        let verifier = Verifier::discover("https://shop-a1b2c3.zitadel.cloud")?.audience("170086305209246465").build()?;
        let orders = Secure::new(verifier)
            .claim("/urn:zitadel:iam:org:project:170086305209246465:roles/orders.reader");
    }
    curity of curity in "curity" () {
        let client = ClientAuthentication::basic("gateway", std::fs::read_to_string("client-secret")?.trim());
        let introspector = Introspector::builder("https://login.example.com/oauth/v2/oauth-introspect", client)
            .form(IntrospectionForm::Phantom)
            .build()?;
        let verifier = Verifier::discover("https://login.example.com/oauth/v2/oauth-anonymous")?
            .audience("https://api.example.com")
            .introspection(introspector)
            .build()?;
        let orders = Secure::new(verifier).scope(["orders:read"]);
    }
    curity_jwt of curity in "curity" () {
        let verifier = Verifier::discover("https://login.example.com/oauth/v2/oauth-anonymous")?.audience("https://api.example.com").build()?;
        let orders = Secure::new(verifier).scope(["orders:read"]);
    }
    duende of duende in "duende" () {
        let verifier = Verifier::discover("https://identity.example.com")?.audience("orders").types(["at+jwt"]).build()?;
        let orders = Secure::new(verifier).scope(["orders.read"]);
    }
    spring_authorization_server of spring_authorization_server in "spring-authorization-server" () {
        let verifier = Verifier::discover("https://auth.example.com")?.audience("https://api.example.com").build()?;
        let orders = Secure::new(verifier).scope(["orders:read"]);
    }
    adfs of adfs in "adfs" () {
        let keys = JwksService::new("https://adfs.example.com/adfs/discovery/keys")?;
        let verifier = Verifier::builder(keys)
            .issuer("http://adfs.example.com/adfs/services/trust")
            .audience("https://api.example.com")
            .build()?;
        let orders = Secure::new(verifier).scope(["orders.read"]);
    }
    laravel_passport of laravel_passport in "laravel-passport" () {
        let keys = JwksService::from_file("oauth-public.key")?;
        let verifier = Verifier::builder(keys)
            .algorithms([Algorithm::RS256])
            .scope_claims(["scopes"])
            .build()?;
        let orders = Secure::new(verifier).scope(["orders-read"]);
    }
}

#[test]
fn the_code_here_is_that_of_the_pages() {
    for (label, page, code, _) in BLOCKS {
        let text =
            fs::read_to_string(format!("{}/../../docs/providers/{page}.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let start = format!("rust {label}\n");
        let shown = text.split("```").skip(1).step_by(2).find_map(|block| block.strip_prefix(&start)).unwrap();
        let shown = shown.lines().filter(|line| !line.starts_with("let mount = ")).collect::<String>();
        assert_eq!(without_blanks(&shown), without_blanks(code), "{label}");
    }
}

#[tokio::test]
async fn each_block_lets_the_token_of_its_provider_pass_and_no_expired_one() {
    for (label, _, _, shape) in BLOCKS {
        let authority = CertificateAuthority::new();
        let server = AuthorizationServer::builder().provider(shape()).client("gateway", "test-secret");
        let server = server.by_its_names(authority.clone()).start().await.unwrap();
        let (good, expired) = (server.token(), server.token().expired_for(Duration::from_secs(3_600)));
        let good = if *label == "curity" { server.issue_opaque(good) } else { good.sign() };
        let folder = tempfile::TempDir::new().unwrap();
        for (name, text) in [
            ("good", good),
            ("expired", expired.sign()),
            ("oauth-public.key", server.signing_key().public_pem()),
            ("client-secret", "test-secret\n".to_owned()),
            ("ca.crt", authority.pem()),
            ("token", "a token of the API's own".to_owned()),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut child = child(label, folder.path(), &server.proxy());
        let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("1 passed"), "{label}: {told}");
    }
}

fn child(label: &str, folder: &Path, proxy: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["provider_book::in_a_process_of_its_own", "--exact", "--ignored", "--nocapture"]).current_dir(folder);
    let authority = folder.join("ca.crt");
    command.env(LABEL, label).env("HTTPS_PROXY", proxy).env("NO_PROXY", "").env("SSL_CERT_FILE", authority);
    command
}

#[tokio::test]
#[ignore = "a part of the test above, with an environment of its own"]
async fn in_a_process_of_its_own() {
    let Ok(label) = std::env::var(LABEL) else { return };
    let orders = orders(&label).unwrap();
    assert_eq!(verdict(&orders, "good").await, "passes");
    assert_eq!(verdict(&orders, "expired").await, "expired");
}

/// Judges the token in a file.
async fn verdict(orders: &Secure, file: &str) -> String {
    let field = format!("Bearer {}", fs::read_to_string(file).unwrap()).into_bytes();
    let fields = [("authorization", field.as_slice())];
    let verdict = match orders.judge(&Presented::new(&fields)) {
        Judging::Done(verdict) => verdict,
        Judging::Waits(pending) => pending.await,
    };
    verdict.outcome.map_or_else(|refusal| refusal.code().to_owned(), |_| "passes".to_owned())
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}
