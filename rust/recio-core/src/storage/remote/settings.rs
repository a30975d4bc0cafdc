//! Settings of a store: options of the caller, then those of the environment.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{aws_profile, option_names};
use crate::error::{Error, Result};
use crate::storage::address::Scheme;
use crate::storage::url_store::Options;

/// Options that apply to one kind of store.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Settings {
    /// Values by the names of `object_store`.
    pub(super) values: BTreeMap<&'static str, String>,
    /// Names of the options that the caller passed; the others are of the environment.
    passed: Vec<&'static str>,
    pub(super) requests: RequestOptions,
    /// Profile that the credentials are of.
    pub(super) profile: Option<String>,
}

/// Limits of requests, and the way that they take.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct RequestOptions {
    /// How often a request is repeated.
    pub(super) max_retries: u32,
    /// Time without progress after which a request has failed.
    pub(super) timeout: Duration,
    /// Time after which a request is not repeated any more.
    pub(super) retry_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) proxy_url: Option<String>,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            max_retries: 10,
            timeout: Duration::from_secs(30),
            retry_timeout: Duration::from_secs(180),
            connect_timeout: Duration::from_secs(5),
            proxy_url: None,
        }
    }
}

impl Settings {
    /// Returns the options of one kind of store, with those of the environment that the caller did
    /// not pass.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) for an unknown option, with the
    /// names of all, and for a value that is not allowed.
    pub(super) fn new(
        scheme: Scheme,
        options: &Options,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let variables = environment.filter_map(|(variable, value)| {
            Some((option_names::of_variable(scheme, &variable)?, value))
        });
        let mut values: BTreeMap<_, _> = variables.filter(|(_, value)| !value.is_empty()).collect();
        let mut passed = Vec::new();
        for (name, value) in options.iter() {
            let option = option_names::canonical(scheme, name)
                .ok_or_else(|| unknown_option(scheme, name))?;
            passed.push(option);
            values.insert(option, value.clone());
        }
        if let Some(region) = values.remove("aws_default_region") {
            values.entry("aws_region").or_insert(region);
        }
        let requests = RequestOptions::take(&mut values)?;
        values
            .iter()
            .try_for_each(|(option, value)| check_value(option, value))?;
        Ok(Self {
            values,
            passed,
            requests,
            profile: None,
        })
    }

    /// Adds settings that follow from others.
    pub(super) fn complete(&mut self, scheme: Scheme) -> Result<()> {
        match scheme {
            Scheme::Gcs if self.get("google_application_credentials") == Some("anon") => {
                self.values.remove("google_application_credentials");
                self.values.insert("google_skip_signature", "true".into());
            }
            Scheme::Azure => self.split_connection_string()?,
            Scheme::S3 => self.add_profile()?,
            _ => {}
        }
        Ok(())
    }

    /// Adds the settings of a profile, unless they are given otherwise. A profile that the caller
    /// passed precedes keys of the environment.
    fn add_profile(&mut self) -> Result<()> {
        const KEYS: [&str; 3] = [
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
        ];
        let name = self.values.remove("aws_profile");
        if self.passed.contains(&"aws_profile") {
            self.values
                .retain(|option, _| !KEYS.contains(option) || self.passed.contains(option));
        }
        let others = [
            "aws_web_identity_token_file",
            "aws_container_credentials_full_uri",
            "aws_container_credentials_relative_uri",
        ];
        let has_credentials = self.is_true("aws_skip_signature")
            || KEYS
                .iter()
                .chain(&others)
                .any(|option| self.get(option).is_some());
        let mut profile = if has_credentials {
            aws_profile::load(name.as_deref()).unwrap_or_default()
        } else {
            aws_profile::load(name.as_deref())?
        };
        if has_credentials {
            profile.retain(|option, _| !KEYS.contains(option));
        } else if profile.contains_key(KEYS[0]) {
            self.profile = Some(name.unwrap_or_else(|| "default".into()));
        }
        for (option, value) in profile {
            self.values.entry(option).or_insert(value);
        }
        Ok(())
    }

    /// Splits `AccountName=...;AccountKey=...`. Single options precede it.
    fn split_connection_string(&mut self) -> Result<()> {
        let Some(text) = self.values.remove("azure_storage_connection_string") else {
            return Ok(());
        };
        for field in text.split(';').filter(|field| !field.trim().is_empty()) {
            let (name, value) = field.split_once('=').ok_or_else(|| {
                Error::argument(
                    "connection_string must have the form AccountName=...;AccountKey=...",
                )
            })?;
            let option = match name.trim() {
                "AccountName" => "azure_storage_account_name",
                "AccountKey" => "azure_storage_account_key",
                "SharedAccessSignature" => "azure_storage_sas_token",
                "BlobEndpoint" => "azure_storage_endpoint",
                _ => continue,
            };
            self.values.entry(option).or_insert_with(|| value.into());
        }
        Ok(())
    }

    pub(super) fn get(&self, option: &str) -> Option<&str> {
        self.values.get(option).map(String::as_str)
    }

    pub(super) fn is_true(&self, option: &str) -> bool {
        self.get(option).and_then(parse_bool).unwrap_or(false)
    }

    /// Returns where an option comes from, for messages: by name, never the value.
    pub(super) fn source(&self, option: &'static str) -> String {
        if self.passed.contains(&option) {
            format!("the storage option {option}")
        } else {
            format!("the environment variable {}", option.to_ascii_uppercase())
        }
    }

    /// Returns a text without the values of options.
    pub(super) fn without_values(&self, text: &str) -> String {
        let values = self.values.values().filter(|value| value.len() > 4);
        values.fold(text.into(), |text: String, value| {
            text.replace(value.as_str(), "...")
        })
    }
}

impl RequestOptions {
    fn take(values: &mut BTreeMap<&'static str, String>) -> Result<Self> {
        let mut options = Self::default();
        if let Some(value) = values.remove("max_retries") {
            options.max_retries = value.parse().map_err(|_| {
                Error::argument(format!(
                    "max_retries must be a number from 0, got {value:?}"
                ))
            })?;
        }
        for (name, duration) in [
            ("timeout", &mut options.timeout),
            ("retry_timeout", &mut options.retry_timeout),
            ("connect_timeout", &mut options.connect_timeout),
        ] {
            if let Some(value) = values.remove(name) {
                *duration = parse_duration(&value).ok_or_else(|| {
                    Error::argument(format!("{name} must be a number of seconds, got {value:?}"))
                })?;
            }
        }
        // Nothing forbids HTTP: it is used where the caller's URL or endpoint says so.
        if let Some(value) = values.remove("allow_http") {
            parse_bool(&value).ok_or_else(|| {
                Error::argument(format!("allow_http must be true or false, got {value:?}"))
            })?;
        }
        options.proxy_url = values.remove("proxy_url");
        Ok(options)
    }
}

/// Checks a value that `object_store` would refuse without the name of its option, or would panic
/// for.
fn check_value(option: &'static str, value: &str) -> Result<()> {
    if option_names::is_flag(option) && parse_bool(value).is_none() {
        return Err(Error::argument(format!("{option} must be true or false")));
    }
    let has_host = || {
        let url = url::Url::parse(value).ok();
        url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    if option_names::is_endpoint(option) && !has_host() {
        let text = format!("{option} must be a URL that begins with http:// or https://");
        return Err(Error::argument(text));
    }
    Ok(())
}

fn unknown_option(scheme: Scheme, name: &str) -> Error {
    Error::argument(format!(
        "unknown storage option {name:?} for {}://; there are: {}",
        scheme.name(),
        option_names::all(scheme)
    ))
}

fn parse_bool(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Parses a number of seconds, `2.5` or `2.5s`, or of milliseconds, `200ms`.
fn parse_duration(value: &str) -> Option<Duration> {
    let (number, unit) = match value.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (value.strip_suffix('s').unwrap_or(value), 1.0),
    };
    let seconds = number.trim().parse::<f64>().ok()? * unit;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    fn settings(
        scheme: Scheme,
        options: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Settings> {
        let options = pairs(options).into_iter().collect();
        Settings::new(scheme, &options, pairs(environment).into_iter())
    }

    #[test]
    fn options_of_the_caller_precede_those_of_the_environment() {
        let environment = [
            ("AWS_REGION", "a"),
            ("AWS_SESSION_TOKEN", "t"),
            ("PATH", "x"),
            ("AWS_ENDPOINT_URL", ""),
        ];
        let settings = settings(Scheme::S3, &[("region_name", "b")], &environment).unwrap();
        let expected = BTreeMap::from([
            ("aws_region", "b".into()),
            ("aws_session_token", "t".into()),
        ]);
        assert_eq!(settings.values, expected);
        assert_eq!(
            settings.source("aws_region"),
            "the storage option aws_region"
        );
        assert_eq!(
            settings.source("aws_session_token"),
            "the environment variable AWS_SESSION_TOKEN"
        );
    }

    #[test]
    fn an_unknown_option_is_an_error_that_lists_all() {
        let error = settings(Scheme::Http, &[("regoin", "secret")], &[])
            .err()
            .unwrap()
            .to_string();
        assert_eq!(
            error,
            "unknown storage option \"regoin\" for http://; there are: token, max_retries, timeout, retry_timeout, \
             connect_timeout, proxy_url, allow_http"
        );
    }

    #[test]
    fn limits_are_checked() {
        let options = [
            ("max_retries", "3"),
            ("timeout", "2.5"),
            ("retry_timeout", "250ms"),
            ("connect_timeout", "1s"),
        ];
        let requests = settings(Scheme::Http, &options, &[]).unwrap().requests;
        assert_eq!(requests.max_retries, 3);
        let times = [
            requests.timeout,
            requests.retry_timeout,
            requests.connect_timeout,
        ];
        assert_eq!(times.map(|time| time.as_millis()), [2500, 250, 1000]);
        for (name, value) in [
            ("max_retries", "-1"),
            ("timeout", "0"),
            ("timeout", "1h"),
            ("allow_http", "maybe"),
        ] {
            let error = settings(Scheme::Http, &[(name, value)], &[])
                .err()
                .unwrap()
                .to_string();
            assert!(error.starts_with(&format!("{name} must be")), "{error}");
        }
    }

    #[test]
    fn values_are_checked_by_the_name_of_their_option() {
        for (scheme, name, value, text) in [
            (
                Scheme::S3,
                "anon",
                "maybe",
                "aws_skip_signature must be true or false",
            ),
            (
                Scheme::S3,
                "endpoint_url",
                "localhost:9000",
                "aws_endpoint_url must be a URL",
            ),
            (
                Scheme::S3,
                "endpoint_url_s3",
                "",
                "aws_endpoint_url_s3 must be a URL",
            ),
            (
                Scheme::Azure,
                "msi_endpoint",
                "169.254.169.254",
                "azure_msi_endpoint must be a URL",
            ),
            (
                Scheme::HuggingFace,
                "endpoint_url",
                "hf.co",
                "hf_endpoint must be a URL",
            ),
        ] {
            let error = settings(scheme, &[(name, value)], &[]).err().unwrap();
            assert!(error.to_string().starts_with(text), "{error}");
        }
        let allowed = [("endpoint_url", "http://localhost:9000"), ("anon", "True")];
        assert!(settings(Scheme::S3, &allowed, &[]).is_ok());
    }

    #[test]
    fn values_are_not_shown() {
        let options = pairs(&[("secret", "hidden")]).into_iter().collect();
        let settings = Settings::new(Scheme::S3, &options, std::iter::empty()).unwrap();
        assert_eq!(settings.without_values("a hidden value"), "a ... value");
    }
}
