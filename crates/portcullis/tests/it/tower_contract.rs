//! The layer as a tower service.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use http::{Request, Response, StatusCode};
use portcullis::{Access, Secure};
use portcullis_testkit::{Endpoint, Fault};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use crate::support::Setup;

/// A body of an unknown type.
#[derive(Debug, PartialEq)]
struct OwnBody(u32);

/// Panics if an instance is called that was not polled ready.
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<OwnBody>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OwnBody>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        let subject = request.extensions().get::<Access>().and_then(|access| access.claims().subject());
        std::future::ready(Ok(Response::new(format!("{} {:?}", request.body().0, subject))))
    }
}

fn request(setup: &Setup) -> Request<OwnBody> {
    let field = format!("Bearer {}", setup.server.token().sign());
    Request::get("/").header("authorization", field).body(OwnBody(7)).unwrap()
}

#[tokio::test]
async fn the_service_that_was_polled_ready_is_the_one_that_is_called() {
    let setup = Setup::new().await;
    let mut service = Secure::new(setup.jwks.clone()).layer(Strict { ready: false });
    // First with a wait for the keys, then without.
    for _ in 0..3 {
        let response = service.ready().await.unwrap().call(request(&setup)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn the_layer_works_behind_and_before_limits_and_buffers() {
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    let behind =
        ServiceBuilder::new().buffer(8).concurrency_limit(2).layer(secure.clone()).service(Strict { ready: false });
    let before = ServiceBuilder::new().layer(secure).concurrency_limit(1).service(Strict { ready: false });
    for _ in 0..5 {
        assert_eq!(behind.clone().oneshot(request(&setup)).await.unwrap().status(), StatusCode::OK);
        assert_eq!(before.clone().oneshot(request(&setup)).await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn the_permit_of_a_limit_goes_with_the_request_that_waits_for_keys() {
    let setup = Setup::new().await;
    setup.server.fault(Endpoint::Jwks, Fault::Hang);
    let secure = Secure::new(setup.jwks.clone());
    let service = ServiceBuilder::new().layer(secure).concurrency_limit(1).service(Strict { ready: false });
    let waiting = tokio::spawn(service.clone().oneshot(request(&setup)));
    setup.server.wait_for_requests(Endpoint::Jwks, 1).await;
    let mut second = service.clone();
    let ready = second.ready();
    tokio::pin!(ready);
    assert!(futures_pending(&mut ready).await, "the one permit is taken");
    setup.server.heal(Endpoint::Jwks);
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
    ready.await.unwrap();
}

async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())).await
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_inner_service() {
    let setup = Setup::new().await;
    let inner = tower::service_fn(|_: Request<OwnBody>| async {
        panic!("reached");
        #[expect(unreachable_code, reason = "names the types")]
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let service = Secure::new(setup.jwks.clone()).layer(inner);
    let response = service.oneshot(Request::get("/").body(OwnBody(7)).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_a_request_carries_goes_through_untouched() {
    let setup = Setup::new().await;
    let inner = tower::service_fn(|request: Request<OwnBody>| async move {
        assert_eq!(request.body(), &OwnBody(7));
        assert_eq!(request.headers()["x-other"], "1");
        assert_eq!(request.extensions().get::<u8>(), Some(&5));
        Ok::<_, Infallible>(Response::builder().status(418).header("x-inner", "2").body(String::from("tea")).unwrap())
    });
    let mut request = request(&setup);
    request.headers_mut().insert("x-other", "1".parse().unwrap());
    request.extensions_mut().insert(5_u8);
    let response = Secure::new(setup.jwks.clone()).layer(inner).oneshot(request).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["x-inner"]), (418, &"2".parse().unwrap()));
}

#[tokio::test]
async fn layer_service_and_future_can_move_between_threads() {
    fn check<T: Send + Sync + Clone>(_: &T) {}
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let setup = Setup::new().await;
    let secure = Secure::new(setup.jwks.clone());
    check(&secure);
    let service = secure.layer(Strict { ready: false });
    let _ = sent(service.oneshot(request(&setup))).await.unwrap();
}
