//! The user's part of the OAuth client: prints the URL to open, and waits for the redirect on a loopback port (RFC 8252
//! section 7.3).

use std::error::Error;

use axum::{Router, extract::State, http::Uri, routing::get};
use rmcp::transport::{AuthorizationManager, AuthorizationRequest, WWWAuthenticateParams, auth::OAuthState};
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, Receiver, Sender},
};

/// The state of rmcp's OAuth client, and the redirects.
pub(crate) struct Login {
    state: OAuthState,
    server: String,
    redirect_uri: String,
    redirects: Receiver<String>,
}

impl Login {
    pub(crate) async fn new(server: &str) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let (sender, redirects) = mpsc::channel(1);
        let app = Router::new().route("/callback", get(redirected)).with_state((origin.clone(), sender));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let state = OAuthState::Unauthorized(AuthorizationManager::new(server).await?);
        Ok(Self { state, server: server.to_owned(), redirect_uri: format!("{origin}/callback"), redirects })
    }

    /// Returns the access token, if the user has logged in.
    pub(crate) async fn token(&self) -> Result<Option<String>, Box<dyn Error>> {
        match &self.state {
            OAuthState::Authorized(manager) => Ok(Some(manager.get_access_token().await?)),
            _ => Ok(None),
        }
    }

    /// Has the user log in as a challenge (RFC 9728 section 5.1) demands: for the first time, or for more scope.
    pub(crate) async fn answer(&mut self, challenge: &str) -> Result<(), Box<dyn Error>> {
        let parameters = WWWAuthenticateParams::parse(challenge, &self.server.parse()?);
        if parameters.is_insufficient_scope() {
            let scope =
                parameters.scope.ok_or("expected the scope that the tool needs, got a challenge without one")?;
            self.state.request_scope_upgrade(&scope, &self.redirect_uri).await?;
        } else {
            let request = AuthorizationRequest::new(&self.redirect_uri)
                .with_client_name("The rmcp client of the example")
                .with_challenge(challenge)
                .with_initial_scope_selection();
            self.state.start_authorization(request).await?;
        }
        println!("Open {}", self.state.get_authorization_url().await?);
        let redirect = self.redirects.recv().await.ok_or("expected a redirect, but its listener has ended")?;
        Ok(self.state.handle_callback_url(&redirect).await?)
    }
}

async fn redirected(State((origin, sender)): State<(String, Sender<String>)>, uri: Uri) -> &'static str {
    match sender.send(format!("{origin}{uri}")).await {
        Ok(()) => "Go back to the client.\n",
        Err(_) => "The client has ended.\n",
    }
}
