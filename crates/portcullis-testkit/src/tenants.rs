//! A server of many tenants, as Microsoft Entra is one: [`TenantServer`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::server::listener::{Listener, Port};
use crate::server::transport::Transport;
use crate::sync::lock;
use crate::{Algorithm, SigningKey, TestClock, TokenBuilder};

/// An authorization server with tenants, each an issuer with keys of its own, on loopback.
///
/// The issuer of the tenant `acme` is `http://127.0.0.1:PORT/acme/v2.0`, and its tokens have the claim `tid`. All keys are in
/// one set, too ([`common_jwks_uri`](Self::common_jwks_uri)), in which each has the member `issuer`, as Microsoft Entra
/// publishes it: one key has the [`template`](Self::template), and signs for all tenants.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use portcullis_testkit::TenantServer;
///
/// let server = TenantServer::start(["acme", "globex"]).await;
/// let token = server.token("acme").audience("https://api.example.com").sign();
/// assert_eq!(server.template(), server.issuer("{tenantid}"));
/// assert_eq!(server.requests("acme"), 0);
/// # }
/// ```
pub struct TenantServer {
    shared: Arc<Shared>,
    listener: Mutex<Option<Listener>>,
}

struct Shared {
    origin: String,
    clock: TestClock,
    tenants: Mutex<BTreeMap<String, Tenant>>,
    common: SigningKey,
    requests: Mutex<BTreeMap<String, usize>>,
    healed: Notify,
}

struct Tenant {
    key: SigningKey,
    fault: Option<Outage>,
}

/// The fault of a tenant's answers.
#[derive(Clone, Copy)]
enum Outage {
    Status(u16),
    Hang,
}

impl TenantServer {
    /// Starts a server with these tenants.
    ///
    /// # Panics
    ///
    /// When no port can be opened on loopback.
    pub async fn start<T: Into<String>>(tenants: impl IntoIterator<Item = T>) -> Self {
        Self::start_with(tenants, TestClock::new()).await
    }

    /// Starts a server whose tokens are issued by this clock.
    ///
    /// # Panics
    ///
    /// When no port can be opened on loopback.
    #[expect(clippy::expect_used, reason = "a test cannot go on without it")]
    pub async fn start_with<T: Into<String>>(tenants: impl IntoIterator<Item = T>, clock: TestClock) -> Self {
        let port = Port::bind("127.0.0.1:0").await.expect("a free port on 127.0.0.1");
        let tenant = |name: T| {
            let name = name.into();
            let key = SigningKey::generate(Algorithm::ES256, format!("key-of-{name}"));
            (name, Tenant { key, fault: None })
        };
        let shared = Arc::new(Shared {
            origin: format!("http://{}", port.address()),
            clock,
            tenants: Mutex::new(tenants.into_iter().map(tenant).collect()),
            common: SigningKey::generate(Algorithm::ES256, "key-of-all"),
            requests: Mutex::default(),
            healed: Notify::new(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = Mutex::new(Some(port.open(Transport::Plain, router)));
        Self { shared, listener }
    }

    /// The issuer of a tenant.
    #[must_use]
    pub fn issuer(&self, tenant: &str) -> String {
        self.shared.issuer(tenant)
    }

    /// The issuers of all tenants, with the placeholder `{tenantid}`.
    #[must_use]
    pub fn template(&self) -> String {
        self.issuer("{tenantid}")
    }

    /// The URL of the key set that all tenants share.
    #[must_use]
    pub fn common_jwks_uri(&self) -> String {
        format!("{}/common/keys", self.shared.origin)
    }

    /// Begins a good token of a tenant, signed with the tenant's own key.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    #[must_use]
    pub fn token(&self, tenant: &str) -> TokenBuilder {
        self.token_by(&self.key(tenant), tenant)
    }

    /// Begins a good token of a tenant, signed with the key that signs for all.
    #[must_use]
    pub fn common_token(&self, tenant: &str) -> TokenBuilder {
        self.token_by(&self.shared.common, tenant)
    }

    /// The key of a tenant.
    ///
    /// # Panics
    ///
    /// When there is no such tenant.
    #[must_use]
    #[expect(clippy::expect_used, reason = "documented misuse")]
    pub fn key(&self, tenant: &str) -> SigningKey {
        let tenants = lock(&self.shared.tenants);
        tenants.get(tenant).expect("a tenant of this server").key.clone()
    }

    /// Begins a token that names a tenant, signed with any key.
    #[must_use]
    pub fn token_by(&self, key: &SigningKey, tenant: &str) -> TokenBuilder {
        TokenBuilder::new(key, &self.issuer(tenant), self.now()).claim("tid", tenant)
    }

    /// Answers with this status for a tenant, until it is healed.
    pub fn fault(&self, tenant: &str, status: u16) {
        self.set_fault(tenant, Some(Outage::Status(status)));
    }

    /// Answers nothing for a tenant, until it is healed.
    pub fn hang(&self, tenant: &str) {
        self.set_fault(tenant, Some(Outage::Hang));
    }

    /// Ends the fault of a tenant.
    pub fn heal(&self, tenant: &str) {
        self.set_fault(tenant, None);
        self.shared.healed.notify_waiters();
    }

    /// Closes the port and all connections, for good.
    pub async fn stop(&self) {
        let listener = lock(&self.listener).take();
        if let Some(listener) = listener {
            listener.close().await;
        }
    }

    fn set_fault(&self, tenant: &str, fault: Option<Outage>) {
        if let Some(tenant) = lock(&self.shared.tenants).get_mut(tenant) {
            tenant.fault = fault;
        }
    }

    /// Gives a tenant a new key in place of the old one.
    pub fn rotate(&self, tenant: &str) {
        if let Some(known) = lock(&self.shared.tenants).get_mut(tenant) {
            let kid = format!("{}+", known.key.kid());
            known.key = SigningKey::generate(Algorithm::ES256, kid);
        }
    }

    /// The number of requests for a tenant, whether there is such a one or not; `common` is the shared set.
    #[must_use]
    pub fn requests(&self, tenant: &str) -> usize {
        lock(&self.shared.requests).get(tenant).copied().unwrap_or_default()
    }

    /// The number of all requests.
    #[must_use]
    pub fn all_requests(&self) -> usize {
        lock(&self.shared.requests).values().sum()
    }

    /// The time by the server's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.shared.clock.now()
    }
}

impl std::fmt::Debug for TenantServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantServer").field("template", &self.template()).finish_non_exhaustive()
    }
}

impl Shared {
    fn issuer(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.origin)
    }

    fn fault_of(&self, tenant: &str) -> Option<Outage> {
        lock(&self.tenants).get(tenant)?.fault
    }

    /// The key set that all tenants share.
    fn common_set(&self) -> Value {
        let tenants = lock(&self.tenants);
        let own = tenants.iter().map(|(tenant, known)| self.published(&known.key, tenant));
        let keys: Vec<_> = own.chain([self.published(&self.common, "{tenantid}")]).collect();
        json!({ "keys": keys })
    }

    /// A public key with the issuer whose tokens it verifies.
    fn published(&self, key: &SigningKey, tenant: &str) -> Value {
        let mut jwk = key.public_jwk();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("issuer".to_owned(), self.issuer(tenant).into());
        }
        jwk
    }
}

async fn answer(State(server): State<Arc<Shared>>, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches("/.well-known/oauth-authorization-server").trim_start_matches('/');
    let (tenant, rest) = path.split_once('/').unwrap_or((path, ""));
    *lock(&server.requests).entry(tenant.to_owned()).or_default() += 1;
    if (tenant, rest) == ("common", "keys") {
        return Json(server.common_set()).into_response();
    }
    loop {
        let healed = server.healed.notified();
        match server.fault_of(tenant) {
            Some(Outage::Hang) => healed.await,
            Some(Outage::Status(status)) => {
                return StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
            }
            None => break,
        }
    }
    let tenants = lock(&server.tenants);
    let Some(known) = tenants.get(tenant) else { return StatusCode::NOT_FOUND.into_response() };
    match rest {
        "v2.0/.well-known/openid-configuration" => Json(json!({
            "issuer": server.issuer(tenant),
            "jwks_uri": format!("{}/{tenant}/keys", server.origin),
        }))
        .into_response(),
        "keys" => Json(json!({ "keys": [known.key.public_jwk()] })).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
