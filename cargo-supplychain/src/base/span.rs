//! Places in text files: where a finding or an error points to.

use serde::{Deserialize, Serialize};

/// A place in a file. `file` is relative to the workspace root with forward slashes where the file lies below it,
/// otherwise a path as the user would write it. `line` and `column` count from 1; `line` 0 means "the file as a whole".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    pub file: String,
    pub line: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub column: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl Location {
    /// The file as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }

    /// A line of the file.
    pub fn line(file: impl Into<String>, line: u32) -> Self {
        Self { file: file.into(), line, column: 0 }
    }

    /// The place of byte `offset` of `text`, the content of `file`.
    pub fn at(file: impl Into<String>, text: &str, offset: usize) -> Self {
        let (line, column) = line_column(text, offset);
        Self { file: file.into(), line, column }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// Line and column (in characters), both from 1, of byte `offset` of `text`; an offset past the end is the end.
#[must_use]
pub fn line_column(text: &str, offset: usize) -> (u32, u32) {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Lines and columns of many offsets of one text, each byte looked at once as long as the offsets ascend.
#[derive(Debug)]
pub struct Lines<'t> {
    bytes: &'t [u8],
    seen: usize,
    line: u32,
    column: u32,
}

impl<'t> Lines<'t> {
    /// Begins at the start of `text`.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), seen: 0, line: 1, column: 1 }
    }

    /// As [`line_column`].
    pub fn at(&mut self, offset: usize) -> (u32, u32) {
        if offset < self.seen {
            (self.seen, self.line, self.column) = (0, 1, 1);
        }
        let end = offset.min(self.bytes.len());
        for &byte in &self.bytes[self.seen..end] {
            if byte == b'\n' {
                (self.line, self.column) = (self.line.saturating_add(1), 1);
            } else if byte & 0xc0 != 0x80 {
                self.column = self.column.saturating_add(1);
            }
        }
        self.seen = end;
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let text = "ab\ncä d\n";
        for (offset, expected) in [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (6, (2, 3)), (99, (3, 1))] {
            assert_eq!(line_column(text, offset), expected, "offset {offset}");
        }
        let mut lines = Lines::new(text);
        for offset in [0, 2, 3, 3, 6, 99, 1, 9] {
            assert_eq!(lines.at(offset), line_column(text, offset), "offset {offset}");
        }
    }
}
