//! The load generator's HTTP: keep-alive connections, one request at a time on each.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::clock;
use crate::webhook::Webhook;

/// How long an answer may take: Meta itself gives up after some 10 s.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// A connection idle for longer is not used again: the ingress closes it after 10 s.
const IDLE_FOR: Duration = Duration::from_secs(5);

/// One connection to one server.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

impl Connection {
    pub(crate) async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await.with_context(|| format!("connect to {server}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // What breaks it is seen by the request on it.
            let _ = connection.await;
        });
        Ok(Self { sender, host: HeaderValue::from_str(&server.to_string())? })
    }

    /// Delivers a webhook and reads the whole answer.
    pub(crate) async fn post(&mut self, webhook: Webhook) -> anyhow::Result<StatusCode> {
        let mut request = Request::new(Full::new(webhook.body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = hyper::Uri::from_static("/webhook/meta");
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-hub-signature-256", webhook.signature);
        let exchange = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            response.into_body().collect().await?;
            Ok::<_, hyper::Error>(status)
        };
        Ok(tokio::time::timeout(ANSWERED_WITHIN, exchange).await.context("no answer in time")??)
    }
}

/// As many connections to the ingress as it takes, so that no arrival waits for another one's answer.
#[derive(Clone)]
pub(crate) struct Pool {
    server: SocketAddr,
    idle: Arc<Mutex<Vec<(Instant, Connection)>>>,
}

impl Pool {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self { server, idle: Arc::default() }
    }

    /// Delivers a webhook that must be accepted; gives the moment its first byte left, Unix ms.
    pub(crate) async fn deliver(&self, webhook: Webhook) -> anyhow::Result<f64> {
        let idle = self.with(Vec::pop).filter(|(since, connection)| since.elapsed() < IDLE_FOR && !connection.sender.is_closed());
        let mut connection = match idle {
            Some((_, connection)) => connection,
            None => Connection::open(self.server).await?,
        };
        let sent_at = clock::unix_ms();
        let status = connection.post(webhook).await?;
        anyhow::ensure!(status == StatusCode::OK, "the ingress answered {status}");
        self.with(|idle| idle.push((Instant::now(), connection)));
        Ok(sent_at)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Vec<(Instant, Connection)>) -> T) -> T {
        f(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
