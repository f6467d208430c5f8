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
        process::{Child, Command, Stdio},
        time::Duration,
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
    /// A gateway, which ends with its test.
    struct Gateway(Child);

    impl Drop for Gateway {
        fn drop(&mut self) {
            // It is the shell's own process: the command begins with `exec`.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Starts a gateway by a line of the shell, which finds its configuration in `$FOLDER`, and returns the address it answers at.
    fn start(line: &str, folder: &str) -> (Gateway, String) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {line}")]).env("FOLDER", folder).stderr(Stdio::piped());
        let mut gateway = Gateway(shell.spawn().unwrap());
        let mut log = BufReader::new(gateway.0.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut seen = String::new();
        let address = loop {
            let Some(line) = log.next() else { panic!("no line with the address: {seen}") };
            let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            match event["address"].as_str().filter(|_| event["listener"] == "listen") {
                Some(address) => break address.to_owned(),
                None => seen += &format!("{line}\n"),
            }
        };
        // Nobody reads the rest, and the gateway must not wait for a reader.
        std::thread::spawn(move || log.for_each(drop));
        (gateway, address)
    }

    /// Tries each form of the gateway in the variable `GATEWAYS`: lines with a name, a tab, and a line of the shell.
    #[tokio::test]
    async fn the_gateway_judges_in_each_form_that_it_comes_in() {
        let server = AuthorizationServer::start().await;
        let issuer = server.issuer();
        let folder = env::temp_dir().join(format!("portcullis-at-home-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n\n[[issuers]]\nissuer = \"{issuer}\"\naudience = \"https://api.example.com\"\n\
             dangerously_allow_http = true\n\n[[routes]]\npath = \"/orders/*\"\nscope = [\"read\"]\n"
        );
        fs::write(folder.join("portcullis.toml"), text).unwrap();
        let forms = env::var("GATEWAYS").unwrap();
        let mut tried = 0;
        for (name, line) in forms.lines().filter_map(|form| form.split_once('\t')) {
            println!("{name}");
            let (_gateway, address) = start(line, folder.to_str().unwrap());
            judges(&format!("http://{address}/orders/1"), &server).await;
            tried += 1;
        }
        assert!(tried > 0, "no form: {forms:?}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
