//! The shop itself: its profile, its day, its settings.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{DbError, ShopTx, sql::sql};
use crate::hours::Hours;
use crate::jobs::ShopSettings;
use crate::language::Language;
use crate::own_texts::OwnTexts;
use crate::plans::Plan;

/// What a turn, a screen or a notice needs to know of a shop.
#[derive(Debug, Clone, QueryableByName)]
pub struct ShopProfile {
    /// What customers call it.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `product`, `service` or `both`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    timezone: String,
    /// ISO 4217.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// BCP 47.
    #[diesel(sql_type = Text)]
    pub locale: String,
    #[diesel(sql_type = Text)]
    plan: String,
    #[diesel(sql_type = Text)]
    status: String,
    /// When its trial ends, if it has one.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// The name under which the agent answers.
    #[diesel(sql_type = Text)]
    pub agent_name: String,
    /// What the owner wants of the agent.
    #[diesel(sql_type = Text)]
    pub agent_instructions: String,
    /// Address, policies, answers to common questions.
    #[diesel(sql_type = Text)]
    pub about: String,
    /// Opening hours.
    #[diesel(sql_type = Jsonb)]
    pub hours: serde_json::Value,
    #[diesel(sql_type = Text)]
    handoff_mode: String,
    /// The shop's own words that ask for a human; empty: the default list.
    #[diesel(sql_type = Array<Text>)]
    pub handoff_words: Vec<String>,
    /// Whom to tell by e-mail; the owner if absent.
    #[diesel(sql_type = Nullable<Text>)]
    pub handoff_email: Option<String>,
    /// Whom to tell on WhatsApp.
    #[diesel(sql_type = Nullable<Text>)]
    pub handoff_whatsapp: Option<String>,
    #[diesel(sql_type = Jsonb)]
    texts: serde_json::Value,
    /// US dollars a day for models; 0: no limit.
    #[diesel(sql_type = Numeric)]
    pub daily_model_budget: Decimal,
}

impl ShopProfile {
    /// Whether the agent answers.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan::from_name(&self.plan).unwrap_or(Plan::Starter)
    }

    /// The shop's zone.
    #[must_use]
    pub fn timezone(&self) -> Tz {
        zone_of(&self.timezone)
    }

    /// The shop's calendar day at an instant.
    #[must_use]
    pub fn local_date(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.timezone()).date_naive()
    }

    /// Whether it has a catalogue.
    #[must_use]
    pub fn sells_products(&self) -> bool {
        self.kind != "service"
    }

    /// Whether it takes appointments.
    #[must_use]
    pub fn takes_appointments(&self) -> bool {
        self.kind != "product"
    }

    /// The language that the shop itself speaks.
    #[must_use]
    pub fn language(&self) -> Language {
        Language::from_code(&self.locale).unwrap_or_default()
    }

    /// The fixed texts that it has put in its own words.
    #[must_use]
    pub fn own_texts(&self) -> OwnTexts {
        OwnTexts::read(&self.texts)
    }

    /// Whether a word of the list asks for a human, and not the model's judgement alone.
    #[must_use]
    pub fn hands_off_by_words(&self) -> bool {
        self.handoff_mode == "words"
    }
}

/// A zone that is not known any more counts as UTC: a wrong midnight is better than a shop that stands still.
fn zone_of(name: &str) -> Tz {
    name.parse().unwrap_or_else(|_| {
        tracing::error!(zone = name, "unknown time zone; taken as UTC");
        Tz::UTC
    })
}

/// The shop's profile.
///
/// # Errors
/// [`DbError::NotFound`] if there is no such shop.
pub async fn profile(tx: &mut ShopTx) -> Result<ShopProfile, DbError> {
    Ok(sql(
        "SELECT name, kind, timezone, currency, locale, plan, status, trial_ends_at, agent_name, agent_instructions, about, hours, handoff_mode, \
         handoff_words, handoff_email, handoff_whatsapp, texts, daily_model_budget FROM shops WHERE id = $1",
    )
    .bind::<Integer, _>(tx.shop())
    .get_result(tx.conn())
    .await?)
}

/// The shop's calendar day at an instant.
///
/// # Errors
/// [`DbError::NotFound`] if there is no such shop.
pub async fn day_at(tx: &mut ShopTx, at: DateTime<Utc>) -> Result<NaiveDate, DbError> {
    #[derive(QueryableByName)]
    struct Zone {
        #[diesel(sql_type = Text)]
        timezone: String,
    }
    let row: Zone = sql("SELECT timezone FROM shops WHERE id = $1").bind::<Integer, _>(tx.shop()).get_result(tx.conn()).await?;
    Ok(at.with_timezone(&zone_of(&row.timezone)).date_naive())
}

/// How the shop's time is booked.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The shop's zone.
    pub zone: Tz,
    /// Opening hours.
    pub hours: Hours,
    /// Appointments begin so many minutes apart.
    pub slot_minutes: i32,
    /// Until so many minutes before may customers move or cancel an appointment.
    pub change_minutes: i32,
}

/// How the shop's time is booked. Hours that cannot be read count as closed.
///
/// # Errors
/// [`DbError::NotFound`] if there is no such shop.
pub async fn booking(tx: &mut ShopTx) -> Result<Booking, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        timezone: String,
        #[diesel(sql_type = Jsonb)]
        hours: serde_json::Value,
        #[diesel(sql_type = Integer)]
        slot_minutes: i32,
        #[diesel(sql_type = Integer)]
        change_minutes: i32,
    }
    let row: Row = sql("SELECT timezone, hours, slot_minutes, change_minutes FROM shops WHERE id = $1")
        .bind::<Integer, _>(tx.shop())
        .get_result(tx.conn())
        .await?;
    let hours = serde_json::from_value(row.hours).unwrap_or_default();
    Ok(Booking { zone: zone_of(&row.timezone), hours, slot_minutes: row.slot_minutes, change_minutes: row.change_minutes })
}

/// What the owner may set about how the shop presents itself. `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct Presentation {
    /// Address, policies, answers to common questions.
    pub about: Option<String>,
    /// Opening hours.
    pub hours: Option<serde_json::Value>,
    /// The name under which the agent answers.
    pub agent_name: Option<String>,
    /// What the owner wants of the agent.
    pub agent_instructions: Option<String>,
    /// Whom to tell on WhatsApp.
    pub handoff_whatsapp: Option<String>,
}

/// Changes how the shop presents itself.
///
/// # Errors
/// See [`DbError`].
pub async fn present(tx: &mut ShopTx, with: &Presentation) -> Result<(), DbError> {
    sql(
        "UPDATE shops SET about = coalesce($2, about), hours = coalesce($3, hours), agent_name = coalesce($4, agent_name), \
         agent_instructions = coalesce($5, agent_instructions), handoff_whatsapp = coalesce($6, handoff_whatsapp), updated_at = now() WHERE id = $1",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<Text>, _>(&with.about)
    .bind::<Nullable<Jsonb>, _>(&with.hours)
    .bind::<Nullable<Text>, _>(&with.agent_name)
    .bind::<Nullable<Text>, _>(&with.agent_instructions)
    .bind::<Nullable<Text>, _>(&with.handoff_whatsapp)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts the shop on a plan, active or not.
///
/// # Errors
/// See [`DbError`].
pub async fn set_plan(tx: &mut ShopTx, plan: Plan, active: bool) -> Result<(), DbError> {
    sql("UPDATE shops SET plan = $2, status = CASE WHEN $3 THEN 'active' ELSE 'inactive' END, updated_at = now() WHERE id = $1")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(plan.as_str())
        .bind::<Bool, _>(active)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The shop as its owner sets it up.
#[derive(Debug, Clone, Serialize, QueryableByName)]
pub struct SettingsRow {
    /// What customers call it.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `product`, `service` or `both`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// IANA zone of its calendar.
    #[diesel(sql_type = Text)]
    pub timezone: String,
    /// ISO 4217.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// BCP 47.
    #[diesel(sql_type = Text)]
    pub locale: String,
    /// Its plan.
    #[diesel(sql_type = Text)]
    pub plan: String,
    /// `active` or `inactive`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// When its trial ends, if it has one.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// The name under which the agent answers.
    #[diesel(sql_type = Text)]
    pub agent_name: String,
    /// What the owner wants of the agent.
    #[diesel(sql_type = Text)]
    pub agent_instructions: String,
    /// Address, policies, answers to common questions.
    #[diesel(sql_type = Text)]
    pub about: String,
    /// Opening hours, see [`crate::hours::Hours`].
    #[diesel(sql_type = Jsonb)]
    pub hours: serde_json::Value,
    /// `words` or `intent`.
    #[diesel(sql_type = Text)]
    pub handoff_mode: String,
    /// The shop's own words that ask for a human; empty: the default list.
    #[diesel(sql_type = Array<Text>)]
    pub handoff_words: Vec<String>,
    /// Whom to tell by e-mail; the owner if absent.
    #[diesel(sql_type = Nullable<Text>)]
    pub handoff_email: Option<String>,
    /// Whom to tell on WhatsApp.
    #[diesel(sql_type = Nullable<Text>)]
    pub handoff_whatsapp: Option<String>,
    /// The fixed texts in the shop's own words, see [`OwnTexts`].
    #[diesel(sql_type = Jsonb)]
    pub texts: serde_json::Value,
    /// How many minutes a pause lasts of which nobody said how long; absent: until somebody resumes.
    #[diesel(sql_type = Nullable<Integer>)]
    pub pause_minutes: Option<i32>,
    /// US dollars a day for models.
    #[diesel(sql_type = Numeric)]
    pub daily_model_budget: Decimal,
    /// Appointments begin so many minutes apart.
    #[diesel(sql_type = Integer)]
    pub slot_minutes: i32,
    /// Until so many minutes before may customers move or cancel an appointment.
    #[diesel(sql_type = Integer)]
    pub change_minutes: i32,
    /// So many minutes ahead customers are reminded of appointments.
    #[diesel(sql_type = Array<Integer>)]
    pub reminder_minutes: Vec<i32>,
    /// The approved WhatsApp template that reminds customers who have not written for a day; absent: they are not reminded.
    #[diesel(sql_type = Nullable<Text>)]
    pub reminder_template: Option<String>,
    /// Grows with every change; a change names the one it was made from.
    #[diesel(sql_type = Integer)]
    pub version: i32,
    /// When it last changed.
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

const SETTINGS: &str = "name, kind, timezone, currency, locale, plan, status, trial_ends_at, agent_name, agent_instructions, about, hours, \
     handoff_mode, handoff_words, handoff_email, handoff_whatsapp, texts, pause_minutes, \
     round(daily_model_budget, 2) AS daily_model_budget, slot_minutes, change_minutes, reminder_minutes, reminder_template, version, updated_at";

/// The shop as its owner sets it up.
///
/// # Errors
/// [`DbError::NotFound`] if there is no such shop.
pub async fn settings(tx: &mut ShopTx) -> Result<SettingsRow, DbError> {
    Ok(sql(format!("SELECT {SETTINGS} FROM shops WHERE id = $1")).bind::<Integer, _>(tx.shop()).get_result(tx.conn()).await?)
}

/// Why settings were not saved.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Somebody else has changed them since this version.
    #[error("the settings have changed since")]
    Changed,
    /// There are orders or appointments in the old currency: their sums would mean something else.
    #[error("there are orders or appointments in another currency")]
    CurrencyInUse,
    /// A query failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Replaces the settings, if they are still those of `version`.
///
/// # Errors
/// See [`SettingsError`].
pub async fn save_settings(tx: &mut ShopTx, version: i32, to: &ShopSettings) -> Result<SettingsRow, SettingsError> {
    #[derive(QueryableByName)]
    struct Standing {
        #[diesel(sql_type = Integer)]
        version: i32,
        #[diesel(sql_type = Bool)]
        currency_in_use: bool,
    }
    let standing: Standing = sql("SELECT version, currency <> $2 AND (EXISTS (SELECT FROM orders WHERE shop_id = $1) OR EXISTS (SELECT FROM appointments WHERE shop_id = $1)) AS currency_in_use \
         FROM shops WHERE id = $1 FOR UPDATE")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(&to.currency)
    .get_result(tx.conn())
    .await
    .map_err(DbError::from)?;
    if standing.version != version {
        return Err(SettingsError::Changed);
    }
    if standing.currency_in_use {
        return Err(SettingsError::CurrencyInUse);
    }
    let hours = serde_json::to_value(&to.hours).map_err(|error| DbError::odd(format!("opening hours: {error}")))?;
    let texts = serde_json::to_value(&to.texts).map_err(|error| DbError::odd(format!("own texts: {error}")))?;
    Ok(sql(format!(
        "UPDATE shops SET name = $2, kind = $3, timezone = $4, currency = $5, locale = $6, agent_name = $7, agent_instructions = $8, about = $9, \
         hours = $10, handoff_mode = $11, handoff_words = $12, handoff_email = $13, handoff_whatsapp = $14, texts = $15, \
         daily_model_budget = $16, pause_minutes = $17, slot_minutes = $18, change_minutes = $19, reminder_minutes = $20, reminder_template = $21, version = version + 1, updated_at = now() WHERE id = $1 RETURNING {SETTINGS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(&to.name)
    .bind::<Text, _>(&to.kind)
    .bind::<Text, _>(&to.timezone)
    .bind::<Text, _>(&to.currency)
    .bind::<Text, _>(&to.locale)
    .bind::<Text, _>(&to.agent_name)
    .bind::<Text, _>(&to.agent_instructions)
    .bind::<Text, _>(&to.about)
    .bind::<Jsonb, _>(hours)
    .bind::<Text, _>(&to.handoff_mode)
    .bind::<Array<Text>, _>(&to.handoff_words)
    .bind::<Nullable<Text>, _>(&to.handoff_email)
    .bind::<Nullable<Text>, _>(&to.handoff_whatsapp)
    .bind::<Jsonb, _>(texts)
    .bind::<Numeric, _>(to.daily_model_budget.amount())
    .bind::<Nullable<Integer>, _>(to.pause_minutes)
    .bind::<Integer, _>(to.slot_minutes)
    .bind::<Integer, _>(to.change_minutes)
    .bind::<Array<Integer>, _>(&to.reminder_minutes)
    .bind::<Nullable<Text>, _>(&to.reminder_template)
    .get_result(tx.conn())
    .await
    .map_err(DbError::from)?)
}
