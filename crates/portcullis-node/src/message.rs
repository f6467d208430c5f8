//! A request from JavaScript with all parts that may count: [`Message`].

use std::{net::IpAddr, time::SystemTime};

use http::{HeaderName, header::AUTHORIZATION};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use portcullis::{
    Admitted, ClientAddress, ClientAuthority, ClientCertificate, Content, Explanation, HeaderFields, Judging,
    Presented, Secure,
};

use crate::request::Request;

/// A request: its token, the certificate of its sender, and the parts that tell the operation of an MCP server.
#[napi(object, object_to_js = false)]
pub struct Message {
    /// The `Authorization` field.
    pub authorization: Option<String>,
    /// True if there is more than one.
    pub several: bool,
    /// The method; empty if it is unknown.
    pub method: String,
    /// The target: path and query, or a URL; empty if it is unknown.
    pub target: Option<String>,
    /// The header fields: name, value, name, value…
    pub fields: Vec<String>,
    /// The host and port of the client's URL, if they are not those of the field `Host`; empty if they are unknown.
    pub authority: Option<String>,
    /// The scheme of the client's URL, if it is known.
    pub scheme: Option<String>,
    /// The client's address, which keeps clients apart at an introspection endpoint.
    pub client: Option<String>,
    /// The client's certificate, in DER.
    pub client_certificate: Option<Uint8Array>,
    /// All of the content; absent if it is not seen.
    pub content: Option<Uint8Array>,
    /// In place of a content: `too_large` for one above the limit, `cut_off` for one that ended too early.
    pub lost: Option<String>,
}

impl Message {
    /// Judges the request without waiting, and verifies an unknown token only if `verify` is set.
    pub(crate) fn judge(&self, secure: &Secure, verify: bool, before: Option<&Admitted>) -> Judging {
        let presented = self.presented().verify_later(!verify);
        let judging = secure.judge(&match before {
            Some(Admitted::Bearer(access)) => presented.after(Some(access)),
            Some(Admitted::Anonymous(anonymous)) => presented.after_anonymous(Some(anonymous)),
            _ => presented,
        });
        match judging {
            Judging::Waits(pending) => Judging::Waits(pending.by_client(self.client())),
            done => done,
        }
    }

    /// Explains the verdict on the request at this time.
    pub(crate) async fn explain(&self, secure: &Secure, now: SystemTime) -> Explanation {
        secure.explain(&self.presented(), now).await
    }

    fn presented(&self) -> Presented<'_> {
        let certificate = self.client_certificate.as_deref().map(ClientCertificate::from_der);
        let target = self.target.as_deref().unwrap_or_default();
        let presented = Presented::new(self).request(&self.method, target).content(self.content());
        let presented = presented.scheme(self.scheme.as_deref()).authority(self.authority());
        presented.client_certificate(certificate)
    }

    fn client(&self) -> Option<ClientAddress> {
        self.client.as_deref()?.parse::<IpAddr>().ok().map(ClientAddress::from)
    }

    /// Returns true if the request has a DPoP proof.
    pub(crate) fn shows_proof(&self) -> bool {
        values(&self.fields, &HeaderName::from_static("dpop")).next().is_some()
    }

    fn authority(&self) -> ClientAuthority<'_> {
        match self.authority.as_deref() {
            None => ClientAuthority::HostField,
            Some("") => ClientAuthority::Unknown,
            Some(authority) => ClientAuthority::Known(authority),
        }
    }

    fn content(&self) -> Content<'_> {
        match (&self.content, self.lost.as_deref()) {
            (Some(bytes), _) => Content::Whole(bytes),
            (None, Some("too_large")) => Content::TooLarge,
            (None, Some(_)) => Content::CutOff,
            (None, None) => Content::Unseen,
        }
    }
}

impl HeaderFields for Message {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        if *name == AUTHORIZATION {
            let authorization = self.authorization.as_deref().map(str::as_bytes);
            Request { authorization, several: self.several, verify: false }.credentials().for_each(visit);
        } else {
            values(&self.fields, name).for_each(visit);
        }
    }
}

/// Header fields: name, value, name, value…
pub(crate) struct Fields(pub(crate) Vec<String>);

impl HeaderFields for Fields {
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8])) {
        values(&self.0, name).for_each(visit);
    }
}

fn values<'a>(fields: &'a [String], name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let pairs = fields.as_chunks::<2>().0.iter();
    pairs.filter(|[field, _]| field.eq_ignore_ascii_case(name.as_str())).map(|[_, value]| value.as_bytes())
}
