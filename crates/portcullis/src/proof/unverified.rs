//! From a `DPoP` field to an [`UnverifiedProof`], and to a [`VerifiedProof`] (RFC 9449 section 4.3).

use std::{sync::Arc, time::SystemTime};

use super::{
    ClientKeys, DpopRules, Nonces, RequestUrl,
    claims::{ProofClaims, ProofTime},
    client_keys::ClientKey,
    header,
};
use crate::{
    base64url,
    crypto::{Digest, SignatureProof},
    json::{self, Object},
    keys::PresentedKey,
    refusal::ProofFault,
    token::{self, Parts},
};

/// The request that a proof has to be made for.
#[derive(Clone, Copy)]
pub(crate) struct ProofRequest<'a> {
    pub(crate) method: &'a str,
    /// The URL that the client used; none if it is not clear.
    pub(crate) url: Option<&'a RequestUrl>,
    /// The access token, as presented.
    pub(crate) token: &'a [u8],
    pub(crate) now: SystemTime,
    /// The nonces that proofs have to have, if any.
    pub(crate) nonces: Option<&'a Nonces>,
}

/// A proof for this request, whose key and signature are not verified.
pub(crate) struct UnverifiedProof {
    /// The signed text: header and payload, encoded.
    signed: Box<[u8]>,
    signature: Vec<u8>,
    key: ProofKey,
    id: Digest,
    time: ProofTime,
}

/// The key in a proof's header.
enum ProofKey {
    /// Another proof with the same header was good.
    Known(Arc<ClientKey>),
    /// The key, and the length of the header in the signed text.
    Presented(PresentedKey, usize),
}

/// A proof that the client holds the key that the token is bound to, made for this request.
pub(crate) struct VerifiedProof {
    /// Its name among the proofs that were used.
    pub(crate) id: Digest,
    pub(crate) time: ProofTime,
    _proof: SignatureProof,
}

impl UnverifiedProof {
    /// Reads a `DPoP` field and makes all checks that need no token and no signature.
    pub(crate) fn read(
        field: &[u8],
        request: &ProofRequest<'_>,
        rules: &DpopRules,
        keys: &ClientKeys,
    ) -> Result<Self, ProofFault> {
        check_length(field, rules)?;
        let parts = split(field)?;
        let (payload, signature) = (json_part(parts.payload)?, bytes(parts.signature)?);
        let claims = ProofClaims::of(&payload)?;
        let key = match keys.find(parts.header) {
            Some(known) => {
                header::check_algorithm(known.algorithm, rules)?;
                ProofKey::Known(known)
            }
            None => ProofKey::Presented(header::key(&header(parts.header)?, rules)?, parts.header.len()),
        };
        let time = claims.check(request, rules)?;
        let id = claims.id(key.thumbprint(), request);
        let signed = field.get(..parts.signed).unwrap_or_default().into();
        Ok(Self { signed, signature, key, id, time })
    }

    /// Its name among the proofs that were used, and its time: for an explanation, which does not use it up.
    pub(crate) fn name(&self) -> (&Digest, ProofTime) {
        (&self.id, self.time)
    }

    /// Verifies that the proof's key is the one with this thumbprint, and that it signed the proof.
    pub(crate) fn verify(self, jkt: &Digest, keys: &ClientKeys) -> Result<VerifiedProof, ProofFault> {
        let Self { signed, signature, key, id, time } = self;
        let key = match key {
            ProofKey::Known(known) => known,
            ProofKey::Presented(key, header) => {
                Arc::new(ClientKey::new(signed.get(..header).unwrap_or_default(), &key)?)
            }
        };
        if key.thumbprint != *jkt {
            return Err(ProofFault::WrongKey);
        }
        let proof = key.verify(&signed, &signature)?;
        keys.keep(key);
        Ok(VerifiedProof { id, time, _proof: proof })
    }
}

impl ProofKey {
    fn thumbprint(&self) -> &Digest {
        match self {
            Self::Known(known) => &known.thumbprint,
            Self::Presented(key, _) => key.thumbprint(),
        }
    }
}

impl ClientKey {
    /// Parses a presented key, by the header that presents it.
    pub(super) fn new(header: &[u8], presented: &PresentedKey) -> Result<Self, ProofFault> {
        let key = presented.import().map_err(ProofFault::key)?;
        let (algorithm, thumbprint) = (presented.algorithm(), *presented.thumbprint());
        Ok(Self { header: header.into(), algorithm, key, thumbprint })
    }

    pub(super) fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<SignatureProof, ProofFault> {
        self.key.verify(self.algorithm, signed, signature).ok_or(ProofFault::Signature)
    }
}

pub(super) fn check_length(field: &[u8], rules: &DpopRules) -> Result<(), ProofFault> {
    if field.len() > rules.max_proof_bytes {
        return Err(ProofFault::TooLarge { limit: rules.max_proof_bytes, actual: field.len() });
    }
    Ok(())
}

pub(super) fn split(field: &[u8]) -> Result<Parts<'_>, ProofFault> {
    token::split(field).map_err(|_| ProofFault::Malformed { expected: "three parts" })
}

/// Decodes a header, of a client whose key is not known.
pub(super) fn header(part: &[u8]) -> Result<Object, ProofFault> {
    let header = json_part(part)?;
    header::check_extensions(&header).map(|()| header)
}

pub(super) fn json_part(part: &[u8]) -> Result<Object, ProofFault> {
    let expected = "two parts of strict JSON objects, no member twice";
    json::object(bytes(part)?).map_err(|_| ProofFault::Malformed { expected })
}

pub(super) fn bytes(part: &[u8]) -> Result<Vec<u8>, ProofFault> {
    base64url::decode(part).ok_or(ProofFault::Malformed { expected: "parts of strict base64url" })
}
