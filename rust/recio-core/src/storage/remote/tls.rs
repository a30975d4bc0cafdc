//! TLS with the certificates of the system.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::failure::Failure;

/// Returns the settings of TLS connections: the authorities that the system trusts, or those of
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`.
pub(super) fn client_config() -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::setup(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
