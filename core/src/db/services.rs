//! What a shop offers by appointment.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ServiceId, StaffId};
use crate::jobs::ServiceInput;
use crate::money::Money;

/// Services per page at most.
const MAX_PAGE: i64 = 200;

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct Service {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub id: ServiceId,
    /// The name customers see.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// What it is.
    #[diesel(sql_type = Text)]
    pub description: String,
    /// Minutes that it takes.
    #[diesel(sql_type = Integer)]
    pub duration_minutes: i32,
    /// Minutes before it in which nobody else is served.
    #[diesel(sql_type = Integer)]
    pub buffer_before_minutes: i32,
    /// Minutes after it in which nobody else is served.
    #[diesel(sql_type = Integer)]
    pub buffer_after_minutes: i32,
    /// What it costs customers.
    #[diesel(sql_type = Numeric)]
    pub price: Money,
    /// Customers book so many minutes ahead at least.
    #[diesel(sql_type = Integer)]
    pub lead_minutes: i32,
    /// And so many days ahead at most.
    #[diesel(sql_type = Integer)]
    pub horizon_days: i32,
    /// Slots begin so many minutes apart; absent: as the shop has it.
    #[diesel(sql_type = Nullable<Integer>)]
    pub slot_minutes: Option<i32>,
    /// Who performs it, of those who still work here.
    #[diesel(sql_type = Array<Integer>)]
    pub staff_ids: Vec<StaffId>,
    /// Offered; false once archived.
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// When it was added.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, name, description, duration_minutes, buffer_before_minutes, buffer_after_minutes, price, lead_minutes, horizon_days, slot_minutes, \
     ARRAY(SELECT p.staff_id FROM service_staff p JOIN staff w ON w.shop_id = p.shop_id AND w.id = p.staff_id AND w.active \
           WHERE p.shop_id = services.shop_id AND p.service_id = services.id ORDER BY p.staff_id) AS staff_ids, active, created_at, updated_at";

/// Finds one, archived or not.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, id: ServiceId) -> Result<Option<Service>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM services WHERE shop_id = $1 AND id = $2"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// A page of what is offered, or of what is archived: those after an id, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, archived: bool, after: Option<ServiceId>, limit: i64) -> Result<Vec<Service>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM services WHERE shop_id = $1 AND active = $2 AND id > coalesce($3, 0) ORDER BY id LIMIT $4"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Bool, _>(!archived)
        .bind::<Nullable<Integer>, _>(after)
        .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
        .load(tx.conn())
        .await?)
}

/// Why a service was not saved. Nothing was changed, and the transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is no such service on offer.
    #[error("no such service")]
    NotFound,
    /// Another service on offer has this name.
    #[error("the name is taken")]
    NameTaken,
    /// Nobody like this works here.
    #[error("no such staff")]
    NoSuchStaff(StaffId),
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Adds a service, or changes one that is on offer. Appointments that stand keep their time and price.
///
/// # Errors
/// See [`SaveError`].
pub async fn save(tx: &mut ShopTx, id: Option<ServiceId>, input: &ServiceInput) -> Result<Service, SaveError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Integer)]
        id: i32,
    }
    let wanted: Vec<i32> = input.staff_ids.iter().map(|staff| staff.0).collect();
    // Locked: nobody leaves meanwhile.
    let known: Vec<Found> = sql("SELECT id FROM staff WHERE shop_id = $1 AND id = ANY ($2) AND active ORDER BY id FOR KEY SHARE")
        .bind::<Integer, _>(tx.shop())
        .bind::<Array<Integer>, _>(&wanted)
        .load(tx.conn())
        .await
        .map_err(DbError::from)?;
    if let Some(stranger) = wanted.iter().find(|staff| !known.iter().any(|known| known.id == **staff)) {
        return Err(SaveError::NoSuchStaff(StaffId(*stranger)));
    }
    let id = match id {
        None => insert(tx, input).await?.ok_or(SaveError::NameTaken)?,
        Some(id) => update(tx, id, input).await?,
    };
    sql("DELETE FROM service_staff WHERE shop_id = $1 AND service_id = $2 AND staff_id <> ALL ($3)")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .bind::<Array<Integer>, _>(&wanted)
        .execute(tx.conn())
        .await
        .map_err(DbError::from)?;
    sql("INSERT INTO service_staff (shop_id, service_id, staff_id) SELECT $1, $2, staff_id FROM unnest($3::int[]) AS wanted (staff_id) ON CONFLICT DO NOTHING")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .bind::<Array<Integer>, _>(&wanted)
        .execute(tx.conn())
        .await
        .map_err(DbError::from)?;
    find(tx, id).await?.ok_or(SaveError::NotFound)
}

#[derive(QueryableByName)]
struct Saved {
    #[diesel(sql_type = Integer)]
    id: ServiceId,
}

/// `None`: the name is taken.
async fn insert(tx: &mut ShopTx, input: &ServiceInput) -> Result<Option<ServiceId>, DbError> {
    let row: Option<Saved> =
        sql("INSERT INTO services (shop_id, name, description, duration_minutes, buffer_before_minutes, buffer_after_minutes, price, \
             lead_minutes, horizon_days, slot_minutes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (shop_id, lower(name)) WHERE active DO NOTHING RETURNING id")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(&input.name)
        .bind::<Text, _>(&input.description)
        .bind::<Integer, _>(input.duration_minutes)
        .bind::<Integer, _>(input.buffer_before_minutes)
        .bind::<Integer, _>(input.buffer_after_minutes)
        .bind::<Numeric, _>(input.price)
        .bind::<Integer, _>(input.lead_minutes)
        .bind::<Integer, _>(input.horizon_days)
        .bind::<Nullable<Integer>, _>(input.slot_minutes)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map(|row| row.id))
}

async fn update(tx: &mut ShopTx, id: ServiceId, input: &ServiceInput) -> Result<ServiceId, SaveError> {
    #[derive(QueryableByName)]
    struct Other {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    super::one_at_a_time(tx, "service", &input.name.to_lowercase()).await?;
    let other: Other =
        sql("SELECT EXISTS (SELECT FROM services WHERE shop_id = $1 AND lower(name) = lower($2) AND active AND id <> $3) AS taken")
            .bind::<Integer, _>(tx.shop())
            .bind::<Text, _>(&input.name)
            .bind::<Integer, _>(id)
            .get_result(tx.conn())
            .await
            .map_err(DbError::from)?;
    if other.taken {
        return Err(SaveError::NameTaken);
    }
    let row: Option<Saved> = sql("UPDATE services SET name = $3, description = $4, duration_minutes = $5, buffer_before_minutes = $6, buffer_after_minutes = $7, \
             price = $8, lead_minutes = $9, horizon_days = $10, slot_minutes = $11, updated_at = now() WHERE shop_id = $1 AND id = $2 AND active RETURNING id")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .bind::<Text, _>(&input.name)
        .bind::<Text, _>(&input.description)
        .bind::<Integer, _>(input.duration_minutes)
        .bind::<Integer, _>(input.buffer_before_minutes)
        .bind::<Integer, _>(input.buffer_after_minutes)
        .bind::<Numeric, _>(input.price)
        .bind::<Integer, _>(input.lead_minutes)
        .bind::<Integer, _>(input.horizon_days)
        .bind::<Nullable<Integer>, _>(input.slot_minutes)
        .get_result(tx.conn())
        .await
        .optional()
        .map_err(DbError::from)?;
    row.map(|row| row.id).ok_or(SaveError::NotFound)
}

/// Offers a service no longer; appointments keep it. True also if it was archived before; false if there is none.
///
/// # Errors
/// See [`DbError`].
pub async fn archive(tx: &mut ShopTx, id: ServiceId) -> Result<bool, DbError> {
    let changed = sql(
        "UPDATE services SET active = false, updated_at = CASE WHEN active THEN now() ELSE updated_at END WHERE shop_id = $1 AND id = $2",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(id)
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}
