//! How a connection is opened: plain, or TLS with the server's name checked.

use std::sync::Arc;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

/// A peer that vanished without a word is noticed after this long.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Why a Postgres URL cannot be used. Never holds the URL, which has a password.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// Not a Postgres URL.
    #[error("write postgres://user:password@host:5432/database")]
    Form,
    /// Another TLS mode than ours.
    #[error("sslmode is one of disable, require, verify-full (require checks the server's certificate, too)")]
    SslMode,
    /// The file of root certificates cannot be read.
    #[error("sslrootcert: {0}")]
    Roots(String),
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(String),
}

/// A server and how to log in there.
#[derive(Clone)]
pub struct Server {
    config: tokio_postgres::Config,
    tls: Option<MakeRustlsConnect>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("hosts", &self.config.get_hosts()).field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Server {
    /// Reads a Postgres URL. `sslmode=require` and `verify-full` both demand TLS and check the server's name and certificate, against the public
    /// roots or those in the PEM file `sslrootcert`; without `sslmode`, and with `disable`, the connection is plain.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let mut url = Url::parse(url).map_err(|_| UrlError::Form)?;
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => roots = Some(value.into_owned()),
                _ => rest.push((name.into_owned(), value.into_owned())),
            }
        }
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        let mut config: tokio_postgres::Config = url.as_str().parse().map_err(|_| UrlError::Form)?;
        if config.get_user().is_none() || config.get_dbname().is_none() {
            return Err(UrlError::Form);
        }
        if config.get_application_name().is_none() {
            config.application_name("frontdesk");
        }
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(30))
            .tcp_user_timeout(TCP_USER_TIMEOUT);
        let tls = match mode.as_deref() {
            None | Some("disable") => {
                config.ssl_mode(SslMode::Disable);
                None
            }
            Some("require" | "verify-full") => {
                config.ssl_mode(SslMode::Require);
                Some(MakeRustlsConnect::new(client_config(roots.as_deref())?))
            }
            Some(_) => return Err(UrlError::SslMode),
        };
        Ok(Self { config, tls })
    }

    /// The user to log in as.
    #[must_use]
    pub fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// That user's password, if the URL has one.
    #[must_use]
    pub(crate) fn password(&self) -> Option<&[u8]> {
        self.config.get_password()
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        let refused = |error: tokio_postgres::Error| ConnectionError::BadConnection(error_chain(&error));
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn client_config(roots: Option<&str>) -> Result<rustls::ClientConfig, UrlError> {
    let mut store = rustls::RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| UrlError::Roots(error.to_string()))? {
                let certificate = certificate.map_err(|error| UrlError::Roots(error.to_string()))?;
                store.add(certificate).map_err(|error| UrlError::Roots(error.to_string()))?;
            }
            if store.is_empty() {
                return Err(UrlError::Roots("holds no certificate".to_owned()));
            }
        }
    }
    Ok(rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| UrlError::Tls(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_demanded_by_either_word() {
        assert!(Server::parse("postgres://u:p@db.example/shop?sslmode=require").unwrap().tls.is_some());
        assert!(Server::parse("postgres://u:p@db.example/shop?sslmode=verify-full").unwrap().tls.is_some());
        assert!(Server::parse("postgres://u:p@db.example/shop").unwrap().tls.is_none());
        assert!(matches!(Server::parse("postgres://u:p@db.example/shop?sslmode=maybe"), Err(UrlError::SslMode)));
        assert!(matches!(
            Server::parse("postgres://u:p@db.example/shop?sslmode=require&sslrootcert=/nowhere.pem"),
            Err(UrlError::Roots(_))
        ));
    }

    #[test]
    fn a_bad_url_is_not_repeated() {
        let error = Server::parse("postgres://u:hush@@/").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(!error.contains("hush"));
        assert!(Server::parse("postgres://db.example/shop").is_err());
        assert_eq!(Server::parse("postgres://u:p%40w@db.example/shop?application_name=x").unwrap().password(), Some(b"p@w".as_slice()));
    }
}
