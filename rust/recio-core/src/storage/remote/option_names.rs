//! Names of the options of each kind of store.
//!
//! The names are those of the crate `object_store`, with or without their prefix `aws_`, `google_`
//! or `azure_storage_`; and those of s3fs, gcsfs, adlfs and boto3 where their meaning is the same.

use crate::storage::address::Scheme;

/// Option: its name, as `object_store` knows it, and further names.
type Names = (&'static str, &'static [&'static str]);

/// Options of all stores, about requests.
const REQUESTS: &[Names] = &[
    ("max_retries", &[]),
    ("timeout", &[]),
    ("retry_timeout", &[]),
    ("connect_timeout", &[]),
    ("proxy_url", &[]),
    (
        "allow_http",
        &[
            "aws_allow_http",
            "google_allow_http",
            "azure_allow_http",
            "azure_storage_allow_http",
        ],
    ),
];

const S3: &[Names] = &[
    ("aws_access_key_id", &["key"]),
    ("aws_secret_access_key", &["secret"]),
    ("aws_session_token", &["token", "aws_token"]),
    ("aws_profile", &[]),
    ("aws_region", &["region_name"]),
    ("aws_default_region", &[]),
    ("aws_endpoint_url", &["endpoint", "aws_endpoint"]),
    ("aws_endpoint_url_s3", &[]),
    ("aws_skip_signature", &["anon"]),
    ("aws_virtual_hosted_style_request", &[]),
    ("aws_request_payer", &["requester_pays"]),
    ("aws_unsigned_payload", &[]),
    ("aws_checksum_algorithm", &[]),
    ("aws_s3_express", &[]),
    ("aws_role_arn", &[]),
    ("aws_role_session_name", &[]),
    ("aws_web_identity_token_file", &[]),
    ("aws_endpoint_url_sts", &[]),
    ("aws_container_credentials_relative_uri", &[]),
    ("aws_container_credentials_full_uri", &[]),
    ("aws_container_authorization_token_file", &[]),
    ("aws_metadata_endpoint", &[]),
    ("aws_imdsv1_fallback", &[]),
    ("aws_server_side_encryption", &[]),
    ("aws_sse_kms_key_id", &[]),
    ("aws_sse_bucket_key_enabled", &[]),
    ("aws_sse_customer_key_base64", &[]),
];

const GCS: &[Names] = &[
    ("google_application_credentials", &["token"]),
    ("google_service_account", &["google_service_account_path"]),
    ("google_service_account_key", &[]),
    ("google_bearer_token", &[]),
    ("google_skip_signature", &["anon"]),
    ("google_base_url", &["endpoint", "endpoint_url"]),
];

const AZURE: &[Names] = &[
    ("azure_storage_account_name", &[]),
    ("azure_storage_account_key", &["access_key"]),
    ("azure_storage_sas_token", &["sas_key"]),
    ("azure_storage_connection_string", &[]),
    ("azure_storage_token", &["bearer_token"]),
    ("azure_storage_client_id", &["azure_client_id"]),
    ("azure_storage_client_secret", &["azure_client_secret"]),
    ("azure_storage_tenant_id", &["azure_tenant_id"]),
    ("azure_storage_authority_host", &["azure_authority_host"]),
    ("azure_storage_endpoint", &["endpoint_url"]),
    ("azure_storage_use_emulator", &[]),
    ("azure_skip_signature", &["anon"]),
    ("azure_use_azure_cli", &[]),
    ("azure_federated_token_file", &[]),
    ("azure_msi_endpoint", &["azure_identity_endpoint"]),
    ("azure_object_id", &[]),
    ("azure_msi_resource_id", &[]),
];

const HTTP: &[Names] = &[("token", &["bearer_token"])];

const HUGGING_FACE: &[Names] = &[("hf_token", &[]), ("hf_endpoint", &["endpoint_url"])];

fn of_store(scheme: Scheme) -> &'static [Names] {
    match scheme {
        Scheme::S3 => S3,
        Scheme::Gcs => GCS,
        Scheme::Azure => AZURE,
        Scheme::Http => HTTP,
        Scheme::HuggingFace => HUGGING_FACE,
    }
}

fn prefixes(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::S3 => &["aws_"],
        Scheme::Gcs => &["google_"],
        Scheme::Azure => &["azure_storage_", "azure_"],
        Scheme::Http => &[],
        Scheme::HuggingFace => &["hf_"],
    }
}

/// Returns the name by which `object_store` knows an option of any of its names; `None` if there
/// is no such option.
pub(super) fn canonical(scheme: Scheme, name: &str) -> Option<&'static str> {
    let options = REQUESTS.iter().chain(of_store(scheme));
    let mut matching = options.filter(|(option, others)| {
        *option == name || others.contains(&name) || short(scheme, option) == name
    });
    matching.next().map(|(option, _)| *option)
}

/// Returns the name of an option that a variable of the environment sets.
pub(super) fn of_variable(scheme: Scheme, variable: &str) -> Option<&'static str> {
    let name = variable.to_ascii_lowercase();
    let is_of_store = prefixes(scheme)
        .iter()
        .any(|prefix| name.starts_with(prefix));
    canonical(scheme, &name).filter(|_| is_of_store)
}

/// Returns the name of an option without the prefix of its store.
fn short(scheme: Scheme, option: &'static str) -> &'static str {
    let mut shortened = prefixes(scheme)
        .iter()
        .filter_map(|prefix| option.strip_prefix(prefix));
    shortened.next().unwrap_or(option)
}

/// Returns whether the value of an option is true or false.
pub(super) fn is_flag(option: &str) -> bool {
    [
        "aws_skip_signature",
        "aws_virtual_hosted_style_request",
        "aws_request_payer",
        "aws_unsigned_payload",
        "aws_s3_express",
        "aws_imdsv1_fallback",
        "aws_sse_bucket_key_enabled",
        "google_skip_signature",
        "azure_storage_use_emulator",
        "azure_skip_signature",
        "azure_use_azure_cli",
    ]
    .contains(&option)
}

/// Returns whether the value of an option is the URL of a server.
pub(super) fn is_endpoint(option: &str) -> bool {
    let is_other = [
        "google_base_url",
        "azure_storage_authority_host",
        "aws_container_credentials_full_uri",
    ];
    option.contains("endpoint") || is_other.contains(&option)
}

/// Returns the names of all options, for messages.
pub(super) fn all(scheme: Scheme) -> String {
    let options = of_store(scheme).iter().chain(REQUESTS);
    options
        .map(|(option, _)| short(scheme, option))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_the_names_of_object_store_and_of_fsspec() {
        for (scheme, name, option) in [
            (Scheme::S3, "aws_access_key_id", "aws_access_key_id"),
            (Scheme::S3, "access_key_id", "aws_access_key_id"),
            (Scheme::S3, "key", "aws_access_key_id"),
            (Scheme::S3, "endpoint_url", "aws_endpoint_url"),
            (Scheme::S3, "timeout", "timeout"),
            (Scheme::S3, "aws_allow_http", "allow_http"),
            (Scheme::Azure, "account_name", "azure_storage_account_name"),
            (Scheme::Azure, "token", "azure_storage_token"),
            (Scheme::HuggingFace, "token", "hf_token"),
        ] {
            assert_eq!(canonical(scheme, name), Some(option), "{name}");
        }
        assert_eq!(canonical(Scheme::Http, "key"), None);
        assert!(all(Scheme::Gcs).starts_with("application_credentials, "));
    }

    #[test]
    fn variables_of_the_environment_have_a_prefix() {
        assert_eq!(of_variable(Scheme::S3, "AWS_PROFILE"), Some("aws_profile"));
        for variable in ["KEY", "TIMEOUT", "AWS_OTHER", "HF_TOKEN"] {
            assert_eq!(of_variable(Scheme::S3, variable), None);
        }
    }
}
