//! The JOSE header: its members, and the rules for them (RFC 7515 section 4, RFC 8725).

use crate::{
    algorithm::Algorithm,
    check::{Actual, CheckRow, as_json, one_of},
    json::Object,
    refusal::{CheckKind, Refusal, TokenFault, Unverified},
};

/// The longest `kid` that is looked up, in bytes.
const MAX_KID_BYTES: usize = 512;

/// The header members that matter. `jwk`, `jku`, `x5u` and `x5c` are never read.
#[derive(Debug)]
pub(crate) struct Header {
    /// The header as in the token, still encoded.
    pub(crate) part: Box<[u8]>,
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Box<str>>,
    typ: Option<Box<str>>,
}

/// A check of header members: its kind, the expectation, and the function.
type MemberCheck = (CheckKind, &'static str, fn(&Object) -> Result<(), TokenFault>);

/// The checks that are made when a header is read, in order.
const MEMBER_CHECKS: [MemberCheck; 3] = [
    (CheckKind::Extensions, "no crit, no b64: false", check_extensions),
    (CheckKind::HeaderMembers, "alg, kid and typ are texts, kid of 512 bytes at most", |header| {
        Members::of(header).map(drop)
    }),
    (CheckKind::AlgorithmKnown, "an algorithm of RFC 7518, 8037, 9864 or 9964 that is not none", |header| {
        Members::of(header)?.algorithm().map(drop)
    }),
];

impl Header {
    pub(crate) fn from_object(part: &[u8], object: &Object) -> Result<Self, TokenFault> {
        check_extensions(object)?;
        let members = Members::of(object)?;
        let algorithm = members.algorithm()?;
        let Members { kid, typ, .. } = members;
        Ok(Self { part: part.into(), algorithm, kid: kid.map(Into::into), typ: typ.map(Into::into) })
    }

    /// The checks of a header with their results, for an explanation, up to the first failure.
    pub(crate) fn member_rows(object: &Object) -> Vec<CheckRow> {
        let mut rows = Vec::new();
        for (kind, expected, check) in MEMBER_CHECKS {
            let result = check(object);
            let actual = match (&result, kind) {
                (_, CheckKind::AlgorithmKnown) => Actual::claimed(object.get("alg")),
                // As JSON, since quotes tell a text from a number.
                (Err(TokenFault::Header { member, .. }), _) => {
                    Actual::Claimed(format!("{member}: {}", as_json(object.get(member))))
                }
                _ => Actual::Nothing,
            };
            let has_failed = result.is_err();
            let result = result.map_err(Refusal::Token);
            rows.push(CheckRow { kind, expected: Some(expected.to_owned()), actual, result });
            if has_failed {
                break;
            }
        }
        rows
    }
}

/// Refuses extensions, since none is supported (RFC 7515 section 4.1.11).
fn check_extensions(header: &Object) -> Result<(), TokenFault> {
    if header.contains_key("crit") {
        return Err(TokenFault::Critical);
    }
    if header.get("b64").is_some_and(|b64| b64.as_bool() != Some(true)) {
        return Err(TokenFault::Header { member: "b64", expected: "absent or true (RFC 7797 is not supported)" });
    }
    Ok(())
}

/// The members that matter, each of the right type.
struct Members<'a> {
    alg: &'a str,
    kid: Option<&'a str>,
    typ: Option<&'a str>,
}

impl<'a> Members<'a> {
    fn of(header: &'a Object) -> Result<Self, TokenFault> {
        let kid = text(header, "kid", "a string")?;
        if kid.is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(TokenFault::Header { member: "kid", expected: "at most 512 bytes long" });
        }
        let typ = text(header, "typ", "a string")?;
        let missing = || TokenFault::Header { member: "alg", expected: "present" };
        let alg = text(header, "alg", "a string")?.ok_or_else(missing)?;
        Ok(Self { alg, kid, typ })
    }

    fn algorithm(&self) -> Result<Algorithm, TokenFault> {
        Algorithm::named(self.alg).ok_or_else(|| TokenFault::Algorithm { actual: Unverified::new(self.alg) })
    }
}

fn text<'a>(object: &'a Object, member: &'static str, expected: &'static str) -> Result<Option<&'a str>, TokenFault> {
    let Some(value) = object.get(member) else { return Ok(None) };
    let Some(text) = value.as_str() else { return Err(TokenFault::Header { member, expected }) };
    Ok(Some(text))
}

/// The algorithms and types of accepted tokens.
#[derive(Debug, Clone)]
pub(crate) struct HeaderRules {
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) types: Types,
}

/// The `typ` values that are accepted, in any case and with or without the `application/` prefix
/// (RFC 7515 section 4.1.9).
#[derive(Debug, Clone)]
pub(crate) struct Types {
    pub(crate) accepted: Vec<String>,
    pub(crate) absent: bool,
}

impl HeaderRules {
    pub(crate) fn check(&self, header: &Header) -> Result<(), Refusal> {
        self.check_algorithm(header)?;
        self.check_type(header)
    }

    pub(crate) fn check_algorithm(&self, header: &Header) -> Result<(), Refusal> {
        if self.algorithms.contains(&header.algorithm) {
            return Ok(());
        }
        Err(Refusal::Token(TokenFault::Algorithm { actual: Unverified::new(header.algorithm.name()) }))
    }

    /// Both rules with their results, for an explanation.
    pub(crate) fn rows(&self, header: &Header) -> [CheckRow; 2] {
        let names: Vec<_> = self.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        let algorithm = CheckRow {
            kind: CheckKind::AlgorithmAllowed,
            expected: Some(one_of(&names)),
            actual: Actual::Claimed(header.algorithm.name().to_owned()),
            result: self.check_algorithm(header),
        };
        let typ = CheckRow {
            kind: CheckKind::Type,
            expected: Some(one_of(&self.types.names())),
            actual: Actual::Claimed(header.typ.as_deref().unwrap_or("not there").to_owned()),
            result: self.check_type(header),
        };
        [algorithm, typ]
    }

    fn check_type(&self, header: &Header) -> Result<(), Refusal> {
        if self.types.accept(header.typ.as_deref()) {
            return Ok(());
        }
        Err(Refusal::Token(TokenFault::Type { actual: Unverified::new(header.typ.as_deref().unwrap_or_default()) }))
    }
}

impl Types {
    /// The accepted types, in words.
    fn names(&self) -> Vec<&str> {
        self.accepted.iter().map(String::as_str).chain(self.absent.then_some("none")).collect()
    }

    fn accept(&self, typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return self.absent };
        // Nearly always the two are the same to the letter.
        self.accepted.iter().any(|accepted| accepted == typ)
            || self.accepted.iter().any(|accepted| are_same_type(accepted, typ))
    }
}

/// Tells whether two `typ` values name the same type: in any case, with or without the prefix `application/` (RFC 7515
/// section 4.1.9).
pub(crate) fn are_same_type(one: &str, other: &str) -> bool {
    without_prefix(one).eq_ignore_ascii_case(without_prefix(other))
}

/// Removes the prefix `application/`, which is optional if the type has no other slash.
fn without_prefix(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => rest,
        _ => typ,
    }
}
