//! The lines to paste into a shell: for each endpoint a request that passes and a request that is refused.

use std::{fmt, net::SocketAddr};

use crate::{
    authorization::{Authorization, CLIENT},
    playground,
};

/// A request to an endpoint and its answer.
struct Line {
    endpoint: &'static str,
    /// The parameters of the token request besides the client's credentials; `None` for a request without a token.
    token: Option<&'static str>,
    answer: &'static str,
}

const LINES: [Line; 7] = [
    Line { endpoint: "token", token: Some(""), answer: "200, any valid token" },
    Line { endpoint: "token", token: None, answer: "401, no token" },
    Line {
        endpoint: "token",
        token: Some("-d expires_in=-60 "),
        answer: "403, invalid_token: the token expired a minute ago",
    },
    Line { endpoint: "scope", token: Some("-d scope=read "), answer: "200, the scope `read` is there" },
    Line {
        endpoint: "scope",
        token: Some("-d scope=write "),
        answer: "403, insufficient_scope: the token has another scope",
    },
    Line {
        endpoint: "claim",
        token: Some(r#"--data-urlencode 'claims={"myClaim":"someRequiredValue"}' "#),
        answer: "200, the claims are there",
    },
    Line {
        endpoint: "claim",
        token: Some(r#"--data-urlencode 'claims={"myClaim":"another"}' "#),
        answer: "403, invalid_token: the claim has another value",
    },
];

/// Prints the addresses of the servers and the lines to try.
#[expect(clippy::print_stdout, reason = "a command speaks to a person")]
pub(crate) fn print_welcome(resource: SocketAddr, authorization: &Authorization) {
    println!("Resource server:      http://{resource}");
    match authorization {
        Authorization::Embedded { server, .. } => {
            let issuer = server.issuer();
            if playground::is_for(resource) {
                println!("Playground:           http://{resource}/  in a browser");
            }
            println!("Authorization server: {issuer}  (client {CLIENT}, secret {CLIENT})\n");
            for line in &LINES {
                println!("# {}\n{}\n", line.answer, Embedded { line, resource, issuer });
            }
            println!("# new signing key: its tokens pass at once, the old key's tokens until they expire");
            println!("curl -X POST {issuer}/rotate\n");
            println!("Parameters of {issuer}/token: scope, expires_in, claims, audience, resource, token_format;");
            println!("crates/portcullis-testkit/README.md explains them.\n");
        }
        Authorization::External => {
            println!("With an access token of your authorization server in $TOKEN:\n");
            for (endpoint, asks) in [
                ("token", "200 for any valid token"),
                ("scope", "200 with the scope `read`, else 403, insufficient_scope"),
                ("claim", "200 with `sub`, and `someRequiredValue` in `myClaim`, else 403, invalid_token"),
            ] {
                println!(
                    "# {asks}\ncurl -i http://{resource}/secured/{endpoint} -H \"Authorization: Bearer $TOKEN\"\n"
                );
            }
        }
    }
    println!("Refusals are logged here with their code. Ctrl-C stops the demo.");
}

/// A line with a token of the embedded server.
struct Embedded<'a> {
    line: &'a Line,
    resource: SocketAddr,
    issuer: &'a str,
}

impl fmt::Display for Embedded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, resource, issuer } = self;
        write!(f, "curl -i http://{resource}/secured/{}", line.endpoint)?;
        let Some(parameters) = line.token else { return Ok(()) };
        write!(
            f,
            " -H \"Authorization: Bearer $(curl -s {issuer}/token -d grant_type=client_credentials \
             -d client_id={CLIENT} -d client_secret={CLIENT} {parameters}\
             | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\""
        )
    }
}
