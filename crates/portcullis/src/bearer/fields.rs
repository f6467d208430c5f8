//! The header fields of a request, in any framework: [`HeaderFields`].

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::refusal::{Refusal, RequestFault};

/// The header fields of a request, as a framework keeps them.
///
/// Implemented for [`http::HeaderMap`], for arrays, vectors and slices of pairs of a name (compared without regard to
/// case, RFC 9110 section 5.1) and a value, and for references to any implementor. Nothing is copied.
///
/// # Example
///
/// ```
/// use http::header::AUTHORIZATION;
/// use portcullis::HeaderFields;
///
/// let fields: [(&str, &[u8]); 1] = [("Authorization", b"Bearer abc")];
/// let mut count = 0;
/// fields.each(&AUTHORIZATION, &mut |value| {
///     assert_eq!(value, b"Bearer abc");
///     count += 1;
/// });
/// assert_eq!(count, 1);
/// ```
pub trait HeaderFields: Sync {
    /// Visits the value of each field of this name, in the order of the request.
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8]));

    /// The values of the first two fields of this name, which tell whether it occurs at all, and only once.
    ///
    /// The default asks [`each`](Self::each); an implementor that looks names up can be faster.
    fn first_two<'a>(&'a self, name: &HeaderName) -> [Option<&'a [u8]>; 2] {
        let mut found = [None; 2];
        self.each(name, &mut |value| {
            if let Some(free) = found.iter_mut().find(|place| place.is_none()) {
                *free = Some(value);
            }
        });
        found
    }
}

impl HeaderFields for HeaderMap {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        self.get_all(name).iter().map(HeaderValue::as_bytes).for_each(visit);
    }

    fn first_two<'a>(&'a self, name: &HeaderName) -> [Option<&'a [u8]>; 2] {
        let mut values = self.get_all(name).iter().map(HeaderValue::as_bytes);
        [values.next(), values.next()]
    }
}

impl<const N: usize> HeaderFields for [(&str, &[u8]); N] {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        self.as_slice().each(name, visit);
    }
}

impl HeaderFields for Vec<(&str, &[u8])> {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        self.as_slice().each(name, visit);
    }
}

/// Compared without regard to case (RFC 9110 section 5.1).
impl HeaderFields for [(&str, &[u8])] {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        let of_name = self.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_str()));
        of_name.map(|(_, value)| *value).for_each(visit);
    }
}

impl<T: HeaderFields + ?Sized> HeaderFields for &T {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        (**self).each(name, visit);
    }

    fn first_two<'a>(&'a self, name: &HeaderName) -> [Option<&'a [u8]>; 2] {
        (**self).first_two(name)
    }
}

/// The value of the only field of this name.
pub(super) fn only<'a>(fields: &'a dyn HeaderFields, name: &HeaderName) -> Result<&'a [u8], Refusal> {
    match fields.first_two(name) {
        [Some(value), None] => Ok(value),
        [None, _] => Err(Refusal::Request(RequestFault::NoCredentials)),
        _ => Err(Refusal::Request(RequestFault::SeveralTokens)),
    }
}

/// A value that may occur only once.
#[derive(Default)]
pub(super) struct Only<'a> {
    value: Option<&'a [u8]>,
    several: bool,
}

impl<'a> Only<'a> {
    pub(super) fn take(&mut self, value: &'a [u8]) {
        self.several |= self.value.is_some();
        self.value = Some(value);
    }

    pub(super) fn value(self) -> Result<&'a [u8], Refusal> {
        match self.value {
            _ if self.several => Err(Refusal::Request(RequestFault::SeveralTokens)),
            None => Err(Refusal::Request(RequestFault::NoCredentials)),
            Some(value) => Ok(value),
        }
    }
}
