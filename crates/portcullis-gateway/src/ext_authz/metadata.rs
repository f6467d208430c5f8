//! Claims as dynamic metadata, for other filters of Envoy: under `claims`, in the filter's own name space.

use envoy_types::pb::google::protobuf::{ListValue, Struct, Value, value::Kind};
use portcullis::{Access, Claims};
use prost::Message;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// The claims of a token that passed, encoded; made at most twice for a cached token.
#[derive(Clone)]
pub(super) struct Encoded(Claims<Metadata>);

/// A `google.protobuf.Struct`, encoded.
struct Metadata(Vec<u8>);

impl Encoded {
    /// Returns those of this token; none if they cannot be read again, which cannot happen.
    pub(super) fn of(access: &Access) -> Option<Self> {
        access.token().typed::<Metadata>().ok().map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0.0
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
