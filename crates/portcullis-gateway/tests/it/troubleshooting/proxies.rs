//! Mistakes in the configuration of proxies: the questions that result.

use super::{Issuer, Made, Mistake, OWN};

const URI: (&str, &str) = ("X-Original-URI", "/any/x");
const METHOD: (&str, &str) = ("X-Original-Method", "GET");
const URL: (&str, &str) = ("X-Original-URL", "https://shop.example.com/any/x");
const FORWARDED_URI: (&str, &str) = ("X-Forwarded-Uri", "/any/x");
const FORWARDED_METHOD: (&str, &str) = ("X-Forwarded-Method", "GET");

pub(super) fn mistakes(issuer: &Issuer) -> Vec<Mistake> {
    let good = || issuer.token(OWN).sign();
    let bearer = format!("Bearer {}", good());
    let token = ("Authorization", bearer.as_str());
    let is = Mistake::question;
    let elsewhere = |entry, token| Mistake::new(entry, Made::Elsewhere(token));
    let long = issuer.token(OWN).claim("groups", "g".repeat(7_000)).sign();
    vec![
        is("nginx: `Authorization` is lost", &[URI, METHOD]),
        is("nginx: The question names no request", &[token]),
        elsewhere("nginx: Long tokens fail", long),
        is("ingress-nginx: The request is described twice", &[token, URL, METHOD, URI]),
        is("ingress-nginx: Clients get 302 in place of 401", &[URI, METHOD]),
        elsewhere("Envoy: Every request gets 403, and the gateway's log is empty", good()),
        is("Envoy: A path with encoded slashes gets 403", &[token, ("X-Original-URI", "/any/..%2Fadmin"), METHOD]),
        Mistake {
            keys: "trusted_proxies = [\"192.0.2.1\"]",
            ..is("Traefik: Traefik is in a container, and gets 403", &[token, FORWARDED_URI, FORWARDED_METHOD])
        },
        elsewhere("Traefik: The API gets the client's opaque token", good()),
        is("Caddy: `reverse_proxy` asks in place of `forward_auth`", &[token]),
        is(
            "Caddy: A client sends `X_Auth_Subject`",
            &[token, FORWARDED_URI, FORWARDED_METHOD, ("X_Auth_Subject", "root")],
        ),
        is("Any proxy: A CORS preflight has no token", &[URI, ("X-Original-Method", "OPTIONS")]),
        is("Any proxy: The browser sends a cookie in place of a token", &[URI, METHOD, ("Cookie", "session=x")]),
        is("Any proxy: The host does not reach the gateway", &[token, ("X-Original-URI", "/mcp"), METHOD]),
        is(
            "Any proxy: The metadata of a resource get 403",
            &[("X-Original-URI", "/.well-known/oauth-protected-resource/mcp"), METHOD],
        ),
        is(
            "Any proxy: A call of an MCP tool gets 400",
            &[
                token,
                ("X-Forwarded-Host", "mcp.example.com"),
                ("X-Forwarded-Uri", "/mcp"),
                ("X-Forwarded-Method", "POST"),
            ],
        ),
        is("Any proxy: A new path has no route", &[token, ("X-Original-URI", "/new"), METHOD]),
    ]
}
