//! A Redis of the test's own, an ingress in front of it, and a client that speaks HTTP by hand, so that it can be rude too.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::auth::{Passwords, Role, Tokens, Who};
use frontdesk_core::clock::SystemClock;
use frontdesk_core::config::{Config, IngressConfig};
use frontdesk_core::ids::{AdminId, ShopId, UserId};
use frontdesk_core::signatures::meta_webhook_signature;
use frontdesk_ingress::Running;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

pub(crate) const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const APP_SECRET: &str = "app_secret_for_tests";
pub(crate) const INSTAGRAM_SECRET: &str = "instagram_secret_for_tests";
pub(crate) const VERIFY_TOKEN: &str = "verify_token_for_tests";

/// A redis-server of one test's own; it ends with the test.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Redis {
    #[expect(clippy::disallowed_methods, reason = "a test starts its own Redis")]
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .args(["--maxmemory-policy", "noeviction", "--dir", dir.path().to_str().unwrap()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server must be installed");
        let redis = Self { child, port, _dir: dir };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while redis.command("PING").await.is_none_or(|answer| answer != "+PONG") {
            assert!(tokio::time::Instant::now() < deadline, "redis-server did not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// One inline command and the first line of its answer.
    pub(crate) async fn command(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        stream.write_all(format!("{command}\r\n").as_bytes()).await.ok()?;
        let mut answer = vec![0; 4096];
        let n = stream.read(&mut answer).await.ok()?;
        String::from_utf8_lossy(&answer[..n]).lines().next().map(str::to_owned)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An ingress over a Redis of its own. Postgres is away, which it must bear.
pub(crate) struct Ingress {
    pub(crate) redis: Redis,
    pub(crate) addr: SocketAddr,
    shutdown: CancellationToken,
    running: Option<Running>,
}

pub(crate) fn config(redis: &str, changes: &[(&str, &str)]) -> IngressConfig {
    let redis = redis.to_owned();
    let changes: Vec<(String, String)> = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let media = format!("file://{}/frontdesk-ingress-tests", std::env::temp_dir().display());
    let environment = move |name: &str| {
        changes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).or_else(|| {
            let value = match name {
                "LISTEN_ADDR" => "127.0.0.1:0",
                "INGRESS_DATABASE_URL" => "postgres://nobody:x@127.0.0.1:1/none",
                "REDIS_URL" => &redis,
                "JWT_SECRET" => JWT_SECRET,
                "ENCRYPTION_KEYS" => "t:bG9jYWwtb25seS1sb2NhbC1vbmx5LWxvY2FsLW9ubHk=",
                "META_APP_SECRET" => "app_secret_for_tests,instagram_secret_for_tests",
                "META_VERIFY_TOKEN" => VERIFY_TOKEN,
                "API_WAIT_MS" => "300",
                "MEDIA_URL" => &media,
                _ => return None,
            };
            Some(value.to_owned())
        })
    };
    IngressConfig::from_environment(&environment).unwrap()
}

impl Ingress {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(changes: &[(&str, &str)]) -> Self {
        let redis = Redis::start().await;
        let shutdown = CancellationToken::new();
        let passwords = Passwords::with_cost(4).unwrap();
        let config = config(&redis.url(), changes);
        let running = frontdesk_ingress::serve_with(config, Arc::new(SystemClock), passwords, shutdown.clone()).await.unwrap();
        Self { redis, addr: running.addr, shutdown, running: Some(running) }
    }

    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        self.running.take().unwrap().stopped().await.unwrap();
    }

    /// Delivers a webhook as Meta does.
    pub(crate) async fn deliver(&self, body: &[u8], secret: &str) -> Answer {
        let signature = meta_webhook_signature(&SecretString::from(secret), body);
        self.send("POST", "/webhook/meta", &[("x-hub-signature-256", &signature), ("content-type", "application/json")], body).await
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.call("GET", path, token, None).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer));
        }
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.send(method, path, &headers, body.map(|body| body.to_string()).unwrap_or_default().as_bytes()).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        raw(self.addr, &bytes).await
    }
}

/// Sends bytes as they are and reads to the end.
pub(crate) async fn raw(addr: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // A refusal may come before everything was sent; what it says still counts.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await.expect("no answer in 30 s");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// A token as the log-in gives it.
pub(crate) fn token(who: Who) -> String {
    let tokens = Tokens::new(&[SecretString::from(JWT_SECRET)], Arc::new(SystemClock)).unwrap();
    tokens.issue(who).unwrap().0.expose_secret().to_owned()
}

pub(crate) fn staff(role: Role) -> String {
    token(Who::User { id: UserId(7), shop: ShopId(3), role })
}

pub(crate) fn admin() -> String {
    token(Who::Admin { id: AdminId(1) })
}
