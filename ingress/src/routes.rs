//! THE route table: every path, who may call it, which handler or which job, what goes in and what comes out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use frontdesk_core::auth::Permission;
use hyper::Method;
use utoipa::openapi::{RefOr, Schema};

use crate::api::{
    ArchivePage, admin, appointments, audit, auth, channels, closures, conversations, customers, dashboard, events, google, jobs, media,
    ops, order_export, orders, passwords, product_import, products, services, sessions, sheet_export, shop, staff, stock, subscriptions,
    team, thread, trial, variants,
};
use crate::call::{API_BODY_BYTES, AdminCx, Call, CommandCx, PublicCx, SignedBody, StaffCx, WEBHOOK_BODY_BYTES};
use crate::command::{self, Asked};
use crate::form::Request;
use crate::reply::{HttpError, Reply};
use crate::{gate, webhooks};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// Every route of the ingress.
#[must_use]
pub fn table() -> Vec<Route> {
    use Permission::{
        AppointmentsRead, AppointmentsWrite, Audit, ChannelsRead, ChannelsWrite, ConversationsRead, ConversationsWrite, Customers,
        Dashboard, OrdersExport, OrdersRead, OrdersSummary, OrdersWrite, Own, ProductsRead, ProductsWrite, ServicesRead, ServicesWrite,
        ShopRead, ShopWrite, Subscriptions, TeamRead, TeamWrite,
    };
    vec![
        // Meta
        public(GET, "/webhook/meta", "Meta verifies the webhook's address", webhooks::verify).text(),
        webhook(POST, "/webhook/meta", Provider::Meta, "Meta delivers events", webhooks::meta).text(),
        // Google
        notification("/webhook/google", Provider::Google, "Google tells that a watched calendar has changed", webhooks::google::notified)
            .text(),
        // Stripe
        webhook(POST, "/subscriptions/webhook", Provider::Stripe, "Stripe delivers an event", webhooks::stripe::delivered).text(),
        // People
        public(POST, "/auth/register", "Open a shop with its owner", auth::register).takes::<auth::Register>().gives::<auth::LoggedIn>(201),
        public(POST, "/auth/login", "Log in", auth::login).takes::<auth::Login>().gives::<auth::LoggedIn>(200),
        anyone(POST, "/auth/logout", "End this session, really", auth::logout).gives_nothing(),
        anyone(GET, "/auth/me", "Who am I, and what may I do", auth::me).gives::<auth::Me>(200),
        public(POST, "/auth/forgot", "Have a link to a new password mailed, if there is such an account", passwords::forgot)
            .takes::<passwords::Forgot>()
            .gives_nothing(),
        public(POST, "/auth/reset", "Set a password by a mailed link; every session ends", passwords::reset)
            .takes::<passwords::Reset>()
            .gives_nothing(),
        public(POST, "/auth/confirm", "Confirm one's address by a mailed link", passwords::confirm)
            .takes::<passwords::Confirm>()
            .gives_nothing(),
        anyone(POST, "/auth/confirm/send", "Have the link mailed again that confirms one's address", passwords::send_confirmation)
            .gives_nothing(),
        anyone(POST, "/auth/password", "Change one's password; every session ends, this one too", passwords::change)
            .takes::<passwords::NewPassword>()
            .gives_nothing(),
        anyone(GET, "/auth/sessions", "Where one is logged in", sessions::list).gives::<sessions::Sessions>(200),
        anyone(DELETE, "/auth/sessions/{id}", "End one of one's sessions", sessions::end).gives_nothing(),
        anyone(DELETE, "/auth/sessions", "End all of one's sessions, this one too", sessions::end_all).gives_nothing(),
        public(GET, "/password", "The page that a link to a password opens", passwords::password_page).text(),
        public(GET, "/confirm", "The page that a link to confirm an address opens", passwords::confirm_page).text(),
        // The team
        staff(GET, "/team", TeamRead, "The team", team::list).gives::<team::Team>(200),
        command(POST, "/team", TeamWrite, "Invite somebody by e-mail; again, if they have not joined yet", team::invite)
            .takes::<team::Invite>()
            .gives::<team::TeamMember>(201),
        command(PATCH, "/team/{id}", TeamWrite, "Give a colleague another role; their sessions end", team::change)
            .takes::<team::NewRole>()
            .gives::<team::TeamMember>(200),
        command(DELETE, "/team/{id}", TeamWrite, "Remove a colleague; their sessions end", team::remove).gives_nothing(),
        // The shop
        staff(GET, "/shop", ShopRead, "The shop's settings", shop::read).gives::<shop::Shop>(200),
        command(PUT, "/shop", ShopWrite, "Replace the shop's settings, if nobody has changed them meanwhile", shop::save)
            .takes::<shop::SaveShop>()
            .gives::<shop::Shop>(200),
        command(POST, "/shop/agent/try", ShopWrite, "Try what the AI would say and do; nothing of it stays", trial::ask)
            .takes::<trial::TryAgent>()
            .gives::<trial::Tried>(200),
        staff(GET, "/audit", Audit, "Who changed what, the latest first", audit::list)
            .asks::<audit::AuditSelection>()
            .gives::<audit::AuditEntries>(200),
        // What the shop pays
        staff(GET, "/subscriptions/status", Subscriptions, "Plan, state, usage of the month, next invoice, payments", subscriptions::status)
            .gives::<subscriptions::Subscription>(200),
        command(POST, "/subscriptions/create-checkout", Subscriptions, "Begin to subscribe to a plan: where to pay", subscriptions::checkout)
            .takes::<subscriptions::ChoosePlan>()
            .gives::<subscriptions::CheckoutPage>(200),
        command(
            POST,
            "/subscriptions/change",
            Subscriptions,
            "Change the plan: a larger one at once, a smaller one at the period's end; the present one takes a change or a cancellation back",
            subscriptions::change,
        )
        .takes::<subscriptions::ChoosePlan>()
        .gives::<subscriptions::Subscription>(200),
        command(POST, "/subscriptions/portal", Subscriptions, "Where to change the card, pay an invoice, or cancel", subscriptions::portal)
            .gives::<subscriptions::PortalPage>(200),
        // Channels
        staff(GET, "/channels", ChannelsRead, "List the connected accounts", channels::list).gives::<channels::Channels>(200),
        command(POST, "/channels", ChannelsWrite, "Connect an account, or change its token", channels::save)
            .takes::<channels::SaveChannel>()
            .gives::<channels::Channel>(201),
        command(POST, "/channels/{id}/check", ChannelsWrite, "Ask Meta whether a channel works, and what is wrong", channels::check)
            .gives::<channels::ChannelCheck>(200),
        command(DELETE, "/channels/{id}", ChannelsWrite, "Disconnect an account", channels::remove).gives_nothing(),
        // Google
        staff(GET, "/integrations/google", ShopRead, "How the shop's Google account stands", google::read)
            .gives::<google::GoogleIntegration>(200),
        staff(GET, "/integrations/google/connect", ShopWrite, "Begin to connect a Google account: where to say yes", google::connect)
            .gives::<google::GoogleConsent>(200),
        public(GET, "/integrations/google/callback", "Google sends the browser back after its consent screen", google::callback)
            .redirects(),
        staff(GET, "/integrations/google/calendars", ShopRead, "Calendars that appointments can go into", google::calendars)
            .gives::<google::GoogleCalendars>(200),
        command(PUT, "/integrations/google", ShopWrite, "Pick the calendar that appointments go into", google::save)
            .takes::<google::PickCalendar>()
            .gives::<google::GoogleIntegration>(200),
        command(DELETE, "/integrations/google", ShopWrite, "Disconnect the Google account, there and here", google::disconnect)
            .gives_nothing(),
        // Products
        staff(GET, "/products", ProductsRead, "List or search the catalogue", products::list)
            .asks::<products::Search>()
            .gives::<products::Products>(200),
        command(POST, "/products", ProductsWrite, "Add a product, or change the one with this id", products::save)
            .takes::<products::SaveProduct>()
            .gives::<products::Product>(201),
        file(
            "/products/import",
            ProductsWrite,
            "Add and change many products from a CSV file: all of it, or nothing",
            product_import::FILE_BYTES,
            product_import::import,
        )
        .asks::<product_import::ImportMode>()
        .takes_csv(product_import::FILE)
        .gives::<product_import::ImportReport>(200),
        staff(GET, "/products/{id}", ProductsRead, "One product, archived or not", products::find).gives::<products::Product>(200),
        command(POST, "/products/{id}/stock", ProductsWrite, "Change a product's stock by hand, with a reason", stock::adjust)
            .takes::<stock::AdjustStock>()
            .gives::<stock::StockChange>(201),
        staff(GET, "/products/{id}/stock", ProductsRead, "How a product's stock was changed by hand", stock::history)
            .asks::<admin::Page>()
            .gives::<stock::StockChanges>(200),
        command(POST, "/products/{id}/variants", ProductsWrite, "Add variants of a product: sizes, colours", variants::add)
            .takes::<variants::AddVariants>()
            .gives::<variants::Variants>(201),
        file("/products/{id}/image", ProductsWrite, "Upload a product's picture", media::PICTURE_BYTES, media::upload)
            .takes_file(&["image/png", "image/jpeg", "image/webp"], media::PICTURE)
            .gives::<products::Product>(200),
        command(DELETE, "/products/{id}", ProductsWrite, "Take a product out of the catalogue; orders keep it", products::archive)
            .gives_nothing(),
        command(POST, "/products/{id}/restore", ProductsWrite, "Put an archived product back into the catalogue", products::restore)
            .gives::<products::Product>(200),
        // Orders
        command(POST, "/orders", OrdersWrite, "Place an order at today's prices", orders::place)
            .takes::<orders::PlaceOrder>()
            .gives::<orders::Order>(201),
        staff(GET, "/orders", OrdersRead, "List orders, the newest first", orders::list)
            .asks::<orders::Filter>()
            .gives::<orders::Orders>(200),
        staff(GET, "/orders/summary", OrdersSummary, "Totals of a period", orders::summary)
            .asks::<orders::Period>()
            .gives::<orders::Summary>(200),
        staff(POST, "/orders/export", OrdersExport, "Orders as a CSV file, a row per line", order_export::export)
            .takes::<orders::OrderSelection>()
            .gives_csv(),
        command(POST, "/orders/export/google-sheet", OrdersExport, "Orders as a Google spreadsheet, a row per line", sheet_export::orders)
            .may_take::<sheet_export::OrderSheet>()
            .gives::<sheet_export::SheetExport>(200),
        staff(GET, "/orders/{id}", OrdersRead, "One order with its lines, its history and its conversation", orders::find)
            .gives::<orders::OrderDetail>(200),
        command(PATCH, "/orders/{id}", OrdersWrite, "Move an order on; cancelling restocks", orders::change)
            .takes::<orders::ChangeOrder>()
            .gives::<orders::Order>(200),
        // Services
        staff(GET, "/services", ServicesRead, "List what is offered by appointment", services::list)
            .asks::<ArchivePage>()
            .gives::<services::Services>(200),
        command(POST, "/services", ServicesWrite, "Add a service, or change the one with this id", services::save)
            .takes::<services::SaveService>()
            .gives::<services::Service>(201),
        staff(GET, "/services/{id}", ServicesRead, "One service, archived or not", services::find).gives::<services::Service>(200),
        command(DELETE, "/services/{id}", ServicesWrite, "Offer a service no longer; appointments keep it", services::archive)
            .gives_nothing(),
        staff(GET, "/staff", ServicesRead, "List the people and rooms that perform services", staff::list)
            .asks::<ArchivePage>()
            .gives::<staff::StaffMembers>(200),
        command(POST, "/staff", ServicesWrite, "Add a person or a room, or change the one with this id", staff::save)
            .takes::<staff::SaveStaffMember>()
            .gives::<staff::StaffMember>(201),
        command(DELETE, "/staff/{id}", ServicesWrite, "Remove a person or a room, if no appointments are ahead", staff::archive)
            .gives_nothing(),
        staff(GET, "/closures", ServicesRead, "List holidays and other closures", closures::list)
            .asks::<closures::ClosurePage>()
            .gives::<closures::Closures>(200),
        command(POST, "/closures", ServicesWrite, "Add a holiday or another closure; appointments that stand stay", closures::add)
            .takes::<closures::NewClosure>()
            .gives::<closures::Closure>(201),
        command(DELETE, "/closures/{id}", ServicesWrite, "Take a closure away", closures::remove).gives_nothing(),
        // Appointments
        staff(GET, "/appointments", AppointmentsRead, "List appointments in order of time", appointments::list)
            .asks::<appointments::AppointmentSearch>()
            .gives::<appointments::Appointments>(200),
        command(POST, "/appointments", AppointmentsWrite, "Book, move or cancel an appointment, or say how it ended", appointments::save)
            .takes::<appointments::SaveAppointment>()
            .gives::<appointments::Appointment>(201),
        command(
            POST,
            "/appointments/export/google-sheet",
            AppointmentsWrite,
            "Appointments as a Google spreadsheet",
            sheet_export::appointments,
        )
        .may_take::<sheet_export::AppointmentSheet>()
        .gives::<sheet_export::SheetExport>(200),
        staff(GET, "/appointments/available", AppointmentsRead, "Free times of a service", appointments::available)
            .asks::<appointments::SlotSearch>()
            .gives::<appointments::FreeSlots>(200),
        staff(GET, "/appointments/{id}", AppointmentsRead, "One appointment with its history", appointments::find)
            .gives::<appointments::AppointmentDetail>(200),
        // Figures
        staff(GET, "/dashboard/summary", Dashboard, "Totals of a period, compared with the one before; open orders", dashboard::summary)
            .asks::<dashboard::DashboardPeriod>()
            .gives::<dashboard::DashboardSummary>(200),
        staff(GET, "/dashboard/charts", Dashboard, "Daily revenue, cost and profit of a period; best sellers", dashboard::charts)
            .asks::<dashboard::DashboardPeriod>()
            .gives::<dashboard::DashboardCharts>(200),
        // Conversations
        staff(GET, "/conversations", ConversationsRead, "List or search conversations, the latest activity first", conversations::list)
            .asks::<conversations::InboxSearch>()
            .gives::<conversations::Conversations>(200),
        staff(GET, "/conversations/counts", ConversationsRead, "What waits in the inbox", conversations::counts)
            .gives::<conversations::Counts>(200),
        staff(GET, "/conversations/colleagues", ConversationsRead, "Who may take a conversation", conversations::colleagues)
            .gives::<conversations::Colleagues>(200),
        staff(GET, "/conversations/{id}", ConversationsRead, "One conversation with its latest notes", conversations::find)
            .gives::<conversations::ConversationDetail>(200),
        staff(GET, "/conversations/{id}/messages", ConversationsRead, "Its messages, the newest first", thread::messages)
            .asks::<thread::ThreadPage>()
            .gives::<thread::Messages>(200),
        staff(GET, "/conversations/{id}/turns/{turn}", ConversationsRead, "What the agent did for an answer", thread::turn)
            .gives::<thread::Turn>(200),
        staff(GET, "/conversations/{id}/notes", ConversationsRead, "Its notes, the newest first", thread::notes)
            .asks::<thread::ThreadPage>()
            .gives::<thread::Notes>(200),
        command(
            POST,
            "/conversations/{id}/messages",
            ConversationsWrite,
            "Answer as a human; the AI is silent then",
            conversations::answer,
        )
        .takes::<conversations::HumanAnswer>()
        .gives::<thread::Message>(201),
        command(POST, "/conversations/{id}/read", ConversationsWrite, "Mark it read", conversations::read)
            .may_take::<conversations::ReadUpTo>()
            .gives::<conversations::Conversation>(200),
        command(POST, "/conversations/{id}/pause", ConversationsWrite, "Take over: the AI is silent", conversations::pause)
            .may_take::<conversations::PauseFor>()
            .gives::<conversations::Conversation>(200),
        command(POST, "/conversations/{id}/resume", ConversationsWrite, "Hand back to the AI", conversations::resume)
            .gives::<conversations::Conversation>(200),
        command(POST, "/conversations/{id}/assign", ConversationsWrite, "Make it a colleague's, or nobody's", conversations::assign)
            .takes::<conversations::Assignment>()
            .gives::<conversations::Conversation>(200),
        command(POST, "/conversations/{id}/notes", ConversationsWrite, "Add a note, which customers never see", conversations::add_note)
            .takes::<conversations::NewNote>()
            .gives::<thread::Note>(201),
        command(DELETE, "/conversations/{id}/notes/{note}", ConversationsWrite, "Delete a note of one's own", conversations::delete_note)
            .gives_nothing(),
        staff(GET, "/media/{id}", ConversationsRead, "A file that a customer sent", media::file).gives_bytes(),
        public(GET, "/media/public/{name}", "A product's picture", media::picture).gives_bytes(),
        // Customers
        staff(GET, "/customers/{id}/export", Customers, "Everything known of a customer, for a customer who asks", customers::export)
            .gives::<customers::CustomerExport>(200),
        command(DELETE, "/customers/{id}", Customers, "Forget a customer who asks for it; orders stay without a name", customers::erase)
            .gives_nothing(),
        // Live
        staff(GET, "/events", Own, "What changes, as it changes, by role", events::open)
            .asks::<events::EventsSince>()
            .gives_socket::<events::Event>(),
        // Jobs
        staff(GET, "/jobs/{id}", Own, "The answer to a write that was accepted with 202", jobs::find).gives::<jobs::Job>(200),
        // Administration
        admin_only(GET, "/admin/shops", "Every shop", admin::shops).asks::<admin::Page>().gives::<admin::Shops>(200),
        admin_only(GET, "/admin/logs", "Raw events in and out, the latest first", admin::logs)
            .asks::<admin::LogsOf>()
            .gives::<admin::Logs>(200),
        admin_only(GET, "/admin/queues", "Every queue: waiting, running, delayed, dead", admin::queues).gives::<admin::Queues>(200),
        admin_only(GET, "/admin/schedule", "What recurs: when it fired last, when it fires next, who leads", admin::schedule)
            .gives::<admin::ScheduleView>(200),
        admin_only(GET, "/admin/queues/{queue}/dead", "A queue's dead jobs", admin::dead)
            .asks::<admin::Page>()
            .gives::<admin::DeadJobs>(200),
        admin_only(POST, "/admin/queues/{queue}/dead/{id}/retry", "Run a dead job again", admin::retry).gives_nothing(),
        admin_only(POST, "/admin/queues/{queue}/dead/{id}/discard", "Give a dead job up", admin::discard).gives_nothing(),
        // Operations
        ops(GET, "/healthz", "The process lives", ops::healthz).text(),
        ops(GET, "/readyz", "The process can accept webhooks", ops::readyz).gives::<ops::Readiness>(200),
        ops(GET, "/openapi.json", "This API's description", ops::openapi).text(),
        ops(GET, "/postman.json", "This API as a Postman collection", ops::postman_collection).text(),
        ops(GET, "/docs", "This API's description, to read", ops::docs).text(),
    ]
}

/// Who signs a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Meta: WhatsApp, Instagram, Messenger.
    Meta,
    /// Google: a watched calendar's channel brings the token that we gave it.
    Google,
    /// Stripe.
    Stripe,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Who holds the provider's secret.
    Signed(Provider),
    /// Anybody who is logged in.
    Anyone,
    /// A user of a shop whose role has the permission.
    Staff(Permission),
    /// A platform administrator.
    Admin,
    /// Whoever runs the process; it tells nothing about shops.
    Operations,
}

type Answering = Pin<Box<dyn Future<Output = Result<Reply, HttpError>> + Send>>;
type Run = Arc<dyn Fn(Call) -> Answering + Send + Sync>;
type Nested = Vec<(String, RefOr<Schema>)>;
/// Says what is wrong with the bytes of a request.
pub type Check = fn(&[u8]) -> Result<(), HttpError>;

/// A type in the API's description.
#[derive(Clone)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// Its schema.
    pub schema: RefOr<Schema>,
    /// The schemas it refers to.
    pub nested: Nested,
    /// The fields that its reader asks for, if it is a request.
    pub fields: Option<Vec<&'static str>>,
    /// Its reader, if it is a request: what is wrong with these bytes.
    pub check: Option<Check>,
}

impl Shape {
    fn of<T: utoipa::ToSchema>() -> Self {
        let mut nested = Nested::new();
        T::schemas(&mut nested);
        Self { name: T::name().into_owned(), schema: T::schema(), nested, fields: None, check: None }
    }

    fn of_request<T: utoipa::ToSchema + Request>() -> Self {
        let mut empty = crate::form::Form::from_query("");
        T::read(&mut empty);
        let check = |body: &[u8]| crate::form::Form::from_json(body)?.read::<T>().map(drop);
        Self { fields: Some(empty.known().iter().copied().collect()), check: Some(check), ..Self::of::<T>() }
    }
}

/// What a route answers when all is well.
#[derive(Clone)]
pub enum Gives {
    /// JSON with this status.
    Json(u16, Box<Shape>),
    /// Text or a page.
    Text,
    /// A CSV file.
    Csv,
    /// A file of any kind.
    Bytes,
    /// 101, then a WebSocket with frames of this shape.
    Socket(Box<Shape>),
    /// 302: the browser goes on.
    Redirect,
    /// 204.
    Nothing,
}

/// One line of the table.
#[derive(Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{parameters}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it does, in a line.
    pub about: &'static str,
    /// Whether it goes through a job, with an `Idempotency-Key` and maybe a 202.
    pub is_command: bool,
    /// The body it takes.
    pub body: Option<Shape>,
    /// What is in the file that it takes.
    pub file: Option<&'static str>,
    /// The MIME types that the file may have.
    pub file_kinds: &'static [&'static str],
    /// Whether it must have one.
    pub body_required: bool,
    /// The query it takes.
    pub query: Option<Shape>,
    /// What it answers.
    pub gives: Gives,
    pub(crate) run: Run,
}

impl Route {
    fn new(method: Method, path: &'static str, access: Access, about: &'static str, run: Run) -> Self {
        Self {
            method,
            path,
            access,
            about,
            is_command: false,
            body: None,
            file: None,
            file_kinds: &[],
            body_required: true,
            query: None,
            gives: Gives::Nothing,
            run,
        }
    }

    fn takes<T: utoipa::ToSchema + Request>(self) -> Self {
        Self { body: Some(Shape::of_request::<T>()), ..self }
    }

    fn takes_csv(self, about: &'static str) -> Self {
        self.takes_file(&["text/csv"], about)
    }

    fn takes_file(self, kinds: &'static [&'static str], about: &'static str) -> Self {
        Self { file: Some(about), file_kinds: kinds, ..self }
    }

    fn may_take<T: utoipa::ToSchema + Request>(self) -> Self {
        Self { body_required: false, ..self.takes::<T>() }
    }

    fn asks<T: utoipa::ToSchema + Request>(self) -> Self {
        Self { query: Some(Shape::of_request::<T>()), ..self }
    }

    fn gives<T: utoipa::ToSchema>(self, status: u16) -> Self {
        Self { gives: Gives::Json(status, Box::new(Shape::of::<T>())), ..self }
    }

    fn text(self) -> Self {
        Self { gives: Gives::Text, ..self }
    }

    fn redirects(self) -> Self {
        Self { gives: Gives::Redirect, ..self }
    }

    fn gives_csv(self) -> Self {
        Self { gives: Gives::Csv, ..self }
    }

    fn gives_bytes(self) -> Self {
        Self { gives: Gives::Bytes, ..self }
    }

    fn gives_socket<T: utoipa::ToSchema>(self) -> Self {
        Self { gives: Gives::Socket(Box::new(Shape::of::<T>())), ..self }
    }

    fn gives_nothing(self) -> Self {
        Self { gives: Gives::Nothing, ..self }
    }
}

fn public<F, Fut>(method: Method, path: &'static str, about: &'static str, handler: F) -> Route
where
    F: Fn(PublicCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let run: Run = Arc::new(move |mut call| {
        Box::pin(async move {
            call.receive(API_BODY_BYTES).await?;
            handler(gate::public(call)?).await
        })
    });
    Route::new(method, path, Access::Public, about, run)
}

fn ops<F, Fut>(method: Method, path: &'static str, about: &'static str, handler: F) -> Route
where
    F: Fn(PublicCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    Route { access: Access::Operations, ..public(method, path, about, handler) }
}

/// The signature is checked on the bytes as they came, before anything reads them.
fn webhook<F, Fut>(method: Method, path: &'static str, provider: Provider, about: &'static str, handler: F) -> Route
where
    F: Fn(SignedBody) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let run: Run = Arc::new(move |mut call| {
        Box::pin(async move {
            call.receive(WEBHOOK_BODY_BYTES).await?;
            handler(webhooks::signed(call, provider)?).await
        })
    });
    Route::new(method, path, Access::Signed(provider), about, run)
}

/// A provider's notification that has no signature but a token in its headers, which its handler checks before anything else.
fn notification<F, Fut>(path: &'static str, provider: Provider, about: &'static str, handler: F) -> Route
where
    F: Fn(PublicCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let run: Run = Arc::new(move |call| Box::pin(handler(PublicCx { call })));
    Route::new(POST, path, Access::Signed(provider), about, run)
}

fn anyone<F, Fut>(method: Method, path: &'static str, about: &'static str, handler: F) -> Route
where
    F: Fn(PublicCx, frontdesk_core::auth::Session) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let run: Run = Arc::new(move |mut call| {
        Box::pin(async move {
            let session = gate::session(&call).await?;
            call.receive(API_BODY_BYTES).await?;
            handler(PublicCx { call }, session).await
        })
    });
    Route::new(method, path, Access::Anyone, about, run)
}

fn staff<F, Fut>(method: Method, path: &'static str, permission: Permission, about: &'static str, handler: F) -> Route
where
    F: Fn(StaffCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    staff_up_to(API_BODY_BYTES, method, path, permission, about, handler)
}

fn staff_up_to<F, Fut>(bytes: usize, method: Method, path: &'static str, permission: Permission, about: &'static str, handler: F) -> Route
where
    F: Fn(StaffCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let run: Run = Arc::new(move |call| {
        Box::pin(async move {
            let mut cx = gate::staff(call, permission).await?;
            let allowance = gate::allowance(&cx).await?;
            let answered = async {
                cx.call.receive(bytes).await?;
                let sees_profit = cx.may(Permission::Profit);
                let reply = handler(cx).await?;
                Ok::<_, HttpError>(if sees_profit { reply } else { reply.without_profit() })
            };
            match answered.await {
                Ok(reply) => Ok(reply.limited(allowance)),
                Err(error) => Err(error.limited(allowance)),
            }
        })
    });
    Route::new(method, path, Access::Staff(permission), about, run)
}

fn command<F, Fut>(method: Method, path: &'static str, permission: Permission, about: &'static str, handler: F) -> Route
where
    F: Fn(CommandCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Asked, HttpError>> + Send + 'static,
{
    command_up_to(API_BODY_BYTES, method, path, permission, about, handler)
}

/// A write by a file.
fn file<F, Fut>(path: &'static str, permission: Permission, about: &'static str, bytes: usize, handler: F) -> Route
where
    F: Fn(CommandCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Asked, HttpError>> + Send + 'static,
{
    command_up_to(bytes, POST, path, permission, about, handler)
}

fn command_up_to<F, Fut>(bytes: usize, method: Method, path: &'static str, permission: Permission, about: &'static str, handler: F) -> Route
where
    F: Fn(CommandCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Asked, HttpError>> + Send + 'static,
{
    let enqueue = move |staff: StaffCx| async move {
        let cx = command::begin(staff)?;
        let (app, who) = (cx.app.clone(), command::Asking::of(&cx));
        let asked = handler(cx).await?;
        command::run(&app, &who, asked).await
    };
    Route { is_command: true, ..staff_up_to(bytes, method, path, permission, about, enqueue) }
}

fn admin_only<F, Fut>(method: Method, path: &'static str, about: &'static str, handler: F) -> Route
where
    F: Fn(AdminCx) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let run: Run = Arc::new(move |call| {
        Box::pin(async move {
            let mut cx = gate::admin(call).await?;
            cx.call.receive(API_BODY_BYTES).await?;
            handler(cx).await
        })
    });
    Route::new(method, path, Access::Admin, about, run)
}

/// Finds the route of a request.
pub struct Router {
    paths: matchit::Router<Vec<Route>>,
}

/// What lies at a path.
pub enum Found<'r> {
    /// A route, with the parts of the path that it names.
    Route(&'r Route, Vec<(String, String)>),
    /// OPTIONS: the methods there are.
    Options(String),
    /// The path is known, the method is not.
    OtherMethod(String),
    /// Nothing.
    Nothing,
}

impl Found<'_> {
    /// The path as the table has it, for metrics and logs; never what the client wrote.
    #[must_use]
    pub fn template(&self) -> &'static str {
        match self {
            Self::Route(route, _) => route.path,
            Self::Options(_) | Self::OtherMethod(_) | Self::Nothing => "none",
        }
    }

    /// Whether it is for whoever runs the process.
    #[must_use]
    pub fn is_operations(&self) -> bool {
        matches!(self, Self::Route(route, _) if route.access == Access::Operations)
    }
}

impl Router {
    /// From the table.
    ///
    /// # Errors
    /// When two lines contradict each other.
    pub fn new(table: Vec<Route>) -> Result<Self, matchit::InsertError> {
        let mut by_path: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for route in table {
            match by_path.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, routes)) => routes.push(route),
                None => by_path.push((route.path, vec![route])),
            }
        }
        let mut paths = matchit::Router::new();
        for (path, routes) in by_path {
            paths.insert(path, routes)?;
        }
        Ok(Self { paths })
    }

    /// Looks a request up.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(at) = self.paths.at(path) else { return Found::Nothing };
        if let Some(route) = at.value.iter().find(|route| route.method == *method) {
            return Found::Route(route, at.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        }
        let mut methods: Vec<&str> = at.value.iter().map(|route| route.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        let methods = methods.join(", ");
        if *method == Method::OPTIONS { Found::Options(methods) } else { Found::OtherMethod(methods) }
    }
}
