//! Stores of `object_store` from settings.

use std::sync::Arc;

use object_store::RetryConfig;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;

use super::cloud::{Cloud, Connector, failure};
use super::failure::Failure;
use super::settings::Settings;
use super::transport::Transport;
use crate::storage::address::Scheme;

/// Creates a store.
///
/// # Errors
/// That settings are incomplete or contradict each other.
pub(super) fn build(
    scheme: Scheme,
    bucket: &str,
    settings: &Settings,
    transport: Arc<Transport>,
) -> Result<Arc<dyn Cloud>, Failure> {
    if scheme == Scheme::Azure && !has_account(bucket, settings) {
        return Err(Failure::setup(NO_ACCOUNT));
    }
    let store = match scheme {
        Scheme::S3 => s3(bucket, settings, transport),
        Scheme::Gcs => gcs(bucket, settings, transport),
        Scheme::Azure => azure(bucket, settings, transport),
        Scheme::Http | Scheme::HuggingFace => unreachable!("these have no bucket"),
    };
    store.map_err(|error| Failure::setup(settings.without_values(&failure(error).to_string())))
}

fn has_account(bucket: &str, settings: &Settings) -> bool {
    bucket.contains('@')
        || settings.get("azure_storage_account_name").is_some()
        || settings.is_true("azure_storage_use_emulator")
}

type Built = object_store::Result<Arc<dyn Cloud>>;

/// The transport retries, not `object_store`.
fn no_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

fn s3(bucket: &str, settings: &Settings, transport: Arc<Transport>) -> Built {
    let mut builder = AmazonS3Builder::new()
        .with_http_connector(Connector(transport))
        .with_retry(no_retries())
        .with_bucket_name(bucket);
    for (option, value) in &settings.values {
        builder = builder.with_config(option.parse()?, value);
    }
    Ok(Arc::new(builder.build()?))
}

fn gcs(bucket: &str, settings: &Settings, transport: Arc<Transport>) -> Built {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_http_connector(Connector(transport))
        .with_retry(no_retries())
        .with_bucket_name(bucket);
    for (option, value) in &settings.values {
        builder = builder.with_config(option.parse()?, value);
    }
    Ok(Arc::new(builder.build()?))
}

const NO_ACCOUNT: &str = "the name of the storage account is missing: set the storage option account_name or \
                          AZURE_STORAGE_ACCOUNT_NAME, or pass abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY";

fn azure(bucket: &str, settings: &Settings, transport: Arc<Transport>) -> Built {
    let builder = MicrosoftAzureBuilder::new()
        .with_http_connector(Connector(transport))
        .with_retry(no_retries());
    // A container, or container@account.dfs.core.windows.net.
    let mut builder = if bucket.contains('@') {
        builder.with_url(format!("abfss://{bucket}/"))
    } else {
        builder.with_container_name(bucket)
    };
    for (option, value) in &settings.values {
        builder = builder.with_config(option.parse()?, value);
    }
    Ok(Arc::new(builder.build()?))
}
