//! The shop's accounts on the platforms. Tokens come in, are sealed before they leave this process, and never go out.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, channels};
use frontdesk_core::ids::ChannelId;
use frontdesk_core::inbound::{ChannelKey, Platform};
use frontdesk_core::jobs;
use frontdesk_core::secrets::SealContext;
use secrecy::SecretString;
use utoipa::ToSchema;

use super::Page;
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// A connected account.
#[derive(ToSchema)]
pub struct Channel {
    /// Its number.
    pub id: i32,
    /// `whatsapp`, `instagram` or `messenger`.
    pub platform: String,
    /// Meta's id of the account.
    pub external_id: String,
    /// What people call it.
    pub name: String,
    /// WhatsApp: the number customers see.
    pub phone: Option<String>,
    /// `facebook` or `instagram`.
    pub login: String,
    /// `connected` or `disconnected`.
    pub status: String,
    /// Meta's code that disconnected it.
    pub status_code: Option<i64>,
    /// When it was connected first.
    pub created_at: DateTime<Utc>,
    /// When the token ends, if Meta says so. Staff are told a week and a day before.
    pub token_expires_at: Option<DateTime<Utc>>,
    /// When it was last looked at, by hand or by the daily watch.
    pub checked_at: Option<DateTime<Utc>>,
}

/// The connected accounts, all on one page.
#[derive(ToSchema)]
pub struct Channels {
    /// The accounts.
    pub items: Vec<Channel>,
}

/// An account to connect.
#[derive(ToSchema)]
pub struct SaveChannel {
    /// `whatsapp`, `instagram` or `messenger`.
    #[schema(value_type = String, example = "whatsapp")]
    pub platform: Platform,
    /// Meta's id: phone number id, page id or Instagram account id.
    #[schema(example = "204411225588002")]
    pub external_id: String,
    /// What people call it.
    #[schema(required = false)]
    pub name: String,
    /// The access token; when absent, the stored one stays.
    #[schema(value_type = Option<String>, required = false, format = Password)]
    pub token: Option<SecretString>,
    /// WhatsApp: the number customers see, digits.
    #[schema(required = false)]
    pub phone: Option<String>,
    /// Instagram: `facebook` or `instagram`, by which log-in the token was made.
    #[schema(required = false)]
    pub login: Option<String>,
}

impl Request for SaveChannel {
    fn read(form: &mut Form) -> Option<Self> {
        let platform = form.one_of("platform", &["whatsapp", "instagram", "messenger"]).and_then(Platform::from_name);
        let external_id = form.parsed("external_id", "must be Meta's id of the account: digits", |text| {
            (text.len() <= 40 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
        });
        let name = form.maybe_text("name", 0..=120).unwrap_or_default();
        let token = form.maybe_secret("token", 1..=4096);
        let phone = form.maybe_phone("phone");
        let login = form.maybe_one_of("login", &["facebook", "instagram"]).map(str::to_owned);
        Some(Self { platform: platform?, external_id: external_id?, name, token, phone, login })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let items = cx
        .app
        .db
        .shop_tx(&cx.scope, TxKind::Read, async move |mut tx| channels::list(&mut tx).await.map_err(|error: DbError| error))
        .await?;
    Reply::ok(Page { items, next_cursor: None })
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let asked: SaveChannel = cx.json()?;
    let key = ChannelKey { platform: asked.platform, external_id: asked.external_id };
    let seal = |token: SecretString| cx.app.sealer.seal(&token, &SealContext::channel_token(&cx.staff.scope, &key));
    let sealed_token = asked.token.map(seal).transpose().map_err(HttpError::internal)?;
    Asked::job(jobs::SaveChannel {
        request: cx.request,
        platform: key.platform,
        external_id: key.external_id,
        name: asked.name,
        sealed_token,
        phone: asked.phone,
        login: asked.login,
    })
}

/// Whether a channel works.
#[derive(ToSchema)]
pub struct ChannelCheck {
    /// Whether all is well.
    pub ok: bool,
    /// What Meta calls the account, if it tells.
    pub name: Option<String>,
    /// What was looked at.
    pub findings: Vec<ChannelFinding>,
}

/// One thing that was looked at.
#[derive(ToSchema)]
pub struct ChannelFinding {
    /// `token`, `permission`, `account`, `number`, `quality` or `subscription`.
    #[schema(example = "token")]
    pub check: String,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What is wrong and what to do about it; empty if it is well.
    pub remedy: String,
}

pub(crate) async fn check(cx: CommandCx) -> Result<Asked, HttpError> {
    let channel: ChannelId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::CheckChannel { request: cx.request, channel })
}

pub(crate) async fn remove(cx: CommandCx) -> Result<Asked, HttpError> {
    let channel: ChannelId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::RemoveChannel { request: cx.request, channel })
}
