//! Uploads, which appear when they are finished.

use std::path::Path;

use super::server::{Fault, Server};
use super::{bytes, s3};
use crate::storage::store::Store;

const URL: &str = "s3://b/new";
const PART: usize = 16 << 20;

#[test]
fn a_short_object_is_sent_by_one_request() {
    let server = Server::with("/b/k", b"");
    for len in [0, 1000] {
        let mut upload = s3(&server, &[]).create(Path::new(URL)).unwrap();
        bytes(len)
            .chunks(300)
            .for_each(|chunk| upload.write_all(chunk).unwrap());
        upload.prepare().unwrap();
        server.state().seen.clear();
        server.fail(&[Fault::Status(503, "")]);
        upload.finish().unwrap();
        let state = server.state();
        assert_eq!((state.objects["/b/new"].len(), state.seen.len()), (len, 2));
    }
}

#[test]
fn a_long_object_is_sent_in_parts() {
    let server = Server::with("/b/k", b"");
    let object = bytes(2 * PART + 5);
    server.fail(&[
        Fault::Status(500, ""),
        Fault::None,
        Fault::Reset,
        Fault::Status(429, ""),
    ]);
    let mut upload = s3(&server, &[]).create(Path::new(URL)).unwrap();
    object
        .chunks(10_000_000)
        .for_each(|chunk| upload.write_all(chunk).unwrap());
    upload.prepare().unwrap();
    assert_eq!(server.state().parts["/b/new"].len(), 3);
    assert!(!server.state().objects.contains_key("/b/new"));
    upload.finish().unwrap();
    let state = server.state();
    assert!(state.objects["/b/new"] == object && state.parts.is_empty());
}

#[test]
fn a_dropped_upload_leaves_nothing() {
    let server = Server::with("/b/k", b"");
    let mut upload = s3(&server, &[]).create(Path::new(URL)).unwrap();
    upload.write_all(&bytes(PART + 1)).unwrap();
    upload.prepare().unwrap();
    drop(upload);
    let state = server.state();
    assert!(state.parts.is_empty() && !state.objects.contains_key("/b/new"));
}

#[test]
fn an_upload_that_fails_leaves_nothing() {
    let server = Server::with("/b/k", b"");
    let mut upload = s3(&server, &[]).create(Path::new(URL)).unwrap();
    upload.write_all(&bytes(PART + 1)).unwrap();
    upload.prepare().unwrap();
    server.fail(&[Fault::Status(403, "")]);
    let error = upload.finish().unwrap_err().to_string();
    let text = "access denied (403 Forbidden); requests are not signed, as the storage option aws_skip_signature asks for";
    assert_eq!(error, text);
    let state = server.state();
    assert!(state.parts.is_empty() && !state.objects.contains_key("/b/new"));
}

#[test]
fn a_lost_answer_to_the_end_of_an_upload_is_noticed() {
    let server = Server::with("/b/k", b"");
    let mut upload = s3(&server, &[]).create(Path::new(URL)).unwrap();
    upload.write_all(&bytes(PART + 1)).unwrap();
    upload.prepare().unwrap();
    // The first try completes it, but its answer is lost; then there is no such upload.
    server.fail(&[Fault::Reset, Fault::Status(404, "")]);
    server.state().modified = "Fri, 31 Dec 2100 00:00:00 GMT";
    upload.finish().unwrap();
    assert_eq!(server.state().objects["/b/new"].len(), PART + 1);
}

#[test]
fn objects_of_http_servers_are_not_written() {
    let error = super::store(&[])
        .create(Path::new("http://host/k"))
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .starts_with("objects of HTTP servers cannot be written")
    );
}
