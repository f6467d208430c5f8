//! The token exchanges of a gate, by name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::Secure;
use crate::{
    bearer::BearerToken,
    claims::VerifiedToken,
    configuration_error::ConfigurationError,
    exchange::{Exchange, Exchanger, Target},
    refusal::{AccessFault, ConfigurationFault, Refusal},
};

/// The exchanges of a gate: under a name, one for each authorization server.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchanges(BTreeMap<String, Vec<Arc<Exchange>>>);

impl Exchanges {
    fn add(&mut self, name: String, exchange: Arc<Exchange>) {
        self.0.entry(name).or_default().push(exchange);
    }

    /// The text of a token, where it may be exchanged.
    pub(super) fn subject(&self, token: BearerToken<'_>) -> Option<Arc<str>> {
        (!self.0.is_empty()).then(|| String::from_utf8_lossy(token.as_bytes()).into())
    }

    /// The exchanges, each with its question.
    fn declared(&self) -> impl Iterator<Item = DeclaredExchange<'_>> {
        self.0.iter().flat_map(|(name, exchanges)| {
            exchanges.iter().map(|exchange| {
                let (endpoint, target) = exchange.told();
                DeclaredExchange { name, endpoint, target }
            })
        })
    }

    /// The exchange of this name for a token.
    ///
    /// # Errors
    ///
    /// A mistake of ours if there is none of this name, and a refusal if none is for tokens of this issuer.
    pub(super) fn find(&self, name: &str, subject: &VerifiedToken) -> Result<&Arc<Exchange>, Refusal> {
        let Some(exchanges) = self.0.get(name) else {
            let known = self.0.keys().cloned().collect();
            return Err(Refusal::Configuration(ConfigurationFault::UnknownExchange { known }));
        };
        let mut fitting = exchanges.iter().filter(|exchange| exchange.takes(subject));
        fitting.next().ok_or_else(|| Refusal::Access(AccessFault::exchange_of_unknown_issuer()))
    }
}

/// A token exchange of a layer: for people, it writes itself as the question that it would ask.
///
/// # Example
///
/// ```
/// # use portcullis::{ClientAuthentication, Exchanger, JwksService, Secure, Target, Verifier};
/// # let issuer = Verifier::builder(JwksService::new("https://as.example.com/jwks")?).issuer("https://as.example.com");
/// # let client = ClientAuthentication::basic("orders-api", "secret");
/// # let exchanger = Exchanger::builder("https://as.example.com/token", client, issuer).build()?;
/// # let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?);
/// let secure = secure.exchange("inventory", &exchanger, Target::audience("inventory").scope(["stock:read"]))?;
/// let told: Vec<_> = secure.exchanges().map(|exchange| exchange.to_string()).collect();
/// assert_eq!(told, ["https://as.example.com/token for a token for audience inventory with scope stock:read"]);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredExchange<'a> {
    /// The name of the exchange.
    pub name: &'a str,
    /// The token endpoint, without credentials and query.
    pub endpoint: String,
    /// The service that tokens are exchanged for.
    pub target: &'a Target,
}

impl fmt::Display for DeclaredExchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.endpoint, self.target)
    }
}

impl Secure {
    /// Returns the token exchanges that are declared ([`exchange`](Self::exchange)).
    pub fn exchanges(&self) -> impl Iterator<Item = DeclaredExchange<'_>> {
        self.gate.exchanges.declared()
    }

    /// Declares a token exchange (RFC 8693): handlers behind this layer get a token for the target by
    /// [`Access::exchange`](crate::Access::exchange) and this name.
    ///
    /// Of several exchanges of one name, each at the server of another issuer, the one for the token's issuer is taken.
    ///
    /// # Errors
    ///
    /// The error of [`Target::check`].
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{ClientAuthentication, Exchanger, JwksService, Secure, Target, Verifier};
    ///
    /// let keys = JwksService::new("https://as.example.com/jwks")?;
    /// let issuer = || Verifier::builder(keys.clone()).issuer("https://as.example.com");
    /// let client = ClientAuthentication::basic("orders-api", "secret");
    /// let exchanger = Exchanger::builder("https://as.example.com/token", client, issuer()).build()?;
    /// let secure = Secure::new(issuer().audience("https://orders.example.com").build()?)
    ///     .exchange("inventory", &exchanger, Target::audience("https://inventory.example.com"))?
    ///     .exchange("billing", &exchanger, Target::resource("https://billing.example.com"))?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn exchange(
        mut self,
        name: impl Into<String>,
        exchanger: &Exchanger,
        target: Target,
    ) -> Result<Self, ConfigurationError> {
        let exchange = Exchange::of(exchanger, target)?;
        Arc::make_mut(&mut self.gate).exchanges.add(name.into(), exchange);
        Ok(self)
    }
}
