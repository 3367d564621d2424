//! A shop's Google account: its token, got and renewed once for all workers, and calls in its name. A grant that is dead breaks the connection off, and
//! the owner is told, once.

pub mod busy;
pub mod mirror;
pub mod pull;

use std::time::Duration;

use chrono::TimeDelta;
use frontdesk_core::clock::SharedClock;
use frontdesk_core::db::integrations::{self, Integration};
use frontdesk_core::db::{Db, DbError, TxKind};
use frontdesk_core::jobs::Notice;
use frontdesk_core::live;
use frontdesk_core::lock;
use frontdesk_core::queue::{Queue, QueueError};
use frontdesk_core::secrets::{SealContext, Sealer, SecretError};
use frontdesk_core::tenancy::ShopScope;
use secrecy::SecretString;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::clients::google::{Ask, Google, GoogleError};
use crate::runner::JobError;
use crate::turn::tell;

/// A token is renewed so long before its end.
const MARGIN: TimeDelta = TimeDelta::seconds(60);
/// How long the one who renews may take; longer than a call to the token endpoint may.
const RENEWAL: Duration = Duration::from_secs(15);
/// How often the others look whether it is there.
const LOOK: Duration = Duration::from_millis(100);

/// Why nothing was asked, or what came of it.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// This installation has no OAuth client.
    #[error("google is not set up")]
    NotConfigured,
    /// The shop has connected no account, or picked no calendar.
    #[error("no google account is connected")]
    NotConnected,
    /// Google takes its tokens no more.
    #[error("the google account has to be connected again")]
    Broken,
    /// Another worker renews the token, and takes long.
    #[error("the access token is being renewed")]
    Renewing,
    /// Google refused, or did not answer.
    #[error(transparent)]
    Google(#[from] GoogleError),
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Redis is away.
    #[error(transparent)]
    Redis(#[from] QueueError),
    /// A token does not open, or cannot be sealed.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Trouble {
    /// Whether there is simply nothing to speak to, now.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::NotConfigured | Self::NotConnected | Self::Broken)
    }
}

impl From<Trouble> for JobError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotConfigured => Self::fail("google_not_configured"),
            Trouble::NotConnected => Self::fail("google_not_connected"),
            Trouble::Broken => Self::fail("google_disconnected"),
            Trouble::Renewing => Self::retry("google_renewing"),
            Trouble::Google(error) => error.into(),
            Trouble::Db(error) => error.into(),
            Trouble::Redis(error) => error.into(),
            Trouble::Secret(error) => Self::Fail { code: "google_token".to_owned(), source: Some(error.into()) },
        }
    }
}

/// The accounts of all shops.
#[derive(Debug)]
pub struct Accounts {
    /// The client; absent: this installation has none.
    pub client: Option<Google>,
    /// Postgres.
    pub db: Db,
    /// The queues.
    pub queue: Queue,
    /// Opens and seals tokens.
    pub sealer: Sealer,
    /// The time.
    pub clock: SharedClock,
}

/// A shop's account, to be asked in its name.
#[derive(Debug)]
pub struct Account<'a> {
    accounts: &'a Accounts,
    client: &'a Google,
    scope: ShopScope,
    /// As it stood when it was opened.
    pub integration: Integration,
    token: SecretString,
}

impl Accounts {
    /// The client.
    ///
    /// # Errors
    /// [`Trouble::NotConfigured`].
    pub fn client(&self) -> Result<&Google, Trouble> {
        self.client.as_ref().ok_or(Trouble::NotConfigured)
    }

    /// What the shop has connected; `None` if it has not.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn find(&self, scope: &ShopScope) -> Result<Option<Integration>, DbError> {
        self.db.shop_tx(scope, TxKind::Read, async move |mut tx| integrations::find(&mut tx).await).await
    }

    /// The shop's account, with a token that is good for a minute at least.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn open(&self, scope: &ShopScope) -> Result<Account<'_>, Trouble> {
        let client = self.client()?;
        let integration = self.find(scope).await?.ok_or(Trouble::NotConnected)?;
        let (integration, token) = self.token(client, scope, integration, None).await?;
        Ok(Account { accounts: self, client, scope: *scope, integration, token })
    }

    /// A good token; `refused` is one that Google has just refused.
    async fn token(
        &self,
        client: &Google,
        scope: &ShopScope,
        mut standing: Integration,
        refused: Option<&str>,
    ) -> Result<(Integration, SecretString), Trouble> {
        let deadline = Instant::now() + RENEWAL;
        loop {
            if let Some(token) = self.good(scope, &standing, refused)? {
                return Ok((standing, token));
            }
            if let Some(held) = lock::take(&self.queue, &format!("fd:google:renew:{}", scope.shop()), RENEWAL).await? {
                let renewed = self.renew(client, scope, refused).await;
                held.release().await;
                return renewed;
            }
            if Instant::now() >= deadline {
                return Err(Trouble::Renewing);
            }
            tokio::time::sleep(LOOK).await;
            standing = self.find(scope).await?.ok_or(Trouble::NotConnected)?;
        }
    }

    fn good(&self, scope: &ShopScope, standing: &Integration, refused: Option<&str>) -> Result<Option<SecretString>, Trouble> {
        if !standing.is_connected() {
            return Err(Trouble::Broken);
        }
        let lasts = standing.access_expires_at.is_some_and(|until| until > self.clock.now() + MARGIN);
        let Some(sealed) = standing.sealed_access_token.as_deref().filter(|sealed| lasts && Some(*sealed) != refused) else {
            return Ok(None);
        };
        Ok(Some(self.sealer.open(sealed, &SealContext::google_token(scope, "sealed_access_token", &standing.connection))?))
    }

    /// Under the lock: somebody may have renewed it just before.
    async fn renew(&self, client: &Google, scope: &ShopScope, refused: Option<&str>) -> Result<(Integration, SecretString), Trouble> {
        let standing = self.find(scope).await?.ok_or(Trouble::NotConnected)?;
        if let Some(token) = self.good(scope, &standing, refused)? {
            return Ok((standing, token));
        }
        let sealed = standing.sealed_refresh_token.as_deref().ok_or(Trouble::Broken)?;
        let refresh = self.sealer.open(sealed, &SealContext::google_token(scope, "sealed_refresh_token", &standing.connection))?;
        let tokens = match client.refresh(&refresh).await {
            Ok(tokens) => tokens,
            Err(GoogleError::DeadGrant) => {
                self.break_off(scope, &standing.connection, "invalid_grant").await?;
                return Err(Trouble::Broken);
            }
            Err(error) => return Err(error.into()),
        };
        let place = SealContext::google_token(scope, "sealed_access_token", &standing.connection);
        let (sealed, until) = (self.sealer.seal(&tokens.access, &place)?, self.clock.now() + tokens.lasts);
        let (connection, kept) = (standing.connection.clone(), sealed.clone());
        self.db.shop_tx(scope, TxKind::Turn, async move |mut tx| integrations::renewed(&mut tx, &connection, &kept, until).await).await?;
        metrics::counter!("frontdesk_google_renewals_total").increment(1);
        let renewed = Integration { sealed_access_token: Some(sealed), access_expires_at: Some(until), ..standing };
        Ok((renewed, tokens.access))
    }

    /// Google takes the account's tokens no more: it is marked, and the owner told, once for each connecting.
    async fn break_off(&self, scope: &ShopScope, connection: &str, why: &'static str) -> Result<(), Trouble> {
        let connection = connection.to_owned();
        let broken = self
            .db
            .shop_tx(scope, TxKind::Turn, async move |mut tx| {
                let broken = integrations::break_off(&mut tx, &connection, why).await?;
                if broken {
                    // The relay pushes it.
                    tell(&mut tx, format!("google:{connection}"), Notice::GoogleDisconnected).await?;
                }
                Ok::<_, DbError>(broken)
            })
            .await?;
        if broken {
            tracing::warn!(why, "the Google account is disconnected");
            self.announce(scope, "broken").await;
        }
        Ok(())
    }

    /// Tells open dashboards how the account stands.
    pub async fn announce(&self, scope: &ShopScope, state: &str) {
        let Ok(event) = RawValue::from_string(format!(r#"{{"provider":"google","state":"{state}"}}"#)) else { return };
        if let Err(error) = live::append(&self.queue, scope, "integration", &event).await {
            tracing::warn!(%error, "live event not announced");
        }
    }
}

impl Account<'_> {
    /// The calendar that was picked.
    ///
    /// # Errors
    /// [`Trouble::NotConnected`] if none was.
    pub fn calendar(&self) -> Result<&str, Trouble> {
        self.integration.calendar_id.as_deref().ok_or(Trouble::NotConnected)
    }

    /// Makes a call. A token that is refused is renewed, once.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn ask(&mut self, ask: &Ask) -> Result<Vec<u8>, Trouble> {
        match self.client.ask(&self.token, ask).await {
            Err(GoogleError::Unauthorized) => {}
            answer => return Ok(answer?),
        }
        let refused = self.integration.sealed_access_token.clone();
        let standing = self.accounts.find(&self.scope).await?.ok_or(Trouble::NotConnected)?;
        let (integration, token) = self.accounts.token(self.client, &self.scope, standing, refused.as_deref()).await?;
        self.integration.sealed_access_token = integration.sealed_access_token;
        self.token = token;
        Ok(self.client.ask(&self.token, ask).await?)
    }
}
