use axum::Form;
use axum::extract::{FromRequest, Request};

use super::error::OAuthError;

/// The form parameters of a request; those without a value count as absent (RFC 6749 section 3.2).
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The value of a parameter, which must not be repeated.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        match self.all(name).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(OAuthError::InvalidRequest("a parameter is repeated")),
        }
    }

    /// Every value of a parameter, in order.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(key, _)| key == name);
        let values = named.map(|(_, value)| value.as_str());
        values.filter(|value| !value.is_empty()).collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for Parameters {
    type Rejection = OAuthError;

    async fn from_request(request: Request, server: &S) -> Result<Self, OAuthError> {
        let form = Form::from_request(request, server).await;
        form.map(|Form(pairs)| Self(pairs)).map_err(|_| OAuthError::InvalidRequest("expected a form as the body"))
    }
}
