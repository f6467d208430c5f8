//! Texts that are read and refused, by this reader and by another strict one.

mod oracle;

use proptest::prelude::*;
use serde_json::json;

use super::{parse::MAX_DEPTH, *};
use crate::refusal::{JsonFault, MemberName};

/// The fault of some duplicate member.
fn twice() -> JsonFault {
    JsonFault::DuplicateMember { name: MemberName::new(""), is_within: false }
}

/// Tells whether two faults are of one kind, with any member named.
fn alike(one: Option<&JsonFault>, other: Option<&JsonFault>) -> bool {
    one.map(std::mem::discriminant) == other.map(std::mem::discriminant)
}

fn fault(text: &[u8]) -> Option<JsonFault> {
    object(text.to_vec()).err()
}

#[test]
fn only_unambiguous_objects_are_read() {
    let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let (deepest, too_deep, very_deep) = (nested(MAX_DEPTH), nested(MAX_DEPTH + 1), nested(100_000));
    let table: &[(&[u8], Option<JsonFault>)] = &[
        (br#"{"a":1,"b":[1.5,-2,null,true,"x"],"c":{"a":1}}"#, None),
        (b" {} ", None),
        (deepest.as_bytes(), None),
        (too_deep.as_bytes(), Some(JsonFault::TooDeep)),
        (very_deep.as_bytes(), Some(JsonFault::TooDeep)),
        (br#"{"a":1,"a":1}"#, Some(twice())),
        (br#"{"a":1,"\u0061":2}"#, Some(twice())),
        (br#"{"\u0061":1,"\u0061":2}"#, Some(twice())),
        (br#"{"a":{"b":1,"b":2}}"#, Some(twice())),
        (br#"{"a":[{"b":1,"b":2}]}"#, Some(twice())),
        (br#"{"a":{"b":1},"c":{"b":1},"b":{"a":1}}"#, None),
        (br#"{"a":{"b":1},"c":1,"a":2}"#, Some(twice())),
        (br#"{"":1,"":1}"#, Some(twice())),
        (b"[]", Some(JsonFault::NotAnObject)),
        (b"\"{}\"", Some(JsonFault::NotAnObject)),
        (b"1", Some(JsonFault::NotAnObject)),
        (b"null", Some(JsonFault::NotAnObject)),
        (b"", Some(JsonFault::Syntax)),
        (b"{} {}", Some(JsonFault::Syntax)),
        (b"{}\0", Some(JsonFault::Syntax)),
        (b"{\"a\":1e400}", Some(JsonFault::Syntax)),
        (b"{\"a\":NaN}", Some(JsonFault::Syntax)),
        (b"{\"a\":01}", Some(JsonFault::Syntax)),
        (b"{\"a\":1,}", Some(JsonFault::Syntax)),
        (b"{'a':1}", Some(JsonFault::Syntax)),
        (b"\xef\xbb\xbf{}", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\xff\"}", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\xed\xa0\x80\"}", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\xc0\x80\"}", Some(JsonFault::Syntax)),
        (b"{\"a\xff\":1}", Some(JsonFault::Syntax)),
        (b"{}\xff", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\\ud800\"}", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\n\"}", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\\\"}", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\\x\"}", Some(JsonFault::Syntax)),
        (b"{\"a\":\"\\\\\",\"b\":\"\\\"\"}", None),
        (b"{\"a\":\"\\ud83d\\ude00\"}", None),
        (b"\t{ \"a\" :\r\n1 , \"b\" : [ ] }\n", None),
        (b"{\"a\":1\x0c}", Some(JsonFault::Syntax)),
        (b"{\"a\"1}", Some(JsonFault::Syntax)),
        (b"{\"a\":}", Some(JsonFault::Syntax)),
        (b"{a:1}", Some(JsonFault::Syntax)),
        (b"{,}", Some(JsonFault::Syntax)),
        (b"{\"a\":[,]}", Some(JsonFault::Syntax)),
        (b"{\"a\":[1,]}", Some(JsonFault::Syntax)),
        (b"{\"a\":[1 2]}", Some(JsonFault::Syntax)),
        (b"{\"a\":[1}", Some(JsonFault::Syntax)),
        (b"{\"a\":tru}", Some(JsonFault::Syntax)),
        (b"{\"a\":nullx}", Some(JsonFault::Syntax)),
        (b"{\"a\":True}", Some(JsonFault::Syntax)),
        (b"{\"a\":-0,\"b\":0,\"c\":-0.0,\"d\":0e1}", None),
        (b"{\"a\":1e5,\"b\":1E+5,\"c\":1.5e-5}", None),
        (b"{\"a\":999999999999999999,\"b\":18446744073709551615,\"c\":18446744073709551616}", None),
        (b"{\"a\":+1}", Some(JsonFault::Syntax)),
        (b"{\"a\":.5}", Some(JsonFault::Syntax)),
        (b"{\"a\":1.}", Some(JsonFault::Syntax)),
        (b"{\"a\":1e}", Some(JsonFault::Syntax)),
        (b"{\"a\":-}", Some(JsonFault::Syntax)),
        (b"{\"a\":--1}", Some(JsonFault::Syntax)),
        (b"{\"a\":1-1}", Some(JsonFault::Syntax)),
        (b"{\"a\":0x1}", Some(JsonFault::Syntax)),
        (b"{\"a\":00}", Some(JsonFault::Syntax)),
        (b"{\"a\":1}}", Some(JsonFault::Syntax)),
        (b"{\"a\":1", Some(JsonFault::Syntax)),
        (b"{\"a", Some(JsonFault::Syntax)),
    ];
    for (text, expected) in table {
        let (ours, oracles) = (fault(text), oracle::object(text).err());
        let text = String::from_utf8_lossy(text);
        assert!(alike(ours.as_ref(), expected.as_ref()), "{text:.60}: {ours:?}");
        assert!(alike(oracles.as_ref(), expected.as_ref()), "the oracle on {text:.60}: {oracles:?}");
    }
}

#[test]
fn the_member_that_stands_twice_is_named_and_nothing_that_it_says() {
    let many: String = (0..100).map(|n| format!("\"n{n}\":{n},")).collect();
    let of = |members: &str| fault(format!("{{{members}}}").as_bytes()).unwrap().to_string();
    let table = [
        (r#""sub":"x","sub":"y""#.to_owned(), "`sub` twice"),
        (r#""a":{"sub":1},"sub":"x","b":[],"sub":"y""#.to_owned(), "`sub` twice"),
        (r#""a":1,"\u0061":2"#.to_owned(), "`a` twice"),
        (format!(r#"{many}"n7":8"#), "`n7` twice"),
        (format!(r#"{many}"o":{{"x":1,"x":2}}"#), "within `o`"),
        (format!(r#""o":[{{{many}"n7":8}}]"#), "within `o`"),
        // Names in nested objects may be data.
        (
            r#""iss":1,"realm_access":{"a":[{"alice@example.com":1,"alice@example.com":1}]}"#.to_owned(),
            "within `realm_access`",
        ),
        (format!(r#""{0}":1,"{0}":2"#, "x".repeat(100)), "x…`"),
        (r#""a`\u001b[31m\u202e":1,"a`\u001b[31m\u202e":2"#.to_owned(), "`a'\u{fffd}[31m\u{fffd}`"),
        (r#""":1,"":2"#.to_owned(), "``"),
    ];
    for (members, expected) in table {
        let text = of(&members);
        assert!(text.contains(expected) && text.len() < 150 && !text.contains("alice"), "{members:.60}: {text}");
    }
}

#[test]
fn a_name_that_stands_twice_is_found_among_many() {
    let names = |count: usize| (0..count).map(|n| format!("\"n{n}\":{n}")).collect::<Vec<_>>();
    for count in [1, 31, 32, 33, 34, 2_000] {
        assert_eq!(fault(format!("{{{}}}", names(count).join(",")).as_bytes()), None, "{count}");
        for twice in [0, count / 2, count - 1] {
            let mut names = names(count);
            names.push(format!("\"n{twice}\":0"));
            let text = format!("{{\"o\":{{{}}}}}", names.join(","));
            assert!(alike(fault(text.as_bytes()).as_ref(), Some(&self::twice())), "{twice} of {count}");
        }
    }
}

#[test]
fn every_kind_of_value_is_seen_as_what_it_is() {
    let text = r#"{"s":"x","e":"\u00e9\n","n":null,"t":true,"f":false,"u":18446744073709551615,"i":-9223372036854775808,
        "d":2.5,"x":1e3,"a":[1,[2],{"b":3}],"o":{"b":[4],"c":5},"\u0061b":6}"#;
    let read = object(text.as_bytes().to_vec()).unwrap();
    let get = |name: &str| read.get(name).unwrap();
    assert_eq!((get("s").as_str(), get("e").as_str()), (Some("x"), Some("é\n")));
    assert_eq!((get("t").as_bool(), get("f").as_bool(), get("n").as_bool()), (Some(true), Some(false), None));
    assert_eq!((get("u").as_u64(), get("u").as_i64()), (Some(u64::MAX), None));
    assert_eq!((get("i").as_i64(), get("i").as_u64()), (Some(i64::MIN), None));
    assert_eq!((get("d").as_f64(), get("x").as_f64(), get("x").as_u64()), (Some(2.5), Some(1000.0), None));
    assert!(get("n").is_null() && get("a").is_array() && get("o").is_object() && !get("s").is_null());
    assert_eq!(get("a").elements().map(|element| element.to_string()).collect::<Vec<_>>(), ["1", "[2]", "{\"b\":3}"]);
    assert_eq!(get("o").members().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(get("o").get("c").and_then(Value::as_u64), Some(5));
    assert_eq!((get("s").elements().count(), get("a").members().count(), get("o").elements().count()), (0, 0, 0));
    assert_eq!((get("ab").as_u64(), read.get("\\u0061b").is_none()), (Some(6), true));
    assert_eq!((read.len(), read.is_empty(), read.text()), (12, false, text));
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
    assert_eq!(format!("{read:?}"), "Object([redacted])");
}

#[test]
fn a_value_is_written_with_its_numbers_as_they_were() {
    let text =
        r#"{"a":[12345678901234567890123,1.10,-0,1E3],"b":{"c\"\n":"é\u0001"},"d":null,"e":[],"f":[true,false,{}]}"#;
    assert_eq!(object(text.as_bytes().to_vec()).unwrap().root().to_string(), text);
}

#[test]
fn a_member_that_is_named_like_a_number_is_a_member() {
    for text in
        [r#"{"exp":{"$serde_json::private::Number":"5"}}"#, r#"{"exp":{"a":1,"$serde_json::private::Number":"5"}}"#]
    {
        assert!(object(text.as_bytes().to_vec()).unwrap().get("exp").unwrap().is_object(), "{text}");
    }
}

/// JSON of any shape, often with duplicate names.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::btree_map("[a-c\\\\\"é]{0,2}", inner, 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_read_is_what_the_oracle_reads(members in prop::collection::btree_map(any::<String>(), any_json(), 0..40)) {
        let text = serde_json::to_string(&members).unwrap();
        let (ours, theirs) = (object(text.clone().into_bytes()).unwrap(), oracle::object(text.as_bytes()).unwrap());
        prop_assert_eq!(ours.root().to_json(), serde_json::Value::Object(theirs.clone()));
        let typed: serde_json::Value = serde::Deserialize::deserialize(ours.root()).unwrap();
        prop_assert_eq!(typed, ours.root().to_json());
        prop_assert_eq!(serde_json::to_value(&ours).unwrap(), ours.root().to_json());
        for (name, value) in &theirs {
            prop_assert_eq!(&ours.get(name).unwrap().to_json(), value);
        }
    }

    #[test]
    fn what_is_refused_is_what_the_oracle_refuses(
        json in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>(), insert in any::<bool>(),
    ) {
        let mut text = json!({ "a": json, "b": { "a": 1, "b": "\u{e9}" } }).to_string().into_bytes();
        let at = at.index(text.len());
        if insert { text.insert(at, byte) } else { text[at] = byte }
        let (ours, theirs) = (object(text.clone()), oracle::object(&text));
        let (one, other) = (ours.as_ref().err(), theirs.as_ref().err());
        prop_assert!(alike(one, other), "{one:?} {other:?}: {}", String::from_utf8_lossy(&text));
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.root().to_json(), serde_json::Value::Object(theirs));
        }
    }
}
