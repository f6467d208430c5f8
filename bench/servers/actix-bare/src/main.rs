//! actix-web without any authorization: the speed to compare with.

use actix_web::{App, HttpServer, rt::System, web};
use server::{Arguments, Outcome};

async fn hello() -> &'static str {
    "ok"
}

fn main() -> Outcome {
    System::new().block_on(async {
        let listener = Arguments::from_command_line().listen().await?.into_std()?;
        let app = || App::new().route("/", web::get().to(hello));
        Ok(HttpServer::new(app).workers(1).listen(listener)?.run().await?)
    })
}
