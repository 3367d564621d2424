//! Files that customers send: where they may be fetched from, who gets the token, and how much is read (PROVIDERS 1.6, 1.7, 2.1).
//!
//! Addresses come in webhooks and from Meta's answers. They are believed only where they name Meta's own hosts, so that nobody has us call into our own
//! network; redirects are followed by hand, each looked at again.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use frontdesk_core::inbound::Platform;
use frontdesk_core::media::MOST_BYTES;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::{Host, Url};

use super::meta::{Account, Action, Meta, action};
use super::{ClientError, exchange};

const NAME: &str = "meta";
/// Meta's look-up of a media id.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// 25 MiB over a line of 4 Mbit/s; Meta's own are far faster.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(1);
/// Redirects followed.
const HOPS: usize = 3;
/// Meta's hosts of files; any host below them too.
const HOSTS: [&str; 3] = ["fbsbx.com", "fbcdn.net", "cdninstagram.com"];
/// The host that gives WhatsApp's files, and wants the token for it.
const ATTACHMENTS: &str = "lookaside.fbsbx.com";

/// Why there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFile {
    /// The platform has it no more.
    Gone,
    /// It is larger than what is kept.
    TooLarge,
    /// It is not to be fetched; trying again will not help.
    Refused(&'static str),
    /// Perhaps later.
    Later(&'static str),
}

/// Whether a file may be fetched from there, and if so, whether the token may go along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Not from there.
    No,
    /// From there, as anybody.
    Anonymous,
    /// From there, as ourselves.
    WithToken,
}

/// What an address deserves: https on Meta's hosts of files, or the very origins that the settings name for the Graph API.
#[must_use]
pub fn trust(url: &Url, apis: &[&str]) -> Trust {
    if !url.username().is_empty() || url.password().is_some() {
        return Trust::No;
    }
    if apis.iter().filter_map(|api| Url::parse(api).ok()).any(|api| api.origin() == url.origin()) {
        return Trust::WithToken;
    }
    let Some(Host::Domain(host)) = url.host() else { return Trust::No };
    let known = HOSTS.iter().any(|known| host == *known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')));
    if url.scheme() != "https" || url.port().is_some() || !known {
        Trust::No
    } else if host == ATTACHMENTS {
        Trust::WithToken
    } else {
        Trust::Anonymous
    }
}

/// Whether a SHA-256 as Meta tells it, in base64 (webhooks) or hex (look-ups), is this one.
#[must_use]
pub fn same_digest(told: &str, digest: &[u8]) -> bool {
    let told = told.trim();
    let read = if told.len() == 64 { hex::decode(told).ok() } else { STANDARD.decode(told).ok() };
    read.is_some_and(|read| read == digest)
}

impl Meta {
    /// Fetches a file: by its id (WhatsApp) or its address (Messenger, Instagram); with its SHA-256, where Meta tells one.
    ///
    /// # Errors
    /// See [`NoFile`].
    pub async fn download(&self, account: &Account, reference: &str) -> Result<(Bytes, Option<String>), NoFile> {
        if account.platform != Platform::Whatsapp {
            let url = Url::parse(reference).map_err(|_| NoFile::Refused("bad_address"))?;
            // Such a link dies for good.
            let bytes = self.fetch(account, url).await.map_err(|no| if no == NoFile::Later("link_dead") { NoFile::Gone } else { no })?;
            return Ok((bytes, None));
        }
        let found = self.media(account, reference).await?;
        if found["file_size"].as_u64().is_some_and(|size| size > MOST_BYTES) {
            return Err(NoFile::TooLarge);
        }
        let url = found["url"].as_str().and_then(|url| Url::parse(url).ok()).ok_or(NoFile::Later("meta_useless"))?;
        // The address lives for five minutes, the id for seven days: the next run asks for a new one.
        Ok((self.fetch(account, url).await?, found["sha256"].as_str().map(str::to_owned)))
    }

    /// `GET /{media_id}?phone_number_id=…` (PROVIDERS 2.1).
    async fn media(&self, account: &Account, id: &str) -> Result<Value, NoFile> {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NoFile::Refused("bad_media_id"));
        }
        let (_, _, answer) = exchange(NAME, self.media_request(account, id), LOOK_LIMIT).await.map_err(away)?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|_| NoFile::Later("meta_useless"))?;
        let Some(error) = answer.get("error") else { return Ok(answer) };
        let (code, subcode) = (error["code"].as_i64().unwrap_or(-1), error["error_subcode"].as_i64().unwrap_or(0));
        tracing::warn!(code, "Meta does not show a file");
        match action(code, subcode, error["is_transient"].as_bool().unwrap_or(false)) {
            // 100 and 33: there is no such object, or no more.
            Action::Give => Err(NoFile::Gone),
            Action::Disconnected | Action::Blocked => Err(NoFile::Later("token_refused")),
            _ => Err(NoFile::Later("meta_busy")),
        }
    }

    async fn fetch(&self, account: &Account, url: Url) -> Result<Bytes, NoFile> {
        let whole = self.follow(account, url);
        tokio::time::timeout(DOWNLOAD_LIMIT, whole).await.unwrap_or(Err(NoFile::Later("meta_slow")))
    }

    async fn follow(&self, account: &Account, mut url: Url) -> Result<Bytes, NoFile> {
        for _ in 0..=HOPS {
            let trusted = trust(&url, &self.apis());
            if trusted == Trust::No {
                tracing::warn!(host = url.host_str().unwrap_or_default(), "a file's address is none of Meta's");
                return Err(NoFile::Refused("foreign_address"));
            }
            let mut request = self.http().get(url.clone());
            if trusted == Trust::WithToken && account.platform == Platform::Whatsapp {
                request = request.bearer_auth(account.token.expose_secret());
            }
            let response = request.send().await.map_err(|error| away(ClientError::transport(NAME, &error)))?;
            let status = response.status();
            if status.is_redirection() {
                let to = response.headers().get(reqwest::header::LOCATION).and_then(|to| to.to_str().ok());
                url = to.and_then(|to| url.join(to).ok()).ok_or(NoFile::Later("meta_useless"))?;
                continue;
            }
            return match status.as_u16() {
                200 => read(response).await,
                // Meta's CDN says 403 of a signature that has run out.
                403 | 404 | 410 => Err(NoFile::Later("link_dead")),
                401 => Err(NoFile::Later("token_refused")),
                _ => Err(NoFile::Later("meta_failed")),
            };
        }
        Err(NoFile::Later("too_many_redirects"))
    }
}

async fn read(mut response: reqwest::Response) -> Result<Bytes, NoFile> {
    if response.content_length().is_some_and(|length| length > MOST_BYTES) {
        return Err(NoFile::TooLarge);
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| away(ClientError::transport(NAME, &error)))? {
        if (bytes.len() + chunk.len()) as u64 > MOST_BYTES {
            return Err(NoFile::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn away(error: ClientError) -> NoFile {
    tracing::debug!(%error, "a file could not be fetched");
    NoFile::Later("meta_away")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn only_metas_hosts_are_called_and_only_the_right_ones_get_the_token() {
        let apis = ["https://graph.facebook.com", "http://127.0.0.1:4010/graph"];
        for (url, expected) in [
            ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", Trust::WithToken),
            ("https://graph.facebook.com/v26.0/1", Trust::WithToken),
            ("http://127.0.0.1:4010/graph/media/1", Trust::WithToken),
            ("https://scontent-fra3-1.xx.fbcdn.net/v/a.jpg", Trust::Anonymous),
            ("https://scontent.cdninstagram.com/a.mp4", Trust::Anonymous),
            ("https://cdn.fbsbx.com/a.pdf", Trust::Anonymous),
            ("http://lookaside.fbsbx.com/a", Trust::No),
            ("https://lookaside.fbsbx.com:8443/a", Trust::No),
            ("https://user@lookaside.fbsbx.com/a", Trust::No),
            ("https://evilfbcdn.net/a", Trust::No),
            ("https://fbcdn.net.evil.example/a", Trust::No),
            ("https://evil.example/?x=.fbcdn.net", Trust::No),
            ("http://127.0.0.1:4011/graph/media/1", Trust::No),
            ("http://169.254.169.254/latest/meta-data", Trust::No),
            ("https://[::1]/a", Trust::No),
            ("file:///etc/passwd", Trust::No),
        ] {
            assert_eq!(trust(&Url::parse(url).unwrap(), &apis), expected, "{url}");
        }
    }

    #[test]
    fn a_digest_is_read_in_both_its_forms() {
        let digest = Sha256::digest(b"picture");
        assert!(same_digest(&hex::encode(digest), &digest) && same_digest(&STANDARD.encode(digest), &digest));
        assert!(!same_digest(&hex::encode(Sha256::digest(b"other")), &digest) && !same_digest("", &digest) && !same_digest("???", &digest));
    }
}
