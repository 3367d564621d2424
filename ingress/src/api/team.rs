//! The people of a shop.

use chrono::{DateTime, Utc};
use frontdesk_core::auth::{PasswordError, Role};
use frontdesk_core::db::{DbError, TxKind, users};
use frontdesk_core::ids::UserId;
use frontdesk_core::jobs::{ChangeColleague, InviteColleague};
use secrecy::SecretString;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Page;
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// The roles.
const ROLES: &[&str] = &["owner", "order_manager", "accountant"];

/// Somebody of the team.
#[derive(ToSchema)]
pub struct TeamMember {
    /// Their number.
    pub id: i32,
    /// Their e-mail.
    #[schema(format = Email, example = "owner@shop.example")]
    pub email: String,
    /// What colleagues call them.
    pub name: String,
    /// `owner`, `order_manager` or `accountant`.
    pub role: String,
    /// False once removed.
    pub active: bool,
    /// When they joined.
    pub created_at: DateTime<Utc>,
}

/// The team, all on one page.
#[derive(ToSchema)]
pub struct Team {
    /// The people.
    pub items: Vec<TeamMember>,
}

/// Somebody to invite.
#[derive(ToSchema)]
pub struct Invite {
    /// Their e-mail: the link to choose a password goes there.
    #[schema(format = Email, example = "owner@shop.example")]
    pub email: String,
    /// What colleagues call them.
    #[schema(required = false)]
    pub name: String,
    /// `owner`, `order_manager` or `accountant`.
    #[schema(value_type = String, example = "order_manager")]
    pub role: Role,
}

impl Request for Invite {
    fn read(form: &mut Form) -> Option<Self> {
        let email = form.email("email");
        let name = form.maybe_text("name", 0..=120).unwrap_or_default();
        let role = form.one_of("role", ROLES).and_then(Role::from_name);
        Some(Self { email: email?, name, role: role? })
    }
}

/// What a colleague shall be.
#[derive(ToSchema)]
pub struct NewRole {
    /// `owner`, `order_manager` or `accountant`.
    #[schema(value_type = String, example = "accountant")]
    pub role: Role,
}

impl Request for NewRole {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { role: form.one_of("role", ROLES).and_then(Role::from_name)? })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let read = async move |mut tx| users::list(&mut tx).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page { items, next_cursor: None })
}

pub(crate) async fn invite(cx: CommandCx) -> Result<Asked, HttpError> {
    let asked: Invite = cx.json()?;
    // A password that nobody knows, until they choose one: to log in fails, and takes as long as with any other.
    let unknown = SecretString::from(Uuid::new_v4().to_string());
    let password_hash = cx.app.passwords.hash(unknown).await.map_err(|error| match error {
        PasswordError::Busy => HttpError::overloaded(),
        error => HttpError::internal(error),
    })?;
    Asked::job(InviteColleague { request: cx.request, email: asked.email, name: asked.name, role: asked.role, password_hash })
}

pub(crate) async fn change(cx: CommandCx) -> Result<Asked, HttpError> {
    let user: UserId = path_id(cx.parameter("id"))?;
    let asked: NewRole = cx.json()?;
    Asked::job(ChangeColleague { request: cx.request, user, role: Some(asked.role) })
}

pub(crate) async fn remove(cx: CommandCx) -> Result<Asked, HttpError> {
    let user: UserId = path_id(cx.parameter("id"))?;
    Asked::job(ChangeColleague { request: cx.request, user, role: None })
}
