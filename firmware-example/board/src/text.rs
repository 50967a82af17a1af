//! Text over semihosting, without a path that panics.

use core::fmt::{self, Arguments, Write};

use semihosting::io::{self, Write as _};

/// Sends one line. `semihosting::println!` would do, but its error path panics.
pub fn line(text: Arguments<'_>) {
    let mut line = Line { bytes: [0; LINE], len: 0 };
    let _ = line.write_fmt(text);
    if let Ok(mut console) = io::stdout() {
        let _ = console.write(line.bytes.get(..line.len).unwrap_or(&line.bytes));
        let _ = console.write(b"\n");
    }
}

/// A line longer than this many bytes is cut off.
const LINE: usize = 256;

/// The first bytes of a line; `heapless` has such a string, but counts with sums that panic in
/// builds with overflow checks.
struct Line {
    bytes: [u8; LINE],
    /// Bytes written, those that were cut off included.
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        room.iter_mut().zip(text.bytes()).for_each(|(to, byte)| *to = byte);
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}
