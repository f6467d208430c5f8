//! The request of a token: its line, and the evidence that its client holds the keys that the token is bound to.

use portcullis::{ClientCertificate, Content};

/// The line of a request, by its method and its path or URL.
pub(crate) struct Line {
    pub(crate) method: String,
    /// The path and query.
    pub(crate) target: String,
    /// Scheme, and host with port; none of a path.
    origin: Option<(String, String)>,
}

impl Line {
    /// Reads a path, which stays as it is, or a URL.
    pub(crate) fn new(method: &str, path_or_url: &str) -> Self {
        let method = method.to_owned();
        let url = path_or_url.split_once("://").filter(|_| !path_or_url.starts_with('/'));
        let Some((scheme, rest)) = url else { return Self { method, target: path_or_url.to_owned(), origin: None } };
        // A client does not send the fragment.
        let rest = rest.split('#').next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Self { method, target, origin: Some((scheme.to_ascii_lowercase(), host.to_owned())) }
    }

    /// Returns the content: it is not known, but for the methods that mostly have none.
    pub(super) fn content(&self) -> Content<'static> {
        match self.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" | "DELETE" => Content::Whole(&[]),
            _ => Content::Unseen,
        }
    }

    pub(super) fn scheme(&self) -> Option<&str> {
        self.origin.as_ref().map(|(scheme, _)| scheme.as_str())
    }

    /// Returns the host, with its port if the URL has one.
    pub(super) fn host(&self) -> Option<&str> {
        self.origin.as_ref().map(|(_, host)| host.as_str())
    }
}

/// The credentials of a request. They are never shown.
pub(crate) struct Credentials {
    /// The value of the `Authorization` field.
    authorization: Vec<u8>,
    /// The value of the `DPoP` field.
    proof: Option<Vec<u8>>,
    pub(super) certificate: Option<ClientCertificate>,
}

impl Credentials {
    /// Takes a token, and perhaps a proof, with the text that people copy along with them.
    ///
    /// The scheme is the one before the token; else `DPoP` beside a proof, and `Bearer` without.
    pub(crate) fn new(token: &[u8], proof: Option<&[u8]>, certificate: Option<ClientCertificate>) -> Self {
        let proof = proof.map(|proof| without("DPoP:", proof.trim_ascii())).filter(|proof| !proof.is_empty());
        let token = without("Authorization:", token.trim_ascii());
        let named = ["Bearer", "DPoP"].into_iter().find(|scheme| without(&format!("{scheme} "), token) != token);
        let scheme = named.unwrap_or(if proof.is_some() { "DPoP" } else { "Bearer" });
        let token = without(&format!("{scheme} "), token);
        let authorization = [scheme.as_bytes(), b" ", token].concat();
        Self { authorization, proof: proof.map(<[u8]>::to_vec), certificate }
    }

    pub(crate) fn has_proof(&self) -> bool {
        self.proof.is_some()
    }

    /// Returns the token alone, as a bearer token: without a request, no proof can be judged.
    pub(super) fn bearer_field(&self) -> Vec<u8> {
        let token = self.authorization.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default();
        [b"Bearer ", token].concat()
    }

    /// Returns the header fields.
    pub(super) fn fields(&self) -> Vec<(&'static str, &[u8])> {
        let authorization = ("authorization", self.authorization.as_slice());
        std::iter::once(authorization).chain(self.proof.as_deref().map(|proof| ("dpop", proof))).collect()
    }
}

/// Returns a text without this prefix, in any case, and without the white space behind it.
fn without<'a>(prefix: &str, text: &'a [u8]) -> &'a [u8] {
    match text.split_at_checked(prefix.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(prefix.as_bytes()) => rest.trim_ascii(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_copied_along_is_cut() {
        let bearer = ["a.b.c", " a.b.c\r\n", "Bearer a.b.c", "bearer  a.b.c", "Authorization: Bearer a.b.c\n"];
        for given in bearer {
            assert_eq!(Credentials::new(given.as_bytes(), None, None).authorization, b"Bearer a.b.c", "{given:?}");
        }
        for given in ["Basic a.b.c", "Bearer", "\"a.b.c\"", ""] {
            let expected = format!("Bearer {given}");
            assert_eq!(Credentials::new(given.as_bytes(), None, None).authorization, expected.as_bytes(), "{given:?}");
        }
    }

    #[test]
    fn the_scheme_is_the_named_one_or_depends_on_the_proof() {
        let table = [
            ("a.b.c", Some("p.q.r"), "DPoP a.b.c", Some("p.q.r")),
            ("a.b.c", Some(" dpop: p.q.r\n"), "DPoP a.b.c", Some("p.q.r")),
            ("Authorization: DPoP a.b.c", Some("p.q.r"), "DPoP a.b.c", Some("p.q.r")),
            ("Bearer a.b.c", Some("p.q.r"), "Bearer a.b.c", Some("p.q.r")),
            ("dpop a.b.c", None, "DPoP a.b.c", None),
            ("a.b.c", Some(" "), "Bearer a.b.c", None),
        ];
        for (token, given, authorization, proof) in table {
            let credentials = Credentials::new(token.as_bytes(), given.map(str::as_bytes), None);
            assert_eq!(credentials.authorization, authorization.as_bytes(), "{token:?} {given:?}");
            assert_eq!(credentials.proof.as_deref(), proof.map(str::as_bytes), "{token:?} {given:?}");
        }
    }

    #[test]
    fn a_line_is_of_a_path_or_a_url() {
        let table = [
            ("/a?b#c", "/a?b#c", None),
            ("/a?b=https://c/", "/a?b=https://c/", None),
            ("https://a.example/b?c#d", "/b?c", Some(("https", "a.example"))),
            ("HTTP://A.example:8080", "/", Some(("http", "A.example:8080"))),
            ("https://a.example?b=/c", "/?b=/c", Some(("https", "a.example"))),
            ("a/b", "a/b", None),
        ];
        for (given, target, origin) in table {
            let line = Line::new("GET", given);
            assert_eq!((line.target.as_str(), line.scheme().zip(line.host())), (target, origin), "{given}");
        }
    }
}
