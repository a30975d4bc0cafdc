//! User and password of a URL as a header.

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::Url;

use crate::storage::address::percent_decoded;

/// Returns the value of the header Authorization; `None` if the URL has no user.
pub(super) fn header(url: &Url) -> Option<String> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() && password.is_empty() {
        return None;
    }
    let user = percent_decoded(url.username())?;
    let pair = format!("{user}:{}", percent_decoded(password)?);
    Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_a_header() {
        let header = |url: &str| header(&Url::parse(url).unwrap());
        let expected = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(
            header("http://Aladdin:open%20sesame@host/").as_deref(),
            Some(expected)
        );
        assert_eq!(header("http://host/"), None);
    }
}
