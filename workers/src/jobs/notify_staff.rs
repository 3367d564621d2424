//! Tells the shop's people something, by e-mail and, if the shop gave a number, by WhatsApp template. Safe to repeat: the notice's key is the job's
//! idempotency key and the mail's `Message-ID`; a repeat after a crash may send the same mail again, which mail clients fold into one.

use chrono::{DateTime, Utc};
use frontdesk_core::db::products::{self, ProductRow};
use frontdesk_core::db::shops::{self, ShopProfile};
use frontdesk_core::db::{DbError, TxKind, channels, users};
use frontdesk_core::inbound::{Alias, AliasKind};
use frontdesk_core::jobs::{Notice, NotifyStaff, Template};

use crate::App;
use crate::clients::meta::Sent;
use crate::runner::{Handle, JobContext, JobError};

/// The WhatsApp template that shops register for notices to staff: one text parameter.
const TEMPLATE: &str = "frontdesk_staff_notice";

impl Handle<App> for NotifyStaff {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let scope = cx.scope()?;
        let low = match &self.notice {
            Notice::LowStock { products, .. } => products.clone(),
            _ => Vec::new(),
        };
        let (shop, owner, whatsapp, low) = app
            .db
            .shop_tx(&scope, TxKind::Turn, async move |mut tx| {
                let shop = shops::profile(&mut tx).await?;
                let owner = users::owner_email(&mut tx).await?;
                let whatsapp = channels::first_whatsapp(&mut tx).await?;
                let low = if low.is_empty() { Vec::new() } else { products::find_many(&mut tx, &low).await? };
                Ok::<_, DbError>((shop, owner, whatsapp, low))
            })
            .await?;
        let (subject, text) = words(&self.notice, &shop, &app.settings.public_url, &low);
        let for_owner = self.notice.is_for_owner();
        let handoff = shop.handoff_email.clone().filter(|_| !for_owner);
        if let Some(to) = handoff.or(owner) {
            let message_id = format!("{}.{}", scope.shop(), self.notice_key.replace(|c: char| !c.is_ascii_alphanumeric(), "."));
            match &app.email {
                Some(email) => email.send(&to, &subject, &text, &message_id).await?,
                None => tracing::warn!("no SMTP_URL: staff get no mail"),
            }
        }
        if let (false, Some(phone), Some(channel)) = (for_owner, &shop.handoff_whatsapp, whatsapp)
            && let Some(account) = app.account(&channel)
        {
            let key = format!("notice:{}", self.notice_key);
            // The mail is out; a template that fails must not send it again.
            let to = [Alias { kind: AliasKind::Phone, value: phone.clone() }];
            let template = Template { name: TEMPLATE.to_owned(), language: "en".to_owned(), parameters: vec![subject] };
            if !matches!(app.meta.send_template(&account, &to, &template, &key).await, Sent::Accepted(_)) {
                tracing::warn!("WhatsApp notice to staff not sent");
            }
        }
        Ok(())
    }
}

fn words(notice: &Notice, shop: &ShopProfile, dashboard: &str, low: &[ProductRow]) -> (String, String) {
    let moment = |at: DateTime<Utc>| at.with_timezone(&shop.timezone()).format("%Y-%m-%d at %H:%M %Z").to_string();
    let at = |conversation: &frontdesk_core::ids::ConversationId| format!("{dashboard}/conversations/{conversation}");
    let (subject, body) = match notice {
        Notice::Handoff { conversation, .. } => (
            "A customer asks for a human",
            format!("The AI has stopped answering in this conversation. Please take over: {}", at(conversation)),
        ),
        Notice::ChannelDisconnected { code, .. } => (
            "A channel is disconnected",
            format!(
                "Meta refused the channel's access token (code {code}). Customers get no answers there until you connect it again: {dashboard}/settings/channels"
            ),
        ),
        Notice::TokenExpires { name, at } => (
            "A channel's token will end soon",
            format!(
                "The access token of {name} ends on {}. Connect the channel again before that, or customers get no answers there: {dashboard}/settings/channels",
                moment(*at)
            ),
        ),
        Notice::GoogleDisconnected => (
            "Google Calendar is disconnected",
            format!(
                "Google takes Frontdesk's permission no more: it was withdrawn, or has run out. No free times are offered until you connect it again: {dashboard}/settings/integrations"
            ),
        ),
        Notice::CalendarConflict { appointment, .. } => (
            "An appointment cannot be where Google Calendar has it",
            format!(
                "Appointment {appointment} was changed in Google Calendar, to a time that another appointment has, or into something that lasts whole days or repeats. It stays as it was; please settle it: {dashboard}/appointments/{appointment}"
            ),
        ),
        Notice::LowStock { count, .. } => {
            // What it is by now: between the sale and this mail it may have been restocked.
            let mut lines: Vec<String> = low.iter().map(|product| format!("{}: {} left", product.name, product.stock)).collect();
            if *count > low.len() {
                lines.push(format!("and {} more", count - low.len()));
            }
            let subject = if *count == 1 { "A product is running low" } else { "Products are running low" };
            (subject, format!("{}\n\nRestock here: {dashboard}/products?low_stock=true", lines.join("\n")))
        }
        Notice::QuotaNearlyUsed { used, of } => (
            "This month's answers are nearly used up",
            format!(
                "Your assistant has given {used} of the {of} answers that your plan has a month. Pro and Business have no limit: {dashboard}/billing"
            ),
        ),
        Notice::PlatformLeftOut { platform } => (
            "Customers write where your plan does not answer",
            format!(
                "Your plan answers on the platform that was connected first. Customers now write on {}, which is connected too; their messages are kept, and not answered. \
                 Pro and Business answer on all platforms: {dashboard}/billing — or disconnect the one that you need less: {dashboard}/settings/channels",
                platform.as_str()
            ),
        ),
        Notice::TrialEnds { at } => (
            "Your trial ends soon",
            format!("Your trial ends on {}. Choose a plan, so that your customers go on being answered: {dashboard}/billing", moment(*at)),
        ),
        Notice::Renews { at, amount } => (
            "Your subscription renews soon",
            format!(
                "Your subscription renews by itself on {}{}. You need do nothing; to change it: {dashboard}/billing",
                moment(*at),
                amount.as_ref().map(|amount| format!(", for {amount}")).unwrap_or_default()
            ),
        ),
        Notice::SubscriptionEnds { at } => (
            "Your subscription ends soon",
            format!(
                "You have cancelled your subscription: it ends on {}, and your assistant stops then. To keep it: {dashboard}/billing",
                moment(*at)
            ),
        ),
        Notice::PaymentFailed { attempt, next_attempt_at, url } => (
            "A payment did not succeed",
            format!(
                "Your subscription could not be charged (try {attempt}). {} Pay it here: {} — or change your card: {dashboard}/billing",
                next_attempt_at.map_or_else(|| "It is not tried again.".to_owned(), |at| format!("It is tried again on {}.", moment(at))),
                url.clone().unwrap_or_else(|| format!("{dashboard}/billing"))
            ),
        ),
        Notice::GraceBegan { until } => (
            "Your subscription has not been paid",
            format!(
                "What you have paid for is over. Your assistant goes on until {}, and stops then unless you pay: {dashboard}/billing",
                moment(*until)
            ),
        ),
        Notice::Deactivated => (
            "Your assistant is inactive",
            format!(
                "Your subscription has ended, and customers are told so. Everything is kept; your assistant is back the moment you pay: {dashboard}/billing"
            ),
        ),
        Notice::Activated { plan, until } => (
            "Your assistant is active",
            format!(
                "Thank you. Your plan is {}{}. What you pay, and for what: {dashboard}/billing",
                plan.title(),
                until.map(|at| format!(", paid until {}", moment(at))).unwrap_or_default()
            ),
        ),
        Notice::PlanChanged { from, to } => (
            "Your plan has changed",
            format!("Your plan was {}, and is {} from now on. What it allows: {dashboard}/billing", from.title(), to.title()),
        ),
        Notice::PaysTwice => (
            "You pay for two subscriptions",
            format!(
                "There are two subscriptions for this shop, and both are charged. Cancel the one that you do not want: {dashboard}/billing"
            ),
        ),
        Notice::QuotaReached => (
            "This month's answers are used up",
            format!("Your plan's messages for this month are used up. Customers are told politely; upgrade to go on: {dashboard}/billing"),
        ),
        Notice::Inactive => (
            "Customers write, but your assistant is inactive",
            format!("Your subscription has ended, and customers are writing. Renew it here: {dashboard}/billing"),
        ),
        Notice::LoopStopped { conversation } => (
            "A conversation was stopped",
            format!("Too many messages in a short time: a bot may be answering our bot. The AI is paused there: {}", at(conversation)),
        ),
        Notice::ModelBudgetReached => (
            "The day's budget for the AI is used up",
            format!("The AI's cost limit for today is reached. Customers are told politely; change the limit here: {dashboard}/settings"),
        ),
        Notice::CalendarUnreachable { conversation } => (
            "Your calendar cannot be read",
            format!(
                "A customer asked for an appointment, and the connected calendar did not answer, so no time was offered. Answer here: {} \
                 If it goes on, connect the calendar again: {dashboard}/settings/integrations",
                at(conversation)
            ),
        ),
        Notice::Missed { conversation, count } => (
            "Messages came too late to be answered",
            format!("{count} message(s) arrived after Meta's 24-hour window had closed. Answer with a template: {}", at(conversation)),
        ),
        Notice::Undeliverable { conversation, code } => (
            "A message could not be delivered",
            format!(
                "Meta did not deliver a message (code {}). See the conversation: {}",
                code.map_or_else(|| "unknown".to_owned(), |code| code.to_string()),
                at(conversation)
            ),
        ),
    };
    (format!("{}: {subject}", shop.name), body)
}
