//! The accept loop: limits on connections, headers, bodies and time, and a drain that finishes what has begun.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frontdesk_core::telemetry::TraceParent;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, UPGRADE};
use hyper::http::uri::PathAndQuery;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::App;
use crate::call::Call;
use crate::gate::{self, Transport};
use crate::reply::{HttpError, Outgoing, Reply};
use crate::routes::{Found, Router};

/// Beyond this, connections wait in the kernel's queue. Meta opens dozens; a crowd of idle ones is closed by `HEADER_TIME`.
const CONNECTIONS: usize = 4096;
/// How long a request's head may take, and a connection may idle between two requests.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// The largest head; hyper answers 431 beyond it.
const HEAD_BYTES: usize = 32 * 1024;
/// More headers than any browser or proxy sends.
const HEADERS: usize = 100;
/// On top of `API_WAIT_MS`: what a whole request may take, reading the body included.
const REQUEST_TIME: Duration = Duration::from_secs(25);
/// How long a drain waits for requests that have begun.
const DRAIN_TIME: Duration = Duration::from_secs(25);
/// Out of sockets: wait for some to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then lets running requests finish.
pub(crate) async fn run(listener: TcpListener, app: Arc<App>, router: Arc<Router>, shutdown: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let drain = GracefulShutdown::new();
    loop {
        let slot = tokio::select! {
            () = shutdown.cancelled() => break,
            slot = slots.clone().acquire_owned() => slot,
        };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match (accepted, slot) {
            (Ok((stream, peer)), Ok(slot)) => {
                let connection = connection(stream, peer, app.clone(), router.clone());
                let watched = drain.watch(connection);
                tokio::spawn(async move {
                    // Broken connections are the client's business; what they asked was answered or not.
                    let _ = watched.await;
                    drop(slot);
                });
            }
            (Err(error), _) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            (_, Err(_)) => break,
        }
    }
    drop(listener);
    let all = async { tokio::join!(drain.shutdown(), app.live.closed()) };
    if tokio::time::timeout(DRAIN_TIME, all).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

type Service = std::pin::Pin<Box<dyn Future<Output = Result<Response<Outgoing>, Infallible>> + Send>>;

/// HTTP/1.1 alone: whoever speaks HTTP/2 to the world does so in front of us.
fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Arc<App>,
    router: Arc<Router>,
) -> auto::UpgradeableConnection<
    'static,
    TokioIo<TcpStream>,
    impl hyper::service::Service<Request<Incoming>, Response = Response<Outgoing>, Error = Infallible, Future = Service>,
    TokioExecutor,
> {
    // A webhook's answer is one small packet that should leave at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| -> Service { Box::pin(answer(app.clone(), router.clone(), peer, request).map(Ok)) });
    let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned()
}

/// One request to one response, whatever happens in between.
async fn answer(app: Arc<App>, router: Arc<Router>, peer: SocketAddr, mut request: Request<Incoming>) -> Response<Outgoing> {
    let begun = Instant::now();
    // Only a request that asks for it is handed over; taking it from others would close their connections.
    let upgrade = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let method = if parts.method == Method::HEAD { Method::GET } else { parts.method };
    let trace =
        parts.headers.get("traceparent").and_then(|header| TraceParent::parse(header.to_str().ok()?)).unwrap_or_else(TraceParent::begin);
    let path = parts.uri.path().to_owned();
    let found = router.find(&method, &path);
    let template = found.template();
    let span = tracing::info_span!("request", trace.id = %trace.trace_id(), http.method = %method, http.route = template);
    let trace = trace.lead(&span);
    let limit = REQUEST_TIME + app.config.api_wait;
    let secure = app.config.secure_cookie();
    let transport = gate::transport(peer.ip(), &parts.headers, &app.config.trusted_proxies);
    // Health checks of a load balancer come in the clear.
    let in_the_clear = secure && transport == Transport::Plain && !found.is_operations();

    let work = async {
        if in_the_clear {
            return if method.is_safe() { Ok(moved_to_https(&app, &parts.uri)) } else { Err(HttpError::https_required()) };
        }
        let route = match found {
            Found::Route(route, parameters) => Ok((route, parameters)),
            Found::Options(methods) => Err(Ok(Reply::allow(&methods))),
            Found::OtherMethod(methods) => Err(Err(HttpError::method_not_allowed(&methods))),
            Found::Nothing => Err(Err(HttpError::not_found())),
        };
        match route {
            Err(done) => done,
            Ok((route, parameters)) => {
                let address = gate::client_address(peer.ip(), &parts.headers, &app.config.trusted_proxies);
                let query = parts.uri.query().unwrap_or_default().to_owned();
                let call = Call::new(app, method.clone(), path, query, parts.headers, address, trace, parameters, upgrade, body);
                // A panic in one request is that request's 500.
                let run = AssertUnwindSafe(tokio::time::timeout(limit, (route.run)(call))).catch_unwind();
                match run.await {
                    Ok(Ok(reply)) => reply,
                    Ok(Err(_)) => Err(HttpError::unavailable(anyhow::anyhow!("the request took longer than {limit:?}"))),
                    Err(_) => Err(HttpError::internal(anyhow::anyhow!("the handler panicked"))),
                }
            }
        }
    };
    let reply = async move { work.await.unwrap_or_else(HttpError::into_reply) }.instrument(span.clone()).await;

    let status = reply.status().as_u16();
    let took = begun.elapsed();
    metrics::counter!("frontdesk_http_requests_total", "route" => template, "status" => status.to_string()).increment(1);
    metrics::histogram!("frontdesk_http_request_seconds", "route" => template).record(took.as_secs_f64());
    span.in_scope(|| tracing::debug!(http.status = status, took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "answered"));

    let mut response = reply.into_response();
    // To be said over TLS alone (RFC 6797 7.2).
    if secure && transport == Transport::Secure {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(id) = HeaderValue::from_str(&trace.trace_id()) {
        response.headers_mut().insert(HeaderName::from_static("x-trace-id"), id);
    }
    response
}

fn moved_to_https(app: &App, asked: &Uri) -> Reply {
    let place = asked.path_and_query().map_or("/", PathAndQuery::as_str);
    Reply::moved(&format!("{}{place}", app.config.public_url.origin().ascii_serialization()))
}
