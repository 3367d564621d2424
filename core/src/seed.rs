//! Sample data: a product shop and a service shop as they might be after a year. Made through the same functions as real data, so it is as safe to
//! repeat as they are: what stands stays.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use secrecy::SecretString;

use crate::auth::{PasswordError, Passwords, Role};
use crate::availability::local;
use crate::db::appointments::{self, BookError, Booking, By, End};
use crate::db::channels::{self, ChannelInput};
use crate::db::orders::{self, ChangeError, PlaceError, Placement};
use crate::db::products::{self, ProductFilter, ProductInput, ProductRow};
use crate::db::shops::{self, Presentation};
use crate::db::users;
use crate::db::{Db, DbError, ShopTx, TxKind};
use crate::db::{closures, services, staff};
use crate::hours::Hours;
use crate::inbound::{ChannelKey, Platform};
use crate::jobs::{RegisterShop, RequestKey, ServiceInput, WantedLine};
use crate::money::Money;
use crate::plans::Plan;
use crate::secrets::{SealContext, Sealer, SecretError};
use crate::tenancy::ShopScope;

const CATALOGUE: &str = include_str!("../seed/catalogue.csv");
const NORTHWIND_ABOUT: &str = include_str!("../seed/northwind.txt");
const ELODIE_ABOUT: &str = include_str!("../seed/elodie.txt");
/// Orders of the past reach back this far.
const PAST_DAYS: u64 = 365;
/// Days whose orders are placed in one transaction.
const DAYS_AT_ONCE: usize = 7;

/// Why the sample data could not be planted.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A token could not be sealed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The catalogue's file is not as it should be.
    #[error("core/seed/catalogue.csv, line {0}")]
    Catalogue(usize),
    /// An order of the past was refused.
    #[error("an order of the past was refused: {0}")]
    Order(String),
    /// A service, or who performs it, was refused.
    #[error("a service was refused: {0}")]
    Service(String),
}

impl From<PlaceError> for SeedError {
    fn from(error: PlaceError) -> Self {
        Self::Order(error.to_string())
    }
}

impl From<ChangeError> for SeedError {
    fn from(error: ChangeError) -> Self {
        Self::Order(error.to_string())
    }
}

struct SampleUser {
    email: &'static str,
    name: &'static str,
    password: &'static str,
    role: Role,
}

struct SampleShop {
    name: &'static str,
    kind: &'static str,
    timezone: &'static str,
    currency: &'static str,
    locale: &'static str,
    plan: Plan,
    agent: &'static str,
    about: &'static str,
    hours: &'static str,
    /// The owner first.
    users: &'static [SampleUser],
    /// Platform, Meta's id, phone, token.
    channels: &'static [(Platform, &'static str, Option<&'static str>, &'static str)],
}

const SHOPS: [SampleShop; 2] = [
    SampleShop {
        name: "Northwind Sneakers",
        kind: "product",
        timezone: "Europe/Berlin",
        currency: "EUR",
        locale: "en",
        plan: Plan::Business,
        agent: "Nora",
        about: NORTHWIND_ABOUT,
        hours: r#"{"mon":["10:00-19:00"],"tue":["10:00-19:00"],"wed":["10:00-19:00"],"thu":["10:00-20:00"],"fri":["10:00-20:00"],"sat":["10:00-18:00"],"sun":[]}"#,
        users: &[
            SampleUser { email: "owner@northwind.example", name: "Mara Lindqvist", password: "northwind-owner", role: Role::Owner },
            SampleUser { email: "orders@northwind.example", name: "Jonas Weber", password: "northwind-orders", role: Role::OrderManager },
            SampleUser { email: "books@northwind.example", name: "Petra Novak", password: "northwind-books", role: Role::Accountant },
        ],
        channels: &[
            (Platform::Whatsapp, "204411225588002", Some("15550100022"), "sandbox-wa-northwind"),
            (Platform::Messenger, "102030405060709", None, "sandbox-fb-northwind"),
            (Platform::Instagram, "17841400112233446", None, "sandbox-ig-northwind"),
        ],
    },
    SampleShop {
        name: "Studio Élodie",
        kind: "service",
        timezone: "Europe/Paris",
        currency: "EUR",
        locale: "fr",
        plan: Plan::Pro,
        agent: "Léa",
        about: ELODIE_ABOUT,
        hours: r#"{"mon":[],"tue":["09:30-19:00"],"wed":["09:30-19:00"],"thu":["09:30-20:00"],"fri":["09:30-20:00"],"sat":["09:00-18:00"],"sun":[]}"#,
        users: &[SampleUser { email: "owner@elodie.example", name: "Élodie Marchand", password: "elodie-owner", role: Role::Owner }],
        channels: &[
            (Platform::Whatsapp, "204411225588001", Some("15550100011"), "sandbox-wa-elodie"),
            (Platform::Messenger, "102030405060708", None, "sandbox-fb-elodie"),
            (Platform::Instagram, "17841400112233445", None, "sandbox-ig-elodie"),
        ],
    },
];

/// What was planted; `Display` lists the log-ins.
#[derive(Debug, Clone)]
pub struct Sample {
    logins: Vec<(&'static str, &'static str, &'static str, &'static str)>,
}

impl Sample {
    /// Shop, role, e-mail and password of each person.
    #[must_use]
    pub fn logins(&self) -> &[(&'static str, &'static str, &'static str, &'static str)] {
        &self.logins
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shop, role, email, password) in &self.logins {
            writeln!(f, "{shop:<20} {role:<14} {email:<26} {password}")?;
        }
        Ok(())
    }
}

/// Plants what is missing of the sample data.
///
/// # Errors
/// See [`SeedError`].
pub async fn plant(db: &Db, sealer: &Sealer, passwords: &Passwords, now: DateTime<Utc>) -> Result<Sample, SeedError> {
    let mut logins = Vec::new();
    for shop in &SHOPS {
        let scope = open(db, shop, passwords, now).await?;
        furnish(db, scope, shop, sealer, passwords).await?;
        if shop.kind == "product" {
            stock(db, scope).await?;
            live_a_year(db, scope, now).await?;
        } else {
            offer(db, scope, now).await?;
            keep_appointments(db, scope, now).await?;
        }
        logins.extend(shop.users.iter().map(|user| (shop.name, user.role.as_str(), user.email, user.password)));
    }
    Ok(Sample { logins })
}

async fn open(db: &Db, shop: &SampleShop, passwords: &Passwords, now: DateTime<Utc>) -> Result<ShopScope, SeedError> {
    let owner = &shop.users[0];
    let register = RegisterShop {
        request: RequestKey { key: format!("sample:{}", shop.name), fingerprint: "sample".to_owned(), user: None },
        shop_name: shop.name.to_owned(),
        kind: shop.kind.to_owned(),
        email: owner.email.to_owned(),
        password_hash: passwords.hash(owner.password.into()).await?,
        timezone: shop.timezone.to_owned(),
        currency: shop.currency.to_owned(),
        locale: shop.locale.to_owned(),
    };
    let opened_at = now - TimeDelta::days(i64::try_from(PAST_DAYS).unwrap_or_default() + 1);
    Ok(db.register_shop(&register, 14, opened_at).await?.scope)
}

async fn furnish(db: &Db, scope: ShopScope, shop: &'static SampleShop, sealer: &Sealer, passwords: &Passwords) -> Result<(), SeedError> {
    let mut team = Vec::new();
    for user in shop.users.iter().skip(1) {
        team.push((user, passwords.hash(user.password.into()).await?));
    }
    let mut connected = Vec::new();
    for (platform, external_id, phone, token) in shop.channels {
        let key = ChannelKey { platform: *platform, external_id: (*external_id).to_owned() };
        let sealed = sealer.seal(&SecretString::from(*token), &SealContext::channel_token(&scope, &key))?;
        connected.push(ChannelInput {
            key,
            name: format!("{} on {}", shop.name, platform.as_str()),
            phone: phone.map(str::to_owned),
            instagram_login: *platform == Platform::Instagram,
            sealed_token: Some(sealed),
        });
    }
    db.shop_tx(&scope, TxKind::Command, async move |mut tx| {
        let known = shops::profile(&mut tx).await?;
        shops::set_plan(&mut tx, shop.plan, true).await?;
        // What the owner has written since stays.
        if known.about.is_empty() {
            let presentation = Presentation {
                about: Some(shop.about.trim().to_owned()),
                hours: serde_json::from_str(shop.hours).ok(),
                agent_name: Some(shop.agent.to_owned()),
                ..Presentation::default()
            };
            shops::present(&mut tx, &presentation).await?;
        }
        for (user, hash) in team {
            match users::insert(&mut tx, user.email, user.name, user.role, &hash).await {
                Err(error) if error.is_unique("users_email") => {}
                other => drop(other?),
            }
        }
        for channel in &connected {
            channels::save(&mut tx, channel).await?;
        }
        Ok::<_, SeedError>(())
    })
    .await
}

struct SampleProduct {
    input: ProductInput,
    keywords: String,
}

/// Each colour and size of a model is a product of its own.
fn catalogue() -> Result<Vec<SampleProduct>, SeedError> {
    let mut products = Vec::new();
    for (at, line) in CATALOGUE.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty()) {
        let bad = || SeedError::Catalogue(at + 1);
        let fields: Vec<&str> = line.split('|').collect();
        let [model, colours, price, cost, picture, keywords, description] = fields[..] else { return Err(bad()) };
        let amount = |text: &str| text.parse::<Decimal>().ok().and_then(|amount| Money::new(amount).ok()).ok_or_else(bad);
        for colour in colours.split(';') {
            let (name, rest) = colour.trim().split_once('=').ok_or_else(bad)?;
            let (hex, sizes) = rest.split_once(':').ok_or_else(bad)?;
            for (size, stock) in sizes_of(sizes).ok_or_else(bad)? {
                let full: Vec<&str> =
                    [model, if name == "Natural" { "" } else { name }, &size].into_iter().filter(|part| !part.is_empty()).collect();
                products.push(SampleProduct {
                    input: ProductInput {
                        name: full.join(" "),
                        description: description.to_owned(),
                        sku: Some(sku(model, name, &size)),
                        price: amount(price)?,
                        cost: amount(cost)?,
                        stock,
                        image_url: Some(image(picture, hex)),
                        low_stock_at: None,
                    },
                    keywords: keywords.to_owned(),
                });
            }
        }
    }
    Ok(products)
}

/// `40=6 41=9`, `120 cm=60`, or `=25` for what has no size.
fn sizes_of(text: &str) -> Option<Vec<(String, i32)>> {
    let mut sizes = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once('=') {
            Some((last, stock)) => {
                words.push(last);
                sizes.push((words.join(" ").trim().to_owned(), stock.parse().ok()?));
                words.clear();
            }
            None => words.push(word),
        }
    }
    (words.is_empty() && !sizes.is_empty()).then_some(sizes)
}

/// `TR-RED-42`
fn sku(model: &str, colour: &str, size: &str) -> String {
    let initials: String = model.split_whitespace().filter_map(|word| word.chars().next()).collect();
    let short: String = colour.chars().filter(|c| c.is_alphabetic()).take(3).collect();
    let size: String = size.split_whitespace().next().unwrap_or("ONE").to_owned();
    let size = if size.is_empty() { "ONE".to_owned() } else { size };
    format!("{initials}-{short}-{size}").to_uppercase()
}

fn image(picture: &str, hex: &str) -> String {
    let svg = match picture {
        "shoe" => include_str!("../seed/images/shoe.svg"),
        "sock" => include_str!("../seed/images/sock.svg"),
        _ => include_str!("../seed/images/box.svg"),
    };
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg.trim().replace("COLOUR", hex)))
}

async fn stock(db: &Db, scope: ShopScope) -> Result<(), SeedError> {
    let products = catalogue()?;
    db.shop_tx(&scope, TxKind::Command, async move |mut tx| {
        for product in &products {
            match products::insert(&mut tx, &product.input).await {
                Ok(row) => products::set_keywords(&mut tx, row.id, &product.keywords).await?,
                // It stands, perhaps with another price or stock by now.
                Err(error) if error.is_unique("products_sku") => {}
                Err(error) => return Err(SeedError::Db(error)),
            }
        }
        Ok(())
    })
    .await
}

/// Name, person or room, own week, and what they perform by its place in [`SERVICES`].
const STAFF: [(&str, &str, Option<&str>, &[usize]); 3] = [
    (
        "Camille",
        "person",
        Some(
            r#"{"tue":["09:30-13:00","14:00-19:00"],"wed":["09:30-13:00","14:00-19:00"],"thu":["11:00-15:00","16:00-20:00"],"fri":["11:00-15:00","16:00-20:00"],"sat":["09:00-13:00","14:00-18:00"]}"#,
        ),
        &[0, 1, 2, 3],
    ),
    ("Inès", "person", None, &[0, 3, 4]),
    ("Cabine de soin", "room", Some(r#"{"wed":["10:00-18:00"],"thu":["10:00-18:00"],"fri":["10:00-18:00"],"sat":["10:00-17:00"]}"#), &[5]),
];

/// A service of the sample.
struct SampleService {
    name: &'static str,
    description: &'static str,
    minutes: i32,
    /// Minutes before and after it.
    buffers: (i32, i32),
    price: &'static str,
    /// Minutes of notice.
    lead: i32,
    /// Days ahead.
    horizon: i32,
}

const SERVICES: [SampleService; 6] = [
    SampleService {
        name: "Coupe femme",
        description: "Shampooing, coupe et brushing.",
        minutes: 45,
        buffers: (0, 10),
        price: "48.00",
        lead: 60,
        horizon: 60,
    },
    SampleService {
        name: "Couleur",
        description: "Couleur complète, shampooing et brushing.",
        minutes: 90,
        buffers: (0, 15),
        price: "79.00",
        lead: 240,
        horizon: 90,
    },
    SampleService {
        name: "Balayage",
        description: "Balayage, patine et brushing.",
        minutes: 150,
        buffers: (0, 15),
        price: "129.00",
        lead: 1440,
        horizon: 90,
    },
    SampleService {
        name: "Coupe homme",
        description: "Shampooing, coupe et coiffage.",
        minutes: 30,
        buffers: (0, 5),
        price: "32.00",
        lead: 60,
        horizon: 60,
    },
    SampleService {
        name: "Manucure",
        description: "Limage, cuticules et vernis classique ou semi-permanent.",
        minutes: 40,
        buffers: (0, 5),
        price: "35.00",
        lead: 60,
        horizon: 60,
    },
    SampleService {
        name: "Soin du visage",
        description: "Nettoyage, gommage, masque et modelage, en cabine.",
        minutes: 60,
        buffers: (10, 15),
        price: "65.00",
        lead: 120,
        horizon: 60,
    },
];
/// Appointments reach back and ahead this far.
const PAST_APPOINTMENTS: u64 = 28;
const APPOINTMENTS_AHEAD: u64 = 14;

/// What is offered by appointment, by whom, and when nobody is there. What stands stays.
async fn offer(db: &Db, scope: ShopScope, now: DateTime<Utc>) -> Result<(), SeedError> {
    db.shop_tx(&scope, TxKind::Command, async move |mut tx| {
        if !services::list(&mut tx, false, None, 1).await?.is_empty() || !services::list(&mut tx, true, None, 1).await?.is_empty() {
            return Ok(());
        }
        let mut team = Vec::with_capacity(STAFF.len());
        for (name, kind, week, performs) in STAFF {
            let hours: Option<Hours> = week.and_then(|week| serde_json::from_str(week).ok());
            let member =
                staff::save(&mut tx, None, name, kind, hours.as_ref()).await.map_err(|error| SeedError::Service(error.to_string()))?;
            team.push((member.id, performs));
        }
        for (place, service) in SERVICES.iter().enumerate() {
            let price = service.price.parse().ok().and_then(|price| Money::new(price).ok());
            let input = ServiceInput {
                name: service.name.to_owned(),
                description: service.description.to_owned(),
                duration_minutes: service.minutes,
                buffer_before_minutes: service.buffers.0,
                buffer_after_minutes: service.buffers.1,
                price: price.ok_or_else(|| SeedError::Service(service.name.to_owned()))?,
                lead_minutes: service.lead,
                horizon_days: service.horizon,
                slot_minutes: None,
                staff_ids: team.iter().filter(|(_, performs)| performs.contains(&place)).map(|(id, _)| *id).collect(),
            };
            services::save(&mut tx, None, &input).await.map_err(|error| SeedError::Service(error.to_string()))?;
        }
        let today = now.date_naive();
        for year in [today.year(), today.year() + 1] {
            for (month, first, last, note) in
                [(12, 24, 26, "Noël"), (12, 31, 31, "Saint-Sylvestre"), (1, 1, 1, "Jour de l'an"), (5, 1, 1, "Fête du Travail")]
            {
                if let (Some(from), Some(to)) = (NaiveDate::from_ymd_opt(year, month, first), NaiveDate::from_ymd_opt(year, month, last))
                    && to >= today
                {
                    closures::insert(&mut tx, None, (from, to), None, note).await?;
                }
            }
        }
        // One of them is away for a week, three weeks from now.
        if let (Some((away, _)), Some(monday)) = (team.get(1), today.checked_add_days(Days::new(21)))
            && let Some(saturday) = monday.checked_add_days(Days::new(5))
        {
            closures::insert(&mut tx, Some(*away), (monday, saturday), None, "Congés").await?;
        }
        Ok::<_, SeedError>(())
    })
    .await
}

/// Appointments of the past weeks and of the next ones; what was booked before, and what has become of it, stays.
async fn keep_appointments(db: &Db, scope: ShopScope, now: DateTime<Utc>) -> Result<(), SeedError> {
    let today = now.date_naive();
    let first = today.checked_sub_days(Days::new(PAST_APPOINTMENTS)).unwrap_or(today);
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= today + Days::new(APPOINTMENTS_AHEAD)).collect();
    for week in days.chunks(DAYS_AT_ONCE) {
        let week = week.to_vec();
        db.shop_tx(&scope, TxKind::Bulk, async move |mut tx| {
            let offered = services::list(&mut tx, false, None, 200).await?;
            let zone = shops::booking(&mut tx).await?.zone;
            for day in week {
                keep_a_day(&mut tx, &offered, zone, day, now).await?;
            }
            Ok::<_, SeedError>(())
        })
        .await?;
    }
    Ok(())
}

async fn keep_a_day(tx: &mut ShopTx, offered: &[services::Service], zone: Tz, day: NaiveDate, now: DateTime<Utc>) -> Result<(), SeedError> {
    let mut dice = Dice(u64::from(day.num_days_from_ce().unsigned_abs()) << 8);
    for n in 0..2 + dice.roll(4) {
        let (which, quarter, name, place, fate) =
            (dice.roll(offered.len() as u64), dice.roll(32), dice.roll(16), dice.roll(3), dice.roll(10));
        let minute = u16::try_from(10 * 60 + 15 * quarter).unwrap_or_default();
        let starts_at = local::first(zone, day, minute);
        let Some(service) = usize::try_from(which).ok().and_then(|which| offered.get(which)) else { continue };
        let booked_at = now.min(starts_at - TimeDelta::hours(50));
        let booking = Booking {
            service: service.id,
            staff: None,
            starts_at,
            by: By::Staff { anyway: false },
            busy: &[],
            customer: None,
            conversation: None,
            customer_name: NAMES.get(usize::try_from(name).unwrap_or_default()).copied().unwrap_or_default().to_owned(),
            contact: None,
            note: String::new(),
            source: if place == 0 { "staff" } else { "agent" },
            actor: if place == 0 { "staff" } else { "agent" }.to_owned(),
            proposal: None,
            request_key: Some(format!("sample:appointment:{day}:{n}")),
            shown: None,
            now: booked_at,
        };
        let made = match appointments::book(tx, &booking).await {
            Ok(made) => made,
            Err(BookError::Db(error)) => return Err(SeedError::Db(error)),
            // Closed then, or somebody else's: a shop is not open at any time that dice fall on.
            Err(_) => continue,
        };
        if made.event.is_none() {
            continue;
        }
        let (id, ends_at) = (made.appointment.id, made.appointment.ends_at);
        let ended = match fate {
            0 => appointments::cancel(tx, id, By::Staff { anyway: false }, None, "system", booked_at + TimeDelta::hours(1)).await,
            _ if ends_at > now => continue,
            1 => appointments::end(tx, id, End::NoShow, "system", ends_at).await,
            _ => appointments::end(tx, id, End::Done, "system", ends_at).await,
        };
        ended.map_err(|error| SeedError::Service(error.to_string()))?;
    }
    Ok(())
}

/// SplitMix64: the same year everywhere, without a dependency whose stream may change.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides.max(1)
    }
}

const NAMES: [&str; 16] = [
    "Anna Keller",
    "Luca Romano",
    "Sofia Almeida",
    "Tom Becker",
    "Emma Laurent",
    "Mehmet Yilmaz",
    "Julia Jansen",
    "Carlos Vega",
    "Nina Hoffmann",
    "Oliver Hughes",
    "Marta Silva",
    "Felix Wagner",
    "Chloé Bernard",
    "Elif Demir",
    "Daan Visser",
    "Lucía Ortega",
];

/// Orders of each day of the past year; a day that has its orders keeps them.
async fn live_a_year(db: &Db, scope: ShopScope, now: DateTime<Utc>) -> Result<(), SeedError> {
    let today = now.date_naive();
    let days: Vec<NaiveDate> = (1..=PAST_DAYS).rev().filter_map(|back| today.checked_sub_days(Days::new(back))).collect();
    for week in days.chunks(DAYS_AT_ONCE) {
        let week = week.to_vec();
        db.shop_tx(&scope, TxKind::Bulk, async move |mut tx| {
            let filter = ProductFilter::default();
            let catalogue = products::list(&mut tx, &filter, 200).await?;
            for day in week {
                live_a_day(&mut tx, &catalogue, day, today).await?;
            }
            Ok::<_, SeedError>(())
        })
        .await?;
    }
    Ok(())
}

async fn live_a_day(tx: &mut ShopTx, catalogue: &[ProductRow], day: NaiveDate, today: NaiveDate) -> Result<(), SeedError> {
    let mut dice = Dice(u64::from(day.num_days_from_ce().unsigned_abs()));
    // Busier before the holidays and on Saturdays, closed on Sundays but for what the agent sells.
    let busy = match (day.month(), day.weekday()) {
        (11 | 12, _) => 5,
        (_, chrono::Weekday::Sat) => 4,
        (_, chrono::Weekday::Sun) => 2,
        _ => 3,
    };
    for n in 0..dice.roll(busy + 1) {
        let minute = 10 * 60 + dice.roll(9 * 60);
        let at = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(i64::try_from(minute).unwrap_or_default());
        let lines: Vec<WantedLine> = (0..1 + dice.roll(3) / 2)
            .filter_map(|_| {
                let product = catalogue.get(usize::try_from(dice.roll(catalogue.len() as u64)).ok()?)?;
                Some(WantedLine { product: product.id, quantity: 1 + i32::try_from(dice.roll(5) / 4).ok()? })
            })
            .collect();
        let (name, place, fate) = (dice.roll(NAMES.len() as u64), dice.roll(5), dice.roll(100));
        let (platform, source) = match place {
            0 => (None, "staff"),
            1 => (Some(Platform::Instagram), "agent"),
            2 => (Some(Platform::Messenger), "agent"),
            _ => (Some(Platform::Whatsapp), "agent"),
        };
        let placement = Placement {
            customer: None,
            customer_name: NAMES.get(usize::try_from(name).unwrap_or_default()).copied().unwrap_or_default().to_owned(),
            contact: None,
            platform,
            source,
            proposal: None,
            request_key: Some(format!("sample:{day}:{n}")),
            now: at,
        };
        if lines.is_empty() || orders::standing(tx, &placement).await?.is_some() {
            continue;
        }
        // The shelf was fuller then: what was sold does not lack today.
        products::restock(tx, &lines).await?;
        let order = orders::place(tx, &lines, &placement).await?;
        let age = (today - day).num_days();
        let moves: &[&str] = match (age, fate) {
            (..=1, _) => &[],
            (2..=4, 0..60) => &["confirmed"],
            (_, 0..3) => &["fulfilled", "refunded"],
            (_, 3..8) => &["cancelled"],
            _ => &["confirmed", "fulfilled"],
        };
        for (later, status) in (1..).zip(moves) {
            orders::change_status(tx, order.order_no, status, None, "system", at + TimeDelta::hours(20 * later)).await?;
        }
        if matches!(moves.last(), Some(&("cancelled" | "refunded"))) {
            // Taken back, the pieces are on the shelf again; today's shelf is what the catalogue says.
            products::unstock(tx, &lines).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_read_and_every_service_has_somebody() {
        for (name, _, week, _) in STAFF {
            assert!(week.is_none_or(|week| serde_json::from_str::<Hours>(week).is_ok()), "{name}");
        }
        assert!((0..SERVICES.len()).all(|place| STAFF.iter().any(|(_, _, _, performs)| performs.contains(&place))));
    }

    #[test]
    fn the_catalogue_has_forty_products_and_one_red_sneaker_in_42() {
        let products = catalogue().unwrap();
        assert!(products.len() >= 40, "{}", products.len());
        let red_42: Vec<_> =
            products.iter().filter(|product| product.input.name.contains("Red 42")).map(|product| &product.input.name).collect();
        assert_eq!(red_42, ["Trail Runner Red 42"]);
        let mut skus: Vec<_> = products.iter().map(|product| product.input.sku.clone()).collect();
        skus.sort();
        skus.dedup();
        assert_eq!(skus.len(), products.len());
        assert!(products.iter().all(|product| product.input.price > product.input.cost));
        assert!(products.iter().any(|product| product.input.name == "Leather Care Kit"));
        assert!(products.iter().any(|product| product.input.name == "Flat Laces Red 120 cm"));
    }
}
