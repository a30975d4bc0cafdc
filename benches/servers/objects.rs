//! Server of objects with a latency, for the benchmarks of storage: HTTP/1.1, ranges, `If-Match`.
//!
//! ```sh
//! cargo run --release -p recio-benches --bin objects -- FOLDER
//! ```
//!
//! It prints its port, then serves the files of a folder as the objects of the buckets `delay-0`,
//! `delay-20` and so on: each answer begins that many milliseconds after the request has arrived. A
//! thread for each connection sleeps and writes, which costs less of the machine than the client
//! does.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const STACK: usize = 128 << 10;
const DATE: &str = "Tue, 01 Dec 2026 00:00:00 GMT";

/// The bytes of each object, by its name.
type Objects = HashMap<String, Vec<u8>>;

/// What the answer to a request depends on.
#[derive(Default)]
struct Request {
    method: String,
    bucket: String,
    name: String,
    range: Option<String>,
    if_match: Option<String>,
}

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1);
    let folder = folder.ok_or_else(|| io::Error::other("usage: objects FOLDER"))?;
    let objects = Arc::new(read_folder(folder)?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    for stream in listener.incoming().flatten() {
        let objects = Arc::clone(&objects);
        let serve = move || serve(&stream, &objects).unwrap_or_default();
        thread::Builder::new().stack_size(STACK).spawn(serve)?;
    }
    Ok(())
}

/// Reads all files of a folder.
fn read_folder(folder: OsString) -> io::Result<Objects> {
    let paths = Path::new(&folder).read_dir()?.flatten();
    let files = paths
        .map(|entry| entry.path())
        .filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok((name.into_owned(), std::fs::read(&path)?))
        })
        .collect()
}

/// Answers the requests of a connection until the client closes it.
fn serve(stream: &TcpStream, objects: &Objects) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BufReader::new(stream);
    let mut sent = stream;
    while let Some(request) = next_request(&mut received)? {
        let delay = request.bucket.strip_prefix("delay-");
        let milliseconds = delay.and_then(|delay| delay.parse().ok()).unwrap_or(0);
        if milliseconds > 0 {
            thread::sleep(Duration::from_millis(milliseconds));
        }
        sent.write_all(&answer(&request, objects))?;
    }
    Ok(())
}

/// Reads the lines of a request; none at the end of the connection.
fn next_request(received: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut request = Request::default();
    let mut line = String::new();
    loop {
        line.clear();
        if received.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let text = line.trim_end();
        if text.is_empty() {
            return Ok(Some(request));
        }
        if request.method.is_empty() {
            parse_first_line(text, &mut request);
        } else if let Some((name, value)) = text.split_once(':') {
            let field = match name.to_ascii_lowercase().as_str() {
                "range" => &mut request.range,
                "if-match" => &mut request.if_match,
                _ => continue,
            };
            *field = Some(value.trim().to_owned());
        }
    }
}

/// Parses `GET /bucket/name?query HTTP/1.1`.
fn parse_first_line(line: &str, request: &mut Request) {
    let mut words = line.split(' ');
    words
        .next()
        .unwrap_or_default()
        .clone_into(&mut request.method);
    let target = words.next().unwrap_or_default().trim_start_matches('/');
    let path = target.split('?').next().unwrap_or_default();
    let (bucket, name) = path.split_once('/').unwrap_or((path, ""));
    bucket.clone_into(&mut request.bucket);
    name.clone_into(&mut request.name);
}

/// Returns the bytes of the answer to a request.
fn answer(request: &Request, objects: &Objects) -> Vec<u8> {
    let Some(object) = objects.get(&request.name) else {
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    };
    let etag = format!("\"{}-{}\"", request.name, object.len());
    if request
        .if_match
        .as_ref()
        .is_some_and(|wanted| *wanted != etag)
    {
        return b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n".to_vec();
    }
    let range = request
        .range
        .as_deref()
        .and_then(|range| ends(range, object.len()));
    let (status, body) = match &range {
        Some(range) => ("206 Partial Content", &object[range.clone()]),
        None => ("200 OK", object.as_slice()),
    };
    let content_range = range.map_or_else(String::new, |range| {
        format!(
            "Content-Range: bytes {}-{}/{}\r\n",
            range.start,
            range.end - 1,
            object.len()
        )
    });
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{content_range}Accept-Ranges: bytes\r\n\
         Content-Type: application/octet-stream\r\nLast-Modified: {DATE}\r\nETag: {etag}\r\n\r\n",
        body.len(),
    )
    .into_bytes();
    if request.method != "HEAD" {
        answer.extend_from_slice(body);
    }
    answer
}

/// Returns the bytes that `bytes=FIRST-LAST` asks for, if there are any.
fn ends(range: &str, size: usize) -> Option<Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) => (first, size),
        (Err(_), Ok(length)) => (size.saturating_sub(length), size),
        (Err(_), Err(_)) => return None,
    };
    (start < end).then_some(start..end)
}
