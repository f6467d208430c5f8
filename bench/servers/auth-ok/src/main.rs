//! axum that lets every request pass: the speed to compare forward-auth with.

use axum::{Router, http::StatusCode, routing::any};
use server::{Arguments, Outcome};

async fn pass() -> StatusCode {
    StatusCode::OK
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let app = Router::new().route("/auth", any(pass));
    let listener = Arguments::from_command_line().listen().await?;
    Ok(axum::serve(listener, app).await?)
}
