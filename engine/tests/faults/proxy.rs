//! Stands between the program and a real engine's socket, passes HTTP through, and breaks one request for each rule.
//!
//! A connection carries one request: the proxy asks the engine to close it after its answer. So what is done to one request
//! touches no other. It learns which container and which exec belongs to which case from the answers to their creation.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is done to a request, or to its answer.
#[derive(Clone)]
pub(crate) enum Fault {
    /// The connection is closed without an answer; the engine never hears of the request.
    Close,
    /// The request reaches the engine late.
    Delay(Duration),
    /// There is no answer as long as the program waits.
    Hang,
    /// The answer ends after so many bytes of its body.
    Cut(usize),
    /// Other bytes are the whole answer, and `more` of no meaning after them; with `asked`, the engine has done what was
    /// asked.
    Instead { asked: bool, bytes: Vec<u8>, more: u64 },
    /// After the engine's own head of the answer come other bytes.
    Body { bytes: Vec<u8>, more: u64 },
    /// The container of the case is removed by force when the request has reached the engine.
    Vanish,
    /// Nobody listens from now on, and every connection is closed.
    Gone,
}

/// Which request is broken, and how. Each rule is used once.
pub(crate) struct Rule {
    /// The case whose container or exec the request is about; empty for requests about none.
    pub(crate) case: String,
    pub(crate) method: &'static str,
    /// The path's words; `*` stands for one of any kind.
    pub(crate) path: &'static str,
    /// How many requests like this one are let through before it.
    pub(crate) skip: usize,
    pub(crate) fault: Fault,
}

struct State {
    engine: PathBuf,
    socket: PathBuf,
    rules: Mutex<Vec<(Rule, bool)>>,
    /// The case and the container of each container and exec.
    owners: Mutex<BTreeMap<String, (String, String)>>,
    gone: AtomicBool,
    open: Mutex<Vec<UnixStream>>,
}

/// The proxy. Dropped, it listens no more.
pub(crate) struct Proxy(Arc<State>);

impl Drop for Proxy {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Listens on `socket` for the engine behind another socket.
    pub(crate) fn start(socket: &Path, engine: &Path, rules: Vec<Rule>) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let state = Arc::new(State {
            engine: engine.to_owned(),
            socket: socket.to_owned(),
            rules: Mutex::new(rules.into_iter().map(|rule| (rule, false)).collect()),
            owners: Mutex::default(),
            gone: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { break };
                if accepting.gone.load(Ordering::SeqCst) {
                    break;
                }
                let state = Arc::clone(&accepting);
                // Either end may go away at any time: that ends the connection and nothing else.
                std::thread::spawn(move || state.serve(client).unwrap_or_default());
            }
        });
        Self(state)
    }

    /// Rules that met no request.
    pub(crate) fn unused(&self) -> Vec<String> {
        let rules = lock(&self.0.rules);
        rules.iter().filter(|(_, used)| !used).map(|(rule, _)| format!("{}: {}", rule.case, rule.path)).collect()
    }
}

impl State {
    fn close(&self) {
        self.gone.store(true, Ordering::SeqCst);
        // It is told only by a connection, and there can be none any more once the name is gone.
        let _told = UnixStream::connect(&self.socket);
        let _gone = std::fs::remove_file(&self.socket);
        for stream in lock(&self.open).drain(..) {
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }

    fn serve(&self, mut client: UnixStream) -> io::Result<()> {
        lock(&self.open).push(client.try_clone()?);
        let request = Request::read(&mut client)?;
        let owner = request.words().iter().find_map(|word| lock(&self.owners).get(*word).cloned());
        let case = owner.as_ref().map(|(case, _)| case.clone()).or_else(|| request.label()).unwrap_or_default();
        let fault = self.fault(&case, &request);
        match &fault {
            Some(Fault::Close) => return client.shutdown(Shutdown::Both),
            Some(Fault::Delay(time)) => std::thread::sleep(*time),
            Some(Fault::Hang) => return hang(&mut client),
            Some(Fault::Gone) => {
                self.close();
                return Ok(());
            }
            Some(Fault::Instead { asked: false, bytes, more }) => return say(&mut client, bytes, *more),
            _ => {}
        }
        let mut engine = UnixStream::connect(&self.engine)?;
        engine.write_all(&request.once())?;
        let up = {
            let (mut from, mut to) = (client.try_clone()?, engine.try_clone()?);
            std::thread::spawn(move || {
                let _ended = io::copy(&mut from, &mut to);
                let _closed = to.shutdown(Shutdown::Both);
            })
        };
        let passed = self.answer(&request, &case, owner, fault, &mut engine, &mut client);
        let _closed = (client.shutdown(Shutdown::Both), engine.shutdown(Shutdown::Both));
        let _ended = up.join();
        passed
    }

    fn answer(
        &self,
        request: &Request,
        case: &str,
        owner: Option<(String, String)>,
        fault: Option<Fault>,
        engine: &mut UnixStream,
        client: &mut UnixStream,
    ) -> io::Result<()> {
        let makes = request.makes();
        if makes || matches!(fault, Some(Fault::Instead { .. })) {
            let mut answer = Vec::new();
            engine.read_to_end(&mut answer)?;
            if let (true, Some(id)) = (makes, id_in(&answer)) {
                let container = owner.map_or_else(|| id.clone(), |(_, container)| container);
                lock(&self.owners).insert(id, (case.to_owned(), container));
            }
            return match fault {
                Some(Fault::Instead { bytes, more, .. }) => say(client, &bytes, more),
                Some(Fault::Cut(length)) => client.write_all(&answer[..head_end(&answer) + length]),
                _ => client.write_all(&answer),
            };
        }
        match (fault, owner) {
            (Some(Fault::Cut(length)), _) => {
                client.write_all(&read_head(engine)?)?;
                io::copy(&mut engine.take(length as u64), client).map(drop)
            }
            (Some(Fault::Body { bytes, more }), _) => {
                client.write_all(&read_head(engine)?)?;
                say(client, &bytes, more)
            }
            (Some(Fault::Vanish), Some((_, container))) => {
                let head = read_head(engine)?;
                let mut other = UnixStream::connect(&self.engine)?;
                let line =
                    format!("DELETE /containers/{container}?force=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                other.write_all(line.as_bytes())?;
                other.read_to_end(&mut Vec::new())?;
                client.write_all(&head)?;
                io::copy(engine, client).map(drop)
            }
            _ => io::copy(engine, client).map(drop),
        }
    }

    fn fault(&self, case: &str, request: &Request) -> Option<Fault> {
        for (rule, used) in lock(&self.rules).iter_mut() {
            let fits = rule.case == case && rule.method == request.method && request.is_at(rule.path);
            if !*used && fits {
                if rule.skip == 0 {
                    *used = true;
                    return Some(rule.fault.clone());
                }
                rule.skip -= 1;
            }
        }
        None
    }
}

/// A request: its head, and the body of one that makes something.
struct Request {
    method: String,
    path: String,
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn read(client: &mut UnixStream) -> io::Result<Self> {
        let head = String::from_utf8_lossy(&read_head(client)?).into_owned();
        let mut words = head.split(' ').map(ToOwned::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut request = Self { method, path, head, body: Vec::new() };
        if request.makes() {
            let lower = request.head.to_lowercase();
            let length = lower.split("content-length:").nth(1).and_then(|rest| rest.lines().next());
            request.body = vec![0; length.and_then(|length| length.trim().parse().ok()).unwrap_or_default()];
            client.read_exact(&mut request.body)?;
        }
        Ok(request)
    }

    /// The path's words, without the version and the query.
    fn words(&self) -> Vec<&str> {
        let path = self.path.split('?').next().unwrap_or_default();
        let words = path.split('/').filter(|word| !word.is_empty());
        words.skip_while(|word| word.starts_with('v') && word.contains('.')).collect()
    }

    fn is_at(&self, path: &str) -> bool {
        let (wanted, words) = (path.split('/').collect::<Vec<_>>(), self.words());
        wanted.len() == words.len() && wanted.iter().zip(words).all(|(wanted, word)| *wanted == "*" || *wanted == word)
    }

    fn makes(&self) -> bool {
        self.method == "POST" && (self.is_at("containers/create") || self.is_at("containers/*/exec"))
    }

    /// The case in the labels of a container that is to be made.
    fn label(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        body.pointer("/Labels/sdc-engine.case")?.as_str().map(ToOwned::to_owned)
    }

    /// Its bytes, with the wish that the connection ends with the answer.
    fn once(&self) -> Vec<u8> {
        let upgrades = self.head.to_lowercase().contains("\r\nupgrade:");
        let (line, rest) = self.head.split_once("\r\n").unwrap_or_default();
        let close = if upgrades { "" } else { "Connection: close\r\n" };
        [format!("{line}\r\n{close}{rest}").as_bytes(), &self.body].concat()
    }
}

/// Everything up to the empty line, byte by byte, so that what follows stays in the socket.
fn read_head(from: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        from.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(head)
}

fn head_end(answer: &[u8]) -> usize {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4)
}

fn id_in(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    text.split_once("\"Id\":\"")?.1.get(..64).map(ToOwned::to_owned)
}

/// Says bytes, and more of them as long as somebody listens.
fn say(client: &mut UnixStream, bytes: &[u8], more: u64) -> io::Result<()> {
    client.write_all(bytes)?;
    io::copy(&mut io::repeat(b'x').take(more), client)?;
    client.shutdown(Shutdown::Both)
}

fn hang(client: &mut UnixStream) -> io::Result<()> {
    io::copy(client, &mut io::sink()).map(drop)
}
