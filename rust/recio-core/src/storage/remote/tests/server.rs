//! Server of objects on loopback, which fails by a plan. It answers like S3 and like a plain server
//! of files.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Properly.
    None,
    /// With a status and a header.
    Status(u16, &'static str),
    /// Not at all: the connection is reset.
    Reset,
    /// With half of the body.
    Short,
    /// With half of the body, and nothing more for a time.
    Stall(Duration),
    /// With a byte more.
    Long,
    /// With other bytes than requested.
    WrongRange,
}

/// Request as the server saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: BTreeMap<String, String>,
}

/// State of the server.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Objects by the path of their URL.
    pub(super) objects: BTreeMap<String, Vec<u8>>,
    /// Parts of unfinished uploads by path.
    pub(super) parts: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// Faults of the next requests.
    pub(super) faults: VecDeque<Fault>,
    pub(super) seen: Vec<Seen>,
    pub(super) has_no_ranges: bool,
    pub(super) has_no_etags: bool,
    pub(super) modified: &'static str,
    /// Paths that are redirected.
    pub(super) redirects: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Starts a server with one object.
    pub(super) fn with(path: &str, object: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            objects: BTreeMap::from([(path.into(), object.to_vec())]),
            modified: "Mon, 01 Jan 2024 00:00:00 GMT",
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || _ = answer(stream.unwrap(), &shared));
            }
        });
        Self { port, state }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Plans the next answers.
    pub(super) fn fail(&self, faults: &[Fault]) {
        self.state().faults.extend(faults.iter().cloned());
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut line, mut headers) = (String::new(), BTreeMap::new());
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(": ") else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.to_string());
        }
        let len = headers
            .get("content-length")
            .map_or(0, |len| len.parse().unwrap());
        let mut body = vec![0; len];
        reader.read_exact(&mut body)?;
        let seen = Seen {
            method: method.into(),
            target: target.into(),
            headers,
        };
        let (fault, answer) = {
            let mut state = state.lock().unwrap();
            state.seen.push(seen.clone());
            let fault = state.faults.pop_front().unwrap_or(Fault::None);
            let answer = match fault {
                Fault::Status(status, header) => Answer::new(status).with(header),
                _ => state.answer(&seen, body),
            };
            (fault, answer)
        };
        if !answer.send(&stream, &fault, method == "HEAD")? {
            return stream.shutdown(Shutdown::Both);
        }
    }
}

struct Answer {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn with(mut self, header: impl Into<String>) -> Self {
        self.headers.push(header.into());
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends an answer; returns whether the connection goes on.
    fn send(
        mut self,
        mut stream: &TcpStream,
        fault: &Fault,
        is_head: bool,
    ) -> std::io::Result<bool> {
        if matches!(fault, Fault::Reset) {
            return Ok(false);
        }
        match fault {
            Fault::Long => self.body.push(0),
            Fault::WrongRange => self.headers = vec!["Content-Range: bytes 0-9/300000".into()],
            _ => {}
        }
        let headers = self.headers.iter().filter(|header| !header.is_empty());
        let headers: String = headers.flat_map(|header| [header, "\r\n"]).collect();
        let head = format!(
            "HTTP/1.1 {} x\r\nContent-Length: {}\r\n",
            self.status,
            self.body.len()
        );
        stream.write_all(format!("{head}{headers}\r\n").as_bytes())?;
        let sent = match fault {
            Fault::Short | Fault::Stall(_) => self.body.len() / 2,
            _ => self.body.len(),
        };
        if !is_head {
            stream.write_all(&self.body[..sent])?;
        }
        if let Fault::Stall(time) = fault {
            thread::sleep(*time);
        }
        Ok(sent == self.body.len())
    }
}

impl State {
    fn answer(&mut self, request: &Seen, body: Vec<u8>) -> Answer {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        if let Some(to) = self.redirects.get(path) {
            return Answer::new(302).with(format!("Location: {to}"));
        }
        match (&*request.method, query) {
            ("PUT", "") => self.put(path, body),
            ("POST", "uploads" | "uploads=") => {
                self.parts.insert(path.into(), BTreeMap::new());
                let xml = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
                Answer::new(200).body(xml)
            }
            ("PUT", query) => {
                let number = query
                    .split('&')
                    .find_map(|pair| pair.strip_prefix("partNumber="));
                let number: u32 = number.unwrap().parse().unwrap();
                self.parts.get_mut(path).unwrap().insert(number, body);
                Answer::new(200).with(format!("ETag: \"{number}\""))
            }
            ("POST", _) => {
                let parts = self.parts.remove(path).unwrap();
                self.put(path, parts.into_values().flatten().collect());
                Answer::new(200).body(
                    "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
                )
            }
            ("DELETE", _) => {
                self.parts.remove(path);
                Answer::new(204)
            }
            _ => self.get(path, request),
        }
    }

    fn put(&mut self, path: &str, body: Vec<u8>) -> Answer {
        self.objects.insert(path.into(), body);
        Answer::new(200).with("ETag: \"put\"")
    }

    fn get(&self, path: &str, request: &Seen) -> Answer {
        let Some(object) = self.objects.get(path) else {
            return Answer::new(404).body("<Error><Code>NoSuchKey</Code></Error>");
        };
        let etag = format!(
            "\"{:x}\"",
            object.iter().map(|&byte| u64::from(byte)).sum::<u64>()
        );
        if request
            .headers
            .get("if-match")
            .is_some_and(|expected| *expected != etag)
        {
            return Answer::new(412);
        }
        let range = request.headers.get("range").filter(|_| !self.has_no_ranges);
        let answer = match range {
            None => Answer::new(200).body(object.clone()),
            Some(_) if object.is_empty() => {
                return Answer::new(416).with("Content-Range: bytes */0");
            }
            Some(range) => {
                let range = parse(range, object.len());
                let header = format!(
                    "Content-Range: bytes {}-{}/{}",
                    range.start,
                    range.end - 1,
                    object.len()
                );
                Answer::new(206).with(header).body(&object[range])
            }
        };
        let answer = answer.with(format!("Last-Modified: {}", self.modified));
        let etag = if self.has_no_etags {
            String::new()
        } else {
            format!("ETag: {etag}")
        };
        answer.with(etag)
    }
}

fn parse(range: &str, len: usize) -> Range<usize> {
    let (first, last) = range
        .strip_prefix("bytes=")
        .unwrap()
        .split_once('-')
        .unwrap();
    first.parse().unwrap()..len.min(last.parse::<usize>().unwrap() + 1)
}
