//! Splits bytes into lines.

use memchr::memchr;

/// Splits bytes into lines, in whatever chunks they come.
///
/// A line ends with `\n` or `\r\n`. Invalid UTF-8 is replaced by `U+FFFD`. A line of more than `limit` bytes comes in pieces,
/// so that a file without line ends needs no more memory than any other.
#[derive(Debug)]
pub(super) struct Lines {
    limit: usize,
    /// The bytes without a line end so far: `limit + 1` at most.
    open: Vec<u8>,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, open: Vec::new() }
    }

    /// Adds `bytes`, and returns the lines that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.split_at(1).1;
            if self.open.is_empty() {
                self.cut(line, true, &mut lines);
            } else {
                let mut whole = std::mem::take(&mut self.open);
                whole.extend_from_slice(line);
                self.cut(&whole, true, &mut lines);
                // Reuse its memory for the next line.
                whole.clear();
                self.open = whole;
            }
        }
        self.open.extend_from_slice(bytes);
        if self.open.len() > self.limit + 1 {
            let open = std::mem::take(&mut self.open);
            self.open = self.cut(&open, false, &mut lines).to_vec();
        }
        lines
    }

    /// Returns the rest without a line end, when no more bytes follow.
    pub(super) fn finish(&mut self) -> Vec<String> {
        let open = std::mem::take(&mut self.open);
        let mut lines = Vec::new();
        if !open.is_empty() {
            self.cut(&open, true, &mut lines);
        }
        lines
    }

    /// Adds a line to `lines`, in pieces if it is long. If it is not complete, returns its last piece instead of adding it: a
    /// line end may follow that makes it just short enough.
    fn cut<'a>(&self, mut line: &'a [u8], complete: bool, lines: &mut Vec<String>) -> &'a [u8] {
        // A final `\r` belongs to the line end, or may turn out to.
        let longest = if complete {
            line = line.strip_suffix(b"\r").unwrap_or(line);
            self.limit
        } else {
            self.limit + 1
        };
        while line.len() > longest {
            let (piece, rest) = line.split_at(boundary(line, self.limit));
            lines.push(text(piece));
            line = rest;
        }
        if complete {
            lines.push(text(line));
        }
        line
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the last index up to `limit` that is not in the middle of a character.
fn boundary(bytes: &[u8], limit: usize) -> usize {
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    // A character has at most three continuation bytes. More of them in a row are not UTF-8, and may be cut anywhere.
    (limit.saturating_sub(3)..=limit).rev().find(|at| *at > 0 && !continues(at)).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::Lines;

    /// Returns the lines of `bytes` when they come in chunks of `size`, and the rest at the end.
    fn lines(bytes: &[u8], size: usize, limit: usize) -> (Vec<String>, Vec<String>) {
        let mut lines = Lines::new(limit);
        let complete = bytes.chunks(size).flat_map(|chunk| lines.push(chunk)).collect();
        (complete, lines.finish())
    }

    /// Checks the lines for every size of chunks.
    #[track_caller]
    fn check(bytes: &[u8], limit: usize, complete: &[&str], rest: &[&str]) {
        for size in 1..=bytes.len() {
            let (got, left) = lines(bytes, size, limit);
            assert_eq!((got.as_slice(), left.as_slice()), (&*owned(complete), &*owned(rest)), "chunks of {size}");
        }
    }

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_is_complete_with_its_end() {
        check(b"one\ntwo\n\nthr", 100, &["one", "two", ""], &["thr"]);
        check(b"one\n", 100, &["one"], &[]);
        check(b"one", 100, &[], &["one"]);
    }

    #[test]
    fn a_carriage_return_before_the_line_end_belongs_to_it() {
        check(b"one\r\n\r\ntwo\r\r\nthr\ree\nfour\r", 100, &["one", "", "two\r", "thr\ree"], &["four"]);
    }

    #[test]
    fn invalid_utf_8_is_replaced() {
        check(b"gr\xf6\xdfer\nok\n\xe2\x82", 100, &["gr\u{fffd}\u{fffd}er", "ok"], &["\u{fffd}"]);
        check("größer\n😀\n".as_bytes(), 100, &["größer", "😀"], &[]);
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        check(b"0123456789\nx\n", 4, &["0123", "4567", "89", "x"], &[]);
        check(b"0123456789", 4, &["0123", "4567"], &["89"]);
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_one_piece() {
        check(b"0123\n4567\r\n89\n", 4, &["0123", "4567", "89"], &[]);
        check(b"01234567\n", 4, &["0123", "4567"], &[]);
        check(b"01234567\r\n", 4, &["0123", "4567"], &[]);
    }

    #[test]
    fn no_piece_ends_in_the_middle_of_a_character() {
        check("ßßßß\n".as_bytes(), 5, &["ßß", "ßß"], &[]);
        check("a😀😀\n".as_bytes(), 4, &["a", "😀", "😀"], &[]);
        // These continuation bytes continue nothing: there is no good place to cut, but the limit must hold.
        let (got, _) = lines(&[[0x80; 9].as_slice(), b"\n"].concat(), 10, 4);
        assert_eq!(got.iter().map(|piece| piece.chars().count()).collect::<Vec<_>>(), [4, 4, 1]);
    }

    #[test]
    fn a_file_without_line_ends_needs_no_more_memory_than_another() {
        let mut lines = Lines::new(64 * 1024);
        let mut bytes = 0;
        for _ in 0..1000 {
            bytes += lines.push(&[b'x'; 10_000]).iter().map(String::len).sum::<usize>();
            assert!(lines.open.len() <= 64 * 1024 + 1);
        }
        bytes += lines.finish().iter().map(String::len).sum::<usize>();
        assert_eq!(bytes, 10_000_000);
    }
}
