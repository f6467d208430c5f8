use crate::algorithm::Algorithm;
use crate::dpop::client::DpopClient;
use crate::dpop::proof::ProofBuilder;
use crate::key::SigningKey;

/// The client, the request and the source of tokens that a case starts from.
pub(crate) struct Scene<'a> {
    pub(crate) client: &'a DpopClient,
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    /// Issues a token: bound to the key of a thumbprint, or not bound.
    pub(crate) token: &'a dyn Fn(Option<&str>) -> String,
}

impl Scene<'_> {
    /// The client's key.
    pub(super) fn key(&self) -> &SigningKey {
        self.client.key()
    }

    /// A new token that is bound to the client's key.
    pub(super) fn bound_token(&self) -> String {
        (self.token)(Some(&self.client.thumbprint()))
    }

    /// A new token that is not bound.
    pub(super) fn unbound_token(&self) -> String {
        (self.token)(None)
    }

    /// A good proof for this token.
    pub(super) fn proof(&self, token: &str) -> ProofBuilder {
        self.client.proof(self.method, self.url).token(token)
    }

    /// A request with a bound token and its proof, changed in one point.
    pub(super) fn with(&self, change: impl FnOnce(ProofBuilder) -> ProofBuilder) -> DpopAttempt {
        self.with_text(|proof, _| change(proof).sign())
    }

    /// A request with a bound token, and the text that `sign` makes of its good proof and the token.
    pub(super) fn with_text(&self, sign: impl FnOnce(ProofBuilder, &str) -> String) -> DpopAttempt {
        let token = self.bound_token();
        let proof = sign(self.proof(&token), &token);
        DpopAttempt::of(Fields::dpop(&token).proof(proof))
    }

    /// A request with a proof by `key` and a token that is bound to it.
    pub(super) fn by(&self, key: &SigningKey, sign: impl FnOnce(ProofBuilder) -> String) -> DpopAttempt {
        self.bound_to(&key.thumbprint(), key, sign)
    }

    /// A request with a proof by `key` and a token that is bound to the key of this thumbprint.
    pub(super) fn bound_to(
        &self,
        thumbprint: &str,
        key: &SigningKey,
        sign: impl FnOnce(ProofBuilder) -> String,
    ) -> DpopAttempt {
        let token = (self.token)(Some(thumbprint));
        let proof = self.client.proof_by(key, self.method, self.url).token(&token);
        DpopAttempt::of(Fields::dpop(&token).proof(sign(proof)))
    }

    /// An ES256 key for cases on a curve: the client's, if it has one.
    pub(super) fn elliptic_key(&self) -> SigningKey {
        match self.key().algorithm() {
            Algorithm::ES256 => self.key().clone(),
            _ => SigningKey::generate(Algorithm::ES256, "client"),
        }
    }
}

/// The header fields of one request, names in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, String)>);

impl Fields {
    /// `Authorization: DPoP …`.
    pub(super) fn dpop(token: &str) -> Self {
        Self::default().authorization("DPoP", token)
    }

    /// Adds an `Authorization` field.
    pub(super) fn authorization(mut self, scheme: &str, token: &str) -> Self {
        self.0.push(("authorization", format!("{scheme} {token}")));
        self
    }

    /// Adds a `DPoP` field.
    pub(super) fn proof(mut self, proof: impl Into<String>) -> Self {
        self.0.push(("dpop", proof.into()));
        self
    }
}

/// The requests of one [`DpopCase`](crate::DpopCase).
#[derive(Clone, Debug)]
pub struct DpopAttempt {
    earlier: Vec<Fields>,
    fields: Fields,
}

impl DpopAttempt {
    pub(super) fn of(fields: Fields) -> Self {
        Self { earlier: Vec::new(), fields }
    }

    /// Sends a good request first.
    pub(super) fn after(mut self, earlier: Fields) -> Self {
        self.earlier.push(earlier);
        self
    }

    /// The header fields, `authorization` and `dpop`, of the request that the case is about.
    ///
    /// A name can occur more than once: send one field for each.
    #[must_use]
    pub fn fields(&self) -> &[(&'static str, String)] {
        &self.fields.0
    }

    /// The header fields of the good requests to send before, to the same URL: empty but for replays.
    pub fn earlier(&self) -> impl Iterator<Item = &[(&'static str, String)]> {
        self.earlier.iter().map(|fields| fields.0.as_slice())
    }
}
