//! Claims as dynamic metadata, for other filters of Envoy: under `claims`, below the filter's own name space.

use envoy_types::pb::google::protobuf::{ListValue, Struct, Value, value::Kind};
use portcullis::{Access, json};

/// The claims of a token that passed.
pub(super) fn of(access: &Access) -> Struct {
    let claims = value(access.claims().root());
    Struct { fields: [("claims".to_owned(), claims)].into() }
}

fn value(claim: json::Value<'_>) -> Value {
    Value { kind: Some(kind(claim)) }
}

/// Numbers are floats there: beyond 2^53 they lose digits, as in JavaScript.
fn kind(claim: json::Value<'_>) -> Kind {
    if let Some(text) = claim.as_str() {
        return Kind::StringValue(text.to_owned());
    }
    if let Some(truth) = claim.as_bool() {
        return Kind::BoolValue(truth);
    }
    if claim.is_array() {
        return Kind::ListValue(ListValue { values: claim.elements().map(value).collect() });
    }
    if claim.is_object() {
        let fields = claim.members().map(|(name, member)| (name.to_owned(), value(member))).collect();
        return Kind::StructValue(Struct { fields });
    }
    match claim.as_f64() {
        Some(number) => Kind::NumberValue(number),
        None => Kind::NullValue(0),
    }
}
