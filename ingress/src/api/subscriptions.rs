//! What a shop pays: how it stands, and the ways to Stripe's pages.

use chrono::{DateTime, NaiveDate, Utc};
use frontdesk_core::db::{DbError, TxKind, subscriptions};
use frontdesk_core::jobs::{ChangePlan, CreateCheckout, OpenPortal};
use frontdesk_core::plans::Plan;
use utoipa::ToSchema;

use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request};
use crate::reply::{HttpError, Reply};

/// Those that can be bought.
const PLANS: &[&str] = &["starter", "pro", "business"];

/// Which plan.
#[derive(ToSchema)]
pub struct ChoosePlan {
    /// `starter`, `pro` or `business`.
    #[schema(value_type = String, example = "pro")]
    pub plan: Plan,
}

impl Request for ChoosePlan {
    fn read(form: &mut Form) -> Option<Self> {
        let plan = form.one_of("plan", PLANS).and_then(Plan::from_name)?;
        Some(Self { plan })
    }
}

/// Where to pay.
#[derive(ToSchema)]
pub struct CheckoutPage {
    /// Stripe's page; it brings the browser back to the dashboard. What it comes back with proves nothing: the status says whether it was paid.
    #[schema(example = "https://checkout.stripe.com/c/pay/cs_…")]
    pub url: String,
    /// Stripe's id of the attempt.
    pub session_id: String,
    /// Until when the page can be used.
    pub expires_at: DateTime<Utc>,
}

/// Where to manage what is paid.
#[derive(ToSchema)]
pub struct PortalPage {
    /// Stripe's page, for this visit alone.
    #[schema(example = "https://billing.stripe.com/p/session/…")]
    pub url: String,
}

/// How the shop's subscription stands.
#[derive(ToSchema)]
pub struct Subscription {
    /// The plan that the shop has: `trial`, `starter`, `pro` or `business`.
    #[schema(example = "pro")]
    pub plan: String,
    /// `given` by the operator, `trial`, `active`, `ending` (cancelled), `grace` (what was paid is over) or `inactive`.
    #[schema(example = "active")]
    pub state: String,
    /// Whether customers are answered.
    pub active: bool,
    /// Until when it is paid, or free; in the past when it is over.
    #[schema(required = false)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When the assistant stops, or stopped, if nothing is paid until then.
    #[schema(required = false)]
    pub stops_at: Option<DateTime<Utc>>,
    /// Stripe's word for the subscription: `active`, `past_due`, `canceled`, ….
    #[schema(required = false)]
    pub status: Option<String>,
    /// The plan that comes at the period's end, if a smaller one was chosen.
    #[schema(required = false)]
    pub next_plan: Option<String>,
    /// The next invoice.
    #[schema(required = false)]
    pub next_invoice: Option<NextInvoice>,
    /// Where an invoice that is due is paid.
    #[schema(required = false)]
    pub owed_url: Option<String>,
    /// What was used this month.
    pub usage: MonthUsage,
    /// What the plan allows.
    pub allows: PlanAllows,
    /// The latest payments, the latest first.
    pub payments: Vec<Payment>,
    /// The latest refunds and disputes, the latest first.
    pub adjustments: Vec<Adjustment>,
}

/// The next invoice.
#[derive(ToSchema)]
pub struct NextInvoice {
    /// When.
    pub at: DateTime<Utc>,
    /// How much, as Stripe forecasts it.
    #[schema(required = false, example = "59.00")]
    pub amount: Option<String>,
    /// ISO 4217, lower case.
    #[schema(required = false, example = "usd")]
    pub currency: Option<String>,
}

/// What was used of a month.
#[derive(ToSchema)]
pub struct MonthUsage {
    /// The month's first day, in the shop's calendar.
    pub month: NaiveDate,
    /// Answers of the AI that were sent.
    pub messages: i32,
}

/// What a plan allows.
#[derive(ToSchema)]
pub struct PlanAllows {
    /// How many platforms.
    pub platforms: i32,
    /// Answers of the AI in a calendar month; absent: as many as wanted.
    #[schema(required = false)]
    pub monthly_messages: Option<i32>,
    /// Dashboard analytics.
    pub analytics: bool,
    /// A team with roles.
    pub team: bool,
}

/// A paid invoice.
#[derive(ToSchema)]
pub struct Payment {
    /// Stripe's id of the invoice.
    pub invoice_id: String,
    /// The invoice's number.
    pub number: String,
    /// Why it was made: `subscription_create`, `subscription_cycle`, `subscription_update`, ….
    pub reason: String,
    /// How much.
    #[schema(example = "59.00")]
    pub amount: String,
    /// ISO 4217, lower case.
    #[schema(example = "usd")]
    pub currency: String,
    /// When.
    pub paid_at: DateTime<Utc>,
    /// The end of the period that it paid, if it paid one.
    #[schema(required = false)]
    pub period_end: Option<DateTime<Utc>>,
    /// Stripe's page of the invoice.
    #[schema(required = false)]
    pub url: Option<String>,
}

/// Money that went back, or that a bank wants back.
#[derive(ToSchema)]
pub struct Adjustment {
    /// `refund` or `dispute`.
    pub kind: String,
    /// How much.
    #[schema(required = false, example = "59.00")]
    pub amount: Option<String>,
    /// ISO 4217, lower case.
    #[schema(required = false, example = "usd")]
    pub currency: Option<String>,
    /// How it stands, in Stripe's word.
    #[schema(required = false)]
    pub status: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

pub(crate) async fn status(cx: StaffCx) -> Result<Reply, HttpError> {
    let (grace, now) = (cx.app.config.billing_grace, cx.app.clock.now());
    let read = async move |mut tx| subscriptions::view(&mut tx, grace, now).await.map_err(|error: DbError| error);
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn checkout(cx: CommandCx) -> Result<Asked, HttpError> {
    let ChoosePlan { plan } = cx.json()?;
    Asked::job(CreateCheckout { request: cx.request, plan })
}

pub(crate) async fn change(cx: CommandCx) -> Result<Asked, HttpError> {
    let ChoosePlan { plan } = cx.json()?;
    Asked::job(ChangePlan { request: cx.request, plan })
}

pub(crate) async fn portal(cx: CommandCx) -> Result<Asked, HttpError> {
    Asked::job(OpenPortal { request: cx.request })
}
