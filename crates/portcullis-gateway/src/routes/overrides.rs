//! Methods and paths in header fields that override those of the request line.

/// The fields by which clients override the method; `-` stands for any punctuation.
const METHOD: &[&str] = &["x-http-method-override", "x-method-override", "x-http-method"];

/// The fields that override the path on some servers (IIS, and frameworks that know it).
const PATH: &[&str] = &["x-original-url", "x-rewrite-url"];

/// The length of the shortest name above.
const SHORTEST: usize = "x-http-method".len();

/// The method and path by which header fields override the request line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overrides<'a> {
    pub(super) method: Override<'a>,
    pub(super) path: Override<'a>,
}

/// The override of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Override<'a> {
    /// Nothing.
    None,
    /// One field.
    Once(&'a [u8]),
    /// Several fields.
    Repeated,
}

impl<'a> Overrides<'a> {
    /// No override.
    pub const NOTHING: Self = Self { method: Override::None, path: Override::None };

    /// Returns true if a field overrides the path.
    pub(crate) fn has_path(self) -> bool {
        self.path != Override::None
    }

    /// Adds a header field, if it is an overriding one.
    pub fn and(self, name: &str, value: &'a [u8]) -> Self {
        // Nearly all names differ in their first bytes.
        match matches!(name.as_bytes().first(), Some(b'x' | b'X')) && name.len() >= SHORTEST {
            true if is_one_of(METHOD, name) => Self { method: self.method.and(value), ..self },
            true if is_one_of(PATH, name) => Self { path: self.path.and(value), ..self },
            _ => self,
        }
    }
}

impl<'a> Override<'a> {
    fn and(self, value: &'a [u8]) -> Self {
        if self == Self::None { Self::Once(value) } else { Self::Repeated }
    }

    /// Returns the text, if there is one; an error if there are several, or one that is no text.
    pub(super) fn text(self) -> Result<Option<&'a str>, ()> {
        match self {
            Self::None => Ok(None),
            Self::Once(value) => std::str::from_utf8(value).map(|text| Some(text.trim())).map_err(drop),
            Self::Repeated => Err(()),
        }
    }
}

/// Returns true if a name is one of these; servers that make variables of names read any punctuation as `-`.
fn is_one_of(fields: &[&str], name: &str) -> bool {
    let same = |(one, other): (u8, u8)| one.eq_ignore_ascii_case(&other) || (other == b'-' && is_mark(one));
    fields.iter().any(|field| field.len() == name.len() && name.bytes().zip(field.bytes()).all(same))
}

fn is_mark(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}
