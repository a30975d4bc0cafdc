//! Errors of connections in plain words. The errors of `reqwest` have URLs in them, of which the
//! query may be secret, so only their causes are used.

use std::error::Error;
use std::io;

use super::failure::Failure;

const CERTIFICATES: &str = " (trusted are the certificates of the system, package ca-certificates, or those of the \
                            file that SSL_CERT_FILE names)";

/// Returns the failure of a request of which no answer arrived.
pub(super) fn failure(error: reqwest::Error, host: &str) -> Failure {
    let error = error.without_url();
    let (cause, kind) = (innermost(&error), io_kind(&error));
    if let Some(certificate) = find::<rustls::Error>(&error) {
        let is_invalid = matches!(certificate, rustls::Error::InvalidCertificate(_));
        let kind = if is_invalid {
            io::ErrorKind::InvalidData
        } else {
            kind
        };
        let advice = if is_invalid { CERTIFICATES } else { "" };
        let text = format!("cannot connect to {host}: {certificate}{advice}");
        return Failure::connection(kind, text);
    }
    if error.is_builder() {
        return Failure::setup(format!("invalid request: {cause}"));
    }
    if error.is_connect() {
        return Failure::connection(kind, format!("cannot connect to {host}: {cause}"));
    }
    Failure::connection(kind, format!("the connection to {host} was lost: {cause}"))
}

/// Returns the failure of a body after some of its bytes.
pub(super) fn lost(error: reqwest::Error, len: u64) -> Failure {
    let error = error.without_url();
    let cause = innermost(&error);
    let text = format!("the connection was lost after {len} bytes: {cause}");
    Failure::connection(io_kind(&error), text)
}

/// Returns the failure of a body that has fewer bytes than stated.
pub(super) fn ended_early(len: u64, expected: u64) -> Failure {
    let text = format!("the answer has {len} bytes instead of {expected}");
    Failure::connection(io::ErrorKind::UnexpectedEof, text)
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Finds an error of a type among the causes, also inside I/O errors.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    chain(error).find_map(|cause| {
        let inner = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        cause.downcast_ref().or_else(|| inner?.downcast_ref())
    })
}

fn io_kind(error: &(dyn Error + 'static)) -> io::ErrorKind {
    match find::<io::Error>(error) {
        Some(error) if error.kind() != io::ErrorKind::InvalidData => error.kind(),
        _ => io::ErrorKind::ConnectionReset,
    }
}
