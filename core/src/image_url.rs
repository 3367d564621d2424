//! Which addresses pictures may have.

/// Characters of an address at most.
const LONGEST: usize = 2000;

/// Whether a picture may be at this address: https, without a name or password in it, or a path on our own origin, where the sample shops' pictures are.
#[must_use]
pub fn is_image_url(text: &str) -> bool {
    // Browsers read `/\host` as `//host`, which is another origin.
    let own = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    let plain = text.chars().count() <= LONGEST && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    plain && (own || url::Url::parse(text).is_ok_and(|url| is_public(&url)))
}

fn is_public(url: &url::Url) -> bool {
    let named = url.host_str().is_some_and(|host| !host.is_empty());
    url.scheme() == "https" && named && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_at_https_addresses_or_with_us() {
        for (url, fine) in [
            ("https://x.example/a.png?size=2", true),
            ("/images/own.svg", true),
            ("http://x.example/a.png", false),
            ("https://ada:secret@x.example/", false),
            ("https://:secret@x.example/", false),
            ("//x.example/a.png", false),
            ("/\\x.example/a.png", false),
            ("/a\nb", false),
            ("ftp://x.example/a.png", false),
            ("javascript:alert(1)", false),
            ("a.png", false),
            ("", false),
        ] {
            assert_eq!(is_image_url(url), fine, "{url}");
        }
        assert!(!is_image_url(&format!("/{}", "a".repeat(LONGEST))));
    }
}
