//! axum with axum-jwt-auth, which verifies with jsonwebtoken 10, here on AWS-LC.

use std::sync::Arc;

use axum::{Router, extract::FromRef, routing::get};
use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
use jsonwebtoken::{Algorithm, Validation, crypto::aws_lc};
use server::{Arguments, Outcome};

#[derive(Clone, FromRef)]
struct AppState {
    decoder: Decoder<server::Claims>,
}

async fn hello(user: Claims<server::Claims>) -> &'static str {
    user.claims.answer()
}

fn decoder(arguments: &Arguments) -> Result<RemoteJwksDecoder, axum_jwt_auth::Error> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&arguments.issuer]);
    validation.set_audience(&[&arguments.audience]);
    RemoteJwksDecoder::builder().jwks_url(arguments.jwks_uri.clone()).validation(validation).build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    aws_lc::DEFAULT_PROVIDER.install_default().map_err(|_| "another cryptographic provider is installed")?;
    let arguments = Arguments::from_command_line();
    let decoder = Arc::new(decoder(&arguments)?);
    // Fetches the keys, and goes on doing so every hour.
    decoder.initialize().await?;
    let app = Router::new().route("/", get(hello)).with_state(AppState { decoder });
    let listener = arguments.listen().await?;
    Ok(axum::serve(listener, app).await?)
}
