//! Changes of a token or a proof, as data: [`Changes`].

use napi::Result;
use portcullis_testkit::{ProofBuilder, TokenBuilder};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::options::seconds;

/// The changes of a good token.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Changes {
    claims: Part,
    header: Part,
    /// The time until the token expires, in seconds; a negative one since it expired.
    expires_in: Option<f64>,
}

/// A part of a JWT: members to set and to leave out, or the whole text, valid or not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Text(String),
    Members {
        set: Map<String, Value>,
        #[serde(rename = "without")]
        left_out: Vec<String>,
    },
}

impl Default for Part {
    fn default() -> Self {
        Self::Members { set: Map::new(), left_out: Vec::new() }
    }
}

impl Changes {
    /// Changes a good token.
    pub(crate) fn of_token(self, mut token: TokenBuilder) -> Result<TokenBuilder> {
        token = match self.expires_in {
            Some(past) if past < 0.0 => token.expired_for(seconds("expiresIn", -past)?),
            Some(future) => token.expires_in(seconds("expiresIn", future)?),
            None => token,
        };
        token = match self.claims {
            Part::Text(text) => token.claims_json(&text),
            Part::Members { set, left_out } => {
                let token = set.into_iter().fold(token, |token, (name, value)| token.claim(name, value));
                left_out.iter().fold(token, |token, name| token.without_claim(name))
            }
        };
        Ok(match self.header {
            Part::Text(text) => token.header_json(&text),
            Part::Members { set, left_out } => {
                let token = set.into_iter().fold(token, |token, (name, value)| token.header(name, value));
                left_out.iter().fold(token, |token, name| token.without_header(name))
            }
        })
    }

    /// Changes a good proof, of which a text replaces nothing.
    pub(crate) fn of_proof(self, mut proof: ProofBuilder) -> ProofBuilder {
        if let Part::Members { set, left_out } = self.claims {
            proof = set.into_iter().fold(proof, |proof, (name, value)| proof.claim(name, value));
            proof = left_out.iter().fold(proof, |proof, name| proof.without_claim(name));
        }
        if let Part::Members { set, left_out } = self.header {
            proof = set.into_iter().fold(proof, |proof, (name, value)| proof.header(name, value));
            proof = left_out.iter().fold(proof, |proof, name| proof.without_header(name));
        }
        proof
    }
}
