//! Passwords that are forgotten or changed, and addresses that are confirmed: the links that go out by e-mail come back here.

use frontdesk_core::auth::{Link, LinkPurpose, Session, Who};
use frontdesk_core::db::{DbError, TxKind, users};
use frontdesk_core::ids::UserId;
use frontdesk_core::jobs::{Answer, ChangePassword, ConfirmEmail, Job, ResetPassword, SendLink};
use frontdesk_core::queue::{From as Origin, Push, Waited};
use frontdesk_core::tenancy::ShopScope;
use secrecy::SecretString;
use utoipa::ToSchema;

use super::auth::{password_error, throttled};
use crate::call::{Call, PublicCx};
use crate::form::{Form, Request};
use crate::gate;
use crate::reply::{HttpError, Reply};

/// Whose password is forgotten.
#[derive(ToSchema)]
pub struct Forgot {
    /// The e-mail that one logs in with.
    #[schema(format = Email, example = "owner@shop.example")]
    pub email: String,
}

impl Request for Forgot {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { email: form.email("email")? })
    }
}

/// A new password, by a link.
#[derive(ToSchema)]
pub struct Reset {
    /// What stands after the `#` in the link.
    #[schema(value_type = String)]
    pub token: SecretString,
    /// The new password: at least 8 characters, at most 72 bytes.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
}

impl Request for Reset {
    fn read(form: &mut Form) -> Option<Self> {
        let token = form.secret("token", 1..=2000);
        let password = form.secret("password", 1..=1000);
        Some(Self { token: token?, password: password? })
    }
}

/// A link that confirms an address.
#[derive(ToSchema)]
pub struct Confirm {
    /// What stands after the `#` in the link.
    #[schema(value_type = String)]
    pub token: SecretString,
}

impl Request for Confirm {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { token: form.secret("token", 1..=2000)? })
    }
}

/// A new password, by the old one.
#[derive(ToSchema)]
pub struct NewPassword {
    /// The present password.
    #[schema(value_type = String, format = Password)]
    pub current_password: SecretString,
    /// The new password: at least 8 characters, at most 72 bytes.
    #[schema(value_type = String, format = Password)]
    pub new_password: SecretString,
}

impl Request for NewPassword {
    fn read(form: &mut Form) -> Option<Self> {
        let current = form.secret("current_password", 1..=1000);
        let new = form.secret("new_password", 1..=1000);
        Some(Self { current_password: current?, new_password: new? })
    }
}

/// Has a link mailed, if there is such an account; nobody learns whether there is, by the answer or its time, as a job looks.
pub(crate) async fn forgot(cx: PublicCx) -> Result<Reply, HttpError> {
    let asked: Forgot = cx.json()?;
    cx.app.throttle.link(&asked.email, cx.address).await.map_err(throttled)?;
    send_link(&cx, asked.email, LinkPurpose::ResetPassword).await
}

/// Has the link mailed once more that confirms the address of who is logged in.
pub(crate) async fn send_confirmation(cx: PublicCx, session: Session) -> Result<Reply, HttpError> {
    let (_, _, email) = user(&cx, &session).await?;
    cx.app.throttle.link(&email, cx.address).await.map_err(throttled)?;
    send_link(&cx, email, LinkPurpose::ConfirmEmail).await
}

/// Sets a password by a link. Every session of the account ends.
pub(crate) async fn reset(cx: PublicCx) -> Result<Reply, HttpError> {
    let asked: Reset = cx.json()?;
    cx.app.throttle.link_use(cx.address).await.map_err(throttled)?;
    let link = open(&cx, &asked.token, |purpose| purpose.sets_password())?;
    let password_hash = cx.app.passwords.hash(asked.password).await.map_err(|error| password_error(error, "password"))?;
    done(&cx, Origin::System, &ResetPassword { user: link.user, replaces: link.bound_to, password_hash }).await
}

/// Notes that an address is its user's.
pub(crate) async fn confirm(cx: PublicCx) -> Result<Reply, HttpError> {
    let asked: Confirm = cx.json()?;
    cx.app.throttle.link_use(cx.address).await.map_err(throttled)?;
    let link = open(&cx, &asked.token, |purpose| purpose == LinkPurpose::ConfirmEmail)?;
    done(&cx, Origin::System, &ConfirmEmail { user: link.user, email: link.bound_to }).await
}

/// Sets a password by the old one. Every session of the account ends, this one too.
pub(crate) async fn change(cx: PublicCx, session: Session) -> Result<Reply, HttpError> {
    let asked: NewPassword = cx.json()?;
    let (scope, user, email) = user(&cx, &session).await?;
    cx.app.throttle.login(&email, cx.address).await.map_err(throttled)?;
    let hash = cx.app.db.find_login(&email).await?.map(|login| login.password_hash);
    let right = cx.app.passwords.verify(asked.current_password, hash).await;
    if !right.map_err(|error| password_error(error, "current_password"))? {
        return Err(HttpError::invalid_field("current_password", "is not your password"));
    }
    cx.app.throttle.login_succeeded(&email, cx.address).await;
    let password_hash = cx.app.passwords.hash(asked.new_password).await.map_err(|error| password_error(error, "new_password"))?;
    let reply = done(&cx, Origin::Shop(&scope), &ChangePassword { user, password_hash }).await?;
    Ok(gate::without_cookie(&cx, reply))
}

/// The page that a link to a password opens.
pub(crate) async fn password_page(_: PublicCx) -> Result<Reply, HttpError> {
    Ok(Reply::page_with_script(include_str!("passwords/password.html"), include_str!("passwords/link.js")))
}

/// The page that a link to confirm an address opens.
pub(crate) async fn confirm_page(_: PublicCx) -> Result<Reply, HttpError> {
    Ok(Reply::page_with_script(include_str!("passwords/confirm.html"), include_str!("passwords/link.js")))
}

/// The user who is logged in, with their address now.
async fn user(cx: &PublicCx, session: &Session) -> Result<(ShopScope, UserId, String), HttpError> {
    let (Who::User { id, .. }, Some(scope)) = (session.who(), ShopScope::from_session(session)) else {
        return Err(HttpError::forbidden());
    };
    let read = async move |mut tx| users::find(&mut tx, id).await.map_err(|error: DbError| error);
    let user = cx.app.db.shop_tx(&scope, TxKind::Read, read).await?.filter(|user| user.active).ok_or_else(HttpError::unauthorized)?;
    Ok((scope, id, user.email))
}

fn open(cx: &PublicCx, token: &SecretString, is_for: impl Fn(LinkPurpose) -> bool) -> Result<Link, HttpError> {
    Link::open(&cx.app.sealer, token, cx.app.clock.now())
        .filter(|link| is_for(link.purpose))
        .ok_or_else(|| HttpError::invalid_field("token", "This link is not complete, or too old. Ask for a new one."))
}

async fn send_link(cx: &PublicCx, email: String, purpose: LinkPurpose) -> Result<Reply, HttpError> {
    let push = Push { trace: Some(cx.trace.to_string()), ..Push::default() };
    cx.app.queue.push(Origin::System, &SendLink { email, purpose, shop_name: None }, push).await.map_err(HttpError::unavailable)?;
    Ok(Reply::empty())
}

/// Has a job done that answers nothing, or refuses.
async fn done<J: Job<Done = Answer>>(cx: &Call, origin: Origin<'_>, job: &J) -> Result<Reply, HttpError> {
    let push = Push { trace: Some(cx.trace.to_string()), ..Push::default() };
    match cx.app.queue.push_and_wait(origin, job, push, cx.app.config.api_wait).await.map_err(HttpError::unavailable)? {
        Waited::Done(answer) => Reply::answer(answer),
        Waited::Failed { code } => Err(HttpError::job_failed(code)),
        // It will be done; a repeat tells.
        Waited::StillRunning(_) => Err(HttpError::overloaded()),
    }
}
