//! Mutations of a corpus: of bytes, lines and words, and mixtures of two of its files. The same for the same seed.

/// Words that readers have reasons to look at twice.
const WORDS: &[&str] = &[
    "0",
    "-1",
    "255",
    "256",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e999",
    "nan",
    "inf",
    "0x",
    "true",
    "''",
    "\"\"",
    "[]",
    "{}",
    "[[",
    "]]",
    "'''",
    "\"\"\"",
    "\\",
    "\\u0000",
    "\\x1b",
    "\u{1b}[0m",
    "\u{1b}]0;x\u{7}",
    "\u{9b}",
    "\u{202e}",
    "\u{feff}",
    "\0",
    "\r",
    "\r\n",
    "\n\n",
    "\t",
    "é",
    "日本",
    "\u{1f600}",
    "..",
    "../",
    "/",
    "~",
    "%2F",
    "%00",
    "%zz",
    "=",
    ",",
    "+",
    "${{",
    "}}",
    "${%",
    "%}",
    "${{#",
    "#}}",
    "${% for a in range(99) %}",
    "${% endfor %}",
    "${% if",
    "${{ host }}",
    "host.cgroups",
    "range(1000000000)",
    "'x' * 99999999",
    "| replace('a', 'aaaa')",
    "@{",
    "@{a}",
    "(",
    ")",
    "(?:",
    "{1000}",
    "{1000}{1000}",
    "(a*)*",
    "\\pL",
    "[[:alpha:]",
    "(?P<n>",
    "$1",
    "^",
    ".*",
    "1d",
    "99999999999999y",
    "1ns 1us",
    "\u{fffd}",
    "null",
    "1.5",
    "2026-01-01T00:00:00Z",
    "base",
    "golden",
    "recorded.toml",
    "scenario",
    "schema_version",
];

/// The longest input: what is quadratic shows in it, and what is linear does not take the time of others.
const LONGEST: usize = 1 << 13;

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`; 0 where that is 0.
    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { usize::try_from(self.next() % end as u64).unwrap_or(0) }
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A part of a length, mostly a small one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        start..(start + self.below(most + 1)).min(length)
    }
}

/// Makes inputs.
pub(crate) struct Mutator {
    random: Random,
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    pub(crate) fn new(seed: u64, mut seeds: Vec<Vec<u8>>) -> Self {
        if seeds.is_empty() {
            seeds.push(Vec::new());
        }
        Self { random: Random(seed), seeds }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.random.of(&self.seeds).clone();
        for _ in 0..=self.random.below(6) {
            input = match self.random.below(4) {
                0 => self.bytes(input),
                1 => self.lines(&input),
                2 => self.words(input),
                _ => self.mixed(input),
            };
        }
        input.truncate(LONGEST);
        input
    }

    fn bytes(&mut self, mut input: Vec<u8>) -> Vec<u8> {
        let range = self.random.range(input.len());
        match self.random.below(5) {
            0 => drop(input.drain(range)),
            1 => {
                let part = input[range.clone()].to_vec();
                input.splice(range.end..range.end, part);
            }
            2 => {
                // Many of the same: what is deep, long or quadratic.
                let part = input[range.clone()].to_vec();
                let times = [10, 100, 3_000][self.random.below(3)].min(LONGEST / part.len().max(1));
                input.splice(range, part.repeat(times));
            }
            3 => {
                let byte = u8::try_from(self.random.below(256)).unwrap_or(0);
                input.insert(range.start, byte);
            }
            _ => {
                if let Some(byte) = input.get_mut(range.start) {
                    *byte ^= 1 << self.random.below(8);
                }
            }
        }
        input
    }

    fn lines(&mut self, input: &[u8]) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let at = self.random.below(lines.len());
        if lines.is_empty() {
            return Vec::new();
        }
        match self.random.below(4) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = self.random.below(lines.len());
                lines.swap(at, other);
            }
            _ => {
                let other = self.random.of(&self.seeds).clone();
                let others: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
                if !others.is_empty() {
                    lines.insert(at, self.random.of(&others).to_vec());
                }
            }
        }
        lines.concat()
    }

    /// Replaces a word, or puts one in.
    fn words(&mut self, mut input: Vec<u8>) -> Vec<u8> {
        let word = if self.random.below(2) == 0 {
            self.random.of(WORDS).as_bytes().to_vec()
        } else {
            let other = self.random.of(&self.seeds).clone();
            let range = word_at(&other, self.random.below(other.len()));
            other[range].to_vec()
        };
        let range = word_at(&input, self.random.below(input.len()));
        let range = if self.random.below(2) == 0 { range } else { range.start..range.start };
        input.splice(range, word);
        input
    }

    fn mixed(&mut self, input: Vec<u8>) -> Vec<u8> {
        let other = self.random.of(&self.seeds).clone();
        let (upto, from) = (self.random.below(input.len() + 1), self.random.below(other.len() + 1));
        [&input[..upto], &other[from..]].concat()
    }
}

/// The word that a place is in.
fn word_at(text: &[u8], at: usize) -> std::ops::Range<usize> {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    let start = text[..at].iter().rposition(|byte| !word(byte)).map_or(0, |before| before + 1);
    let end = text[at..].iter().position(|byte| !word(byte)).map_or(text.len(), |after| at + after);
    start..end
}

/// A number for a file's name (FNV-1a).
pub(crate) fn hash(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
