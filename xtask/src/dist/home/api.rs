//! A newcomer's API, and what they try at home: their own API, and the gateway beside it, in each form that it comes in.

use axum::{Router, routing::get};
use portcullis::{Claims, ConfigurationError, JwksService, Secure};

async fn hello(claims: Claims) -> String {
    format!("hello {}", claims.subject().unwrap_or("you"))
}

fn app(jwks_uri: &str) -> Result<Router, ConfigurationError> {
    let jwks = JwksService::new(jwks_uri)?;
    Ok(Router::new().route("/", get(hello)).layer(Secure::new(jwks).realm("my-realm")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let jwks_uri = std::env::args().nth(1).ok_or("expected the address of the issuer's keys")?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(&jwks_uri)?).await?)
}

#[cfg(test)]
mod tests {
    use std::{
        env, fs,
        io::{BufRead, BufReader},
        path::{Path, PathBuf},
        process::{Child, Command, Stdio},
        sync::mpsc,
        time::{Duration, Instant},
    };

    use portcullis_testkit::AuthorizationServer;

    use super::*;

    /// Returns the status of an answer.
    async fn status(url: &str, token: Option<&str>) -> u16 {
        let mut request = reqwest::Client::new().get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Asks without a token, with a good one, and with one that has expired.
    async fn judges(url: &str, server: &AuthorizationServer) {
        let good = server.token().audience("https://api.example.com").scope("read").sign();
        let expired = server.token().audience("https://api.example.com").expired_for(Duration::from_secs(3_600)).sign();
        assert_eq!(status(url, None).await, 401, "{url}");
        assert_eq!(status(url, Some(&good)).await, 200, "{url}");
        assert!([401, 403].contains(&status(url, Some(&expired)).await), "{url}");
    }

    #[tokio::test]
    async fn an_api_that_has_added_the_crate_is_guarded() {
        let server = AuthorizationServer::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = app(&server.jwks_uri()).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        judges(&url, &server).await;
    }

    /// The time within which a gateway does what it is told.
    const LIMIT: Duration = Duration::from_secs(30);

    /// One form of the gateway: a name, and lines of the shell. They find the folder of the configuration in `$FOLDER`; the last two
    /// find the process of the first in `$PID`.
    #[derive(serde::Deserialize)]
    struct Form {
        name: String,
        start: String,
        reload: String,
        stop: String,
    }

    /// A running gateway, which ends with its test.
    struct Gateway {
        process: Child,
        folder: PathBuf,
    }

    impl Gateway {
        /// Starts a gateway, and returns it with the address that it answers at.
        fn start(form: &Form, folder: &Path) -> (Self, String) {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("exec {}", form.start)]).env("FOLDER", folder).stderr(Stdio::piped());
            let mut gateway = Self { process: shell.spawn().unwrap(), folder: folder.to_owned() };
            let log = BufReader::new(gateway.process.stderr.take().unwrap()).lines().map_while(Result::ok);
            let (sender, lines) = mpsc::channel();
            // All of it is read, so that the gateway need not wait for a reader.
            std::thread::spawn(move || log.for_each(|line| drop(sender.send(line))));
            let mut seen = String::new();
            let address = loop {
                let line = lines.recv_timeout(LIMIT);
                let line = line.unwrap_or_else(|_| panic!("{}: no line with the address: {seen}", form.name));
                match line.split_once(r#"listener="listen" address="#) {
                    Some((_, address)) => break address.split(' ').next().unwrap_or_default().to_owned(),
                    None => seen += &format!("{line}\n"),
                }
            };
            (gateway, address)
        }

        /// Runs a line of the form.
        fn tell(&self, line: &str) {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]).env("FOLDER", &self.folder).env("PID", self.process.id().to_string());
            let status = shell.status().unwrap();
            assert!(status.success(), "{line}: {status}");
        }
    }

    impl Drop for Gateway {
        fn drop(&mut self) {
            // It is the shell's own process: the command begins with `exec`.
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// Writes the gateway's configuration: `/orders/*` asks for this scope.
    fn configure(folder: &Path, issuer: &str, scope: &str) {
        let text = format!(
            "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\n[[issuers]]\nissuer = \"{issuer}\"\n\
             audience = \"https://api.example.com\"\ndangerously_allow_http = true\n\n\
             [[routes]]\npath = \"/orders/*\"\nscope = [\"{scope}\"]\n# end\n"
        );
        // Moved into place: no reader sees a part of it.
        fs::write(folder.join("new"), text).unwrap();
        fs::rename(folder.join("new"), folder.join("portcullis.toml")).unwrap();
    }

    /// Has each form in the variable `GATEWAYS` judge, take a new configuration on, and end: an array of JSON.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_gateway_judges_in_each_form_that_it_comes_in() {
        let server = AuthorizationServer::start().await;
        let forms: Vec<Form> = serde_json::from_str(&env::var("GATEWAYS").unwrap()).unwrap();
        assert!(!forms.is_empty(), "no form");
        for form in forms {
            println!("{}", form.name);
            let folder = env::temp_dir().join(format!("portcullis-at-home-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            configure(&folder, &server.issuer(), "read");
            let (mut gateway, address) = Gateway::start(&form, &folder);
            let url = format!("http://{address}/orders/1");
            judges(&url, &server).await;

            configure(&folder, &server.issuer(), "write");
            gateway.tell(&form.reload);
            let token = server.token().audience("https://api.example.com").scope("read").sign();
            eventually(&form.name, async || status(&url, Some(&token)).await == 403).await;

            gateway.tell(&form.stop);
            eventually(&form.name, async || gateway.process.try_wait().unwrap().is_some()).await;
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    /// Waits until something is so.
    async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let started = Instant::now();
        while !is_so().await {
            assert!(started.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
