//! URLs of objects: scheme, bucket and key.

use std::fmt;
use std::path::{Path, PathBuf};

use super::url;
use crate::error::{Error, Result};

/// Kind of a store, by the scheme of its URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `s3://bucket/key`, also `s3a://`
    S3,
    /// `gs://bucket/key`, also `gcs://`
    Gcs,
    /// `az://container/key`, also `azure://`, `abfs://` and `abfss://`
    Azure,
    /// `http://` and `https://`
    Http,
    /// `hf://datasets/org/name[@revision]/path`
    HuggingFace,
}

impl Scheme {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "s3" | "s3a" => Self::S3,
            "gs" | "gcs" => Self::Gcs,
            "az" | "azure" | "abfs" | "abfss" => Self::Azure,
            "http" | "https" => Self::Http,
            "hf" => Self::HuggingFace,
            _ => return None,
        })
    }

    /// Returns the error about a URL that has not the form of its scheme.
    fn form(self) -> Error {
        let form = match self {
            Self::HuggingFace => "hf://datasets/ORG/NAME/FILE",
            Self::Http => "https://HOST/FILE",
            _ => "SCHEME://BUCKET/KEY",
        };
        Error::argument(format!("the URL of an object must have the form {form}"))
    }

    /// Returns the name of the kind for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
            Self::Http => "http",
            Self::HuggingFace => "hf",
        }
    }
}

/// URL of an object. Its text for messages has neither user information nor a query, which signed
/// URLs keep their credentials in.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Kind of the store.
    pub scheme: Scheme,
    /// Bucket or container, with the account if the URL has it; the host of `http`.
    pub bucket: String,
    /// Key of the object: the text after the bucket, as it is. With the query, for `http`.
    pub key: String,
    url: String,
}

impl Address {
    /// Parses the URL of an object.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) that states what is missing.
    pub fn parse(path: &Path) -> Result<Self> {
        let address = Self::parse_folder(path)?;
        if address.key.is_empty() {
            return Err(address.scheme.form());
        }
        Ok(address)
    }

    /// Parses the URL of a folder, of which the key may be empty.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_folder(path: &Path) -> Result<Self> {
        let text = path
            .to_str()
            .ok_or_else(|| Error::argument("the URL is not UTF-8"))?;
        local_path(path)?;
        let name = url::scheme(path).unwrap_or_default();
        let scheme = Scheme::from_name(name).ok_or_else(|| unknown_scheme(name))?;
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(scheme.form());
        }
        Ok(Self {
            scheme,
            bucket: bucket.into(),
            key: key.into(),
            url: text.into(),
        })
    }

    /// Returns the URL as it was passed, with any credentials in it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = url::without_credentials(Path::new(&self.url));
        write!(f, "{}", shown.display())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

fn unknown_scheme(scheme: &str) -> Error {
    Error::argument(format!(
        "recio opens URLs that begin with s3://, gs://, az://, abfs://, http://, https://, hf:// or file://, \
         got {scheme}://; for other file systems pass filesystem="
    ))
}

/// Returns the local path of a `file://` URL; `None` for other URLs and for paths.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if it names another host, or if its
/// escaped characters are not UTF-8.
pub fn local_path(path: &Path) -> Result<Option<PathBuf>> {
    let Some(rest) = path.to_str().and_then(|text| text.strip_prefix("file://")) else {
        return Ok(None);
    };
    let local = rest.strip_prefix("localhost").unwrap_or(rest);
    if !local.starts_with('/') {
        return Err(Error::argument(
            "the URL of a local file must have the form file:///PATH",
        ));
    }
    let decoded = percent_decoded(local)
        .ok_or_else(|| Error::argument("the URL has escaped characters that are not UTF-8"))?;
    Ok(Some(decoded.into()))
}

/// Decodes `%20` and the like; `None` if the result is not UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, String> {
        Address::parse(Path::new(url)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_url_has_a_bucket_and_a_key() {
        for (url, scheme, bucket, key) in [
            ("s3://b/a b/c%20d.rec", Scheme::S3, "b", "a b/c%20d.rec"),
            ("gs://b//k", Scheme::Gcs, "b", "/k"),
            (
                "abfss://c@account.dfs.core.windows.net/k",
                Scheme::Azure,
                "c@account.dfs.core.windows.net",
                "k",
            ),
            ("https://h:80/k?v=1", Scheme::Http, "h:80", "k?v=1"),
            (
                "hf://datasets/o/n/f.rec",
                Scheme::HuggingFace,
                "datasets",
                "o/n/f.rec",
            ),
        ] {
            let address = parse(url).unwrap();
            let parts = (address.scheme, &*address.bucket, &*address.key);
            assert_eq!(parts, (scheme, bucket, key));
        }
    }

    #[test]
    fn other_urls_are_errors_that_name_what_there_is() {
        assert!(parse("ftp://h/k").unwrap_err().contains("got ftp://"));
        for url in ["s3://", "s3://b", "s3://b/", "s3:///k"] {
            assert!(
                parse(url).unwrap_err().contains("SCHEME://BUCKET/KEY"),
                "{url}"
            );
        }
    }

    #[test]
    fn file_urls_are_local_paths() {
        let local = |url: &str| local_path(Path::new(url));
        for (url, path) in [
            ("file:///a%20b/c", "/a b/c"),
            ("file://localhost/a%zz%2", "/a%zz%2"),
        ] {
            assert_eq!(local(url).unwrap().unwrap(), Path::new(path));
        }
        assert!(local("s3://b/k").unwrap().is_none());
        assert!(local("file://host/a").is_err() && local("file:///%ff").is_err());
    }

    #[test]
    fn messages_have_no_credentials() {
        let address = parse("https://u:p@h/k?sig=1").unwrap();
        assert_eq!(
            format!("{address} {address:?}"),
            "https://h/k?... Address(https://h/k?...)"
        );
    }
}
