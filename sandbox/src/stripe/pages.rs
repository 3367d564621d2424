//! The hosted pages: checkout, customer portal and invoice, as plain forms.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Path, State as AxumState};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::catch_up;
use super::face::Payment;
use super::times::in_words;
use super::world::{Card, Invoice, InvoiceStatus, PRICES, SessionStatus, Subscription};
use crate::state::State;

/// Stripe holds the browser back this long for the answer to `checkout.session.completed`.
const WEBHOOK_WAIT: Duration = Duration::from_secs(10);
/// Invoices on the portal's page.
const SHOWN: usize = 24;

type Shared = AxumState<Arc<State>>;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/stripe/checkout/{id}", get(checkout).post(pay))
        .route("/stripe/portal/{id}", get(portal).post(change))
        .route("/stripe/invoice/{id}", get(invoice).post(pay_invoice))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn money(cents: i64) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    format!("{sign}${}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

fn page(title: &str, content: &str) -> Response {
    let html = include_str!("../../phone/stripe.html").replace("<!--title-->", &escape(title)).replace("<!--content-->", content);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, page("Not found", "<p>There is no such page, or it is no longer valid.</p>")).into_response()
}

fn note(text: &str) -> String {
    format!("<p class=\"note\" role=\"alert\">{}</p>", escape(text))
}

fn see_other(location: &str) -> Response {
    match header::HeaderValue::from_str(location) {
        Ok(value) => (StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn checkout(AxumState(state): Shared, Path(id): Path<String>) -> Response {
    checkout_page(&state, &id, "")
}

fn checkout_page(state: &Arc<State>, id: &str, said: &str) -> Response {
    let Some(session) = catch_up(state, |world| world.sessions.get(id).cloned()) else { return missing() };
    match session.status {
        SessionStatus::Open => {}
        SessionStatus::Complete => return page("Paid", "<p>This checkout has been completed.</p>"),
        SessionStatus::Expired => return page("Expired", "<p>This checkout has expired.</p>"),
    }
    let known = session.customer.as_ref().and_then(|c| catch_up(state, |world| world.customers.get(c).and_then(|c| c.email.clone())));
    let email = match known.or_else(|| session.customer_email.clone()) {
        Some(email) => format!("<p>{}</p>", escape(&email)),
        None => {
            "<p><label>E-mail <input type=\"email\" name=\"email\" autocomplete=\"email\" required value=\"owner@example.com\"></label></p>"
                .to_owned()
        }
    };
    let back = session.cancel_url.as_ref().map(|url| format!("<p><a href=\"{}\">Back</a></p>", escape(url))).unwrap_or_default();
    let content = format!(
        "{said}<p class=\"sum\"><strong>{}</strong> {} a month</p><form method=\"post\">{email}\
         <fieldset><legend>Pay with</legend>\
         <label><input type=\"radio\" name=\"card\" value=\"works\" checked> a card that works</label>\
         <label><input type=\"radio\" name=\"card\" value=\"declines\"> a card that is declined</label>\
         <label><input type=\"radio\" name=\"card\" value=\"three_d_secure_asked\"> a card that asks for 3-D Secure</label></fieldset>\
         <p><button>Subscribe</button></p></form>{back}",
        escape(session.price.name),
        money(session.price.amount * session.quantity),
    );
    page("Checkout", &content)
}

#[derive(Deserialize)]
struct Pay {
    card: String,
    email: Option<String>,
}

async fn pay(AxumState(state): Shared, Path(id): Path<String>, Form(form): Form<Pay>) -> Response {
    let card = match form.card.as_str() {
        "works" => Card::Works,
        "declines" => Card::Declines,
        "three_d_secure" => Card::ThreeDSecure,
        "three_d_secure_abandoned" => Card::ThreeDSecureAbandoned,
        _ => {
            let email = escape(form.email.as_deref().unwrap_or_default());
            let button = |value: &str, text: &str| format!("<button name=\"card\" value=\"{value}\">{text}</button> ");
            let content = format!(
                "<p>Your bank wants to know that it is you.</p><form method=\"post\"><input type=\"hidden\" name=\"email\" value=\"{email}\"><p>{}{}</p></form>",
                button("three_d_secure", "Authenticate"),
                button("three_d_secure_abandoned", "Give up"),
            );
            return page("3-D Secure", &content);
        }
    };
    match state.stripe().pay_as(&id, card, form.email.filter(|e| e.contains('@'))) {
        Ok(Payment::Paid { redirect, .. }) => {
            wait_for_receiver(&state, &id).await;
            see_other(&redirect)
        }
        Ok(Payment::Failed(code)) => checkout_page(&state, &id, &note(super::render::failure_message(&code))),
        Err(error) => page("Checkout", &note(&error.to_string())),
    }
}

/// Gives the receiver of the webhook the time Stripe gives it.
async fn wait_for_receiver(state: &Arc<State>, session: &str) {
    let (registered, event) = state.stripe.with(|world| {
        let found = world.events.iter().rev().find(|e| e.kind == "checkout.session.completed" && e.body["data"]["object"]["id"] == session);
        (world.settings.webhook_url.is_some(), found.map(|e| e.id.clone()))
    });
    if let (true, Some(event)) = (registered, event) {
        state.stripe.deliveries.wait(0, 1, 1, WEBHOOK_WAIT, |d| d.event == event).await;
    }
}

async fn portal(AxumState(state): Shared, Path(id): Path<String>) -> Response {
    portal_page(&state, &id, "")
}

fn form(action: &str, id: &str, more: &str, button: &str) -> String {
    format!(
        "<form method=\"post\"><input type=\"hidden\" name=\"act\" value=\"{action}\"><input type=\"hidden\" name=\"id\" value=\"{}\">{more}<button>{button}</button></form>",
        escape(id),
    )
}

fn portal_page(state: &Arc<State>, id: &str, said: &str) -> Response {
    let found = catch_up(state, |world| {
        let portal = world.portals.get(id)?.clone();
        let customer = world.customers.get(&portal.customer).filter(|c| !c.deleted)?.clone();
        let subscriptions: Vec<Subscription> = world.subscriptions.values().filter(|s| s.customer == customer.id).cloned().collect();
        let theirs = world.invoices.values().rev().filter(|i| i.customer == customer.id);
        let invoices: Vec<Invoice> = theirs.take(SHOWN).cloned().collect();
        Some((portal, customer, subscriptions, invoices))
    });
    let Some((portal, customer, subscriptions, invoices)) = found else { return missing() };
    let mut content = said.to_owned();
    for s in &subscriptions {
        let when = match (s.ended_at, s.cancel_at) {
            (Some(at), _) => format!("ended on {}", in_words(at)),
            (None, Some(at)) => format!("ends on {}", in_words(at)),
            (None, None) => format!("renews on {}", in_words(s.period_end)),
        };
        content.push_str(&format!(
            "<section><h2>{}, {} a month</h2><p>{}; {when}</p>",
            escape(s.price.name),
            money(s.price.amount * s.quantity),
            s.status.name().replace('_', " "),
        ));
        if !s.ended() {
            let others: String = PRICES
                .iter()
                .filter(|p| *p != s.price)
                .map(|p| format!("<option value=\"{}\">{}, {}</option>", p.id, p.name, money(p.amount)))
                .collect();
            content.push_str(&form(
                "plan",
                &s.id,
                &format!("<label>Plan <select name=\"price\">{others}</select></label> "),
                "Change plan",
            ));
            content.push_str(&match s.cancel_at {
                None => form("cancel", &s.id, "", "Cancel at the end of the period"),
                Some(_) => form("keep", &s.id, "", "Do not cancel"),
            });
        }
        content.push_str("</section>");
    }
    if subscriptions.is_empty() {
        content.push_str("<p>There is no subscription.</p>");
    }
    let cards = "<label>Card <select name=\"card\"><option value=\"works\">one that works</option><option value=\"declines\">one that is declined</option></select></label> ";
    content.push_str(&format!("<section><h2>Payment method</h2>{}</section>", form("card", &customer.id, cards, "Change card")));
    content.push_str("<section><h2>Invoices</h2><table><thead><tr><th>Number<th>Date<th>Amount<th>Status</tr></thead><tbody>");
    for i in &invoices {
        let open = i.status == InvoiceStatus::Open;
        content.push_str(&format!(
            "<tr><td><a href=\"/stripe/invoice/{}\">{}</a><td>{}<td>{}<td>{}{}</tr>",
            escape(&i.id),
            escape(i.number.as_deref().unwrap_or("draft")),
            in_words(i.created),
            money(i.amount_due()),
            i.status.name(),
            if open { form("pay", &i.id, "", "Pay") } else { String::new() },
        ));
    }
    content.push_str("</tbody></table></section>");
    if let Some(url) = &portal.return_url {
        content.push_str(&format!("<p><a href=\"{}\">Back</a></p>", escape(url)));
    }
    page("Your subscription", &content)
}

#[derive(Deserialize)]
struct Change {
    act: String,
    id: String,
    price: Option<String>,
    card: Option<String>,
}

async fn change(AxumState(state): Shared, Path(portal): Path<String>, Form(form): Form<Change>) -> Response {
    let customer = catch_up(&state, |world| world.portals.get(&portal).map(|p| p.customer.clone()));
    let Some(customer) = customer else { return missing() };
    // A portal reaches what is its customer's, nothing else.
    let theirs = catch_up(&state, |world| {
        let of_subscription = world.subscriptions.get(&form.id).map(|s| &s.customer);
        let of_invoice = world.invoices.get(&form.id).map(|i| &i.customer);
        form.id == customer || of_subscription.or(of_invoice) == Some(&customer)
    });
    if !theirs {
        return missing();
    }
    let desk = state.stripe();
    let done = match form.act.as_str() {
        "plan" => desk.change_plan(&form.id, form.price.as_deref().unwrap_or_default()),
        "cancel" | "keep" => {
            desk.cancel_at_period_end(&form.id, form.act == "cancel");
            Ok(())
        }
        "card" => desk.set_card(&form.id, if form.card.as_deref() == Some("declines") { Card::Declines } else { Card::Works }),
        "pay" => desk.pay_invoice(&form.id),
        _ => Err(anyhow::anyhow!("The page does not know that.")),
    };
    match done {
        Ok(()) => see_other(&format!("/stripe/portal/{portal}")),
        Err(error) => portal_page(&state, &portal, &note(&error.to_string())),
    }
}

async fn invoice(AxumState(state): Shared, Path(id): Path<String>) -> Response {
    invoice_page(&state, &id, "")
}

fn invoice_page(state: &Arc<State>, id: &str, said: &str) -> Response {
    let Some(invoice) = catch_up(state, |world| world.invoices.get(id).cloned()) else { return missing() };
    let rows: String = invoice.lines.iter().map(|l| format!("<tr><td>{}<td>{}</tr>", escape(&l.description), money(l.amount))).collect();
    let pay = match invoice.status {
        InvoiceStatus::Open => {
            "<form method=\"post\"><fieldset><legend>Pay with</legend>\
             <label><input type=\"radio\" name=\"card\" value=\"works\" checked> a card that works</label>\
             <label><input type=\"radio\" name=\"card\" value=\"declines\"> a card that is declined</label></fieldset>\
             <p><button>Pay</button></p></form>"
        }
        _ => "",
    };
    let content = format!(
        "{said}<p>{} of {}: {}</p><table><tbody>{rows}</tbody></table><p class=\"sum\">To pay: {}</p>{pay}",
        escape(invoice.number.as_deref().unwrap_or("Draft")),
        in_words(invoice.created),
        invoice.status.name(),
        money(if invoice.status == InvoiceStatus::Open { invoice.amount_due() } else { 0 }),
    );
    page("Invoice", &content)
}

async fn pay_invoice(AxumState(state): Shared, Path(id): Path<String>, Form(form): Form<Pay>) -> Response {
    let Some(customer) = catch_up(&state, |world| world.invoices.get(&id).map(|i| i.customer.clone())) else { return missing() };
    let desk = state.stripe();
    let card = if form.card == "declines" { Card::Declines } else { Card::Works };
    match desk.set_card(&customer, card).and_then(|()| desk.pay_invoice(&id)) {
        Ok(()) => see_other(&format!("/stripe/invoice/{id}")),
        Err(error) => invoice_page(&state, &id, &note(&error.to_string())),
    }
}
