//! Transactions. Each runs on a task of its own, so that a caller who hangs up cannot leave locks behind, and has limits by its kind.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::{Db, DbError};
use crate::ids::ShopId;
use crate::tenancy::ShopScope;

/// What a transaction is for; its limits follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxKind {
    /// A step of a turn: a customer waits.
    Turn,
    /// A write that staff, a webhook or a schedule asked for.
    Command,
    /// Many rows written at once: imports, sample data.
    Bulk,
    /// Reading for a screen. Postgres refuses writes.
    Read,
    /// Reading much. Postgres refuses writes.
    Export,
}

/// Limits in milliseconds: one statement, one lock, idle between statements; and the whole.
struct Limits {
    statement: u64,
    lock: u64,
    idle: u64,
    whole: Duration,
}

impl TxKind {
    /// A lock waits for the transactions before it: at a rush on one product that is a queue, not a hang.
    const fn limits(self) -> Limits {
        match self {
            Self::Turn => Limits { statement: 3_000, lock: 2_500, idle: 2_000, whole: Duration::from_secs(6) },
            Self::Command => Limits { statement: 5_000, lock: 4_000, idle: 3_000, whole: Duration::from_secs(9) },
            Self::Bulk => Limits { statement: 30_000, lock: 5_000, idle: 10_000, whole: Duration::from_mins(2) },
            Self::Read => Limits { statement: 3_000, lock: 1_000, idle: 2_000, whole: Duration::from_secs(6) },
            Self::Export => Limits { statement: 60_000, lock: 2_000, idle: 30_000, whole: Duration::from_mins(10) },
        }
    }

    const fn reads_only(self) -> bool {
        matches!(self, Self::Read | Self::Export)
    }

    fn begin(self, shop: Option<ShopId>) -> String {
        let Limits { statement, lock, idle, .. } = self.limits();
        let mode = if self.reads_only() { " READ ONLY" } else { "" };
        let mut sql = format!("BEGIN{mode}; ");
        if let Some(ShopId(shop)) = shop {
            // A number, never text: nothing can be smuggled in.
            sql.push_str(&format!("SET LOCAL app.shop_id = {shop}; "));
        }
        sql.push_str(&format!(
            "SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}; SET LOCAL idle_in_transaction_session_timeout = {idle}"
        ));
        sql
    }
}

/// A connection inside a transaction; it goes back to whoever ends the transaction.
struct Lent {
    conn: Option<Object<AsyncPgConnection>>,
    back: Option<oneshot::Sender<Object<AsyncPgConnection>>>,
}

impl Lent {
    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn conn(&mut self) -> &mut AsyncPgConnection {
        self.conn.as_mut().expect("a connection is lent until it is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(conn), Some(back)) = (self.conn.take(), self.back.take())
            && let Err(conn) = back.send(conn)
        {
            discard(conn);
        }
    }
}

/// A transaction within one shop: Postgres shows and takes that shop's rows alone.
pub struct ShopTx {
    scope: ShopScope,
    lent: Lent,
}

impl std::fmt::Debug for ShopTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShopTx").field("shop", &self.shop()).finish_non_exhaustive()
    }
}

impl ShopTx {
    /// The shop.
    #[must_use]
    pub const fn shop(&self) -> ShopId {
        self.scope.shop()
    }

    /// The shop's scope.
    #[must_use]
    pub const fn scope(&self) -> &ShopScope {
        &self.scope
    }

    /// For queries of this module's children. They never begin a transaction of their own.
    pub(crate) fn conn(&mut self) -> &mut AsyncPgConnection {
        self.lent.conn()
    }
}

/// A transaction without a shop: row-level security shows no tenant's rows; only the functions of [`super::system`] reach across.
pub struct SystemTx {
    lent: Lent,
}

impl std::fmt::Debug for SystemTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemTx").finish_non_exhaustive()
    }
}

impl SystemTx {
    pub(crate) fn conn(&mut self) -> &mut AsyncPgConnection {
        self.lent.conn()
    }
}

impl Db {
    /// Runs `work` in a transaction within one shop: commits what ends in `Ok`, rolls back what ends in `Err` or panics. It goes on to its end
    /// even if the caller is dropped. `work` must not wait for a model or a provider, and must not keep the transaction beyond its end.
    ///
    /// # Errors
    /// What `work` answers; [`DbError`] when Postgres is away, or the transaction took longer than its kind may, or a statement had failed although
    /// `work` ended in `Ok`. After [`DbError::Unavailable`] or [`DbError::Timeout`] the transaction may have been committed.
    pub async fn shop_tx<T, E, F, Fut>(&self, scope: &ShopScope, kind: TxKind, work: F) -> Result<T, E>
    where
        F: FnOnce(ShopTx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let scope = *scope;
        self.run(kind, Some(scope.shop()), move |lent| work(ShopTx { scope, lent })).await
    }

    /// Runs `work` in a transaction without a shop; as [`Db::shop_tx`] else.
    ///
    /// # Errors
    /// As [`Db::shop_tx`].
    pub async fn system_tx<T, E, F, Fut>(&self, kind: TxKind, work: F) -> Result<T, E>
    where
        F: FnOnce(SystemTx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.run(kind, None, move |lent| work(SystemTx { lent })).await
    }

    async fn run<T, E, F, Fut>(&self, kind: TxKind, shop: Option<ShopId>, work: F) -> Result<T, E>
    where
        F: FnOnce(Lent) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        let task = Box::pin(async move {
            let Ok(_pass) = tokio::time::timeout(db.wait, db.turnstile.enter(shop)).await else { return Err(DbError::Busy.into()) };
            let conn = db.begin(kind, shop).await?;
            let (back, mut returned) = oneshot::channel();
            let lent = Lent { conn: Some(conn), back: Some(back) };
            let work = AssertUnwindSafe(async move { work(lent).await }).catch_unwind();
            let ended = tokio::time::timeout(kind.limits().whole, work).await;
            // The work has ended or was dropped, and the transaction with it.
            let conn = returned.try_recv().map_err(|_| DbError::odd("a transaction was kept beyond its work"))?;
            match ended {
                Ok(Ok(Ok(done))) => end(conn, COMMIT).await.map(|()| done).map_err(E::from),
                Ok(Ok(Err(refused))) => {
                    // The answer is what the work says; a rollback that fails closes the connection, which rolls back too.
                    let _ = end(conn, ROLLBACK).await;
                    Err(refused)
                }
                Ok(Err(panic)) => {
                    discard(conn);
                    std::panic::resume_unwind(panic)
                }
                Err(_) => {
                    // A statement may still be running: closing is the only way to be sure. Its own timeout ends it on the server.
                    discard(conn);
                    Err(DbError::Timeout(format!("{kind:?} transaction")).into())
                }
            }
        });
        match tokio::spawn(task.in_current_span()).await {
            Ok(result) => result,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(DbError::Unavailable("the process is shutting down".to_owned()).into()),
            },
        }
    }

    /// A connection with the transaction begun, in one round trip. A pooled connection may have died unseen: then another is tried, once.
    async fn begin(&self, kind: TxKind, shop: Option<ShopId>) -> Result<Object<AsyncPgConnection>, DbError> {
        let sql = kind.begin(shop);
        let mut again = true;
        loop {
            let mut conn = self.pool.get().await?;
            let begun = tokio::time::timeout(END_LIMIT, conn.batch_execute(&sql)).await;
            let error = match begun {
                Ok(Ok(())) => return Ok(conn),
                Ok(Err(error)) => DbError::from(error),
                Err(_) => DbError::Timeout("begin".to_owned()),
            };
            discard(conn);
            if !again || !matches!(error, DbError::Unavailable(_)) {
                return Err(error);
            }
            again = false;
        }
    }
}

/// Closes a connection whose state is unknown; the pool makes another.
fn discard(conn: Object<AsyncPgConnection>) {
    drop(Object::take(conn));
}

/// `SELECT 1` fails where a statement failed before: a bare `COMMIT` would roll back and say nothing.
const COMMIT: &str = "SELECT 1; COMMIT";
const ROLLBACK: &str = "ROLLBACK";
/// Beginning and ending are one round trip, plus a flush to disk.
const END_LIMIT: Duration = Duration::from_secs(5);

async fn end(mut conn: Object<AsyncPgConnection>, sql: &str) -> Result<(), DbError> {
    let error = match tokio::time::timeout(END_LIMIT, conn.batch_execute(sql)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => DbError::from(error),
        Err(_) => DbError::Timeout("commit".to_owned()),
    };
    discard(conn);
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_begins_in_one_round_trip_with_its_limits() {
        let sql = TxKind::Read.begin(Some(ShopId(8)));
        assert!(sql.starts_with("BEGIN READ ONLY; SET LOCAL app.shop_id = 8; SET LOCAL statement_timeout = 3000"));
        assert!(!TxKind::Command.begin(None).contains("shop_id"));
    }
}
