//! Customers and the ids under which the platforms know them.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ChannelId, CustomerId};
use crate::inbound::{Alias, AliasKind, Sender};

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct AliasRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    value: String,
}

/// The customer behind any of the sender's ids, made if new. Ids that so far led to different customers lead to the oldest one from now on.
///
/// # Errors
/// See [`DbError`].
pub async fn resolve(tx: &mut ShopTx, channel: ChannelId, sender: &Sender) -> Result<CustomerId, DbError> {
    let (kinds, values): (Vec<&str>, Vec<&str>) = sender.aliases.iter().map(|alias| (alias.kind.as_str(), alias.value.as_str())).unzip();
    // One transaction at a time per best alias, so that two first messages of one new customer make one customer.
    sql("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))")
        .bind::<Text, _>(format!("customer:{channel}:{}", values.iter().copied().next().unwrap_or_default()))
        .bind::<BigInt, _>(i64::from(tx.shop().0))
        .execute(tx.conn())
        .await?;
    let known = known(tx, channel, &kinds, &values).await?;
    let id = if let Some(first) = known.into_iter().next() {
        sql("UPDATE customers SET name = coalesce($3, name), username = coalesce($4, username) \
             WHERE shop_id = $1 AND id = $2 AND (name, username) IS DISTINCT FROM (coalesce($3, name), coalesce($4, username))")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(first.id)
        .bind::<Nullable<Text>, _>(&sender.name)
        .bind::<Nullable<Text>, _>(&sender.username)
        .execute(tx.conn())
        .await?;
        first.id
    } else {
        sql("INSERT INTO customers (shop_id, channel_id, name, username) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind::<Integer, _>(tx.shop().0)
            .bind::<Integer, _>(channel.0)
            .bind::<Nullable<Text>, _>(&sender.name)
            .bind::<Nullable<Text>, _>(&sender.username)
            .get_result::<IdRow>(tx.conn())
            .await?
            .id
    };
    sql("INSERT INTO customer_aliases (shop_id, channel_id, kind, value, customer_id) \
         SELECT $1, $2, kind, value, $5 FROM unnest($3::text[], $4::text[]) AS alias (kind, value) \
         ON CONFLICT (shop_id, channel_id, kind, value) DO UPDATE SET customer_id = excluded.customer_id \
         WHERE customer_aliases.customer_id <> excluded.customer_id")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<Integer, _>(channel.0)
    .bind::<Array<Text>, _>(&kinds)
    .bind::<Array<Text>, _>(&values)
    .bind::<BigInt, _>(id)
    .execute(tx.conn())
    .await?;
    Ok(CustomerId(id))
}

/// Every id of a customer on a channel, for sending.
///
/// # Errors
/// See [`DbError`].
pub async fn aliases(tx: &mut ShopTx, customer: CustomerId) -> Result<Vec<Alias>, DbError> {
    let rows: Vec<AliasRow> =
        sql("SELECT kind, value FROM customer_aliases WHERE shop_id = $1 AND customer_id = $2 ORDER BY created_at DESC LIMIT 20")
            .bind::<Integer, _>(tx.shop().0)
            .bind::<BigInt, _>(customer.0)
            .load(tx.conn())
            .await?;
    Ok(rows.into_iter().filter_map(|row| Some(Alias { kind: AliasKind::from_name(&row.kind)?, value: row.value })).collect())
}

/// The customer behind any of the ids, if there is one.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, channel: ChannelId, sender: &Sender) -> Result<Option<CustomerId>, DbError> {
    let (kinds, values): (Vec<&str>, Vec<&str>) = sender.aliases.iter().map(|alias| (alias.kind.as_str(), alias.value.as_str())).unzip();
    Ok(known(tx, channel, &kinds, &values).await?.into_iter().next().map(|row| CustomerId(row.id)))
}

/// Whether the shop knows anybody by one of the ids. Who is known stays so until the transaction ends: forgetting them waits for it.
///
/// # Errors
/// See [`DbError`].
pub async fn hold(tx: &mut ShopTx, channel: ChannelId, sender: &Sender) -> Result<bool, DbError> {
    let (kinds, values): (Vec<&str>, Vec<&str>) = sender.aliases.iter().map(|alias| (alias.kind.as_str(), alias.value.as_str())).unzip();
    let held: Vec<AliasRow> = sql("SELECT kind, value FROM customer_aliases WHERE shop_id = $1 AND channel_id = $2 \
         AND (kind, value) IN (SELECT * FROM unnest($3::text[], $4::text[])) FOR KEY SHARE")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<Integer, _>(channel.0)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(values)
    .load(tx.conn())
    .await?;
    Ok(!held.is_empty())
}

async fn known(tx: &mut ShopTx, channel: ChannelId, kinds: &[&str], values: &[&str]) -> Result<Vec<IdRow>, DbError> {
    Ok(sql("SELECT DISTINCT customer_id AS id FROM customer_aliases \
         WHERE shop_id = $1 AND channel_id = $2 AND (kind, value) IN (SELECT * FROM unnest($3::text[], $4::text[])) ORDER BY 1")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<Integer, _>(channel.0)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(values)
    .load(tx.conn())
    .await?)
}
