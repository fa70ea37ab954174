//! Bytes as hexadecimal, with their offsets.

use std::fmt::{self, Write};
use std::ops::Range;

use super::Options;
use crate::tape::Tape;

/// Bytes on a line.
const WIDTH: usize = 16;

/// One line: `0010  14 00 00 00 12 00 01 03  5b 2c 01 69 00 00 00 00  ........[,.i....`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HexLine<'a> {
    /// Offset of the first byte from the start of the frame.
    pub offset: u32,
    /// Up to 16 bytes.
    pub bytes: &'a [u8],
    /// Which of them are key material that is not to be shown, a bit each.
    pub masked: u16,
}

impl fmt::Display for HexLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x} ", self.offset)?;
        for at in 0..WIDTH {
            if at == WIDTH / 2 {
                f.write_char(' ')?;
            }
            match self.bytes.get(at) {
                Some(_) if self.masked >> at & 1 == 1 => f.write_str(" **")?,
                Some(byte) => write!(f, " {byte:02x}")?,
                None => f.write_str("   ")?,
            }
        }
        f.write_str("  ")?;
        for (at, byte) in self.bytes.iter().enumerate() {
            let plain = matches!(byte, b' '..=b'~') && self.masked >> at & 1 == 0;
            f.write_char(if plain { char::from(*byte) } else { '.' })?;
        }
        Ok(())
    }
}

/// The bytes of `range` of a frame, line by line. Key material is masked where `options`
/// say so.
pub fn hex<'a>(
    tape: &Tape,
    frame: &'a [u8],
    range: Range<u32>,
    options: &Options<'_>,
) -> impl Iterator<Item = HexLine<'a>> + use<'a> {
    let secrets = if options.show.redact {
        secrets(tape)
    } else {
        Vec::new()
    };
    let end = (range.end as usize).min(frame.len());
    let bytes = frame.get(range.start as usize..end).unwrap_or_default();
    let mut offset = range.start;
    bytes.chunks(WIDTH).map(move |bytes| {
        let masked = (offset..)
            .take(bytes.len())
            .enumerate()
            .filter(|(_, at)| holds(&secrets, *at))
            .fold(0, |mask, (bit, _)| mask | 1 << bit);
        let line = HexLine {
            offset,
            bytes,
            masked,
        };
        offset = offset.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        line
    })
}

/// Where key material lies, in ascending order.
fn secrets(tape: &Tape) -> Vec<Range<u32>> {
    let mut found = Vec::new();
    let mut index = 0;
    while let Some(node) = tape.nodes().get(index as usize) {
        index += 1;
        if node.field.secret {
            // With all that is below it.
            index = node.next;
            let start = node.start.saturating_add(node.flags.header_len());
            found.push(start..node.start.saturating_add(node.len));
        }
    }
    found
}

fn holds(ranges: &[Range<u32>], offset: u32) -> bool {
    let after = ranges.partition_point(|range| range.start <= offset);
    let last = after.checked_sub(1).and_then(|last| ranges.get(last));
    last.is_some_and(|range| range.contains(&offset))
}
