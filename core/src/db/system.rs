//! The few queries that cross shops. Each is a function of the schema `system`, made by a migration, owned by the tables' owner, and granted to the
//! roles named here; row-level security shows a role everything else but its own shop's rows as empty.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use super::outbox::{Pending, PendingRow};
use super::{Db, DbError, TxKind, logs};
use super::{
    channels::{ChannelRef, RefRow},
    sql::sql,
};
use crate::auth::Role;
use crate::ids::{AdminId, ShopId, UserId};
use crate::inbound::{ChannelKey, InboundEvent};
use crate::jobs::{JobName, RegisterShop};
use crate::tenancy::ShopScope;

/// A function that crosses shops.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// Name and argument types, as Postgres writes them.
    pub function: &'static str,
    /// Why it must cross shops.
    pub why: &'static str,
    /// The app may call it.
    pub app: bool,
    /// The ingress may call it.
    pub ingress: bool,
}

/// All of them.
pub const DOORS: &[Door] = &[
    Door {
        function: "find_channel(text, text)",
        why: "a message names Meta's id of the account; whose it is, is the question",
        app: true,
        ingress: false,
    },
    Door {
        function: "find_stripe_customer(text)",
        why: "an event of Stripe's names its customer; which shop that is, is the question",
        app: true,
        ingress: false,
    },
    Door { function: "find_login(text)", why: "who logs in, or forgot a password, names an e-mail, not a shop", app: true, ingress: true },
    Door {
        function: "reset_password(integer, text, text)",
        why: "who holds a link to a new password names no shop",
        app: true,
        ingress: false,
    },
    Door {
        function: "confirm_email(integer, text)",
        why: "who holds a link to confirm an address names no shop",
        app: true,
        ingress: false,
    },
    Door { function: "find_admin(integer)", why: "administrators belong to no shop", app: false, ingress: true },
    Door {
        function: "register_shop(text, text, text, text, text, text, text, text, integer, timestamp with time zone)",
        why: "the shop is not there yet",
        app: true,
        ingress: false,
    },
    Door { function: "list_shops(integer, integer)", why: "administration sees every shop", app: false, ingress: true },
    Door {
        function: "list_logs(integer, text, text, text, timestamp with time zone, timestamp with time zone, timestamp with time zone, bigint, integer)",
        why: "administration reads the raw events of every shop, and of none",
        app: false,
        ingress: true,
    },
    Door {
        function: "claim_outbox(integer, integer, integer)",
        why: "the relay pushes what any shop left behind",
        app: true,
        ingress: false,
    },
    Door { function: "delete_outbox(integer[], bigint[])", why: "one call for what the relay pushed", app: true, ingress: false },
    Door {
        function: "drop_old_requests(timestamp with time zone, integer)",
        why: "answers of every shop have the same lifetime",
        app: true,
        ingress: false,
    },
    Door {
        function: "log_unknown_channel(timestamp with time zone, text, text, text, text, jsonb)",
        why: "the event belongs to no shop we know",
        app: true,
        ingress: false,
    },
    Door {
        function: "ensure_log_partitions(timestamp with time zone)",
        why: "partitions hold the logs of every shop",
        app: true,
        ingress: false,
    },
    Door {
        function: "drop_old_logs(timestamp with time zone, integer)",
        why: "partitions hold the logs of every shop",
        app: true,
        ingress: false,
    },
    Door {
        function: "enqueue_calendar_pulls(text, text)",
        why: "a scheduled job that every shop gets which has connected a calendar",
        app: true,
        ingress: false,
    },
    Door { function: "enqueue_for_every_shop(text, text)", why: "a scheduled job that every shop gets", app: true, ingress: false },
];

/// Rows that the relay takes at once.
const MOST_CLAIMED: i32 = 1_000;
/// Answers are kept this long.
const REQUESTS_KEPT: TimeDelta = TimeDelta::hours(48);
/// Requests deleted by one call; the next call goes on.
const MOST_REQUESTS: i32 = 10_000;

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Login {
    /// bcrypt.
    pub password_hash: String,
    /// Whether they may log in at all.
    pub active: bool,
    /// A shop's user or an administrator.
    pub who: LoginWho,
}

/// A shop's user or an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginWho {
    /// A user of a shop.
    User {
        /// The user.
        user: UserId,
        /// The shop.
        shop: ShopId,
        /// The role.
        role: Role,
    },
    /// A platform administrator.
    Admin {
        /// The administrator.
        admin: AdminId,
    },
}

/// A shop that was opened.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    /// The new shop's scope: registration is one of the doors.
    pub scope: ShopScope,
    /// Its owner.
    pub owner: UserId,
    /// False when the same request had opened it before.
    pub is_new: bool,
}

/// A shop as administration sees it.
#[derive(Debug, Clone, Serialize, QueryableByName)]
pub struct ShopRow {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub id: ShopId,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `product`, `service` or `both`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Its plan.
    #[diesel(sql_type = Text)]
    pub plan: String,
    /// `active` or `inactive`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// Its owner's address.
    #[diesel(sql_type = Nullable<Text>)]
    pub owner_email: Option<String>,
    /// Connected accounts.
    #[diesel(sql_type = BigInt)]
    pub channels: i64,
    /// When it was opened.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Stands {
    #[diesel(sql_type = Bool)]
    stands: bool,
}

/// Which raw events administration wants to see.
#[derive(Debug, Clone)]
pub struct LogFilter {
    /// Of this shop.
    pub shop: Option<ShopId>,
    /// Of this platform.
    pub platform: Option<String>,
    /// `in` or `out`.
    pub direction: Option<String>,
    /// What happened.
    pub kind: Option<String>,
    /// Not before.
    pub from: DateTime<Utc>,
    /// Before.
    pub to: DateTime<Utc>,
    /// Those that come after this one, the latest first.
    pub before: Option<(DateTime<Utc>, i64)>,
}

/// A raw event as administration sees it.
#[derive(Debug, Clone, Serialize, QueryableByName)]
pub struct LoggedEvent {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// When it was logged.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// Whose it is; nobody's on an unknown channel.
    #[diesel(sql_type = Nullable<Integer>)]
    pub shop_id: Option<ShopId>,
    /// `in` or `out`.
    #[diesel(sql_type = Text)]
    pub direction: String,
    /// The platform.
    #[diesel(sql_type = Text)]
    pub platform: String,
    /// Meta's id of the account.
    #[diesel(sql_type = Text)]
    pub external_id: String,
    /// What happened.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// As the platform sent it, or what we sent.
    #[diesel(sql_type = Jsonb)]
    pub payload: serde_json::Value,
}

/// Also used within a shop's transaction, to see whether an account is taken.
pub(super) async fn channel_in(conn: &mut AsyncPgConnection, key: &ChannelKey) -> Result<Option<ChannelRef>, DbError> {
    let row: Option<RefRow> =
        sql("SELECT shop_id, id, platform, external_id, login, sealed_token, status FROM system.find_channel($1, $2)")
            .bind::<Text, _>(key.platform.as_str())
            .bind::<Text, _>(&key.external_id)
            .get_result(conn)
            .await
            .optional()?;
    row.map(ChannelRef::try_from).transpose()
}

impl Db {
    /// The channel of an account, whosever it is; `None` if no shop has it.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn find_channel(&self, key: &ChannelKey) -> Result<Option<ChannelRef>, DbError> {
        let key = key.clone();
        self.system_tx(TxKind::Read, async move |mut tx| channel_in(tx.conn(), &key).await).await
    }

    /// The shop that is this customer of Stripe's; `None` if none is.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn find_stripe_customer(&self, customer: &str) -> Result<Option<ShopScope>, DbError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Integer)]
            shop_id: ShopId,
        }
        let customer = customer.to_owned();
        let row: Option<Row> = self
            .system_tx(TxKind::Read, async move |mut tx| {
                let found = sql("SELECT shop_id FROM system.find_stripe_customer($1)").bind::<Text, _>(customer);
                Ok::<_, DbError>(found.get_result(tx.conn()).await.optional()?)
            })
            .await?;
        Ok(row.map(|row| ShopScope::new(row.shop_id)))
    }

    /// Who has this e-mail; `None` if nobody.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn find_login(&self, email: &str) -> Result<Option<Login>, DbError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Integer>)]
            user_id: Option<UserId>,
            #[diesel(sql_type = Nullable<Integer>)]
            admin_id: Option<AdminId>,
            #[diesel(sql_type = Nullable<Integer>)]
            shop_id: Option<ShopId>,
            #[diesel(sql_type = Text)]
            password_hash: String,
            #[diesel(sql_type = Text)]
            role: String,
            #[diesel(sql_type = Bool)]
            active: bool,
        }
        if email.contains('\0') {
            return Ok(None);
        }
        let email = email.to_owned();
        let row: Option<Row> = self
            .system_tx(TxKind::Read, async move |mut tx| {
                Ok::<_, DbError>(
                    sql("SELECT user_id, admin_id, shop_id, password_hash, role, active FROM system.find_login($1)")
                        .bind::<Text, _>(email)
                        .get_result(tx.conn())
                        .await
                        .optional()?,
                )
            })
            .await?;
        Ok(row.and_then(|row| {
            let who = match (row.user_id, row.shop_id, row.admin_id) {
                (Some(user), Some(shop), _) => LoginWho::User { user, shop, role: Role::from_name(&row.role)? },
                (_, _, Some(admin)) => LoginWho::Admin { admin },
                _ => return None,
            };
            Some(Login { password_hash: row.password_hash, active: row.active, who })
        }))
    }

    /// Sets the password of a user whose present hash has this fingerprint, and notes that the address is theirs. False if it is another by now; the
    /// same call again is true, as its work stands.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn reset_password(&self, user: UserId, replaces: &str, password_hash: &str) -> Result<bool, DbError> {
        let (replaces, password_hash) = (replaces.to_owned(), password_hash.to_owned());
        self.system_tx(TxKind::Command, async move |mut tx| {
            let row: Stands = sql("SELECT system.reset_password($1, $2, $3) AS stands")
                .bind::<Integer, _>(user)
                .bind::<Text, _>(replaces)
                .bind::<Text, _>(password_hash)
                .get_result(tx.conn())
                .await?;
            Ok(row.stands)
        })
        .await
    }

    /// Notes that the address with this fingerprint is its user's. False if they have another by now, or may not log in.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn confirm_email(&self, user: UserId, email: &str) -> Result<bool, DbError> {
        let email = email.to_owned();
        self.system_tx(TxKind::Command, async move |mut tx| {
            let row: Stands = sql("SELECT system.confirm_email($1, $2) AS stands")
                .bind::<Integer, _>(user)
                .bind::<Text, _>(email)
                .get_result(tx.conn())
                .await?;
            Ok(row.stands)
        })
        .await
    }

    /// An administrator's e-mail; `None` if they are one no more.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn find_admin(&self, admin: AdminId) -> Result<Option<String>, DbError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            email: String,
        }
        let row: Option<Row> = self
            .system_tx(TxKind::Read, async move |mut tx| {
                Ok::<_, DbError>(
                    sql("SELECT email FROM system.find_admin($1)").bind::<Integer, _>(admin).get_result(tx.conn()).await.optional()?,
                )
            })
            .await?;
        Ok(row.map(|row| row.email))
    }

    /// Opens a shop with its owner, at once or not at all. The same request again answers with the shop that stands;
    /// [`DbError::Unique`] with `users_email` says that somebody has the e-mail.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn register_shop(&self, shop: &RegisterShop, trial_days: u32, now: DateTime<Utc>) -> Result<Registered, DbError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Integer)]
            shop_id: ShopId,
            #[diesel(sql_type = Integer)]
            user_id: UserId,
            #[diesel(sql_type = Bool)]
            is_new: bool,
        }
        let shop = shop.clone();
        let row: Row = self
            .system_tx(TxKind::Command, async move |mut tx| {
                // The same key with another body is another registration: its e-mail decides.
                let registration = format!("{}:{}", shop.request.key, shop.request.fingerprint);
                Ok::<_, DbError>(
                    sql("SELECT shop_id, user_id, is_new FROM system.register_shop($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
                        .bind::<Text, _>(registration)
                        .bind::<Text, _>(&shop.shop_name)
                        .bind::<Text, _>(&shop.kind)
                        .bind::<Text, _>(&shop.email)
                        .bind::<Text, _>(&shop.password_hash)
                        .bind::<Text, _>(&shop.timezone)
                        .bind::<Text, _>(&shop.currency)
                        .bind::<Text, _>(&shop.locale)
                        .bind::<Integer, _>(i32::try_from(trial_days).unwrap_or(i32::MAX))
                        .bind::<Timestamptz, _>(now)
                        .get_result(tx.conn())
                        .await?,
                )
            })
            .await?;
        Ok(Registered { scope: ShopScope::new(row.shop_id), owner: row.user_id, is_new: row.is_new })
    }

    /// A page of all shops in id order, after `after`, at most `limit` (200).
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn list_shops(&self, after: Option<ShopId>, limit: i32) -> Result<Vec<ShopRow>, DbError> {
        self.system_tx(TxKind::Read, async move |mut tx| {
            Ok(sql("SELECT id, name, kind, plan, status, owner_email, channels, created_at FROM system.list_shops($1, $2) ORDER BY id")
                .bind::<Integer, _>(after.map_or(0, |shop| shop.0))
                .bind::<Integer, _>(limit)
                .load(tx.conn())
                .await?)
        })
        .await
    }

    /// A page of the raw events of all shops, the latest first.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn list_logs(&self, filter: &LogFilter, limit: i32) -> Result<Vec<LoggedEvent>, DbError> {
        let filter = filter.clone();
        let (before_at, before_id) = filter.before.unzip();
        self.system_tx(TxKind::Read, async move |mut tx| {
            Ok(sql("SELECT id, created_at, shop_id, direction, platform, external_id, kind, payload \
                 FROM system.list_logs($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY created_at DESC, id DESC")
            .bind::<Nullable<Integer>, _>(filter.shop)
            .bind::<Nullable<Text>, _>(filter.platform)
            .bind::<Nullable<Text>, _>(filter.direction)
            .bind::<Nullable<Text>, _>(filter.kind)
            .bind::<Timestamptz, _>(filter.from)
            .bind::<Timestamptz, _>(filter.to)
            .bind::<Nullable<Timestamptz>, _>(before_at)
            .bind::<Nullable<BigInt>, _>(before_id)
            .bind::<Integer, _>(limit)
            .load(tx.conn())
            .await?)
        })
        .await
    }

    /// Takes outbox rows that are older than `grace` (their own process pushes them at once, if it lives) and that no relay has taken within `again`.
    /// A row stays until [`Db::delete_outbox`].
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn claim_outbox(&self, limit: i32, grace: std::time::Duration, again: std::time::Duration) -> Result<Vec<Pending>, DbError> {
        let millis = |span: std::time::Duration| i32::try_from(span.as_millis()).unwrap_or(i32::MAX);
        let rows: Vec<PendingRow> = self
            .system_tx(TxKind::Command, async move |mut tx| {
                Ok::<_, DbError>(
                    sql("SELECT shop_id, id, queue, key, payload, run_at FROM system.claim_outbox($1, $2, $3)")
                        .bind::<Integer, _>(limit.min(MOST_CLAIMED))
                        .bind::<Integer, _>(millis(grace))
                        .bind::<Integer, _>(millis(again))
                        .load(tx.conn())
                        .await?,
                )
            })
            .await?;
        Ok(rows.into_iter().filter_map(PendingRow::into_pending).collect())
    }

    /// Deletes outbox rows that were pushed.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn delete_outbox(&self, pushed: &[Pending]) -> Result<(), DbError> {
        if pushed.is_empty() {
            return Ok(());
        }
        let (shops, ids): (Vec<ShopId>, Vec<i64>) = pushed.iter().map(Pending::row).unzip();
        self.system_tx(TxKind::Command, async move |mut tx| {
            sql("SELECT system.delete_outbox($1, $2)")
                .bind::<Array<Integer>, _>(shops)
                .bind::<Array<BigInt>, _>(ids)
                .execute(tx.conn())
                .await?;
            Ok(())
        })
        .await
    }

    /// Deletes answers of API writes that are older than 48 hours, some thousands at most; answers how many.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn drop_old_requests(&self, now: DateTime<Utc>) -> Result<i64, DbError> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            dropped: i64,
        }
        let row: Count = self
            .system_tx(TxKind::Command, async move |mut tx| {
                Ok::<_, DbError>(
                    sql("SELECT system.drop_old_requests($1, $2) AS dropped")
                        .bind::<Timestamptz, _>(now - REQUESTS_KEPT)
                        .bind::<Integer, _>(MOST_REQUESTS)
                        .get_result(tx.conn())
                        .await?,
                )
            })
            .await?;
        Ok(row.dropped)
    }

    /// Leaves a job without fields in every shop's outbox; the relay pushes it. `key` is its idempotency key; answers how many shops there are.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn enqueue_for_every_shop(&self, job: JobName, key: &str) -> Result<i64, DbError> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            shops: i64,
        }
        let key = key.to_owned();
        let row: Count = self
            .system_tx(TxKind::Bulk, async move |mut tx| {
                Ok::<_, DbError>(
                    sql("SELECT system.enqueue_for_every_shop($1, $2) AS shops")
                        .bind::<Text, _>(job.as_str())
                        .bind::<Text, _>(key)
                        .get_result(tx.conn())
                        .await?,
                )
            })
            .await?;
        Ok(row.shops)
    }

    /// Leaves a job without fields in the outbox of every shop that has connected a calendar; the relay pushes it. Answers how many there are.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn enqueue_calendar_pulls(&self, job: JobName, key: &str) -> Result<i64, DbError> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            shops: i64,
        }
        let key = key.to_owned();
        let row: Count = self
            .system_tx(TxKind::Bulk, async move |mut tx| {
                Ok::<_, DbError>(
                    sql("SELECT system.enqueue_calendar_pulls($1, $2) AS shops")
                        .bind::<Text, _>(job.as_str())
                        .bind::<Text, _>(key)
                        .get_result(tx.conn())
                        .await?,
                )
            })
            .await?;
        Ok(row.shops)
    }

    /// Logs events of an account that no shop has.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn log_unknown_channel(&self, events: &[&InboundEvent]) -> Result<(), DbError> {
        let events: Vec<InboundEvent> = events.iter().map(|event| (*event).clone()).collect();
        self.system_tx(TxKind::Command, async move |mut tx| {
            for event in &events {
                sql("SELECT system.log_unknown_channel(now(), $1, $2, $3, $4, $5)")
                    .bind::<Text, _>(event.channel.platform.as_str())
                    .bind::<Text, _>(&event.channel.external_id)
                    .bind::<Text, _>(event.what.name())
                    .bind::<Text, _>(&event.dedupe_key)
                    .bind::<Jsonb, _>(logs::storable(&event.raw))
                    .execute(tx.conn())
                    .await?;
            }
            Ok(())
        })
        .await
    }

    /// Makes the log partitions of this month and the next. Safe to repeat.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn ensure_log_partitions(&self) -> Result<(), DbError> {
        self.system_tx(TxKind::Command, async move |mut tx| {
            sql("SELECT system.ensure_log_partitions(now())").execute(tx.conn()).await?;
            Ok(())
        })
        .await
    }

    /// Makes the log partitions of this month and the next, and drops those that are wholly older than `keep_days`. Safe to repeat.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn keep_logs(&self, keep_days: u32) -> Result<(), DbError> {
        self.system_tx(TxKind::Command, async move |mut tx| {
            // By Postgres's own clock, which dates the rows.
            sql("SELECT system.ensure_log_partitions(now())").execute(tx.conn()).await?;
            sql("SELECT system.drop_old_logs(now(), $1)")
                .bind::<Integer, _>(i32::try_from(keep_days).unwrap_or(i32::MAX))
                .execute(tx.conn())
                .await?;
            Ok(())
        })
        .await
    }
}
