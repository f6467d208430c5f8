//! axum behind huskarl-resource-server by its adapter huskarl-axum, on RustCrypto, the only backend published.

use axum::{Router, routing::get};
use huskarl_axum::{extractors::ValidatedToken, layers::ValidatorLayer};
use huskarl_reqwest::ReqwestClient;
use huskarl_resource_server::validator::rfc9068::{Rfc9068AccessTokenClaims, Rfc9068Validator};
use server::{Arguments, Outcome};

async fn hello(token: ValidatedToken<Rfc9068AccessTokenClaims>) -> &'static str {
    let subject = token.sub.as_deref().unwrap_or_default();
    let scope = token.claims.scope.as_deref().unwrap_or_default();
    server::answer(subject, &token.claims.client_id, scope)
}

async fn validator(arguments: &Arguments) -> Result<Rfc9068Validator, Box<dyn std::error::Error>> {
    let validator = Rfc9068Validator::builder()
        .issuer(&arguments.issuer)
        .audience(&arguments.audience)
        .jwks_uri(arguments.jwks_uri.parse()?)
        .jwks_source(ReqwestClient::builder().build().await?)
        .require_dpop(arguments.dpop)
        .build()
        .await?;
    Ok(validator)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::from_command_line();
    let layer = ValidatorLayer::builder().validator(validator(&arguments).await?);
    let app = Router::new().route("/", get(hello));
    let app = if arguments.dpop {
        app.layer(layer.base_url("http://localhost")?.build().authenticated())
    } else {
        app.layer(layer.build().authenticated())
    };
    let listener = arguments.listen().await?;
    Ok(axum::serve(listener, app).await?)
}
