//! The docker API's framing of a stream without a terminal: eight bytes, of which the first says which stream it is and the
//! last four how many bytes of it follow. Bytes that are no frame are an error, and so is an end within one: an output
//! that an engine or a connection has broken must never pass for what a command printed.

use bytes::{Buf, Bytes, BytesMut};

use super::HostErrorKind;

/// Where bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes a stream apart, in chunks cut anywhere. Keeps no payload, whatever a frame says of its length.
#[derive(Default)]
pub(super) struct Frames {
    header: Vec<u8>,
    source: Option<Source>,
    left: usize,
}

impl Frames {
    /// Takes all of `bytes` and gives what is payload, in order.
    pub(super) fn payload(&mut self, bytes: &mut BytesMut) -> Result<Vec<(Source, Bytes)>, HostErrorKind> {
        let mut payload: Vec<(Source, Bytes)> = Vec::new();
        while !bytes.is_empty() {
            if let Some(source) = self.source {
                let take = self.left.min(bytes.len());
                payload.push((source, bytes.split_to(take).freeze()));
                self.left -= take;
                if self.left == 0 {
                    self.source = None;
                }
                continue;
            }
            let take = (8 - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..take]);
            bytes.advance(take);
            if let Ok(header) = <[u8; 8]>::try_from(self.header.as_slice()) {
                self.header.clear();
                let (source, length) = read(header)?;
                self.source = (length > 0).then_some(source);
                self.left = length;
            }
        }
        Ok(payload)
    }

    /// Whether the stream may end here.
    pub(super) fn end(&self) -> Result<(), HostErrorKind> {
        if self.source.is_some() || !self.header.is_empty() {
            return Err(HostErrorKind::Unreachable("its stream was cut in the middle of a frame".into()));
        }
        Ok(())
    }
}

fn read(header: [u8; 8]) -> Result<(Source, usize), HostErrorKind> {
    let [kind, 0, 0, 0, length @ ..] = header else { return Err(no_frame(header)) };
    let source = match kind {
        0 | 1 => Source::Stdout,
        // The last is what the engine itself says.
        2 | 3 => Source::Stderr,
        _ => return Err(no_frame(header)),
    };
    Ok((source, u32::from_be_bytes(length) as usize))
}

fn no_frame(header: [u8; 8]) -> HostErrorKind {
    HostErrorKind::Unreachable(format!("its stream has `{}` where a frame must start", header.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(frames: &mut Frames, bytes: &[u8]) -> Vec<u8> {
        let payload = frames.payload(&mut BytesMut::from(bytes)).expect("frames");
        payload.into_iter().flat_map(|(_, bytes)| bytes).collect()
    }

    #[test]
    fn frames_may_be_cut_anywhere() {
        let whole = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x00\x02\0\0\0\0\0\0\x04err\n";
        for cut in 0..whole.len() {
            let mut frames = Frames::default();
            let mut seen = all(&mut frames, &whole[..cut]);
            assert_eq!(frames.end().is_ok(), [0, 11, 19].contains(&cut), "cut at {cut}");
            seen.extend(all(&mut frames, &whole[cut..]));
            assert_eq!(seen, b"outerr\n", "cut at {cut}");
            assert!(frames.end().is_ok());
        }
    }

    #[test]
    fn the_streams_are_told_apart() {
        let mut bytes = BytesMut::from(&b"\x01\0\0\0\0\0\0\x01o\x02\0\0\0\0\0\0\x01e"[..]);
        let payload = Frames::default().payload(&mut bytes).expect("frames");
        assert_eq!(payload, [(Source::Stdout, Bytes::from("o")), (Source::Stderr, Bytes::from("e"))]);
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        for bytes in [b"HTTP/1.1", b"\x01\0\0\x01\0\0\0\x01", b"\x04\0\0\0\0\0\0\x01"] {
            assert!(Frames::default().payload(&mut BytesMut::from(&bytes[..])).is_err(), "{bytes:?}");
        }
    }
}
