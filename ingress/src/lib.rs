//! The HTTP face of Frontdesk: says who asks, reads, enqueues. It writes nothing to Postgres and links no HTTP client. A library, so that tests can
//! start it.

pub mod api;
pub mod call;
pub mod command;
pub mod form;
mod gate;
mod live;
pub mod openapi;
pub mod postman;
pub mod reply;
pub mod routes;
mod server;
mod webhooks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use frontdesk_core::auth::{Passwords, Revocations, SessionList, Throttle, Tokens};
use frontdesk_core::clock::{SharedClock, SystemClock};
use frontdesk_core::config::IngressConfig;
use frontdesk_core::db::{ConnectError, Db, PoolSettings};
use frontdesk_core::google::Attempts;
use frontdesk_core::mailbox::Mailbox;
use frontdesk_core::media::MediaStore;
use frontdesk_core::queue::Queue;
use frontdesk_core::secrets::Sealer;
use frontdesk_core::telemetry;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Exports under way at once: half of the connections stay free for screens.
const EXPORTS: usize = 4;
/// Files on their way at once; each holds a page or two in memory.
const DOWNLOADS: usize = 128;
/// How often a Postgres that was away at the start is looked for.
const POSTGRES_LOOK: Duration = Duration::from_secs(2);

/// What reads a webhook's body; public for tests and the bench.
pub mod webhook {
    pub use crate::webhooks::{Unreadable, read};
}

/// What the process holds.
pub struct App {
    pub(crate) config: IngressConfig,
    pub(crate) queue: Queue,
    pub(crate) mailbox: Mailbox,
    pub(crate) db: Db,
    pub(crate) tokens: Tokens,
    pub(crate) passwords: Passwords,
    pub(crate) revocations: Revocations,
    pub(crate) sessions: SessionList,
    pub(crate) throttle: Throttle,
    pub(crate) attempts: Attempts,
    pub(crate) sealer: Sealer,
    pub(crate) clock: SharedClock,
    pub(crate) body_budget: Arc<Semaphore>,
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) media: MediaStore,
    pub(crate) downloads: Arc<Semaphore>,
    pub(crate) live: Arc<live::Live>,
}

/// A serving ingress.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where metrics are served.
    pub metrics_addr: Option<SocketAddr>,
    task: JoinHandle<()>,
}

impl Running {
    /// Resolves when it has stopped and drained.
    ///
    /// # Errors
    /// When the accept loop panicked.
    pub async fn stopped(self) -> anyhow::Result<()> {
        self.task.await.context("the accept loop ended badly")
    }
}

/// Opens everything and serves until `shutdown`.
///
/// # Errors
/// When an address is taken, Redis is away or wrongly set up, or the Postgres role could get around row-level security.
pub async fn serve(config: IngressConfig, shutdown: CancellationToken) -> anyhow::Result<Running> {
    serve_with(config, Arc::new(SystemClock), Passwords::new()?, shutdown).await
}

/// As [`serve`], with a clock and a password hasher of the caller's: tests hold time still and hash cheaply.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with(
    config: IngressConfig,
    clock: SharedClock,
    passwords: Passwords,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let router = Arc::new(routes::Router::new(routes::table()).context("the route table contradicts itself")?);
    let metrics_addr = match config.metrics_addr {
        Some(address) => Some(telemetry::serve_metrics(address, shutdown.clone()).await?),
        None => None,
    };
    let queue =
        Queue::connect_replicated(config.redis_url.expose_secret(), "ingress", config.redis_wait_replicas).await.context("REDIS_URL")?;
    let db = Db::open(&config.database_url, PoolSettings::INGRESS).context("INGRESS_DATABASE_URL")?;
    match db.ready().await {
        Ok(()) => {}
        Err(ConnectError::Db(error)) => {
            tracing::warn!(%error, "Postgres is away; webhooks are accepted meanwhile");
            tokio::spawn(look_for_postgres(db.clone(), shutdown.clone()));
        }
        Err(refused) => return Err(refused).context("INGRESS_DATABASE_URL"),
    }
    let redis = queue.connection();
    let app = Arc::new(App {
        mailbox: Mailbox::new(&queue),
        tokens: Tokens::new(&config.jwt_secrets, clock.clone()).context("JWT_SECRET")?,
        revocations: Revocations::new(redis.clone(), clock.clone()),
        sessions: SessionList::new(redis.clone(), clock.clone()),
        throttle: Throttle::new(redis.clone()),
        attempts: Attempts::new(redis),
        sealer: Sealer::new(&config.encryption_keys).context("ENCRYPTION_KEYS")?,
        body_budget: Arc::new(Semaphore::new(call::BODY_BUDGET_KIB)),
        media: MediaStore::open(&config.media).context("MEDIA_URL")?,
        downloads: Arc::new(Semaphore::new(DOWNLOADS)),
        exports: Arc::new(Semaphore::new(EXPORTS)),
        live: Arc::new(live::Live::new(shutdown.clone())),
        passwords,
        clock,
        db,
        queue,
        config,
    });
    let listener = TcpListener::bind(app.config.listen_addr)
        .await
        .with_context(|| format!("LISTEN_ADDR: cannot listen at {}", app.config.listen_addr))?;
    let addr = listener.local_addr()?;
    tracing::info!(%addr, "the ingress listens");
    tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.live.run(&app.queue).await }
    });
    let task = tokio::spawn(server::run(listener, app, router, shutdown));
    Ok(Running { addr, metrics_addr, task })
}

/// Postgres was away at the start: as soon as it is there, its role is checked. One that could get around row-level security stops the process.
async fn look_for_postgres(db: Db, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(POSTGRES_LOOK) => {}
        }
        match db.ready().await {
            Ok(()) => return tracing::info!("Postgres is there"),
            Err(ConnectError::Db(_)) => {}
            Err(refused) => {
                tracing::error!(%refused, "stopping");
                return shutdown.cancel();
            }
        }
    }
}
