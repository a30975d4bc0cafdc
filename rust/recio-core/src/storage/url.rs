//! URLs among paths.
//!
//! A URL is kept as a path, byte for byte: a path of the standard library changes nothing in it as
//! long as only its file name is replaced.

use std::path::{Path, PathBuf};

/// Returns the scheme of a URL, such as `s3`; none for a path.
#[must_use]
pub fn scheme(path: &Path) -> Option<&str> {
    let (scheme, _) = path.to_str()?.split_once("://")?;
    is_scheme(scheme).then_some(scheme)
}

/// Returns a URL without the parts that may have credentials: user, password and query.
#[must_use]
pub fn without_credentials(path: &Path) -> PathBuf {
    let Some((scheme, rest)) = path.to_str().and_then(|path| path.split_once("://")) else {
        return path.to_path_buf();
    };
    if !is_scheme(scheme) {
        return path.to_path_buf();
    }
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?..."),
        None => (rest, ""),
    };
    let host_end = rest.find('/').unwrap_or(rest.len());
    let (host, rest) = rest.split_at(host_end);
    // A container of Azure precedes the account: abfs://container@account.dfs.core.windows.net.
    let is_user = scheme.starts_with("http") || host.contains(':');
    let host = match host.rsplit_once('@') {
        Some((_, host)) if is_user => host,
        _ => host,
    };
    format!("{scheme}://{host}{rest}{query}").into()
}

/// Returns a text without the credentials in its URLs.
#[must_use]
pub fn without_credentials_in(text: &str) -> String {
    let ends_url = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
    let words = text.split_inclusive(ends_url);
    words.map(|word| hide_in_word(word, ends_url)).collect()
}

/// Hides the credentials of the URL in a word, which may follow other characters.
fn hide_in_word(word: &str, ends_url: impl Fn(char) -> bool) -> String {
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    let Some(scheme_end) = word.find("://") else {
        return word.to_owned();
    };
    let before = word[..scheme_end].trim_end_matches(in_scheme);
    let url = word[before.len()..].trim_end_matches(&ends_url);
    let after = &word[before.len() + url.len()..];
    let url = without_credentials(Path::new(url));
    format!("{before}{}{after}", url.to_string_lossy())
}

/// A single letter is a drive of Windows.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_recognized() {
        for url in ["s3://b/a.rec", "hf://datasets/a/b", "https://x.org/a.rec"] {
            assert_eq!(scheme(Path::new(url)), url.split(':').next());
        }
        for path in ["a.rec", "/x://a", "C://a.rec", "folder/s3://a.rec", "s3:/a"] {
            assert_eq!(scheme(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn credentials_are_removed() {
        for (url, shown) in [
            ("https://me:secret@x.org/a", "https://x.org/a"),
            ("https://x.org/a?sig=secret", "https://x.org/a?..."),
            ("s3://bucket/a@b", "s3://bucket/a@b"),
            ("s3://key:secret@bucket/a", "s3://bucket/a"),
            ("abfs://container@account/a", "abfs://container@account/a"),
            ("/data/a?b", "/data/a?b"),
        ] {
            assert_eq!(without_credentials(Path::new(url)), Path::new(shown));
        }
    }

    #[test]
    fn credentials_are_removed_from_text() {
        let text = "403, url='https://x.org/a?sig=secret', not (http://me:pw@h/b) or s3://b/k";
        let shown = "403, url='https://x.org/a?...', not (http://h/b) or s3://b/k";
        assert_eq!(without_credentials_in(text), shown);
        assert_eq!(
            without_credentials_in("nothing\nat :// all"),
            "nothing\nat :// all"
        );
    }
}
