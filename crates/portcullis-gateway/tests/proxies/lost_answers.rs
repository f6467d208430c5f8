//! A gateway whose answer is lost after it has used a proof up, as when it is killed at that moment: nginx asks the next one.

use portcullis_testkit::{Algorithm, DpopClient};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    client::{Answer, ask},
    scene::{Proxy, Stage},
};

/// Hands requests on to a port, and loses the answers.
async fn lossy(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut asking, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut buffer, mut answer) = (vec![0; 1 << 16], [0; 1]);
                let mut whole = 0;
                while !buffer[..whole].ends_with(b"\r\n\r\n") {
                    match asking.read(&mut buffer[whole..]).await {
                        Ok(0) | Err(_) => return,
                        Ok(read) => whole += read,
                    }
                }
                let mut gateway = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                gateway.write_all(&buffer[..whole]).await.unwrap();
                gateway.read_exact(&mut answer).await.unwrap();
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_whose_answer_was_lost_is_used_up_and_a_new_one_passes() {
    let stage = Stage::set();
    let authorization = stage.authorization().await;
    let (_redis, _upstream) = (stage.redis().await, stage.upstream().await);
    let _replicas = [stage.replica(1).await, stage.replica(2).await];
    let first = format!("server 127.0.0.1:{} max_fails=0;", stage.ports.gateway[0]);
    let second = format!("server 127.0.0.1:{} max_fails=0 backup;", stage.ports.second[0]);
    let losing = format!("server 127.0.0.1:{} max_fails=0;", lossy(stage.ports.gateway[0]).await);
    stage.edit("examples/nginx/nginx.conf", &first, &format!("{losing} {second}"));
    let nginx = stage.proxy(Proxy::Nginx).await;

    let bearer = format!("Bearer {}", authorization.token().scope("read").sign());
    let answer = ask(stage.ports.proxy, "GET /orders/1", &[("Authorization", &bearer)]).await;
    assert_eq!(answer.status, 200, "the second gateway answers: {answer:?}");

    let client = DpopClient::new(Algorithm::ES256);
    let token = authorization.token().scope("pay").bound_to_key(client.thumbprint()).sign();
    let url = format!("http://127.0.0.1:{}/payments/1", stage.ports.proxy);
    let told = send(stage.ports.proxy, &client.fields("GET", &url, &token)).await;
    let [nonce] = told.all("dpop-nonce")[..] else { panic!("{told:?}") };
    let client = client.with_nonce(nonce);
    let refused = send(stage.ports.proxy, &client.fields("GET", &url, &token)).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    assert!(refused.all("www-authenticate").iter().any(|told| told.contains("invalid_dpop_proof")), "{refused:?}");

    // The way out that the documentation names: nginx asks once, and the client gets 503.
    let line = "proxy_pass_request_body off;";
    stage.edit("examples/nginx/nginx.conf", line, &format!("proxy_next_upstream off; {line}"));
    drop(nginx);
    let _nginx = stage.proxy(Proxy::Nginx).await;
    let lost = send(stage.ports.proxy, &client.fields("GET", &url, &token)).await;
    assert_eq!(lost.status, 503, "{lost:?}");
}

async fn send(port: u16, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ask(port, "GET /payments/1", &fields).await
}
