//! axum 0.7 behind jwt-authorizer, which verifies with jsonwebtoken 9, on ring.

use axum::{Router, routing::get};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims, Validation};
use server::{Arguments, Claims, Outcome};

async fn hello(JwtClaims(claims): JwtClaims<Claims>) -> &'static str {
    claims.answer()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::from_command_line();
    let validation = Validation::new().iss(&[&arguments.issuer]).aud(&[&arguments.audience]);
    let authorizer = JwtAuthorizer::<Claims>::from_jwks_url(&arguments.jwks_uri).validation(validation);
    let app = Router::new().route("/", get(hello)).layer(authorizer.build().await?.into_layer());
    let listener = arguments.listen().await?;
    Ok(axum::serve(listener, app).await?)
}
