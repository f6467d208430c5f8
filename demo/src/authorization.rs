//! Who issues the tokens: the embedded authorization server, or one that the flags name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use portcullis::{ConfigurationError, JwksService, Verifier};
use portcullis_testkit::{Algorithm, AuthorizationServer};

use crate::{
    args::Args,
    banner::Tokens,
    error::Error,
    samples::{CLIENT_ID, CLIENT_SECRET},
};

/// What the embedded server's tokens are for, unless the flags say.
const AUDIENCE: &str = "https://api.example.com";

/// The authorization server, and the verifier of its tokens.
pub(crate) struct Authorization {
    verifier: Verifier,
    embedded: Option<AuthorizationServer>,
}

impl Authorization {
    /// Starts the embedded authorization server, unless the flags name another.
    pub(crate) async fn start(args: &Args) -> Result<Self, Error> {
        match real_keys(args)? {
            Some(jwks) => {
                let verifier = verifier(jwks, args.issuer.as_deref(), &args.audiences).await?;
                Ok(Self { verifier, embedded: None })
            }
            None => Self::embed(args).await,
        }
    }

    async fn embed(args: &Args) -> Result<Self, Error> {
        let audiences = if args.audiences.is_empty() { vec![AUDIENCE.to_owned()] } else { args.audiences.clone() };
        let server = embedded_server(&args.as_listen, &audiences).await?;
        // This process serves the keys: there is nobody between, whatever the address is.
        let jwks =
            JwksService::builder(&format!("{}/jwks", base_url(server.address()))).dangerously_allow_http().build()?;
        let verifier = verifier(jwks, Some(server.issuer()), &audiences).await?;
        Ok(Self { verifier, embedded: Some(server) })
    }

    /// The verifier of its tokens.
    pub(crate) fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// Where those who try the demo get their tokens.
    pub(crate) fn tokens(&self) -> Tokens {
        match &self.embedded {
            Some(server) => Tokens::Embedded { url: base_url(server.address()) },
            None => Tokens::Yours,
        }
    }

    /// Stops the embedded server.
    pub(crate) async fn stop(self) {
        if let Some(server) = self.embedded {
            server.stop().await;
        }
    }
}

/// The URL under which this machine reaches a server that listens at the address.
pub(crate) fn base_url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

/// The keys of the authorization server that the flags name.
fn real_keys(args: &Args) -> Result<Option<JwksService>, ConfigurationError> {
    match (&args.jwks_uri, &args.issuer) {
        (Some(uri), _) => JwksService::new(uri).map(Some),
        (None, Some(issuer)) => JwksService::discover(issuer).build().map(Some),
        (None, None) => Ok(None),
    }
}

async fn verifier(
    jwks: JwksService,
    issuer: Option<&str>,
    audiences: &[String],
) -> Result<Verifier, ConfigurationError> {
    // A failure stands in the log, and the next request tries again.
    let _ = jwks.prefetch().await;
    let mut builder = Verifier::builder(jwks);
    if let Some(issuer) = issuer {
        builder = builder.issuer(issuer);
    }
    audiences.iter().fold(builder, |builder, audience| builder.audience(audience)).build()
}

async fn embedded_server(address: &str, audiences: &[String]) -> Result<AuthorizationServer, Error> {
    let server = AuthorizationServer::builder()
        .listen(address)
        .algorithm(Algorithm::RS256)
        .client(CLIENT_ID, CLIENT_SECRET)
        .rotation_endpoint(true);
    let started = match audiences {
        [one] => server.audience(one.as_str()).start().await,
        several => server.audience(several).start().await,
    };
    started.map_err(|source| Error::Listen { address: address.to_owned(), flag: "--as-listen", source })
}
