//! The dashboard's figures, by period in the shop's calendar. Every number comes from rows per day, so it costs the same at any number of orders.

use chrono::{DateTime, Days, NaiveDate, Utc};
use frontdesk_core::db::sales::{self, DayRow, OrderCounts, ProductSales};
use frontdesk_core::db::{ShopTx, TxKind, shops};
use frontdesk_core::jobs::{Refusal, RefusalKind};
use frontdesk_core::money::Money;
use frontdesk_core::plans::Plan;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::orders;
use crate::call::StaffCx;
use crate::form::{Form, Request};
use crate::reply::{HttpError, Reply};

/// The longest period: a year.
const MAX_DAYS: i64 = 366;
/// Products in the list of best sellers.
const BEST: i64 = 10;

/// Which days of the shop's calendar.
#[derive(ToSchema)]
pub struct DashboardPeriod {
    /// `today`, `7d`, `30d` (when absent) or `custom`.
    #[schema(required = false, example = "7d")]
    pub period: Option<String>,
    /// The first day of a `custom` period.
    #[schema(required = false, example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// The last day of a `custom` period, 366 days at most.
    #[schema(required = false, example = "2026-11-30")]
    pub to: Option<NaiveDate>,
}

impl Request for DashboardPeriod {
    fn read(form: &mut Form) -> Option<Self> {
        let period = form.maybe_one_of("period", &["today", "7d", "30d", "custom"]);
        let orders::Period { from, to } = orders::Period::read(form)?;
        match (period, from, to) {
            (Some("custom"), Some(from), Some(to)) if (to - from).num_days() >= MAX_DAYS => {
                form.refuse("to", format!("must be within {MAX_DAYS} days of `from`"));
            }
            (Some("custom"), Some(_), Some(_)) => {}
            (Some("custom"), None, _) => form.refuse("from", "is missing; a custom period has both days"),
            (Some("custom"), _, None) => form.refuse("to", "is missing; a custom period has both days"),
            (_, None, None) => {}
            _ => form.refuse("period", "must be `custom` where `from` and `to` are given"),
        }
        Some(Self { period: period.map(str::to_owned), from, to })
    }
}

/// Days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct DaySpan {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

impl DaySpan {
    fn days(self) -> u64 {
        (self.to - self.from).num_days().unsigned_abs() + 1
    }

    /// As many days right before it.
    fn before(self) -> Self {
        let back = |day: NaiveDate| day.checked_sub_days(Days::new(self.days())).unwrap_or(NaiveDate::MIN);
        Self { from: back(self.from), to: back(self.to) }
    }
}

impl DashboardPeriod {
    fn span(&self, today: NaiveDate) -> DaySpan {
        let last = |days: u64| DaySpan { from: today.checked_sub_days(Days::new(days - 1)).unwrap_or(today), to: today };
        match (self.period.as_deref(), self.from, self.to) {
            (Some("custom"), Some(from), Some(to)) => DaySpan { from, to },
            (Some("today"), ..) => last(1),
            (Some("7d"), ..) => last(7),
            _ => last(30),
        }
    }
}

/// Totals of a period beside those of as many days right before it, and how the open orders stand.
#[derive(Serialize, ToSchema)]
pub struct DashboardSummary {
    /// The days.
    pub period: DaySpan,
    /// The days before, for comparison.
    pub previous_period: DaySpan,
    /// ISO 4217.
    pub currency: String,
    /// IANA zone in which days are counted.
    pub timezone: String,
    /// The period's totals.
    #[schema(value_type = orders::Summary)]
    pub totals: sales::Summary,
    /// The totals of the days before.
    #[schema(value_type = orders::Summary)]
    pub previous: sales::Summary,
    /// The change in percent.
    pub change: Change,
    /// Revenue per order that stands, a decimal string; null without orders.
    #[schema(value_type = Option<String>, example = "61.20")]
    pub average_order: Option<Money>,
    /// How many orders stand where, of all days.
    pub fulfilment: Fulfilment,
}

/// The change against the days before, in percent with one decimal, as decimal strings; null where there was nothing before.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// Of the number of orders.
    #[schema(example = "12.5")]
    pub orders: Option<String>,
    /// Of the number of pieces.
    pub pieces: Option<String>,
    /// Of the revenue.
    pub revenue: Option<String>,
    /// Of the cost; only for who may see profit.
    #[schema(required = false)]
    pub cost: Option<String>,
    /// Of the profit; only for who may see profit.
    #[schema(required = false)]
    pub profit: Option<String>,
}

impl Change {
    fn between(before: &sales::Summary, now: &sales::Summary) -> Self {
        let money = |before: Money, now: Money| percent(before.amount(), now.amount());
        Self {
            orders: percent(before.orders.into(), now.orders.into()),
            pieces: percent(before.pieces.into(), now.pieces.into()),
            revenue: money(before.revenue, now.revenue),
            cost: money(before.cost, now.cost),
            profit: money(before.profit, now.profit),
        }
    }
}

fn percent(before: Decimal, now: Decimal) -> Option<String> {
    let share = (now - before).checked_div(before.abs())?;
    Some(format!("{:.1}", (share * Decimal::ONE_HUNDRED).round_dp(1)))
}

/// How many orders stand where, of all days.
#[derive(Serialize, ToSchema)]
pub struct Fulfilment {
    /// Pending and confirmed ones: what is still to be done.
    pub open: i64,
    /// Placed, and not looked at yet.
    pub pending: i64,
    /// Taken on, and not handed over yet.
    pub confirmed: i64,
    /// Handed over.
    pub fulfilled: i64,
    /// Taken back before that.
    pub cancelled: i64,
    /// Taken back after.
    pub refunded: i64,
}

impl From<OrderCounts> for Fulfilment {
    fn from(counts: OrderCounts) -> Self {
        let OrderCounts { pending, confirmed, fulfilled, cancelled, refunded } = counts;
        Self { open: pending + confirmed, pending, confirmed, fulfilled, cancelled, refunded }
    }
}

/// What to draw for a period.
#[derive(Serialize, ToSchema)]
pub struct DashboardCharts {
    /// The days.
    pub period: DaySpan,
    /// ISO 4217.
    pub currency: String,
    /// IANA zone in which days are counted.
    pub timezone: String,
    /// Every day of the period, the oldest first, days without sales too.
    #[schema(value_type = Vec<DayFigures>)]
    pub daily: Vec<DayRow>,
    /// The ten products that brought in most.
    #[schema(value_type = Vec<BestSeller>)]
    pub best_sellers: Vec<ProductSales>,
}

/// One day's totals.
#[derive(ToSchema)]
pub struct DayFigures {
    /// The day.
    pub day: NaiveDate,
    /// Orders that stand.
    pub orders: i64,
    /// Pieces.
    pub pieces: i64,
    /// What customers pay, a decimal string.
    pub revenue: String,
    /// What it costs the shop; only for who may see profit.
    #[schema(required = false)]
    pub cost: String,
    /// Revenue less cost; only for who may see profit.
    #[schema(required = false)]
    pub profit: String,
    /// Orders cancelled or refunded.
    pub cancelled: i64,
}

/// What a product brought in.
#[derive(ToSchema)]
pub struct BestSeller {
    /// The product.
    pub product_id: i32,
    /// Its name today.
    pub name: String,
    /// Pieces sold.
    pub pieces: i64,
    /// What customers pay for them, a decimal string.
    pub revenue: String,
    /// What they cost the shop; only for who may see profit.
    #[schema(required = false)]
    pub cost: String,
    /// Revenue less cost; only for who may see profit.
    #[schema(required = false)]
    pub profit: String,
}

pub(crate) async fn summary(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: DashboardPeriod = cx.query()?;
    let now = cx.app.clock.now();
    let read = async move |mut tx| {
        let (shop, period) = analysed(&mut tx, &asked, now).await?;
        let previous_period = period.before();
        let totals = sales::summary(&mut tx, Some(period.from), Some(period.to)).await?;
        let previous = sales::summary(&mut tx, Some(previous_period.from), Some(previous_period.to)).await?;
        let fulfilment = sales::order_counts(&mut tx).await?.into();
        let average = totals.revenue.amount().checked_div(totals.orders.into());
        Ok::<_, HttpError>(DashboardSummary {
            period,
            previous_period,
            timezone: shop.timezone().name().to_owned(),
            currency: shop.currency,
            change: Change::between(&previous, &totals),
            average_order: average.map(|average| Money::from_numeric(average.round_dp(2))),
            totals,
            previous,
            fulfilment,
        })
    };
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn charts(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: DashboardPeriod = cx.query()?;
    let now = cx.app.clock.now();
    let read = async move |mut tx| {
        let (shop, period) = analysed(&mut tx, &asked, now).await?;
        let daily = every_day(period, sales::days(&mut tx, period.from, period.to).await?);
        let best_sellers = sales::best_sellers(&mut tx, period.from, period.to, BEST).await?;
        let timezone = shop.timezone().name().to_owned();
        Ok::<_, HttpError>(DashboardCharts { period, currency: shop.currency, timezone, daily, best_sellers })
    };
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

/// The shop and the days asked for, if its plan has analytics.
async fn analysed(tx: &mut ShopTx, asked: &DashboardPeriod, now: DateTime<Utc>) -> Result<(shops::ShopProfile, DaySpan), HttpError> {
    let shop = shops::profile(tx).await?;
    if !shop.plan().allows().analytics {
        return Err(no_analytics(shop.plan()));
    }
    let period = asked.span(shop.local_date(now));
    Ok((shop, period))
}

fn no_analytics(plan: Plan) -> HttpError {
    let detail =
        format!("The {} plan has no dashboard analytics; Pro and Business have. Totals are at GET /orders/summary.", plan.as_str());
    Refusal { kind: RefusalKind::Plan, code: "plan_analytics".to_owned(), detail, fields: Vec::new(), slots: Vec::new() }.into()
}

fn every_day(period: DaySpan, sold: Vec<DayRow>) -> Vec<DayRow> {
    let mut sold = sold.into_iter().peekable();
    let days = period.from.iter_days().take_while(|day| *day <= period.to);
    days.map(|day| sold.next_if(|row| row.day == day).unwrap_or(DayRow { day, sums: sales::Summary::default() })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn read(query: &str) -> Result<DaySpan, HttpError> {
        Form::from_query(query).read::<DashboardPeriod>().map(|asked| asked.span(day("2026-03-01")))
    }

    #[test]
    fn periods_end_today_and_are_compared_with_the_days_right_before() {
        for (query, from, before) in [
            ("period=today", "2026-03-01", ("2026-02-28", "2026-02-28")),
            ("period=7d", "2026-02-23", ("2026-02-16", "2026-02-22")),
            ("", "2026-01-31", ("2026-01-01", "2026-01-30")),
        ] {
            let span = read(query).unwrap();
            assert_eq!((span.from, span.to), (day(from), day("2026-03-01")), "{query}");
            assert_eq!(span.before(), DaySpan { from: day(before.0), to: day(before.1) }, "{query}");
        }
        let year = read("period=custom&from=2025-01-01&to=2025-12-31").unwrap();
        assert_eq!(year.before(), DaySpan { from: day("2024-01-02"), to: day("2024-12-31") });
        for bad in [
            "period=90d",
            "period=custom",
            "period=custom&from=2026-01-01",
            "period=custom&to=2026-01-01",
            "period=custom&from=2026-01-02&to=2026-01-01",
            "period=custom&from=2025-01-01&to=2026-01-02",
            "from=2026-01-01&to=2026-01-02",
            "period=7d&to=2026-01-02",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn change_is_in_percent_and_nothing_has_no_percent() {
        let percent = |before: i64, now: i64| percent(before.into(), now.into());
        assert_eq!(percent(8, 9).as_deref(), Some("12.5"));
        assert_eq!(percent(3, 2).as_deref(), Some("-33.3"));
        assert_eq!(percent(-10, 5).as_deref(), Some("150.0"), "from a loss to a profit is a rise");
        assert_eq!((percent(0, 7), percent(5, 5).as_deref()), (None, Some("0.0")));
    }

    #[test]
    fn days_without_sales_are_there_too() {
        let sold = sales::Summary { orders: 2, ..sales::Summary::default() };
        let days =
            every_day(DaySpan { from: day("2026-02-27"), to: day("2026-03-02") }, vec![DayRow { day: day("2026-03-01"), sums: sold }]);
        let seen: Vec<(String, i64)> = days.iter().map(|row| (row.day.to_string(), row.sums.orders)).collect();
        let expected = [("2026-02-27", 0), ("2026-02-28", 0), ("2026-03-01", 2), ("2026-03-02", 0)];
        assert_eq!(seen, expected.map(|(day, orders)| (day.to_owned(), orders)));
    }
}
