//! URLs of the Hugging Face Hub: `hf://datasets/ORG/NAME[@REVISION]/PATH`.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use super::failure::Failure;
use super::settings::Settings;

const ENDPOINT: &str = "https://huggingface.co";

/// Returns the URL of a file. `kind` is `datasets`, `spaces`, or the owner of a model.
pub(super) fn resolve(kind: &str, key: &str, settings: &Settings) -> Result<String, Failure> {
    let endpoint = settings
        .get("hf_endpoint")
        .unwrap_or(ENDPOINT)
        .trim_end_matches('/');
    let invalid =
        || Failure::setup("the URL must have the form hf://datasets/ORG/NAME[@REVISION]/FILE");
    let (owner, rest) = match kind {
        "datasets" | "spaces" => {
            let (owner, rest) = key.split_once('/').ok_or_else(invalid)?;
            (format!("{kind}/{owner}"), rest)
        }
        owner => (owner.into(), key),
    };
    let (name, path) = split_name(rest)
        .filter(|(_, path)| !path.is_empty())
        .ok_or_else(invalid)?;
    let (name, revision) = name.split_once('@').unwrap_or((name, "main"));
    let (revision, path) = (escaped(revision, ""), escaped(path, "/"));
    Ok(format!(
        "{endpoint}/{owner}/{name}/resolve/{revision}/{path}"
    ))
}

/// Splits `NAME@REVISION/PATH`. Revisions of the Hub's own, `refs/convert/parquet` and `refs/pr/1`,
/// have slashes.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let is_ref = text.contains("@refs/convert/") || text.contains("@refs/pr/");
    let slashes = if is_ref { 2 } else { 0 };
    let (at, _) = text.match_indices('/').nth(slashes)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Escapes the characters that have a meaning in URLs, but those of `kept`.
fn escaped(text: &str, kept: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain || kept.as_bytes().contains(&byte) {
            url.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

/// Returns the token: of the options, of the environment, or of `hf auth login`.
pub(super) fn token(settings: &Settings) -> Option<String> {
    let of_login = || {
        let token = fs::read_to_string(token_path()?).ok()?;
        Some(token.trim().into())
    };
    let token = settings.get("hf_token").map(String::from).or_else(of_login);
    token.filter(|token| !token.is_empty())
}

fn token_path() -> Option<PathBuf> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = || Some(variable("HOME")?.join(".cache"));
    let cache = || variable("XDG_CACHE_HOME").or_else(home);
    let hub = || variable("HF_HOME").or_else(|| Some(cache()?.join("huggingface")));
    variable("HF_TOKEN_PATH").or_else(|| Some(hub()?.join("token")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::address::Scheme;
    use crate::storage::url_store::Options;

    #[test]
    fn urls_have_an_owner_a_name_a_revision_and_a_path() {
        let variables = [("HF_ENDPOINT".into(), "http://hub/".into())].into_iter();
        let settings = Settings::new(Scheme::HuggingFace, &Options::default(), variables).unwrap();
        let resolve = |kind: &str, key: &str| resolve(kind, key, &settings).ok();
        for (kind, key, url) in [
            (
                "datasets",
                "o/n/a b/c.rec",
                "datasets/o/n/resolve/main/a%20b/c.rec",
            ),
            ("datasets", "o/n@v1/c.rec", "datasets/o/n/resolve/v1/c.rec"),
            (
                "datasets",
                "o/n@refs/pr/7/c.rec",
                "datasets/o/n/resolve/refs%2Fpr%2F7/c.rec",
            ),
            ("org", "model/c.rec", "org/model/resolve/main/c.rec"),
        ] {
            assert_eq!(resolve(kind, key).unwrap(), format!("http://hub/{url}"));
        }
        for key in ["o", "o/n", "o/n/"] {
            assert_eq!(resolve("datasets", key), None, "{key}");
        }
    }
}
