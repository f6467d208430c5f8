//! Clients with DPoP proofs (RFC 9449): [`DpopClient`].

use napi::Result;
use napi_derive::napi;
use portcullis_testkit::DpopCase;
use serde_json::json;

use crate::{
    clock::Clock,
    key::SigningKey,
    options::{self, algorithm, invalid},
    server::Server,
    token::Changes,
};

/// A client with a key of its own, which sends DPoP proofs.
#[napi]
pub struct DpopClient {
    client: portcullis_testkit::DpopClient,
}

#[napi]
impl DpopClient {
    /// Makes a client with a new key.
    #[napi(constructor)]
    pub fn new(alg: String, clock: Option<&Clock>) -> Result<Self> {
        if alg.starts_with("HS") {
            return Err(invalid(format!("expected an asymmetric algorithm for proofs, got {alg}")));
        }
        let client = portcullis_testkit::DpopClient::new(algorithm(&alg)?);
        let client = match clock {
            Some(Clock { clock }) => client.with_clock(clock.clone()),
            None => client,
        };
        Ok(Self { client })
    }

    /// The client's key.
    #[napi(getter)]
    pub fn key(&self) -> SigningKey {
        SigningKey { key: self.client.key().clone() }
    }

    /// Puts this nonce in each proof from now on.
    #[napi]
    pub fn use_nonce(&mut self, nonce: String) {
        self.client = self.client.clone().with_nonce(nonce);
    }

    /// Signs a proof for a request, with the hash of the token if there is one, and with these changes.
    #[napi]
    pub fn proof(
        &self,
        method: String,
        url: String,
        token: Option<String>,
        changes: String,
        key: Option<&SigningKey>,
    ) -> Result<String> {
        let changes: Changes = options::read(&changes)?;
        let proof = self.client.proof(&method, &url);
        let proof = match token {
            Some(token) => proof.token(&token),
            None => proof,
        };
        let proof = match key {
            Some(SigningKey { key }) => proof.signed_by(key),
            None => proof,
        };
        Ok(changes.of_proof(proof).sign())
    }

    /// Mints a request of each case, with tokens of the server with these changes; also those of nonces if `nonces` is set.
    ///
    /// The result is JSON: an array of `name`, `description`, `passes`, `fields`, and `earlier`, the fields of requests to send
    /// first; fields are arrays of names and values.
    #[napi]
    pub fn attempts(
        &self,
        server: &Server,
        method: String,
        url: String,
        changes: String,
        nonces: bool,
    ) -> Result<String> {
        let good = options::read::<Changes>(&changes)?.of_token(server.server.token())?;
        let of_nonces = if nonces { DpopCase::NONCES } else { &[] };
        let attempts = DpopCase::ALL.iter().chain(of_nonces).map(|case| {
            let attempt = self.client.attempt(*case, &method, &url, &good);
            json!({
                "name": case.name(),
                "description": case.description(),
                "passes": case.must_pass(),
                "fields": attempt.fields(),
                "earlier": attempt.earlier().collect::<Vec<_>>(),
            })
        });
        Ok(attempts.collect::<serde_json::Value>().to_string())
    }
}
