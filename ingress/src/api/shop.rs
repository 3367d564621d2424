//! How the owner sets the shop up.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, shops};
use frontdesk_core::hours::{self, Hours, Span};
use frontdesk_core::jobs::{self, ShopSettings};
use frontdesk_core::language::Language;
use frontdesk_core::money::Money;
use frontdesk_core::own_texts::{self, ByLanguage, OwnTexts};
use rust_decimal::Decimal;
use utoipa::ToSchema;

use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request};
use crate::reply::{HttpError, Reply};

/// The kinds of shop.
pub(super) const KINDS: &[&str] = &["product", "service", "both"];
/// What a time zone must be.
pub(super) const TIMEZONE: &str = "must be an IANA time zone, e.g. Europe/Berlin";
/// What a currency must be.
pub(super) const CURRENCY: &str = "must be an ISO 4217 code, e.g. EUR";
/// What a language must be.
pub(super) const LOCALE: &str = "must be a language tag, e.g. de or pt-BR";
/// Dollars a day that a shop may let the models cost.
const BUDGET: (Decimal, Decimal) = (Decimal::ONE, Decimal::ONE_HUNDRED);
/// Spans of a day: a morning, an afternoon, and what somebody may think of.
const SPANS: usize = 6;

/// Reminders of one appointment.
const REMINDERS: usize = 3;
/// What a template's name must be (Meta, Message Templates).
const TEMPLATE: &str = "must be the name of a template as Meta writes it: lower-case letters, digits and _, up to 512";

/// The shop's settings.
#[derive(ToSchema)]
pub struct Shop {
    /// What customers call it.
    pub name: String,
    /// `product`, `service` or `both`.
    pub kind: String,
    /// IANA zone of its calendar.
    pub timezone: String,
    /// ISO 4217.
    pub currency: String,
    /// Its language, BCP 47.
    pub locale: String,
    /// `trial`, `starter`, `pro` or `business`.
    pub plan: String,
    /// `active`, or `inactive`: then the AI does not answer.
    pub status: String,
    /// When its trial ends, if it has one.
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// The name under which the AI answers.
    pub agent_name: String,
    /// What the owner wants of the AI.
    pub agent_instructions: String,
    /// Address, policies, answers to common questions.
    pub about: String,
    /// Opening hours by weekday, in the shop's zone.
    pub hours: WeekHours,
    /// `words`: the handoff words ask for a human. `intent`: the AI judges.
    pub handoff_mode: String,
    /// The shop's own words that ask for a human; empty: the default list.
    pub handoff_words: Vec<String>,
    /// Whom to tell by e-mail; the owner if absent.
    pub handoff_email: Option<String>,
    /// Whom to tell on WhatsApp: digits.
    pub handoff_whatsapp: Option<String>,
    /// The fixed texts that the shop has put in its own words.
    pub texts: ShopTexts,
    /// How many minutes a pause lasts of which nobody said how long; absent: until somebody resumes.
    pub pause_minutes: Option<i32>,
    /// US dollars a day that the models may cost, a decimal string.
    #[schema(example = "5.00")]
    pub daily_model_budget: String,
    /// Appointments begin so many minutes apart, unless a service says otherwise.
    pub slot_minutes: i32,
    /// Until so many minutes before may customers move or cancel an appointment. Staff always may.
    pub change_minutes: i32,
    /// So many minutes ahead customers are reminded of appointments; empty: never.
    #[schema(example = json!([1440, 60]))]
    pub reminder_minutes: Vec<i32>,
    /// The approved WhatsApp template that reminds customers who have not written for a day; null: they are not reminded then.
    pub reminder_template: Option<String>,
    /// Grows with every change. A change names the one it was made from.
    pub version: i32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Opening hours by weekday. A day that is absent is closed.
#[derive(ToSchema)]
pub struct WeekHours {
    /// Monday, e.g. `["09:00-12:30", "14:00-18:00"]`.
    #[schema(required = false)]
    pub mon: Vec<String>,
    /// Tuesday.
    #[schema(required = false)]
    pub tue: Vec<String>,
    /// Wednesday.
    #[schema(required = false)]
    pub wed: Vec<String>,
    /// Thursday.
    #[schema(required = false)]
    pub thu: Vec<String>,
    /// Friday.
    #[schema(required = false)]
    pub fri: Vec<String>,
    /// Saturday.
    #[schema(required = false)]
    pub sat: Vec<String>,
    /// Sunday.
    #[schema(required = false)]
    pub sun: Vec<String>,
}

/// The fixed texts that a shop may put in its own words. A customer whose language is absent gets the built-in text in it.
#[derive(ToSchema)]
pub struct ShopTexts {
    /// A human takes over. Built in: "A human agent will contact you shortly."
    #[schema(required = false)]
    pub handoff: TextByLanguage,
    /// The shop is inactive. Built in: "Your AI assistant is currently inactive. Please renew your subscription." A shop that has words of its own in
    /// any language says those to everybody.
    #[schema(required = false)]
    pub inactive: TextByLanguage,
    /// The messages of the month are used up.
    #[schema(required = false)]
    pub quota: TextByLanguage,
    /// The answer takes a little longer.
    #[schema(required = false)]
    pub holding: TextByLanguage,
    /// The AI cannot read a message: a picture, a voice message, and the like.
    #[schema(required = false)]
    pub unreadable: TextByLanguage,
}

/// A text by language, each up to 1,000 bytes of UTF-8.
#[derive(ToSchema)]
pub struct TextByLanguage {
    /// English.
    #[schema(required = false, example = "One of us will write to you shortly.")]
    pub en: String,
    /// German.
    #[schema(required = false, example = "Gleich schreibt Ihnen jemand von uns.")]
    pub de: String,
    /// French.
    #[schema(required = false)]
    pub fr: String,
    /// Spanish.
    #[schema(required = false)]
    pub es: String,
    /// Italian.
    #[schema(required = false)]
    pub it: String,
    /// Portuguese.
    #[schema(required = false)]
    pub pt: String,
    /// Dutch.
    #[schema(required = false)]
    pub nl: String,
    /// Turkish.
    #[schema(required = false)]
    pub tr: String,
}

/// What the settings shall be from now on. What is left out is empty from then on.
#[derive(ToSchema)]
pub struct SaveShop {
    /// The `version` that was read. If somebody has changed the settings since, the answer is 409.
    pub version: i32,
    /// What customers call it, 1 to 120 characters.
    pub name: String,
    /// `product`, `service` or `both`.
    #[schema(example = "product")]
    pub kind: String,
    /// IANA zone of its calendar. Sales keep the day on which they were counted.
    #[schema(example = "Europe/Berlin")]
    pub timezone: String,
    /// ISO 4217. It can change only as long as there are no orders and appointments.
    #[schema(example = "EUR")]
    pub currency: String,
    /// Its language, BCP 47.
    #[schema(example = "de")]
    pub locale: String,
    /// The name under which the AI answers, up to 60 characters.
    #[schema(required = false)]
    pub agent_name: String,
    /// What the owner wants of the AI, up to 4,000 characters.
    #[schema(required = false)]
    pub agent_instructions: String,
    /// Address, policies, answers to common questions, up to 8,000 characters.
    #[schema(required = false)]
    pub about: String,
    /// Opening hours by weekday, in the shop's zone.
    #[schema(value_type = WeekHours, required = false)]
    pub hours: Hours,
    /// `words` or `intent`; `words` when absent.
    #[schema(required = false)]
    pub handoff_mode: String,
    /// The shop's own words that ask for a human, up to 50.
    #[schema(required = false)]
    pub handoff_words: Vec<String>,
    /// Whom to tell by e-mail.
    #[schema(required = false)]
    pub handoff_email: Option<String>,
    /// Whom to tell on WhatsApp, with the country code.
    #[schema(required = false, example = "+4915112345678")]
    pub handoff_whatsapp: Option<String>,
    /// The fixed texts in the shop's own words.
    #[schema(value_type = ShopTexts, required = false)]
    pub texts: OwnTexts,
    /// How many minutes a pause lasts of which nobody said how long, up to 30 days; absent: until somebody resumes.
    #[schema(required = false, example = 720)]
    pub pause_minutes: Option<i32>,
    /// US dollars a day that the models may cost, `1.00` to `100.00`; `5.00` when absent.
    #[schema(value_type = Option<String>, required = false, example = "5.00")]
    pub daily_model_budget: Money,
    /// Appointments begin so many minutes apart, 5 to 240; 15 when absent.
    #[schema(required = false, example = 15)]
    pub slot_minutes: i32,
    /// Until so many minutes before may customers move or cancel an appointment, up to 30 days; 120 when absent.
    #[schema(required = false, example = 120)]
    pub change_minutes: i32,
    /// So many minutes ahead customers are reminded of appointments: up to 3 numbers of 15 to 10,080; `[1440, 60]` when absent, never when empty.
    #[schema(required = false, example = json!([1440, 60]))]
    pub reminder_minutes: Vec<i32>,
    /// The name of an approved WhatsApp template for customers who have not written for a day, in their language or the shop's (`de`, `en`). Its body has
    /// four values: the customer's name, the service, the date in words, the time. Absent: they are not reminded then.
    #[schema(required = false, example = "appointment_reminder")]
    pub reminder_template: Option<String>,
}

pub(super) fn timezone(text: &str) -> Option<String> {
    text.parse::<chrono_tz::Tz>().ok().map(|zone| zone.name().to_owned())
}

pub(super) fn currency(text: &str) -> Option<String> {
    (text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())).then(|| text.to_owned())
}

pub(super) fn locale(text: &str) -> Option<String> {
    ((2..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')).then(|| text.to_owned())
}

fn template(text: &str) -> Option<String> {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (plain && (1..=512).contains(&text.len())).then(|| text.to_owned())
}

fn day(form: &mut Form, name: &'static str) -> Vec<Span> {
    let texts = form.texts(name, SPANS, 1..=20);
    let spans: Vec<Span> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if spans.len() < texts.len() {
        form.refuse(name, hours::NoSpan.to_string());
    } else if !hours::in_order(&spans) {
        form.refuse(name, "must be in order, and none may begin before the one before has ended");
    }
    spans
}

pub(super) fn week(form: &mut Form) -> Option<Hours> {
    Some(Hours {
        mon: day(form, "mon"),
        tue: day(form, "tue"),
        wed: day(form, "wed"),
        thu: day(form, "thu"),
        fri: day(form, "fri"),
        sat: day(form, "sat"),
        sun: day(form, "sun"),
    })
}

fn by_language(form: &mut Form) -> Option<ByLanguage> {
    let mut texts = ByLanguage::new();
    for language in Language::ALL {
        let Some(text) = form.maybe_text(language.code(), 1..=own_texts::MAX_BYTES) else { continue };
        if text.len() > own_texts::MAX_BYTES {
            form.refuse(
                language.code(),
                format!("may have {} bytes, as Instagram takes no more, and has {}", own_texts::MAX_BYTES, text.len()),
            );
        }
        texts.insert(language, text);
    }
    Some(texts)
}

fn texts(form: &mut Form) -> Option<OwnTexts> {
    let mut read = |name| form.maybe_object(name, by_language).unwrap_or_default();
    Some(OwnTexts {
        handoff: read("handoff"),
        inactive: read("inactive"),
        quota: read("quota"),
        holding: read("holding"),
        unreadable: read("unreadable"),
    })
}

impl Request for SaveShop {
    fn read(form: &mut Form) -> Option<Self> {
        let version = form.integer("version", 1..=i64::from(i32::MAX));
        let name = form.text("name", 1..=120);
        let kind = form.one_of("kind", KINDS);
        let timezone = form.parsed("timezone", TIMEZONE, timezone);
        let currency = form.parsed("currency", CURRENCY, currency);
        let locale = form.parsed("locale", LOCALE, locale);
        let agent_name = form.maybe_text("agent_name", 0..=60).unwrap_or_default();
        let agent_instructions = form.maybe_text("agent_instructions", 0..=4000).unwrap_or_default();
        let about = form.maybe_text("about", 0..=8000).unwrap_or_default();
        let hours = form.maybe_object("hours", week).unwrap_or_default();
        let handoff_mode = form.maybe_one_of("handoff_mode", &["words", "intent"]).unwrap_or("words").to_owned();
        let handoff_words = form.texts("handoff_words", 50, 2..=60);
        let handoff_email = form.maybe_email("handoff_email");
        let handoff_whatsapp = form.maybe_phone("handoff_whatsapp");
        let texts = form.maybe_object("texts", texts).unwrap_or_default();
        let pause_minutes = form.maybe_integer("pause_minutes", 1..=30 * 24 * 60);
        let budget = form.maybe_money("daily_model_budget");
        if budget.is_some_and(|budget| budget.amount() < BUDGET.0 || budget.amount() > BUDGET.1) {
            form.refuse("daily_model_budget", "must be from 1.00 to 100.00 US dollars");
        }
        let daily_model_budget = budget.unwrap_or_else(|| Money::from_numeric(Decimal::new(500, 2)));
        let slot_minutes = form.maybe_integer("slot_minutes", 5..=240).unwrap_or_else(jobs::default_slot_minutes);
        let change_minutes = form.maybe_integer("change_minutes", 0..=30 * 24 * 60).unwrap_or_else(jobs::default_change_minutes);
        let reminder_minutes =
            form.maybe_integers("reminder_minutes", REMINDERS, 15..=7 * 24 * 60).unwrap_or_else(jobs::default_reminder_minutes);
        let reminder_template = form.maybe_parsed("reminder_template", TEMPLATE, template);
        Some(Self {
            version: version?,
            name: name?,
            kind: kind?.to_owned(),
            timezone: timezone?,
            currency: currency?,
            locale: locale?,
            agent_name,
            agent_instructions,
            about,
            hours,
            handoff_mode,
            handoff_words,
            handoff_email,
            handoff_whatsapp,
            texts,
            pause_minutes,
            daily_model_budget,
            slot_minutes,
            change_minutes,
            reminder_minutes,
            reminder_template,
        })
    }
}

pub(crate) async fn read(cx: StaffCx) -> Result<Reply, HttpError> {
    let read = async move |mut tx| shops::settings(&mut tx).await.map_err(|error: DbError| error);
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let asked: SaveShop = cx.json()?;
    Asked::job(jobs::SaveShop {
        request: cx.request,
        version: asked.version,
        settings: ShopSettings {
            name: asked.name,
            kind: asked.kind,
            timezone: asked.timezone,
            currency: asked.currency,
            locale: asked.locale,
            agent_name: asked.agent_name,
            agent_instructions: asked.agent_instructions,
            about: asked.about,
            hours: asked.hours,
            handoff_mode: asked.handoff_mode,
            handoff_words: asked.handoff_words,
            handoff_email: asked.handoff_email,
            handoff_whatsapp: asked.handoff_whatsapp,
            texts: asked.texts,
            pause_minutes: asked.pause_minutes,
            daily_model_budget: asked.daily_model_budget,
            slot_minutes: asked.slot_minutes,
            change_minutes: asked.change_minutes,
            reminder_minutes: asked.reminder_minutes,
            reminder_template: asked.reminder_template,
        },
    })
}
