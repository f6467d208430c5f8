//! Dynamic metadata for other filters of Envoy, in the filter's own name space: `claims` of a token that passed, `anonymous` for a
//! request that passed without a token, `code` and `challenge` of a refusal.

use envoy_types::pb::google::protobuf::{ListValue, Struct, Value, value::Kind};
use portcullis::{Access, Claims};
use prost::Message;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// Encoded metadata.
#[derive(Clone)]
pub(super) enum Encoded {
    /// The claims of a token that passed, made at most twice for a cached token.
    Claims(Claims<Metadata>),
    /// Those of a request without an accepted token.
    Other(Vec<u8>),
}

/// A `google.protobuf.Struct`, encoded.
pub(super) struct Metadata(Vec<u8>);

impl Encoded {
    /// Returns those of this token; none if they cannot be read again, which cannot happen.
    pub(super) fn of(access: &Access) -> Option<Self> {
        access.token().typed::<Metadata>().ok().map(Self::Claims)
    }

    /// Returns those of a request that passed without a token.
    pub(super) fn anonymous() -> Self {
        Self::of_fields([("anonymous", Kind::BoolValue(true))])
    }

    /// Returns those of a refusal with this code, and with this challenge if it has one.
    pub(super) fn of_refusal(code: &str, challenge: Option<&str>) -> Self {
        let challenge = challenge.map(|challenge| ("challenge", Kind::StringValue(challenge.to_owned())));
        Self::of_fields([("code", Kind::StringValue(code.to_owned()))].into_iter().chain(challenge))
    }

    fn of_fields(fields: impl IntoIterator<Item = (&'static str, Kind)>) -> Self {
        let fields = fields.into_iter().map(|(name, kind)| (name.to_owned(), Value { kind: Some(kind) })).collect();
        Self::Other(Struct { fields }.encode_to_vec())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Claims(claims) => &claims.0,
            Self::Other(bytes) => bytes,
        }
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let claims = value(Json::deserialize(deserializer)?);
        Ok(Self(Struct { fields: [("claims".to_owned(), claims)].into() }.encode_to_vec()))
    }
}

/// Numbers are floats there: beyond 2^53 they lose digits, as in JavaScript.
fn value(claim: Json) -> Value {
    let kind = match claim {
        Json::Null => Kind::NullValue(0),
        Json::Bool(truth) => Kind::BoolValue(truth),
        Json::Number(number) => number.as_f64().map_or(Kind::NullValue(0), Kind::NumberValue),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(elements) => Kind::ListValue(ListValue { values: elements.into_iter().map(value).collect() }),
        Json::Object(members) => Kind::StructValue(Struct {
            fields: members.into_iter().map(|(name, claim)| (name, value(claim))).collect(),
        }),
    };
    Value { kind: Some(kind) }
}
