//! The few calls where bollard would lose something, over a plain HTTP connection each: descriptions (bollard's types
//! drop unknown fields and reject podman's `stopped` state) and the console (bollard guesses from a chunk's first byte
//! whether it is framed). Knows HTTP and the framing of the docker API, nothing of containers.

use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::HostErrorKind;
use super::address::Address;
use super::errors::{answered, chain};

type Chunks = BoxStream<'static, Result<Bytes, HostErrorKind>>;

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
    let body = response.into_body().collect().await.map_err(|e| unreachable(&e))?.to_bytes();
    Err(answered(status.as_u16(), &message(&body)))
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
    let body = response.into_body().collect().await.map_err(|e| unreachable(&e))?.to_bytes();
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
    let body = response.into_body().collect().await.map_err(|e| unreachable(&e))?.to_bytes();
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

/// Attaches: the bytes that come after the upgrade.
pub(super) async fn attach(address: &Address, path: &str, framed: bool) -> Result<Chunks, HostErrorKind> {
    let mut request = request(Method::POST, path)?;
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
    ended: bool,
}

fn read(from: Box<dyn AsyncRead + Send + Unpin>, framed: bool) -> Chunks {
    let reading = Reading { from, frames: framed.then(Frames::default), ended: false };
    Box::pin(stream::unfold(reading, |mut reading| async move {
        loop {
            if reading.ended {
                return None;
            }
            let mut buffer = BytesMut::with_capacity(16 * 1024);
            let chunk = match reading.from.read_buf(&mut buffer).await {
                Ok(0) => return None,
                Ok(_) => match &mut reading.frames {
                    Some(frames) => frames.payload(&mut buffer),
                    None => buffer.freeze(),
                },
                Err(error) => {
                    reading.ended = true;
                    return Some((Err(unreachable(&error)), reading));
                }
            };
            if !chunk.is_empty() {
                return Some((Ok(chunk), reading));
            }
        }
    }))
}

/// The docker API's framing of a stream without a terminal: eight bytes, of which the last four say how many follow.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    left: usize,
}

impl Frames {
    /// Takes all of `bytes`, which may end anywhere, and gives what is payload.
    fn payload(&mut self, bytes: &mut BytesMut) -> Bytes {
        let mut payload = BytesMut::new();
        while !bytes.is_empty() {
            if self.left == 0 {
                let take = (8 - self.header.len()).min(bytes.len());
                self.header.extend_from_slice(&bytes[..take]);
                bytes.advance(take);
                if let [_, _, _, _, length @ ..] = self.header.as_slice()
                    && let Ok(length) = <[u8; 4]>::try_from(length)
                {
                    self.left = u32::from_be_bytes(length) as usize;
                    self.header.clear();
                }
            } else {
                let take = self.left.min(bytes.len());
                payload.extend_from_slice(&bytes.split_to(take));
                self.left -= take;
            }
        }
        payload.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_may_be_cut_anywhere() {
        let whole = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x00\x02\0\0\0\0\0\0\x04err\n";
        for cut in 0..whole.len() {
            let mut frames = Frames::default();
            let mut seen = frames.payload(&mut BytesMut::from(&whole[..cut])).to_vec();
            seen.extend(frames.payload(&mut BytesMut::from(&whole[cut..])));
            assert_eq!(seen, b"outerr\n", "cut at {cut}");
        }
    }

    #[test]
    fn the_engines_words_are_found() {
        assert_eq!(message(br#"{"message":"no"}"#), "no");
        assert_eq!(message(br#"{"cause":"why","response":404}"#), "why");
        assert_eq!(message(b"plain\n"), "plain\n");
    }
}
