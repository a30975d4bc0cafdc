//! Profiles of `~/.aws/credentials` and `~/.aws/config`: access keys, region, endpoint.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use super::failure::Failure;

/// Settings of a profile by the names of `object_store`.
pub(super) type Profile = BTreeMap<&'static str, String>;

/// Keys that are used. Profiles have others, for other ways to credentials.
const KEYS: [(&str, &str); 5] = [
    ("aws_access_key_id", "aws_access_key_id"),
    ("aws_secret_access_key", "aws_secret_access_key"),
    ("aws_session_token", "aws_session_token"),
    ("region", "aws_region"),
    ("endpoint_url", "aws_endpoint_url"),
];

/// Reads the profile of a name, or the default one if there is any.
///
/// # Errors
/// There is no profile of that name, or it has no access key.
pub(super) fn load(name: Option<&str>) -> Result<Profile, Failure> {
    let read = |variable, file: &str| {
        let path = env::var_os(variable).map(PathBuf::from);
        let of_home = || Some(PathBuf::from(env::var_os("HOME")?).join(".aws").join(file));
        fs::read_to_string(path.or_else(of_home)?).ok()
    };
    let credentials = read("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default();
    let config = read("AWS_CONFIG_FILE", "config").unwrap_or_default();
    find(&credentials, &config, name)
}

fn find(credentials: &str, config: &str, name: Option<&str>) -> Result<Profile, Failure> {
    let wanted = name.unwrap_or("default");
    let in_credentials = section(credentials, |title| title == wanted);
    let in_config = section(config, |title| {
        title == wanted && wanted == "default"
            || title
                .strip_prefix("profile")
                .is_some_and(|rest| rest.trim() == wanted)
    });
    if name.is_some() && in_credentials.is_none() && in_config.is_none() {
        return Err(Failure::denied(format!(
            "there is no profile {wanted} in ~/.aws/credentials or ~/.aws/config"
        )));
    }
    // The file of credentials precedes that of settings.
    let mut profile = in_config.unwrap_or_default();
    profile.extend(in_credentials.unwrap_or_default());
    if name.is_some() && !profile.contains_key("aws_access_key_id") {
        return Err(Failure::denied(format!(
            "the profile {wanted} has no access key: recio reads keys only, no other sources of credentials; \
             `aws configure export-credentials --format env` prints environment variables for it"
        )));
    }
    Ok(profile)
}

/// Returns the settings of a section; `None` if there is no such section.
fn section(text: &str, is_wanted: impl Fn(&str) -> bool) -> Option<Profile> {
    let mut found = None;
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(title) = line
            .trim_end()
            .strip_prefix('[')
            .and_then(|l| l.strip_suffix(']'))
        {
            is_inside = is_wanted(title.trim());
            found = found.or(is_inside.then(Profile::new));
        } else if let (true, Some((key, value))) = (is_inside, line.split_once('=')) {
            // An indented line belongs to a nested setting.
            let option = KEYS.iter().find(|(name, _)| *name == key.trim_end());
            if let (Some((_, option)), Some(profile)) = (option, &mut found) {
                profile.insert(*option, value.trim().into());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "[default]\naws_access_key_id = a\naws_secret_access_key=b\n\n[other]\naws_access_key_id=c\n";
    const CONFIG: &str = "[default]\nregion = r\ns3 =\n  endpoint_url = nested\n[profile other]\nregion=q\n# [x]\n[profile sso]\nsso_session = s\n";

    fn load(name: Option<&str>) -> Result<Vec<(&'static str, String)>, String> {
        let profile = find(CREDENTIALS, CONFIG, name);
        profile
            .map(|found| found.into_iter().collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_is_in_both_files() {
        let default = [
            ("aws_access_key_id", "a".into()),
            ("aws_region", "r".into()),
            ("aws_secret_access_key", "b".into()),
        ];
        assert_eq!(load(None).unwrap(), default);
        let other = [
            ("aws_access_key_id", "c".into()),
            ("aws_region", "q".into()),
        ];
        assert_eq!(load(Some("other")).unwrap(), other);
    }

    #[test]
    fn a_profile_without_keys_is_an_error() {
        assert!(
            load(Some("none"))
                .unwrap_err()
                .starts_with("there is no profile none")
        );
        assert!(load(Some("sso")).unwrap_err().contains("has no access key"));
        assert!(find("", "", None).unwrap().is_empty());
    }
}
