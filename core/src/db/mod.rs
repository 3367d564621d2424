//! Postgres: pools, transactions and every query. Other crates see functions that take a [`ShopTx`] or a [`SystemTx`], never SQL.
//!
//! ```no_run
//! # use frontdesk_core::{db::{Db, DbError, TxKind, orders}, tenancy::ShopScope, ids::OrderNo};
//! # async fn run(db: Db, scope: ShopScope) -> Result<(), DbError> {
//! let order = db.shop_tx(&scope, TxKind::Read, async move |mut tx| orders::find(&mut tx, OrderNo(1001)).await).await?;
//! # drop(order); Ok(()) }
//! ```

pub mod appointments;
pub mod archives;
pub mod audit;
pub mod channels;
pub mod closures;
mod connection;
pub mod conversations;
pub mod customers;
mod error;
pub mod inbox;
pub mod integrations;
pub mod logs;
pub mod media;
pub mod messages;
pub mod migrations;
pub mod orders;
pub mod outbox;
pub mod personal_data;
pub mod products;
pub mod proposals;
pub mod requests;
pub mod roles;
pub mod sales;
#[rustfmt::skip]
#[expect(missing_docs, reason = "generated")]
pub mod schema;
mod search_words;
pub mod services;
pub mod sheet_exports;
pub mod shops;
mod sql;
pub mod staff;
pub mod stock;
pub mod subscriptions;
pub mod system;
mod transaction;
pub mod turns;
mod turnstile;
pub mod usage;
pub mod users;

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::Timeouts;
use diesel::sql_types::{Bool, Text};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt as _;
use secrecy::{ExposeSecret, SecretString};

use self::sql::sql;
pub use connection::{Server, UrlError};
pub use error::DbError;
pub use transaction::{ShopTx, SystemTx, TxKind};
use turnstile::Turnstile;

/// Opening a connection to a healthy server takes milliseconds; beyond this it is not healthy.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How many connections a process keeps, and how long it waits for a free one.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Connections at most. All processes together must stay below Postgres's `max_connections`.
    pub size: usize,
    /// How long to wait for a free one before [`DbError::Busy`].
    pub wait: Duration,
}

impl PoolSettings {
    /// For the ingress: short reads; somebody waits, so better a quick 503 than a long queue.
    pub const INGRESS: Self = Self { size: 8, wait: Duration::from_millis(500) };
    /// For a worker: many turns at once, each with short transactions.
    pub const WORKER: Self = Self { size: 4, wait: Duration::from_secs(4) };
    /// For the scheduler: one relay, one tick.
    pub const SCHEDULER: Self = Self { size: 2, wait: Duration::from_secs(2) };
}

/// A pool of connections as one role. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    /// As many passes as connections: the pool itself never has to queue anybody.
    turnstile: Arc<Turnstile>,
    wait: Duration,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("status", &self.pool.status()).finish()
    }
}

/// Why a process cannot use its database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be used.
    #[error("the Postgres URL cannot be used: {0}")]
    Url(#[from] UrlError),
    /// The pool's settings contradict one another.
    #[error("the pool of connections cannot be built")]
    Pool(#[from] diesel_async::pooled_connection::deadpool::BuildError),
    /// Postgres does not answer, or does not let us in.
    #[error("Postgres cannot be used")]
    Db(#[from] DbError),
    /// The role could get around row-level security.
    #[error(
        "refusing to run as Postgres role `{role}`: it {why}, so row-level security would not bind it; use the role that frontdesk-migrate makes"
    )]
    Unbound {
        /// The role.
        role: String,
        /// What it may do.
        why: &'static str,
    },
}

impl Db {
    /// Opens a pool and makes sure that row-level security binds its role: no superuser, no bypass, no owner of tables.
    ///
    /// # Errors
    /// When the URL is bad, Postgres is away, or the role is unbound.
    pub async fn connect(url: &SecretString, settings: PoolSettings) -> Result<Self, ConnectError> {
        let db = Self::open(url, settings)?;
        db.refuse_unbound_role().await?;
        Ok(db)
    }

    /// Like [`Db::connect`], but does not wait for Postgres: the role is checked by the first [`Db::ready`] that finds it there. For the
    /// ingress, which accepts webhooks while Postgres is away.
    ///
    /// # Errors
    /// When the URL is bad.
    pub fn open(url: &SecretString, settings: PoolSettings) -> Result<Self, ConnectError> {
        let server = Server::parse(url.expose_secret())?;
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |_| {
            let server = server.clone();
            async move { server.connect().await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config("", manager);
        let pool = Pool::builder(manager)
            .max_size(settings.size)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: Some(settings.wait), create: Some(CONNECT_LIMIT), recycle: Some(CONNECT_LIMIT) })
            .build()?;
        Ok(Self { pool, turnstile: Turnstile::new(settings.size), wait: settings.wait })
    }

    /// Whether Postgres answers, as a role that row-level security binds.
    ///
    /// # Errors
    /// When it does not answer, or the role is unbound.
    pub async fn ready(&self) -> Result<(), ConnectError> {
        self.refuse_unbound_role().await
    }

    async fn refuse_unbound_role(&self) -> Result<(), ConnectError> {
        let role = self.system_tx(TxKind::Read, async move |mut tx| current_role(&mut tx).await).await?;
        let why = if role.superuser {
            "is a superuser, or may become one"
        } else if role.bypasses {
            "bypasses row-level security, or may become a role that does"
        } else if role.owns {
            "owns tables, or may become their owner"
        } else {
            return Ok(());
        };
        Err(ConnectError::Unbound { role: role.name, why })
    }
}

#[derive(diesel::QueryableByName)]
struct RoleRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    superuser: bool,
    #[diesel(sql_type = Bool)]
    bypasses: bool,
    #[diesel(sql_type = Bool)]
    owns: bool,
}

async fn current_role(tx: &mut SystemTx) -> Result<RoleRow, DbError> {
    Ok(sql("SELECT current_user::text AS name, \
         EXISTS (SELECT FROM pg_roles r WHERE r.rolsuper AND pg_has_role(current_user, r.oid, 'MEMBER')) AS superuser, \
         EXISTS (SELECT FROM pg_roles r WHERE r.rolbypassrls AND pg_has_role(current_user, r.oid, 'MEMBER')) AS bypasses, \
         EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') \
                 AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS owns")
    .get_result(tx.conn())
    .await?)
}

/// Until the transaction ends, no other one of this shop gets past here with the same name: a repeat waits, and then sees what the first one did.
async fn one_at_a_time(tx: &mut ShopTx, kind: &str, name: &str) -> Result<(), DbError> {
    sql("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))")
        .bind::<Text, _>(format!("{kind}:{name}"))
        .bind::<diesel::sql_types::BigInt, _>(i64::from(tx.shop().0))
        .execute(tx.conn())
        .await?;
    Ok(())
}
