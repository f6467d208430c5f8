//! Inspections of pasted metadata: nothing is fetched.

use axum::{Json, http::StatusCode};
use portcullis::{CollectedMetadata, ResourceReport};

use super::Problem;

pub(super) async fn inspect(Json(documents): Json<CollectedMetadata>) -> Result<Json<ResourceReport>, Problem> {
    match documents.inspect() {
        Ok(report) => Ok(Json(report)),
        Err(error) => Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())),
    }
}
