//! The files that customers send and products show, by key, in a directory or an S3 bucket (`MEDIA_URL`). Keys are made by the house and begin with the
//! shop; nothing that a customer wrote is in one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, RetryConfig};
use secrecy::ExposeSecret as _;

use crate::config::MediaConfig;
use crate::ids::ShopId;

/// The largest file of a customer that is kept, bytes. Messenger and Instagram take up to this much (PROVIDERS 2.3); WhatsApp's documents may be larger.
pub const MOST_BYTES: u64 = 25 * 1024 * 1024;
/// The largest picture of a product, bytes.
pub const MOST_PICTURE_BYTES: usize = 5 * 1024 * 1024;
/// One call to the store, from begin to end; a read's pages come after it.
const CALL: Duration = Duration::from_secs(20);
/// S3 is asked again for so long when it is busy: callers wait, and jobs try again by themselves.
const AGAIN: Duration = Duration::from_secs(10);
/// Characters of a file's name at most.
const LONGEST_NAME: usize = 200;

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The store refused, or is away.
    #[error("the store of files failed")]
    Store(#[from] object_store::Error),
    /// It did not answer in time.
    #[error("the store of files did not answer in time")]
    Slow,
    /// The key is none of ours.
    #[error("this is no key of a file")]
    Key,
    /// The directory cannot be made or written.
    #[error("the directory of files cannot be used")]
    Directory(#[from] std::io::Error),
    /// `MEDIA_URL` is neither a directory nor a bucket.
    #[error("MEDIA_URL is neither file:///directory nor s3://bucket/prefix")]
    Url,
}

/// A file that is there.
pub struct Found {
    /// Its size, bytes.
    pub size: u64,
    /// Which of its bytes follow.
    pub range: std::ops::Range<u64>,
    /// Those bytes, page by page.
    pub pages: BoxStream<'static, Result<Bytes, MediaError>>,
}

/// Which bytes of a file are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// From the first to before the second.
    Between(u64, u64),
    /// From here on.
    From(u64),
    /// The last so many.
    Last(u64),
}

/// Where files are kept.
#[derive(Debug, Clone)]
pub struct MediaStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl MediaStore {
    /// Opens a directory, which it makes if it is not there, or a bucket; a bucket is asked at the first call only.
    ///
    /// # Errors
    /// When the directory cannot be made, or the bucket's settings are wrong.
    pub fn open(config: &MediaConfig) -> Result<Self, MediaError> {
        if config.url.scheme() == "file" {
            let directory = config.url.to_file_path().map_err(|()| MediaError::Url)?;
            std::fs::create_dir_all(&directory)?;
            // A row that says `kept` must hold after a power cut, too.
            let store = LocalFileSystem::new_with_prefix(directory)?.with_fsync(true);
            return Ok(Self { store: Arc::new(store), prefix: Path::default() });
        }
        // The one provider of TLS in the house; object_store's client takes what the process has.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bucket = config.url.host_str().ok_or(MediaError::Url)?;
        let retry = RetryConfig { max_retries: 3, retry_timeout: AGAIN, ..RetryConfig::default() };
        let client = ClientOptions::new().with_timeout(CALL).with_connect_timeout(Duration::from_secs(3));
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_client_options(client).with_retry(retry);
        if let Some(region) = &config.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some((id, secret)) = &config.key {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose_secret());
        }
        if let Some(uri) = &config.role_uri {
            builder = builder.with_config(AmazonS3ConfigKey::ContainerCredentialsRelativeUri, uri);
        }
        Ok(Self { store: Arc::new(builder.build()?), prefix: Path::from(config.url.path()) })
    }

    fn place(&self, key: &str) -> Result<Path, MediaError> {
        if !is_key(key) {
            return Err(MediaError::Key);
        }
        let parts = self.prefix.parts().map(|part| part.as_ref().to_owned()).chain(key.split('/').map(str::to_owned));
        Ok(parts.collect::<Vec<_>>().iter().map(String::as_str).collect())
    }

    /// Stores a file whole, or not at all; one under the same key is replaced.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), MediaError> {
        let place = self.place(key)?;
        tokio::time::timeout(CALL, self.store.put(&place, bytes.into())).await.map_err(|_| MediaError::Slow)??;
        Ok(())
    }

    /// Opens a file, or a part of it; `None` if it is not there, or has no such part.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn get(&self, key: &str, part: Option<Part>) -> Result<Option<Found>, MediaError> {
        let range = part.map(|part| match part {
            Part::Between(first, end) => GetRange::Bounded(first..end),
            Part::From(first) => GetRange::Offset(first),
            Part::Last(bytes) => GetRange::Suffix(bytes),
        });
        let place = self.place(key)?;
        let asked = self.store.get_opts(&place, GetOptions { range, ..GetOptions::default() });
        match tokio::time::timeout(CALL, asked).await.map_err(|_| MediaError::Slow)? {
            Ok(found) => {
                let (size, range) = (found.meta.size, found.range.clone());
                Ok(Some(Found { size, range, pages: found.into_stream().map(|page| Ok(page?)).boxed() }))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file; one that is not there is gone already.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn remove(&self, key: &str) -> Result<(), MediaError> {
        let place = self.place(key)?;
        match tokio::time::timeout(CALL, self.store.delete(&place)).await.map_err(|_| MediaError::Slow)? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// `shops/<number>/…`, of letters, digits and a dot before the ending.
fn is_key(key: &str) -> bool {
    let mut parts = key.split('/');
    let shop = parts.next() == Some("shops") && parts.next().is_some_and(is_number);
    let (mut count, plain) = (0, |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains("..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
    });
    shop && parts.inspect(|_| count += 1).all(plain) && (1..=2).contains(&count)
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.len() <= 10 && part.bytes().all(|b| b.is_ascii_digit())
}

/// The key behind a public picture's name, `<shop>-<32 hex digits>.<ending>`; `None` for any other name.
#[must_use]
pub fn public_key(name: &str) -> Option<(String, &'static str)> {
    let (shop, rest) = name.split_once('-')?;
    let (random, ending) = rest.split_once('.')?;
    let mime = PICTURES.iter().find(|(known, _)| *known == ending)?.1;
    let hex = random.len() == 32 && random.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (is_number(shop) && hex).then(|| (format!("shops/{shop}/public/{rest}"), mime))
}

/// The name of a public picture; `random` is 32 hex digits that nobody can guess.
#[must_use]
pub fn public_name(shop: ShopId, random: &str, mime: &str) -> Option<String> {
    let ending = PICTURES.iter().find(|(_, known)| *known == mime)?.0;
    let name = format!("{shop}-{random}.{ending}");
    public_key(&name).map(|_| name)
}

/// Pictures of products, by the ending of their names.
const PICTURES: [(&str, &str); 3] = [("png", "image/png"), ("jpg", "image/jpeg"), ("webp", "image/webp")];

/// What bytes begin like: formats that browsers show or play without running anything in them, and PDF.
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, magic: &[u8]| bytes.get(from..from + magic.len()) == Some(magic);
    // The magic numbers of the WHATWG MIME Sniffing Standard, 6.1 and 6.2; MP4's brands by ISO/IEC 14496-12.
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if at(0, b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if at(0, b"RIFF") && at(8, b"WEBPVP") {
        Some("image/webp")
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some("image/gif")
    } else if at(0, b"OggS\0") {
        Some("audio/ogg")
    } else if at(4, b"ftyp") {
        Some(if at(8, b"M4A") { "audio/mp4" } else { "video/mp4" })
    } else if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") {
        Some("audio/mpeg")
    } else if at(0, b"#!AMR") {
        Some("audio/amr")
    } else if at(0, b"\xff\xf1") || at(0, b"\xff\xf9") {
        Some("audio/aac")
    } else if at(0, b"%PDF-") {
        Some("application/pdf")
    } else {
        None
    }
}

/// As what a file may be sent to a browser: a format of [`detect`]'s, else nothing that it would open by itself.
#[must_use]
pub fn safe_type(mime: Option<&str>) -> &'static str {
    const SAFE: [&str; 11] = [
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "audio/ogg",
        "audio/mp4",
        "audio/mpeg",
        "audio/amr",
        "audio/aac",
        "video/mp4",
        "application/pdf",
    ];
    let named = mime.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    SAFE.into_iter().find(|known| *known == named).unwrap_or("application/octet-stream")
}

/// A customer's name for a file as it is kept: without folders, without what steers screens and headers.
#[must_use]
pub fn plain_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // Left-to-right marks and overrides have made `exe` look like `pdf`.
    let steers = |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '"');
    let plain: String = last.chars().filter(|c| !steers(*c)).take(LONGEST_NAME).collect();
    let plain = plain.trim().trim_start_matches('.').to_owned();
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    fn store(directory: &std::path::Path) -> MediaStore {
        let url = url::Url::from_directory_path(directory.join("new")).unwrap();
        MediaStore::open(&MediaConfig { url, region: None, endpoint: None, key: None, role_uri: None }).unwrap()
    }

    async fn bytes(found: Found) -> Vec<u8> {
        found.pages.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    #[tokio::test]
    async fn what_is_stored_is_read_whole_or_in_part_and_is_gone_once_removed() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let key = "shops/7/abc";
        assert!(store.get(key, None).await.unwrap().is_none());
        for words in ["first", "0123456789"] {
            store.put(key, Bytes::from(words)).await.unwrap();
        }
        let whole = store.get(key, None).await.unwrap().unwrap();
        assert_eq!((whole.size, whole.range.clone()), (10, 0..10));
        assert_eq!(bytes(whole).await, b"0123456789");
        for (part, expected) in [(Part::Between(2, 5), "234"), (Part::From(8), "89"), (Part::Last(3), "789")] {
            assert_eq!(bytes(store.get(key, Some(part)).await.unwrap().unwrap()).await, expected.as_bytes());
        }
        for _ in 0..2 {
            store.remove(key).await.unwrap();
        }
        assert!(store.get(key, None).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn no_key_leads_out_of_a_shop() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        for key in [
            "",
            "shops",
            "shops/7",
            "shops/7/",
            "shops/7/../8/a",
            "shops/x/a",
            "other/7/a",
            "shops/7/a/b/c",
            "/shops/7/a",
            "shops/7/.a",
            "shops/7/a%2f",
        ] {
            assert!(matches!(store.put(key, Bytes::new()).await, Err(MediaError::Key)), "{key}");
        }
    }

    #[test]
    fn a_public_name_tells_shop_and_kind_and_nothing_else() {
        let random = "0123456789abcdef0123456789abcdef";
        let name = public_name(ShopId(7), random, "image/jpeg").unwrap();
        assert_eq!(public_key(&name), Some((format!("shops/7/public/{random}.jpg"), "image/jpeg")));
        assert_eq!(public_name(ShopId(7), random, "image/svg+xml"), None);
        for name in ["7-short.png", "x-0123456789abcdef0123456789abcdef.png", "7-0123456789abcdef0123456789abcdef.html", "../7-a.png"] {
            assert_eq!(public_key(name), None, "{name}");
        }
    }

    #[test]
    fn bytes_tell_what_they_are_and_pages_and_drawings_stay_files() {
        assert_eq!(detect(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(detect(b"RIFF\x1a\0\0\0WEBPVP8L"), Some("image/webp"));
        assert_eq!(detect(b"\0\0\0\x18ftypmp42"), Some("video/mp4"));
        assert_eq!((detect(b"<svg onload=alert(1)>"), detect(b""), detect(b"OggS")), (None, None, None));
        assert_eq!(safe_type(Some("Audio/OGG; codecs=opus")), "audio/ogg");
        for mime in [None, Some("text/html"), Some("image/svg+xml"), Some("")] {
            assert_eq!(safe_type(mime), "application/octet-stream");
        }
    }

    #[test]
    fn a_name_is_a_name() {
        assert_eq!(plain_name("../../etc/pass\r\nwd\""), Some("passwd".to_owned()));
        assert_eq!(plain_name("bill\u{202e}fdp.exe"), Some("billfdp.exe".to_owned()));
        assert_eq!((plain_name(".."), plain_name("a/")), (None, None));
        assert_eq!(plain_name(&"x".repeat(999)).unwrap().len(), LONGEST_NAME);
    }
}
