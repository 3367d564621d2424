//! Applies the embedded migrations, as the tables' owner; then makes the roles and their privileges fit.

use std::time::Duration;

use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::{ExposeSecret, SecretString};

use super::{DbError, Server, UrlError};
use super::{
    roles::{self, Roles, RolesError},
    sql::sql,
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");
/// "frontdesk" in numbers: one migration run at a time per database.
const ADVISORY_LOCK: i64 = 3_676_684_375;

/// How often a run asks whether the one before it has ended.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// An index on a large table takes minutes; beyond this the other run is stuck.
const OTHERS_TURN: Duration = Duration::from_mins(60);

/// Why the database could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A URL cannot be used.
    #[error("a Postgres URL cannot be used: {0}")]
    Url(#[from] UrlError),
    /// Postgres does not let the owner in.
    #[error("cannot connect with MIGRATE_DATABASE_URL: {0}")]
    Connect(#[from] diesel::ConnectionError),
    /// A query failed.
    #[error("the database refused: {0}")]
    Db(#[from] diesel::result::Error),
    /// A migration failed; what it did was rolled back.
    #[error("{0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
    /// Another run does not end.
    #[error("another frontdesk-migrate has been at work for an hour; see what it waits for (pg_stat_activity), then try again")]
    Busy,
    /// The roles could not be made.
    #[error(transparent)]
    Roles(#[from] RolesError),
}

/// Which migrations stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Applied, oldest first.
    pub applied: Vec<String>,
    /// Still to be applied, in order.
    pub pending: Vec<String>,
}

/// The owner's connection, with the lock that keeps other runs out.
pub struct Owner {
    conn: AsyncPgConnection,
    roles: Roles,
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// Waits while another run is at work. Asks again and again: a statement that waited inside Postgres would hold a snapshot, for which an index that is
/// built concurrently waits in its turn.
async fn take_turn(conn: &mut AsyncPgConnection) -> Result<(), MigrateError> {
    #[derive(diesel::QueryableByName)]
    struct Turn {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        ours: bool,
    }
    let waiting = async {
        loop {
            let turn: Turn =
                sql("SELECT pg_try_advisory_lock($1) AS ours").bind::<diesel::sql_types::BigInt, _>(ADVISORY_LOCK).get_result(conn).await?;
            if turn.ours {
                return Ok(());
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    };
    tokio::time::timeout(OTHERS_TURN, waiting).await.map_err(|_| MigrateError::Busy)?
}

impl Owner {
    /// Connects as the owner; waits while another run is at work. `app` and `ingress` are the URLs whose roles are to be made.
    ///
    /// # Errors
    /// When a URL is bad, the roles are not three, or Postgres is away.
    pub async fn connect(owner: &SecretString, app: &SecretString, ingress: &SecretString) -> Result<Self, MigrateError> {
        let server = Server::parse(owner.expose_secret())?;
        let roles = Roles::new(&server, &Server::parse(app.expose_secret())?, &Server::parse(ingress.expose_secret())?)?;
        let mut conn = server.connect().await?;
        take_turn(&mut conn).await?;
        // Owners of a hosted database are often bound to short limits; building an index is not short.
        conn.batch_execute("SET statement_timeout = 0; SET lock_timeout = '10s'").await?;
        Ok(Self { conn, roles })
    }

    /// Makes the roles, applies what is pending, and grants. Answers what was applied, and the owner again.
    ///
    /// # Errors
    /// When a migration or a role fails; each migration is a transaction.
    pub async fn up(self) -> Result<(Vec<String>, Self), MigrateError> {
        let Self { mut conn, roles } = self;
        roles::prepare(&mut conn, &roles).await?;
        let mut harness = AsyncMigrationHarness::new(conn);
        let applied = harness.run_pending_migrations(MIGRATIONS).map_err(MigrateError::Migration)?;
        let applied = applied.iter().map(ToString::to_string).collect();
        let mut conn = harness.into_inner();
        roles::grant(&mut conn, &roles).await?;
        Ok((applied, Self { conn, roles }))
    }

    /// Reverts the latest migration, or all of them. Answers what was reverted.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn down(self, all: bool) -> Result<Vec<String>, MigrateError> {
        let mut harness = AsyncMigrationHarness::new(self.conn);
        let reverted = if all {
            harness.revert_all_migrations(MIGRATIONS).map_err(MigrateError::Migration)?
        } else {
            vec![harness.revert_last_migration(MIGRATIONS).map_err(MigrateError::Migration)?]
        };
        Ok(reverted.iter().map(ToString::to_string).collect())
    }

    /// Which migrations stand, which are pending.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn status(self) -> Result<Status, MigrateError> {
        let mut harness = AsyncMigrationHarness::new(self.conn);
        let mut applied: Vec<String> =
            harness.applied_migrations().map_err(MigrateError::Migration)?.iter().map(ToString::to_string).collect();
        applied.sort();
        let pending = harness
            .pending_migrations(MIGRATIONS)
            .map_err(MigrateError::Migration)?
            .iter()
            .map(|one| one.name().version().to_string())
            .collect();
        Ok(Status { applied, pending })
    }

    /// Creates the platform administrator, or gives them a new password.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn save_admin(&mut self, email: &str, password_hash: &str) -> Result<(), DbError> {
        sql(
            "INSERT INTO admins (email, password_hash) VALUES (lower($1), $2) ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash",
        )
        .bind::<diesel::sql_types::Text, _>(email)
        .bind::<diesel::sql_types::Text, _>(password_hash)
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    /// The administrator's password hash, if they exist.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn admin_hash(&mut self, email: &str) -> Result<Option<String>, DbError> {
        use diesel::OptionalExtension as _;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            password_hash: String,
        }
        let row: Option<Row> = sql("SELECT password_hash FROM admins WHERE email = lower($1)")
            .bind::<diesel::sql_types::Text, _>(email)
            .get_result(&mut self.conn)
            .await
            .optional()?;
        Ok(row.map(|row| row.password_hash))
    }
}
