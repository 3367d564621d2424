//! The shop itself: its profile, its day, its settings.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{DbError, ShopTx, sql::sql};
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
    /// What customers of an inactive shop are told.
    #[diesel(sql_type = Nullable<Text>)]
    pub inactive_text: Option<String>,
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
         handoff_words, handoff_email, handoff_whatsapp, inactive_text, daily_model_budget FROM shops WHERE id = $1",
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
