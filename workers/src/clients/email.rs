//! Mail to staff and owners, by SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::ClientError;

const NAME: &str = "smtp";
const SEND_LIMIT: Duration = Duration::from_secs(15);

/// Sends mail.
#[derive(Clone)]
pub struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").finish_non_exhaustive()
    }
}

/// Why mail is set up wrongly.
#[derive(Debug, thiserror::Error)]
pub enum EmailSetupError {
    /// `SMTP_URL` is not one.
    #[error("SMTP_URL is not a valid smtp:// or smtps:// URL")]
    Url,
    /// `MAIL_FROM` is not an address.
    #[error("MAIL_FROM is not a mail address")]
    From,
}

impl Email {
    /// `url` is `smtp://user:password@host:port` or `smtps://…`.
    ///
    /// # Errors
    /// When the URL or the sender's address is malformed.
    pub fn new(url: &SecretString, from: &str) -> Result<Self, EmailSetupError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|_| EmailSetupError::Url)?
            .timeout(Some(SEND_LIMIT))
            .build();
        Ok(Self { transport, from: from.parse().map_err(|_| EmailSetupError::From)? })
    }

    /// Sends a plain text. `message_id` is ours, so that a mail client folds a repeat into one.
    ///
    /// # Errors
    /// See [`ClientError`]. SMTP answers 4xx are busy, 5xx are final.
    pub async fn send(&self, to: &str, subject: &str, text: &str, message_id: &str) -> Result<(), ClientError> {
        let to: Mailbox = to.parse().map_err(|_| ClientError::Refused { provider: NAME, code: "bad_address".to_owned() })?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .message_id(Some(format!("<{message_id}@frontdesk>")))
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())
            .map_err(|_| ClientError::Refused { provider: NAME, code: "bad_message".to_owned() })?;
        let sending = tokio::time::timeout(SEND_LIMIT, self.transport.send(message));
        match sending.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(ClientError::Refused {
                provider: NAME,
                code: error.status().map_or_else(|| "refused".to_owned(), |code| code.to_string()),
            }),
            Ok(Err(error)) => Err(ClientError::Busy {
                provider: NAME,
                code: error.status().map_or_else(|| "unreachable".to_owned(), |code| code.to_string()),
                after: None,
            }),
            Err(_) => Err(ClientError::Unknown { provider: NAME, reason: "timed out".to_owned() }),
        }
    }
}
