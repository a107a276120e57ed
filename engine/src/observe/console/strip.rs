//! A byte machine that takes terminal sequences out of a stream, cut anywhere.
//!
//! It is not the machine of a terminal, on purpose. systemd shortens a line to the width of the console without regard to
//! sequences in it (`ESC [ … - D-Bus`, seen with 252), and a terminal's machine would then swallow text: here a byte that
//! can't belong to a sequence ends it and is kept, and a line end ends every sequence.

const ESC: u8 = 0x1b;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// In text.
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte, such as `ESC (`.
    EscapeMore,
    /// After `ESC [`.
    Csi,
    /// In an OSC, DCS, SOS, PM or APC string.
    Str,
    /// In such a string, after ESC.
    StrEscape,
}

/// Takes terminal sequences out of bytes, and brings every kind of line end to one LF.
#[derive(Debug, Clone, Default)]
pub(super) struct Strip {
    state: State,
    /// A CR was seen: what follows decides whether it is part of a line end.
    cr: bool,
    /// Something was written since the last line end.
    in_line: bool,
}

impl Strip {
    /// Takes one byte and writes zero, one or two bytes of plain text: LF, tab, and what is no control character.
    ///
    /// CR before LF is part of the line end, however many there are. A CR alone returns to the start of a line, and what
    /// follows would overwrite it (systemd's "A start job is running"): it ends the line here, so that nothing is lost.
    pub(super) fn push(&mut self, byte: u8, mut write: impl FnMut(u8)) {
        match self.text_byte(byte) {
            Some(b'\n') => {
                self.cr = false;
                self.in_line = false;
                write(b'\n');
            }
            Some(b'\r') => self.cr = true,
            Some(byte) => {
                if self.cr && self.in_line {
                    write(b'\n');
                }
                self.cr = false;
                self.in_line = true;
                write(byte);
            }
            None => {}
        }
    }

    /// The byte, if it is text, a tab or a part of a line end.
    fn text_byte(&mut self, byte: u8) -> Option<u8> {
        let (state, text) = match (self.state, byte) {
            (_, b'\n' | b'\r') if self.state != State::Str || byte == b'\n' => (State::Text, Some(byte)),
            (_, 0x18 | 0x1a) => (State::Text, None),
            (State::Str, ESC) => (State::StrEscape, None),
            (State::Str, 0x07) | (State::StrEscape, b'\\') => (State::Text, None),
            (State::Str, _) => (State::Str, None),
            (_, ESC) => (State::Escape, None),
            (State::Escape | State::StrEscape, b'[') => (State::Csi, None),
            (State::Escape | State::StrEscape, b']' | b'P' | b'X' | b'^' | b'_') => (State::Str, None),
            (State::Escape | State::EscapeMore | State::StrEscape, 0x20..=0x2f) => (State::EscapeMore, None),
            (State::Escape | State::EscapeMore | State::StrEscape, 0x30..=0x7e) => (State::Text, None),
            (State::Csi, 0x20..=0x3f) => (State::Csi, None),
            (State::Csi, 0x40..=0x7e) => (State::Text, None),
            (_, b'\t' | 0x20..=0x7e | 0x80..) => (State::Text, Some(byte)),
            (_, _) => (State::Text, None),
        };
        self.state = state;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Strip;

    fn strip(bytes: &[u8]) -> String {
        let (mut strip, mut out) = (Strip::default(), Vec::new());
        for byte in bytes {
            strip.push(*byte, |b| out.push(b));
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sequences_go_and_text_stays() {
        for (raw, plain) in [
            ("[\x1b[0;32m  OK  \x1b[0m] Reached", "[  OK  ] Reached"),
            ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
            ("\x1b]3008;start=0123;type=boot\x1b\\systemd", "systemd"),
            ("\x1bP+q544e\x1b\\x", "x"),
            ("\x1b[?25l\x1b[!p\x1b[6n\x1b(B\x1bcx", "x"),
            ("a\x1b[31", "a"),
            ("\x1b\x1b[1mx", "x"),
            ("a\x08\x00\x07b\tc", "ab\tc"),
        ] {
            assert_eq!(strip(raw.as_bytes()), plain, "{raw:?}");
        }
    }

    #[test]
    fn a_sequence_that_systemd_cut_swallows_nothing() {
        assert_eq!(strip("dbus.socket\x1b[\u{2026}- D-Bus\r\r\n".as_bytes()), "dbus.socket\u{2026}- D-Bus\n");
    }

    #[test]
    fn a_line_end_ends_every_sequence() {
        assert_eq!(strip(b"a\x1b[0;1\nb\x1b]0;never ended\nc\x1b\nd"), "a\nb\nc\nd");
    }

    #[test]
    fn every_line_end_is_one_lf() {
        assert_eq!(strip(b"a\r\r\nb\r\nc\n\r\nd"), "a\nb\nc\n\nd");
        assert_eq!(strip(b"a job\r\x1b[K[  OK  ] b\r"), "a job\n[  OK  ] b");
        assert_eq!(strip(b"\r\x1b[Kx"), "x");
    }
}
