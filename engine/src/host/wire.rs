//! The few calls where bollard would lose something, over a plain HTTP connection each: descriptions (bollard's types
//! drop unknown fields and reject podman's `stopped` state) and the console (bollard guesses from a chunk's first byte
//! whether it is framed). Knows HTTP and the framing of the docker API, nothing of containers.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::HostErrorKind;
use super::address::Address;
use super::errors::{answered, chain};
use super::frames::{Frames, Source};

/// Bytes as they come, with where they come from.
pub(super) type Chunks = BoxStream<'static, Result<(Source, Bytes), HostErrorKind>>;

/// The longest JSON answer that is read, in bytes: a list of some ten thousand containers. What is longer is no answer.
const ANSWER: usize = 32 << 20;
/// The longest words of an error that are read, in bytes.
const WORDS: usize = 64 << 10;

fn unreachable(error: &(dyn std::error::Error + 'static)) -> HostErrorKind {
    HostErrorKind::Unreachable(chain(error))
}

async fn send(address: &Address, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, HostErrorKind> {
    let stream = address.connect().await.map_err(|e| unreachable(&e))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| unreachable(&e))?;
    // Ends with the connection: when the answer is read to its end or dropped.
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await.map_err(|e| unreachable(&e))?;
    let status = response.status();
    if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    let body = whole(response, WORDS).await?;
    Err(answered(status.as_u16(), &message(&body)))
}

/// All of an answer's body, up to a limit.
async fn whole(response: Response<Incoming>, limit: usize) -> Result<Bytes, HostErrorKind> {
    let status = response.status();
    let body = Limited::new(response.into_body(), limit).collect().await;
    body.map(|body| body.to_bytes()).map_err(|error| {
        let words = error.downcast::<hyper::Error>().map_or_else(|error| chain(error.as_ref()), |error| chain(&*error));
        HostErrorKind::Unreachable(format!("its answer ({status}) can't be read: {words}"))
    })
}

/// The engine's words: `message` (docker) or `cause` (podman's own) of a JSON object, else the text.
fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| ["message", "cause"].iter().find_map(|key| value.get(*key)?.as_str().map(ToOwned::to_owned)))
        .unwrap_or(text)
}

fn request(method: Method, path: &str) -> Result<Request<Full<Bytes>>, HostErrorKind> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "engine")
        .body(Full::default())
        .map_err(|e| HostErrorKind::Local(e.to_string()))
}

/// A text as part of a path or query.
pub(super) fn quote(text: &str) -> String {
    text.bytes().fold(String::new(), |mut quoted, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("%{byte:02X}")),
        }
        quoted
    })
}

/// A JSON answer, whole.
pub(super) async fn get_json(address: &Address, path: &str) -> Result<serde_json::Value, HostErrorKind> {
    let response = send(address, request(Method::GET, path)?).await?;
    let body = whole(response, ANSWER).await?;
    serde_json::from_slice(&body).map_err(|e| HostErrorKind::Unreachable(format!("it answered no JSON: {e}")))
}

/// Sends JSON, and gives the JSON answer.
pub(super) async fn post_json(
    address: &Address,
    path: &str,
    body: &serde_json::Value,
) -> Result<serde_json::Value, HostErrorKind> {
    let mut request = request(Method::POST, path)?;
    request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    *request.body_mut() = Full::from(body.to_string());
    let response = send(address, request).await?;
    let body = whole(response, ANSWER).await?;
    serde_json::from_slice(&body).map_err(|e| HostErrorKind::Unreachable(format!("it answered no JSON: {e}")))
}

/// Removes what is at a path; what it answers is not looked at.
pub(super) async fn delete(address: &Address, path: &str) -> Result<(), HostErrorKind> {
    send(address, request(Method::DELETE, path)?).await.map(drop)
}

/// An answer's body as it comes; `framed` where the container has no terminal.
pub(super) async fn get_stream(address: &Address, path: &str, framed: bool) -> Result<Chunks, HostErrorKind> {
    let response = send(address, request(Method::GET, path)?).await?;
    let body = response.into_body().into_data_stream();
    let reader = tokio_util::io::StreamReader::new(body.map(|chunk| chunk.map_err(std::io::Error::other)));
    Ok(read(Box::new(reader), framed))
}

/// Attaches: the bytes that come after the upgrade. `body` is sent as JSON, where there is one.
pub(super) async fn attach(
    address: &Address,
    path: &str,
    body: Option<&serde_json::Value>,
    framed: bool,
) -> Result<Chunks, HostErrorKind> {
    let mut request = request(Method::POST, path)?;
    if let Some(body) = body {
        request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        *request.body_mut() = Full::from(body.to_string());
    }
    request.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("Upgrade"));
    request.headers_mut().insert(header::UPGRADE, header::HeaderValue::from_static("tcp"));
    let response = send(address, request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let body = response.into_body().into_data_stream();
        let reader = tokio_util::io::StreamReader::new(body.map(|chunk| chunk.map_err(std::io::Error::other)));
        return Ok(read(Box::new(reader), framed));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|e| unreachable(&e))?;
    Ok(read(Box::new(TokioIo::new(upgraded)), framed))
}

struct Reading {
    from: Box<dyn AsyncRead + Send + Unpin>,
    frames: Option<Frames>,
    /// What has come and was not given yet.
    ready: VecDeque<(Source, Bytes)>,
    ended: bool,
}

impl Reading {
    /// Reads on; `false` at the end.
    async fn more(&mut self) -> Result<bool, HostErrorKind> {
        let mut buffer = BytesMut::with_capacity(64 * 1024);
        if self.from.read_buf(&mut buffer).await.map_err(|error| unreachable(&error))? == 0 {
            self.frames.as_ref().map_or(Ok(()), Frames::end)?;
            return Ok(false);
        }
        match &mut self.frames {
            Some(frames) => self.ready.extend(frames.payload(&mut buffer)?),
            None => self.ready.push_back((Source::Stdout, buffer.freeze())),
        }
        Ok(true)
    }
}

fn read(from: Box<dyn AsyncRead + Send + Unpin>, framed: bool) -> Chunks {
    let reading = Reading { from, frames: framed.then(Frames::default), ready: VecDeque::new(), ended: false };
    Box::pin(stream::unfold(reading, |mut reading| async move {
        loop {
            if let Some(chunk) = reading.ready.pop_front() {
                return Some((Ok(chunk), reading));
            }
            if reading.ended {
                return None;
            }
            match reading.more().await {
                Ok(more) => reading.ended = !more,
                Err(error) => {
                    reading.ended = true;
                    return Some((Err(error), reading));
                }
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_are_found() {
        assert_eq!(message(br#"{"message":"no"}"#), "no");
        assert_eq!(message(br#"{"cause":"why","response":404}"#), "why");
        assert_eq!(message(b"plain\n"), "plain\n");
    }
}
