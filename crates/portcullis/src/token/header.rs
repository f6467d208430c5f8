//! The JOSE header: what is read of it, and what it must say (RFC 7515 section 4, RFC 8725).

use crate::{
    algorithm::Algorithm,
    json::Object,
    refusal::{Refusal, TokenFault, Unverified},
};

/// The longest `kid` that is looked up, in bytes.
const MAX_KID_BYTES: usize = 512;

/// The header members that matter. `jwk`, `jku`, `x5u` and `x5c` are never read.
#[derive(Debug)]
pub(crate) struct Header {
    /// As it stands in the token, still encoded.
    pub(crate) part: Box<[u8]>,
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Box<str>>,
    typ: Option<Box<str>>,
}

impl Header {
    pub(crate) fn from_object(part: &[u8], object: &Object) -> Result<Self, TokenFault> {
        if object.contains_key("crit") {
            return Err(TokenFault::Critical);
        }
        if object.get("b64").is_some_and(|b64| b64.as_bool() != Some(true)) {
            return Err(TokenFault::Header { member: "b64", expected: "absent or true (RFC 7797 is not supported)" });
        }
        let kid = text(object, "kid", "a string")?;
        if kid.is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(TokenFault::Header { member: "kid", expected: "at most 512 bytes long" });
        }
        let typ = text(object, "typ", "a string")?;
        let missing = || TokenFault::Header { member: "alg", expected: "present" };
        let name = text(object, "alg", "a string")?.ok_or_else(missing)?;
        let algorithm =
            Algorithm::named(name).ok_or_else(|| TokenFault::Algorithm { actual: Unverified::new(name) })?;
        Ok(Self { part: part.into(), algorithm, kid: kid.map(Into::into), typ: typ.map(Into::into) })
    }
}

fn text<'a>(object: &'a Object, member: &'static str, expected: &'static str) -> Result<Option<&'a str>, TokenFault> {
    let Some(value) = object.get(member) else { return Ok(None) };
    let Some(text) = value.as_str() else { return Err(TokenFault::Header { member, expected }) };
    Ok(Some(text))
}

/// Which algorithms and types of token are accepted.
#[derive(Debug, Clone)]
pub(crate) struct HeaderRules {
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) types: Types,
}

/// Which `typ` values are accepted, in any case and with or without the `application/` prefix
/// (RFC 7515 section 4.1.9).
#[derive(Debug, Clone)]
pub(crate) struct Types {
    pub(crate) accepted: Vec<String>,
    pub(crate) absent: bool,
}

impl Default for HeaderRules {
    fn default() -> Self {
        let types = Types { accepted: vec!["JWT".into(), "at+jwt".into()], absent: true };
        Self { algorithms: Algorithm::ASYMMETRIC.to_vec(), types }
    }
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

    pub(crate) fn check_type(&self, header: &Header) -> Result<(), Refusal> {
        if self.types.accept(header.typ.as_deref()) {
            return Ok(());
        }
        Err(Refusal::Token(TokenFault::Type { actual: Unverified::new(header.typ.as_deref().unwrap_or_default()) }))
    }
}

impl Types {
    /// The types that pass, for people.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.accepted.iter().map(String::as_str).chain(self.absent.then_some("none")).collect()
    }

    fn accept(&self, typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return self.absent };
        let typ = without_prefix(typ);
        self.accepted.iter().any(|accepted| without_prefix(accepted).eq_ignore_ascii_case(typ))
    }
}

/// `application/` may be left out where no other slash stands in the type.
fn without_prefix(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => rest,
        _ => typ,
    }
}
