//! axum behind Portcullis.

use axum::{Router, routing::get};
use portcullis::{Claims, ConfigurationError, Dpop, JwksService, Secure, Verifier};
use server::{Arguments, Outcome};

async fn hello(claims: Claims<server::Claims>) -> &'static str {
    claims.answer()
}

fn verifier(arguments: &Arguments) -> Result<Verifier, ConfigurationError> {
    let builder = Verifier::builder(JwksService::new(&arguments.jwks_uri)?)
        .issuer(&arguments.issuer)
        .audience(&arguments.audience);
    if arguments.no_cache { builder.without_token_cache().build() } else { builder.build() }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::from_command_line();
    let secure = Secure::new(verifier(&arguments)?);
    let secure = if arguments.dpop { secure.dpop(Dpop::required()) } else { secure };
    let app = Router::new().route("/", get(hello)).layer(secure);
    let listener = arguments.listen().await?;
    Ok(axum::serve(listener, app).await?)
}
