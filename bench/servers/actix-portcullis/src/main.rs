//! actix-web behind Portcullis.

use actix_web::{App, HttpServer, rt::System, web};
use portcullis::{Claims, ConfigurationError, JwksService, Secure, Verifier};
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

fn main() -> Outcome {
    System::new().block_on(async {
        let arguments = Arguments::from_command_line();
        let secure = Secure::new(verifier(&arguments)?);
        let listener = arguments.listen().await?.into_std()?;
        let app = move || App::new().wrap(secure.clone()).route("/", web::get().to(hello));
        Ok(HttpServer::new(app).workers(1).listen(listener)?.run().await?)
    })
}
