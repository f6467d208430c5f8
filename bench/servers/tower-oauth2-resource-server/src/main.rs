//! axum behind tower-oauth2-resource-server, which verifies with jsonwebtoken 11, on AWS-LC by its feature.

use axum::{Extension, Router, routing::get};
use server::{Arguments, Claims, Outcome};
use tower_oauth2_resource_server::{
    server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

async fn hello(Extension(claims): Extension<Claims>) -> &'static str {
    claims.answer()
}

async fn resource_server(arguments: &Arguments) -> Result<OAuth2ResourceServer<Claims>, Box<dyn std::error::Error>> {
    let audiences = vec![arguments.audience.clone()];
    // With a JWKS URL the issuer is checked only on request.
    let checks = ClaimsValidationSpec::new().exp(true).iss(&arguments.issuer).aud(&audiences);
    let tenant = TenantConfiguration::builder(&arguments.issuer)
        .jwks_url(&arguments.jwks_uri)
        .audiences(&audiences)
        .claims_validation(checks)
        .build();
    Ok(OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant.await?).build().await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments = Arguments::from_command_line();
    let layer = resource_server(&arguments).await?.into_layer();
    let app = Router::new().route("/", get(hello)).layer(layer);
    let listener = arguments.listen().await?;
    Ok(axum::serve(listener, app).await?)
}
