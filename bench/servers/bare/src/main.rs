//! axum without any authorization: the speed to compare with.

use axum::{Router, routing::get};
use server::{Arguments, Outcome};

async fn hello() -> &'static str {
    "ok"
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let app = Router::new().route("/", get(hello));
    let listener = Arguments::from_command_line().listen().await?;
    Ok(axum::serve(listener, app).await?)
}
