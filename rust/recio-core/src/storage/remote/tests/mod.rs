//! Objects of a server on loopback that fails by a plan.

mod server;
mod uploads;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use self::server::{Fault, Server};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::store::{Object, OnRead, Store};
use crate::storage::url_store::UrlStore;
use crate::storage::wait;

const LEN: usize = 300_000;

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn store(options: &[(&str, &str)]) -> UrlStore {
    let pairs = options
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    UrlStore::new(pairs.collect())
}

/// Options for a server that answers like S3.
fn s3(server: &Server, options: &[(&str, &str)]) -> UrlStore {
    let endpoint = server.url("");
    store(&[&[("endpoint", &*endpoint), ("anon", "True")], options].concat())
}

/// Both ways to the object `/b/k` of a server.
fn both(server: &Server, options: &[(&str, &str)]) -> [(UrlStore, String); 2] {
    [
        (store(options), server.url("/b/k")),
        (s3(server, options), "s3://b/k".into()),
    ]
}

fn open(store: &UrlStore, url: &str) -> Result<Arc<dyn Object>> {
    store.open(Path::new(url))
}

fn read(object: &dyn Object, offset: usize, len: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    object.read_exact_at(&mut bytes, offset as u64)?;
    Ok(bytes)
}

/// Opens the object `/b/k` and reads a range, by both ways.
fn read_both(
    server: &Server,
    options: &[(&str, &str)],
    faults: &[Fault],
) -> [Result<Vec<u8>, String>; 2] {
    both(server, options).map(|(store, url)| {
        let object = open(&store, &url).map_err(|error| error.to_string())?;
        server.fail(faults);
        let read = read(&*object, 100_000, 50_000).map_err(|error| error.to_string());
        server.state().faults.clear();
        read
    })
}

fn io_kind(error: &Error) -> std::io::ErrorKind {
    match error.kind() {
        ErrorKind::Io(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn objects_are_opened_by_one_request_and_read_by_ranges() {
    let server = Server::with("/b/k", &bytes(LEN));
    for (store, url) in both(&server, &[]) {
        server.state().seen.clear();
        let object = open(&store, &url).unwrap();
        assert_eq!(object.len(), LEN as u64);
        assert!(object.identity().unwrap().starts_with('"'));
        let modified = Duration::from_secs(1_704_067_200);
        assert_eq!(
            object.modified().unwrap(),
            SystemTime::UNIX_EPOCH + modified
        );
        assert_eq!(read(&*object, 100, 1000).unwrap(), bytes(LEN)[100..1100]);
        assert_eq!(server.state().seen.len(), 1);
        assert_eq!(
            read(&*object, 200_000, 1000).unwrap(),
            bytes(LEN)[200_000..201_000]
        );
        let state = server.state();
        let headers = &state.seen[1].headers;
        assert_eq!(headers["range"], "bytes=200000-200999");
        assert_eq!(headers["if-match"], object.identity().unwrap());
    }
}

#[test]
fn reads_are_started_without_waiting() {
    let server = Server::with("/b/k", &bytes(LEN));
    for (store, url) in both(&server, &[]) {
        let object = open(&store, &url).unwrap();
        let (sender, receiver) = crossbeam_channel::unbounded();
        for start in [0, 70_000, 200_000] {
            let sender = sender.clone();
            let done = OnRead::new(move |read| sender.send((start, read)).unwrap(), || true);
            let range = start as u64..start as u64 + 1000;
            assert!(object.start_read(range, done).is_ok());
        }
        for (start, read) in receiver.iter().take(3) {
            assert_eq!(read.unwrap(), bytes(LEN)[start..start + 1000]);
        }
    }
}

#[test]
fn long_reads_are_divided() {
    let object = bytes((20 << 20) + 7);
    let server = Server::with("/b/k", &object);
    for (store, url) in both(&server, &[]) {
        server.state().seen.clear();
        let opened = open(&store, &url).unwrap();
        assert!(read(&*opened, 0, object.len()).unwrap() == object);
        assert_eq!(server.state().seen.len(), 4);
    }
}

#[test]
fn empty_and_missing_objects() {
    let server = Server::with("/b/k", b"");
    for (store, url) in both(&server, &[]) {
        let object = open(&store, &url).unwrap();
        assert!(object.is_empty() && read(&*object, 0, 0).unwrap().is_empty());
        let error = open(&store, &url.replace("/k", "/none")).err().unwrap();
        assert_eq!(io_kind(&error), std::io::ErrorKind::NotFound);
        let text = "there is no such object (404 Not Found, NoSuchKey)";
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn what_may_pass_is_tried_again() {
    let server = Server::with("/b/k", &bytes(LEN));
    let faults = [
        Fault::Status(500, ""),
        Fault::Status(503, "Retry-After: 0"),
        Fault::Status(429, ""),
        Fault::Reset,
        Fault::Short,
        Fault::Stall(Duration::from_millis(400)),
    ];
    for fault in &faults {
        let options = [("timeout", "200ms")];
        for read in read_both(&server, &options, &[fault.clone(), fault.clone()]) {
            assert!(read.unwrap() == bytes(LEN)[100_000..150_000], "{fault:?}");
        }
    }
}

#[test]
fn retries_end() {
    let server = Server::with("/b/k", &bytes(LEN));
    let faults = vec![Fault::Status(503, ""); 20];
    for read in read_both(&server, &[("max_retries", "2")], &faults) {
        let error = read.unwrap_err();
        let text = "the server answered with an error (503 Service Unavailable); gave up after 3 tries in ";
        assert!(error.starts_with(text), "{error}");
    }
    let options = [("retry_timeout", "1s")];
    for read in read_both(&server, &options, &[Fault::Status(503, "Retry-After: 60")]) {
        assert!(read.unwrap_err().contains("503"));
    }
}

#[test]
fn refusals_are_reported_at_once() {
    let server = Server::with("/b/k", &bytes(LEN));
    for status in [400, 401, 403, 404, 501] {
        server.state().seen.clear();
        for read in read_both(&server, &[], &[Fault::Status(status, "")]) {
            assert!(read.unwrap_err().contains(&status.to_string()));
        }
        assert_eq!(server.state().seen.len(), 4);
    }
    server.fail(&[Fault::Status(403, "")]);
    let secret = store(&[("token", "hidden")]);
    let error = open(&secret, &server.url("/b/k?sig=hidden")).err().unwrap();
    assert_eq!(io_kind(&error), std::io::ErrorKind::PermissionDenied);
    let text =
        "access denied (403 Forbidden); the credentials are those of the storage option token";
    assert_eq!(error.to_string(), text);
}

#[test]
fn answers_that_do_not_fit_are_errors() {
    let server = Server::with("/b/k", &bytes(LEN));
    for fault in [Fault::Long, Fault::WrongRange] {
        for read in read_both(
            &server,
            &[("max_retries", "1")],
            &[fault.clone(), fault.clone()],
        ) {
            assert!(read.is_err(), "{fault:?}");
        }
    }
}

#[test]
fn a_replaced_object_is_an_error() {
    let server = Server::with("/b/k", &bytes(LEN));
    for has_no_etags in [false, true] {
        server.state().has_no_etags = has_no_etags;
        for (store, url) in both(&server, &[]) {
            server.state().objects.insert("/b/k".into(), bytes(LEN));
            let object = open(&store, &url).unwrap();
            server
                .state()
                .objects
                .insert("/b/k".into(), vec![1; LEN - 1]);
            let error = read(&*object, 100_000, 1000).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Corrupt(_)));
            assert!(
                error
                    .to_string()
                    .starts_with("the object was replaced while it was read")
            );
        }
    }
    server.state().objects.insert("/b/k".into(), bytes(LEN));
    let object = open(&store(&[]), &server.url("/b/k")).unwrap();
    server.state().modified = "Tue, 02 Jan 2024 00:00:00 GMT";
    assert!(
        read(&*object, 100_000, 1000)
            .unwrap_err()
            .to_string()
            .contains("replaced")
    );
}

#[test]
fn a_server_without_ranges_sends_whole_files_only() {
    let server = Server::with("/b/k", &bytes(LEN));
    server.state().has_no_ranges = true;
    let object = open(&store(&[]), &server.url("/b/k")).unwrap();
    assert!(read(&*object, 0, LEN).unwrap() == bytes(LEN));
    let error = read(&*object, 0, 1000).unwrap_err().to_string();
    assert!(
        error.contains("no ranges of bytes; download it first"),
        "{error}"
    );
    server.state().objects.insert("/b/k".into(), bytes(1000));
    let object = open(&store(&[]), &server.url("/b/k")).unwrap();
    assert_eq!(read(&*object, 10, 20).unwrap(), bytes(1000)[10..30]);
}

#[test]
fn redirects_are_followed_once() {
    let server = Server::with("/b/k", &bytes(LEN));
    let target = server.url("/b/k?signature=1");
    server
        .state()
        .redirects
        .insert("/old".into(), target.clone());
    let object = open(&store(&[("token", "t")]), &server.url("/old")).unwrap();
    for offset in [100_000, 200_000] {
        read(&*object, offset, 10).unwrap();
    }
    assert_eq!(server.state().seen.len(), 4);
    // The signature expires, and the object has moved on.
    let moved = target.replace("=1", "=2");
    server.state().redirects.insert("/old".into(), moved);
    server.fail(&[Fault::Status(403, "")]);
    assert_eq!(
        read(&*object, 250_000, 10).unwrap(),
        bytes(LEN)[250_000..250_010]
    );
    let targets: Vec<_> = server
        .state()
        .seen
        .iter()
        .map(|seen| seen.target.clone())
        .collect();
    assert_eq!(
        targets[4..],
        ["/b/k?signature=1", "/old", "/b/k?signature=2"]
    );
    server
        .state()
        .redirects
        .insert("/old".into(), server.url("/old"));
    let error = open(&store(&[]), &server.url("/old")).err().unwrap();
    assert!(error.to_string().contains("in a circle"));
}

#[test]
fn credentials_are_sent_to_the_first_server_only() {
    let (server, other) = (
        Server::with("/k", &bytes(10)),
        Server::with("/k", &bytes(10)),
    );
    server
        .state()
        .redirects
        .insert("/old".into(), other.url("/k"));
    open(&store(&[("token", "t")]), &server.url("/old")).unwrap();
    assert_eq!(server.state().seen[0].headers["authorization"], "Bearer t");
    assert!(!other.state().seen[0].headers.contains_key("authorization"));
    let url = server.url("/k").replace("http://", "http://user:password@");
    open(&store(&[]), &url).unwrap();
    assert_eq!(
        server.state().seen[1].headers["authorization"],
        "Basic dXNlcjpwYXNzd29yZA=="
    );
}

#[test]
fn files_of_the_hub_are_resolved() {
    let server = Server::with("/datasets/o/n/resolve/v1/a.rec", &bytes(10));
    let hub = store(&[("endpoint", &*server.url("")), ("token", "t")]);
    let object = open(&hub, "hf://datasets/o/n@v1/a.rec").unwrap();
    assert_eq!(read(&*object, 0, 10).unwrap(), bytes(10));
    assert_eq!(server.state().seen[0].headers["authorization"], "Bearer t");
}

#[test]
fn a_waiting_read_ends_when_its_thread_is_stopped() {
    let server = Server::with("/b/k", &bytes(LEN));
    let object = open(&store(&[]), &server.url("/b/k")).unwrap();
    server.fail(&[Fault::Stall(Duration::from_secs(20))]);
    let started = Instant::now();
    let error = wait::stoppable(|| true, || read(&*object, 100_000, 1000).unwrap_err());
    assert!(error.is_interrupted() && started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_server_that_is_not_there_is_reported_soon() {
    let started = Instant::now();
    let error = open(&store(&[]), "http://127.0.0.1:9/k").err().unwrap();
    assert_eq!(io_kind(&error), std::io::ErrorKind::ConnectionRefused);
    let text =
        "cannot connect to 127.0.0.1: Connection refused (os error 111); gave up after 4 tries in ";
    assert!(error.to_string().starts_with(text), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn nothing_that_is_shown_has_a_credential() {
    let server = Server::with("/b/k", &bytes(LEN));
    let secret = store(&[("token", "hidden")]);
    let url = server
        .url("/b/k?sig=hidden")
        .replace("http://", "http://me:hidden@");
    let object = open(&secret, &url).unwrap();
    assert!(!format!("{secret:?} {object:?}").contains("hidden"));
}
