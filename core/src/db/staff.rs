//! Who performs services: people, and rooms that only one appointment can have.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::{DbError, ShopTx, sql::sql};
use crate::hours::Hours;
use crate::ids::{ServiceId, StaffId};

/// People and rooms per page at most.
const MAX_PAGE: i64 = 200;

/// Somebody, or a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct Staff {
    /// Their id.
    #[diesel(sql_type = Integer)]
    pub id: StaffId,
    /// What customers call them.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `person` or `room`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Their own week, see [`Hours`]; absent: the shop's.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub hours: Option<serde_json::Value>,
    /// What they perform, of what is on offer.
    #[diesel(sql_type = Array<Integer>)]
    pub service_ids: Vec<ServiceId>,
    /// Works here; false once gone.
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// When they were added.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When they last changed.
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, name, kind, hours, ARRAY(SELECT p.service_id FROM service_staff p \
     JOIN services o ON o.shop_id = p.shop_id AND o.id = p.service_id AND o.active \
     WHERE p.shop_id = staff.shop_id AND p.staff_id = staff.id ORDER BY p.service_id) AS service_ids, active, created_at, updated_at";

/// Finds one, gone or not.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, id: StaffId) -> Result<Option<Staff>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM staff WHERE shop_id = $1 AND id = $2"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// A page of those who work here, or of those who are gone: those after an id, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, archived: bool, after: Option<StaffId>, limit: i64) -> Result<Vec<Staff>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM staff WHERE shop_id = $1 AND active = $2 AND id > coalesce($3, 0) ORDER BY id LIMIT $4"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Bool, _>(!archived)
        .bind::<Nullable<Integer>, _>(after)
        .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
        .load(tx.conn())
        .await?)
}

/// Those of `ids` who work here and perform the service; all who do, if no ids are given. In id order.
///
/// # Errors
/// See [`DbError`].
pub async fn performing(tx: &mut ShopTx, service: ServiceId, one: Option<StaffId>) -> Result<Vec<Staff>, DbError> {
    Ok(sql(format!(
        "SELECT {COLUMNS} FROM staff WHERE shop_id = $1 AND active AND ($3::int IS NULL OR id = $3) AND EXISTS \
         (SELECT FROM service_staff p WHERE p.shop_id = $1 AND p.service_id = $2 AND p.staff_id = staff.id) ORDER BY id LIMIT {MAX_PAGE}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(service)
    .bind::<Nullable<Integer>, _>(one)
    .load(tx.conn())
    .await?)
}

/// Why nothing was saved. Nothing was changed, and the transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Nobody like this works here.
    #[error("no such staff")]
    NotFound,
    /// Somebody else who works here has this name.
    #[error("the name is taken")]
    NameTaken,
    /// Appointments are ahead of them.
    #[error("{appointments} appointments are ahead")]
    Booked {
        /// How many.
        appointments: i64,
    },
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Adds somebody, or changes them. `hours`: `None` is the shop's.
///
/// # Errors
/// See [`SaveError`].
pub async fn save(tx: &mut ShopTx, id: Option<StaffId>, name: &str, kind: &str, hours: Option<&Hours>) -> Result<Staff, SaveError> {
    #[derive(QueryableByName)]
    struct Other {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    super::one_at_a_time(tx, "staff:name", &name.to_lowercase()).await?;
    let other: Other = sql(
        "SELECT EXISTS (SELECT FROM staff WHERE shop_id = $1 AND lower(name) = lower($2) AND active AND id <> coalesce($3, 0)) AS taken",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(name)
    .bind::<Nullable<Integer>, _>(id)
    .get_result(tx.conn())
    .await
    .map_err(DbError::from)?;
    if other.taken {
        return Err(SaveError::NameTaken);
    }
    let hours = hours.map(serde_json::to_value).transpose().map_err(DbError::odd)?;
    let text = match id {
        None => format!("INSERT INTO staff (shop_id, name, kind, hours) SELECT $1, $3, $4, $5 WHERE $2::int IS NULL RETURNING {COLUMNS}"),
        Some(_) => format!(
            "UPDATE staff SET name = $3, kind = $4, hours = $5, updated_at = now() WHERE shop_id = $1 AND id = $2 AND active RETURNING {COLUMNS}"
        ),
    };
    let row: Option<Staff> = sql(text)
        .bind::<Integer, _>(tx.shop())
        .bind::<Nullable<Integer>, _>(id)
        .bind::<Text, _>(name)
        .bind::<Text, _>(kind)
        .bind::<Nullable<Jsonb>, _>(hours)
        .get_result(tx.conn())
        .await
        .optional()
        .map_err(DbError::from)?;
    row.ok_or(SaveError::NotFound)
}

/// Somebody works here no longer; appointments of the past keep them. Refused while appointments are ahead. Twice changes nothing.
///
/// # Errors
/// See [`SaveError`].
pub async fn archive(tx: &mut ShopTx, id: StaffId, now: DateTime<Utc>) -> Result<(), SaveError> {
    #[derive(QueryableByName)]
    struct Ahead {
        #[diesel(sql_type = BigInt)]
        appointments: i64,
    }
    // Locked against the reference that a new appointment makes: none comes in between.
    let known = sql("SELECT id FROM staff WHERE shop_id = $1 AND id = $2 FOR UPDATE")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .execute(tx.conn())
        .await
        .map_err(DbError::from)?;
    if known == 0 {
        return Err(SaveError::NotFound);
    }
    let ahead: Ahead = sql(
        "SELECT count(*) AS appointments FROM appointments WHERE shop_id = $1 AND staff_id = $2 AND starts_at > $3 AND state = 'booked'",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(id)
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .map_err(DbError::from)?;
    if ahead.appointments > 0 {
        return Err(SaveError::Booked { appointments: ahead.appointments });
    }
    sql("UPDATE staff SET active = false, updated_at = CASE WHEN active THEN now() ELSE updated_at END WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .execute(tx.conn())
        .await
        .map_err(DbError::from)?;
    Ok(())
}
