//! What accepting a webhook costs at the very least: a bare hyper server that checks Meta's signature on the raw body and writes the body to
//! Redis with one `SET NX`, all requests over one multiplexed connection. The ingress is measured against it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ExistenceCheck, SetExpiry, SetOptions};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The largest body Meta sends, bytes.
const BODY_BYTES: usize = 4 << 20;
/// How long a write is remembered, as the ingress remembers a message's key.
const REMEMBERED: Duration = Duration::from_hours(24);
/// How long Redis may take.
const REDIS_WITHIN: Duration = Duration::from_secs(5);

/// A bare hyper server: one signature check and one Redis write per request
#[derive(Parser)]
#[command(name = "bare-acceptor", version)]
struct Args {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Redis: redis://host:6379/0
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: String,
    /// Checks signatures; of a list the first
    #[arg(long, env = "META_APP_SECRET", hide_env_values = true)]
    app_secret: String,
}

struct Shared {
    secret: Hmac<Sha256>,
    redis: MultiplexedConnection,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let secret = args.app_secret.split(',').next().unwrap_or_default();
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(REDIS_WITHIN));
    let redis =
        redis::Client::open(args.redis_url)?.get_multiplexed_async_connection_with_config(&config).await.context("connect to Redis")?;
    let shared = Arc::new(Shared { secret: Hmac::new_from_slice(secret.as_bytes())?, redis });
    let listener = TcpListener::bind(args.listen).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = terminate.recv() => return Ok(()),
        };
        stream.set_nodelay(true)?;
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(answer(&shared, request).await) }
            });
            // A client that goes away ends its connection; there is nobody to tell.
            let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let status = match *request.method() {
        Method::GET => StatusCode::OK,
        _ => accept(shared, request).await.unwrap_or_else(|refused| refused),
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

async fn accept(shared: &Shared, request: Request<Incoming>) -> Result<StatusCode, StatusCode> {
    let header = request.headers().get("x-hub-signature-256").cloned().ok_or(StatusCode::UNAUTHORIZED)?;
    let body = Limited::new(request.into_body(), BODY_BYTES).collect().await.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
    if !is_signed(shared.secret.clone(), &body, header.as_bytes()) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    // The signature names the body: no need to parse it for an id.
    let once = SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::EX(REMEMBERED.as_secs()));
    let mut set = redis::cmd("SET");
    set.arg(header.as_bytes()).arg(&body[..]).arg(once);
    let fresh: Option<String> = set.query_async(&mut shared.redis.clone()).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(if fresh.is_some() { StatusCode::OK } else { StatusCode::CONFLICT })
}

fn is_signed(mut secret: Hmac<Sha256>, body: &[u8], header: &[u8]) -> bool {
    let mut given = [0_u8; 32];
    let Some(digits) = header.strip_prefix(b"sha256=") else { return false };
    if hex::decode_to_slice(digits, &mut given).is_err() {
        return false;
    }
    secret.update(body);
    secret.verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_signature_over_the_whole_body_is_taken() {
        let secret: Hmac<Sha256> = Hmac::new_from_slice(b"secret").unwrap();
        let mut mac = secret.clone();
        mac.update(b"body");
        let header = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        assert!(is_signed(secret.clone(), b"body", header.as_bytes()));
        assert!(!is_signed(secret.clone(), b"bodY", header.as_bytes()));
        assert!(!is_signed(secret.clone(), b"body", &header.as_bytes()[..70]));
        assert!(!is_signed(secret, b"body", header.trim_start_matches("sha256=").as_bytes()));
    }
}
