//! Where credentials come from, in words: for errors of access. Never their values.

use super::settings::Settings;
use crate::storage::address::Scheme;

const NONE_S3: &str = "no credentials were found: neither the storage options access_key_id and secret_access_key, nor \
                       the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor a profile of \
                       ~/.aws/credentials, nor a role of this machine; for a public bucket pass anon=true";
const NONE_GCS: &str = "no credentials were found: neither the storage options service_account or \
                        application_credentials, nor the environment variable GOOGLE_APPLICATION_CREDENTIALS, nor \
                        those of gcloud, nor a service account of this machine; for a public bucket pass anon=true";
const NONE_AZURE: &str = "no credentials were found: neither the storage options account_key, sas_token or client_id \
                          with client_secret and tenant_id, nor AZURE_STORAGE_... environment variables, nor an \
                          identity of this machine; for a public container pass anon=true";

/// Returns what to report if a machine has no credentials.
pub(super) fn none(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::S3 => NONE_S3,
        Scheme::Gcs => NONE_GCS,
        Scheme::Azure => NONE_AZURE,
        Scheme::Http | Scheme::HuggingFace => "",
    }
}

/// Returns what requests are signed with.
pub(super) fn describe(scheme: Scheme, settings: &Settings) -> String {
    let (skip, options): (&'static str, &[&'static str]) = match scheme {
        Scheme::S3 => (
            "aws_skip_signature",
            &[
                "aws_access_key_id",
                "aws_profile",
                "aws_web_identity_token_file",
            ],
        ),
        Scheme::Gcs => (
            "google_skip_signature",
            &[
                "google_bearer_token",
                "google_service_account_key",
                "google_service_account",
                "google_application_credentials",
            ],
        ),
        Scheme::Azure => (
            "azure_skip_signature",
            &[
                "azure_storage_account_key",
                "azure_storage_sas_token",
                "azure_storage_token",
                "azure_storage_client_secret",
            ],
        ),
        Scheme::Http => ("", &["token"]),
        Scheme::HuggingFace => ("", &["hf_token"]),
    };
    if settings.is_true(skip) {
        return format!(
            "requests are not signed, as {} asks for",
            settings.source(skip)
        );
    }
    if let Some(profile) = &settings.profile {
        return format!("the credentials are those of the profile {profile}");
    }
    let used = options.iter().find(|option| settings.get(option).is_some());
    match (used, scheme) {
        (Some(option), _) => format!("the credentials are those of {}", settings.source(option)),
        (None, Scheme::Http) => "no storage option token is set".into(),
        (None, Scheme::HuggingFace) => {
            "neither the storage option token, nor HF_TOKEN, nor a login of the Hugging Face Hub has a token".into()
        }
        (None, _) => "the credentials are those of this machine".into(),
    }
}
