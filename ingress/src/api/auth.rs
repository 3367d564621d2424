//! Who one is: open a shop, log in, log out, who am I.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::auth::{PasswordError, Permission, Role, Session, Throttled, Who};
use frontdesk_core::db::system::LoginWho;
use frontdesk_core::db::{DbError, TxKind, shops, users};
use frontdesk_core::jobs::{Answer, Refusal, RefusalKind, RegisterShop, RequestKey};
use frontdesk_core::plans::Plan;
use frontdesk_core::queue::{From as Origin, Push, Waited};
use frontdesk_core::tenancy::ShopScope;
use hyper::header::{SET_COOKIE, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::shop;
use crate::call::PublicCx;
use crate::command::{self, client_key};
use crate::form::{Form, Request};
use crate::gate;
use crate::reply::{HttpError, Reply};

/// A new shop and its owner.
#[derive(ToSchema)]
pub struct Register {
    /// The shop's name, 1 to 120 characters.
    #[schema(example = "Northwind Sneakers")]
    pub shop_name: String,
    /// `product`, `service` or `both`; `product` when absent.
    #[schema(required = false)]
    pub kind: String,
    /// The owner's e-mail; one e-mail is one user of one shop.
    #[schema(format = Email, example = "owner@shop.example")]
    pub email: String,
    /// 8 characters to 72 bytes.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
    /// IANA zone of the shop's calendar; `UTC` when absent.
    #[schema(required = false, example = "Europe/Berlin")]
    pub timezone: String,
    /// ISO 4217; `USD` when absent.
    #[schema(required = false, example = "EUR")]
    pub currency: String,
    /// Language of the shop, BCP 47; `en` when absent.
    #[schema(required = false, example = "de")]
    pub locale: String,
}

impl Request for Register {
    fn read(form: &mut Form) -> Option<Self> {
        let shop_name = form.text("shop_name", 1..=120);
        let kind = form.maybe_one_of("kind", shop::KINDS).unwrap_or("product").to_owned();
        let email = form.email("email");
        let password = form.secret("password", 1..=1000);
        let timezone = form.maybe_parsed("timezone", shop::TIMEZONE, shop::timezone);
        let currency = form.maybe_parsed("currency", shop::CURRENCY, shop::currency);
        let locale = form.maybe_parsed("locale", shop::LOCALE, shop::locale);
        Some(Self {
            shop_name: shop_name?,
            kind,
            email: email?,
            password: password?,
            timezone: timezone.unwrap_or_else(|| "UTC".to_owned()),
            currency: currency.unwrap_or_else(|| "USD".to_owned()),
            locale: locale.unwrap_or_else(|| "en".to_owned()),
        })
    }
}

/// An e-mail and its password.
#[derive(ToSchema)]
pub struct Login {
    /// The e-mail.
    #[schema(format = Email, example = "owner@shop.example")]
    pub email: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
}

impl Request for Login {
    fn read(form: &mut Form) -> Option<Self> {
        let email = form.text("email", 1..=254).map(|email| email.to_lowercase());
        let password = form.secret("password", 1..=1000);
        Some(Self { email: email?, password: password? })
    }
}

/// A new session. Browsers have it in a cookie too.
#[derive(Serialize, ToSchema)]
pub struct LoggedIn {
    /// For `Authorization: Bearer`.
    pub token: String,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// `user` or `admin`.
    pub account: &'static str,
    /// A user's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub role: Option<Role>,
    /// A user's shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub shop_id: Option<i32>,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// `user` or `admin`.
    pub account: &'static str,
    /// The account's number.
    pub id: i32,
    /// The e-mail.
    #[schema(format = Email, example = "owner@shop.example")]
    pub email: String,
    /// Whether a user showed that they read this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub email_confirmed: Option<bool>,
    /// A user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub name: Option<String>,
    /// A user's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub role: Option<Role>,
    /// What the role allows.
    pub permissions: Vec<&'static str>,
    /// A user's shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub shop: Option<MyShop>,
    /// When the session ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// The shop of who is logged in.
#[derive(Serialize, ToSchema)]
pub struct MyShop {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// IANA zone of its calendar.
    pub timezone: String,
    /// ISO 4217.
    pub currency: String,
    /// `trial`, `starter`, `pro` or `business`.
    pub plan: &'static str,
    /// Whether the AI answers.
    pub active: bool,
}

/// Opens a shop: the job makes it, then the owner is logged in as anybody is, by the password. So a repeat under the same key by somebody else
/// gets no session.
pub(crate) async fn register(cx: PublicCx) -> Result<Reply, HttpError> {
    let asked: Register = cx.json()?;
    cx.app.throttle.registration(cx.address).await.map_err(throttled)?;
    let password_hash = cx.app.passwords.hash(asked.password.clone()).await.map_err(|error| password_error(error, "password"))?;
    let parts = [&asked.shop_name, &asked.kind, &asked.email, &asked.timezone, &asked.currency, &asked.locale].map(String::as_str);
    // The password is left out: a fast hash of it has no place in Redis.
    let fingerprint = command::fingerprint(&parts, b"");
    let key = client_key(&cx)?.unwrap_or_else(|| Uuid::new_v4().to_string());
    let queue_key = command::fingerprint(&["register", &key, &fingerprint], b"");
    let job = RegisterShop {
        request: RequestKey { key, fingerprint, user: None },
        shop_name: asked.shop_name,
        kind: asked.kind,
        email: asked.email.clone(),
        password_hash,
        timezone: asked.timezone,
        currency: asked.currency,
        locale: asked.locale,
    };
    let push = Push { key: Some(queue_key), trace: Some(cx.trace.to_string()), ..Push::default() };
    let waited = cx.app.queue.push_and_wait(Origin::System, &job, push, cx.app.config.api_wait).await;
    match waited.map_err(HttpError::unavailable)? {
        Waited::Done(Answer::Refused(refusal)) => Err(refusal.into()),
        Waited::Done(_) => match session_for(&cx, &asked.email, asked.password).await? {
            Some(session) => Ok(session.created()),
            None => Err(HttpError::conflict(
                "email_taken",
                "There is an account with this e-mail address. Log in, or register with another address.",
            )),
        },
        Waited::Failed { code } => Err(HttpError::job_failed(code)),
        Waited::StillRunning(_) => Err(HttpError::still_opening()),
    }
}

/// Logs in. Counted before the password is looked at; an unknown e-mail takes as long as a wrong password and reads the same.
pub(crate) async fn login(cx: PublicCx) -> Result<Reply, HttpError> {
    let asked: Login = cx.json()?;
    cx.app.throttle.login(&asked.email, cx.address).await.map_err(throttled)?;
    let session = session_for(&cx, &asked.email, asked.password).await?.ok_or_else(HttpError::wrong_login)?;
    cx.app.throttle.login_succeeded(&asked.email, cx.address).await;
    Ok(session)
}

/// A session for whoever knows the password; `None` for everybody else.
async fn session_for(cx: &PublicCx, email: &str, password: SecretString) -> Result<Option<Reply>, HttpError> {
    let known = cx.app.db.find_login(email).await?;
    let hash = known.as_ref().map(|login| login.password_hash.clone());
    let right = match cx.app.passwords.verify(password, hash).await {
        Ok(right) => right,
        Err(PasswordError::Busy) => return Err(HttpError::overloaded()),
        // No password is that long: it is wrong.
        Err(_) => false,
    };
    let Some(login) = known.filter(|login| right && login.active) else { return Ok(None) };
    let who = match login.who {
        LoginWho::User { user, shop, role } => Who::User { id: user, shop, role },
        LoginWho::Admin { admin } => Who::Admin { id: admin },
    };
    let token = lasting_token(cx, who).await?;
    let (account, role, shop_id) = match who {
        Who::User { shop, role, .. } => ("user", Some(role), Some(shop.0)),
        Who::Admin { .. } => ("admin", None, None),
    };
    let session = cx.app.tokens.verify(token.expose_secret()).map_err(HttpError::internal)?;
    may_work(cx, &session).await?;
    let expires_at = session.expires_at();
    cx.app.sessions.add(&session, cx.header(USER_AGENT.as_str()).unwrap_or_default()).await.map_err(HttpError::unavailable)?;
    let seconds = (expires_at - cx.app.clock.now()).num_seconds();
    let cookie = gate::set_cookie(token.expose_secret(), seconds, cx.app.config.secure_cookie());
    let body = LoggedIn { token: token.expose_secret().to_owned(), expires_at, account, role, shop_id };
    Ok(Some(Reply::ok(body)?.with(SET_COOKIE, &cookie)))
}

/// Colleagues work where the plan has a team. Said only to who knows the password.
async fn may_work(cx: &PublicCx, session: &Session) -> Result<(), HttpError> {
    let (Who::User { role: Role::OrderManager | Role::Accountant, .. }, Some(scope)) = (session.who(), ShopScope::from_session(session))
    else {
        return Ok(());
    };
    let read = async move |mut tx| shops::profile(&mut tx).await.map_err(|error: DbError| error);
    if cx.app.db.shop_tx(&scope, TxKind::Read, read).await?.plan().allows().team {
        return Ok(());
    }
    let plan = Plan::smallest(|allows| allows.team).map_or("larger", Plan::title);
    let detail = format!("The shop's plan has no team; {plan} has. Its owner can log in, and upgrade.");
    Err(Refusal { kind: RefusalKind::Plan, code: "plan_team".to_owned(), detail, fields: Vec::new(), slots: Vec::new() }.into())
}

/// A token of a session that is not over as it begins: one that begins in the very second in which the account's sessions were ended would be.
async fn lasting_token(cx: &PublicCx, who: Who) -> Result<SecretString, HttpError> {
    for _ in 0..3 {
        let (token, _) = cx.app.tokens.issue(who).map_err(HttpError::internal)?;
        let session = cx.app.tokens.verify(token.expose_secret()).map_err(HttpError::internal)?;
        if !cx.app.revocations.revoked(&session).await.map_err(HttpError::unavailable)? {
            return Ok(token);
        }
        let into_second = u64::from(cx.app.clock.now().timestamp_subsec_millis());
        tokio::time::sleep(Duration::from_millis(1001_u64.saturating_sub(into_second))).await;
    }
    Err(HttpError::overloaded())
}

/// Ends the session, on every replica at once.
pub(crate) async fn logout(cx: PublicCx, session: Session) -> Result<Reply, HttpError> {
    cx.app.revocations.revoke(session.id(), session.expires_at()).await.map_err(HttpError::unavailable)?;
    Ok(gate::without_cookie(&cx, Reply::empty()))
}

/// Who is logged in. Somebody who was deactivated since is nobody.
pub(crate) async fn me(cx: PublicCx, session: Session) -> Result<Reply, HttpError> {
    let expires_at = session.expires_at();
    match (session.who(), ShopScope::from_session(&session)) {
        (Who::User { id, shop, role }, Some(scope)) => {
            let found = cx
                .app
                .db
                .shop_tx(&scope, TxKind::Read, async move |mut tx| {
                    Ok::<_, frontdesk_core::db::DbError>((users::find(&mut tx, id).await?, shops::profile(&mut tx).await?))
                })
                .await?;
            let (Some(user), profile) = found else { return Err(HttpError::unauthorized()) };
            if !user.active || user.role() != Some(role) {
                return Err(HttpError::unauthorized());
            }
            let permissions =
                Permission::ALL.iter().filter(|permission| role.may(**permission)).map(|permission| permission.as_str()).collect();
            let (timezone, plan, active) = (profile.timezone().name().to_owned(), profile.plan().as_str(), profile.is_active());
            let shop = MyShop { id: shop.0, name: profile.name, timezone, currency: profile.currency, plan, active };
            Reply::ok(Me {
                account: "user",
                id: id.0,
                email: user.email,
                email_confirmed: Some(user.email_confirmed),
                name: Some(user.name),
                role: Some(role),
                permissions,
                shop: Some(shop),
                expires_at,
            })
        }
        (Who::Admin { id }, _) => {
            let email = cx.app.db.find_admin(id).await?.ok_or_else(HttpError::unauthorized)?;
            Reply::ok(Me {
                account: "admin",
                id: id.0,
                email,
                email_confirmed: None,
                name: None,
                role: None,
                permissions: vec!["admin"],
                shop: None,
                expires_at,
            })
        }
        (Who::User { .. }, None) => Err(HttpError::unauthorized()),
    }
}

pub(super) fn throttled(error: Throttled) -> HttpError {
    match error {
        Throttled::TooMany { retry_after } => HttpError::too_many(retry_after),
        unavailable @ Throttled::Unavailable(_) => HttpError::unavailable(unavailable),
    }
}

pub(super) fn password_error(error: PasswordError, field: &str) -> HttpError {
    match error {
        PasswordError::Busy => HttpError::overloaded(),
        PasswordError::Failed => HttpError::internal(error),
        PasswordError::TooLong | PasswordError::TooShort | PasswordError::Nul => HttpError::invalid_field(field, error.to_string()),
    }
}
