//! Who may do what in Postgres: one table. Every run of `frontdesk-migrate` makes it so.
//!
//! Three roles: the owner (migrations only), the app (workers and scheduler: rows, no tables), the ingress (reads, and no secret it does not need).

use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::{Server, sql::sql, system};

/// What the two roles may do with a table.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// The table.
    pub table: &'static str,
    /// The app's privileges.
    pub app: &'static str,
    /// The ingress's privileges.
    pub ingress: &'static str,
}

const fn rows(table: &'static str) -> Grant {
    Grant { table, app: "SELECT, INSERT, UPDATE, DELETE", ingress: "SELECT" }
}

const fn history(table: &'static str) -> Grant {
    Grant { table, app: "SELECT, INSERT", ingress: "SELECT" }
}

/// The table. What is not in it (admins, log partitions, the list of migrations) neither role can touch.
pub const GRANTS: &[Grant] = &[
    // A shop is made by `system.register_shop`, and never deleted.
    Grant { table: "shops", app: "SELECT, UPDATE", ingress: "SELECT" },
    // The ingress checks passwords through `system.find_login` alone.
    Grant {
        table: "users",
        app: "SELECT, INSERT, UPDATE, DELETE",
        ingress: "SELECT (shop_id, id, email, name, role, active, created_at, email_confirmed_at, invited_at)",
    },
    // Tokens are for those who send.
    Grant {
        table: "channels",
        app: "SELECT, INSERT, UPDATE, DELETE",
        ingress: "SELECT (shop_id, id, platform, external_id, name, phone, login, status, status_code, created_at, updated_at, token_expires_at, checked_at)",
    },
    // Tokens and the words of sync and watch are for those who ask Google.
    Grant {
        table: "integrations",
        app: "SELECT, INSERT, UPDATE, DELETE",
        ingress: "SELECT (shop_id, id, provider, state, account, scopes, calendars, calendar_id, calendar_name, tell_customers, last_sync_at, error, created_at, updated_at)",
    },
    Grant { table: "sheet_exports", app: "SELECT, INSERT", ingress: "" },
    rows("products"),
    history("stock_changes"),
    rows("customers"),
    rows("customer_aliases"),
    rows("conversations"),
    Grant { table: "conversation_notes", app: "SELECT, INSERT, DELETE", ingress: "SELECT" },
    rows("turns"),
    rows("messages"),
    rows("media"),
    Grant { table: "archives", app: "SELECT, INSERT, DELETE", ingress: "" },
    rows("proposals"),
    rows("orders"),
    Grant { table: "order_numbers", app: "SELECT, UPDATE", ingress: "" },
    history("order_events"),
    rows("services"),
    rows("staff"),
    rows("service_staff"),
    rows("closures"),
    rows("appointments"),
    history("appointment_events"),
    history("appointment_reminders"),
    rows("daily_sales"),
    rows("product_sales"),
    rows("order_counts"),
    rows("subscriptions"),
    history("payments"),
    history("billing_events"),
    Grant { table: "billing_notices", app: "SELECT, INSERT", ingress: "" },
    rows("usage"),
    rows("model_usage"),
    rows("requests"),
    Grant { table: "outbox", app: "SELECT, INSERT, UPDATE, DELETE", ingress: "" },
    history("audit"),
    // Rows are only added, and emptied when a customer is forgotten.
    Grant { table: "logs", app: "SELECT, INSERT, UPDATE (payload, dedupe_key)", ingress: "" },
];

/// Limits of a role's sessions: a net below those that each transaction sets for itself.
const SESSION_LIMITS: &[(&str, &str)] =
    &[("statement_timeout", "60s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "30s")];

/// Why the roles could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// Two of the three URLs name the same role.
    #[error("{0} and {1} name the same role `{2}`; owner, app and ingress must be three")]
    Same(&'static str, &'static str, String),
    /// The owner may not make roles.
    #[error(
        "role `{0}` does not exist and the owner may not create roles; let an administrator run: CREATE ROLE \"{0}\" LOGIN PASSWORD '…'"
    )]
    MayNotCreate(String),
    /// A URL has no password for a role that is to be made.
    #[error("role `{0}` is to be created, but its URL has no password")]
    NoPassword(String),
    /// The role is more than it may be.
    #[error("role `{0}` {1}; row-level security would not bind it")]
    Unbound(String, &'static str),
    /// A query failed.
    #[error("the database refused: {0}")]
    Db(#[from] diesel::result::Error),
}

struct Login {
    name: String,
    /// A verifier, so that the password itself never reaches Postgres's log.
    verifier: Option<String>,
}

/// The roles to make.
pub struct Roles {
    app: Login,
    ingress: Login,
}

impl std::fmt::Debug for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roles").field("app", &self.app.name).field("ingress", &self.ingress.name).finish()
    }
}

impl Roles {
    /// From the three URLs.
    ///
    /// # Errors
    /// When they are not three.
    pub fn new(owner: &Server, app: &Server, ingress: &Server) -> Result<Self, RolesError> {
        let named = [("MIGRATE_DATABASE_URL", owner), ("DATABASE_URL", app), ("INGRESS_DATABASE_URL", ingress)];
        for (at, (one, server)) in named.iter().enumerate() {
            if let Some((other, _)) = named.iter().take(at).find(|(_, earlier)| earlier.user() == server.user()) {
                return Err(RolesError::Same(other, one, server.user().to_owned()));
            }
        }
        let login = |server: &Server| Login {
            name: server.user().to_owned(),
            verifier: server.password().map(postgres_protocol::password::scram_sha_256),
        };
        Ok(Self { app: login(app), ingress: login(ingress) })
    }
}

fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[derive(diesel::QueryableByName)]
struct RoleRow {
    #[diesel(sql_type = Bool)]
    exists: bool,
    #[diesel(sql_type = Bool)]
    unbound: bool,
    #[diesel(sql_type = Bool)]
    owner_like: bool,
    #[diesel(sql_type = Bool)]
    limited: bool,
    #[diesel(sql_type = Bool)]
    may_create: bool,
}

async fn look(conn: &mut AsyncPgConnection, name: &str) -> Result<RoleRow, RolesError> {
    Ok(sql(
        "SELECT r.oid IS NOT NULL AS exists, \
         coalesce(EXISTS (SELECT FROM pg_roles m WHERE (m.rolsuper OR m.rolbypassrls) AND pg_has_role(r.oid, m.oid, 'MEMBER')), false) AS unbound, \
         coalesce(pg_has_role(r.oid, current_user, 'MEMBER'), false) AS owner_like, \
         coalesce((SELECT count(*) FROM unnest(r.rolconfig) AS setting WHERE setting LIKE ANY \
             (ARRAY['statement_timeout=%', 'lock_timeout=%', 'idle_in_transaction_session_timeout=%'])), 0) = 3 AS limited, \
         (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create \
         FROM (SELECT $1::text AS name) AS wanted LEFT JOIN pg_roles r ON r.rolname = wanted.name",
    )
    .bind::<Text, _>(name)
    .get_result(conn)
    .await?)
}

/// Makes the roles that are missing. A role that exists keeps its password.
///
/// # Errors
/// When a role cannot be made, or is more than it may be.
pub async fn prepare(conn: &mut AsyncPgConnection, roles: &Roles) -> Result<(), RolesError> {
    for login in [&roles.app, &roles.ingress] {
        let name = ident(&login.name);
        let found = look(conn, &login.name).await?;
        if found.unbound {
            return Err(RolesError::Unbound(login.name.clone(), "is, or may become, a superuser or a role that bypasses it"));
        }
        if found.owner_like {
            return Err(RolesError::Unbound(login.name.clone(), "may become the tables' owner"));
        }
        if !found.exists {
            if !found.may_create {
                return Err(RolesError::MayNotCreate(login.name.clone()));
            }
            let verifier = login.verifier.as_ref().ok_or_else(|| RolesError::NoPassword(login.name.clone()))?;
            // Another database of the same cluster may be prepared at the same moment: then the role is there, and that is all we want.
            conn.batch_execute(&format!(
                "DO $do$ BEGIN CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION PASSWORD '{verifier}'; \
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $do$"
            ))
            .await?;
        }
        if !found.limited {
            for (setting, limit) in SESSION_LIMITS {
                if let Err(error) = conn.batch_execute(&format!("ALTER ROLE {name} SET {setting} = '{limit}'")).await {
                    tracing::warn!(role = %login.name, setting, %error, "session limit not set; each transaction has its own all the same");
                }
            }
        }
    }
    // A function made later is nobody's until it is granted.
    conn.batch_execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC").await?;
    Ok(())
}

/// Grants what the tables of this module and of [`system`] say, and takes away everything else; in one transaction.
///
/// # Errors
/// When Postgres refuses.
pub async fn grant(conn: &mut AsyncPgConnection, roles: &Roles) -> Result<(), RolesError> {
    let (app, ingress) = (ident(&roles.app.name), ident(&roles.ingress.name));
    let mut sql = String::from("BEGIN; ");
    for role in [&app, &ingress] {
        sql.push_str(&format!(
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}; REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}; \
             REVOKE ALL ON ALL FUNCTIONS IN SCHEMA system FROM {role}; GRANT USAGE ON SCHEMA public, system TO {role}; "
        ));
    }
    for Grant { table, app: to_app, ingress: to_ingress } in GRANTS {
        for (privileges, role) in [(to_app, &app), (to_ingress, &ingress)] {
            if !privileges.is_empty() {
                sql.push_str(&format!("GRANT {privileges} ON public.{table} TO {role}; "));
            }
        }
    }
    for door in system::DOORS {
        for (may, role) in [(door.app, &app), (door.ingress, &ingress)] {
            if may {
                sql.push_str(&format!("GRANT EXECUTE ON FUNCTION system.{} TO {role}; ", door.function));
            }
        }
    }
    sql.push_str("COMMIT");
    if let Err(error) = conn.batch_execute(&sql).await {
        // The session must not stay inside the failed transaction.
        let _ = conn.batch_execute("ROLLBACK").await;
        return Err(error.into());
    }
    // What PUBLIC may do by default is taken away where the owner may do that; on PostgreSQL 15 and later only temporary tables are left.
    conn.batch_execute(
        "DO $do$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC; EXCEPTION WHEN insufficient_privilege THEN NULL; END $do$",
    )
    .await?;
    Ok(())
}
