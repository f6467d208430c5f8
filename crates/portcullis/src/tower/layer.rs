//! [`Secure`] as a layer.

use tower_layer::Layer;

use super::service::SecureService;
use crate::gate::Secure;

impl<S> Layer<S> for Secure {
    type Service = SecureService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SecureService::new(inner, self.clone())
    }
}
