//! Which paths a release may hold: such as mean the same file on every system that the release may be unpacked on.

use std::fmt;

/// Longest path and longest part, in bytes.
const MAX_PATH: usize = 1024;
const MAX_PART: usize = 255;

/// The path may not stand in a release; the fragment says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsafePath(pub &'static str);

impl fmt::Display for UnsafePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for UnsafePath {}

/// Checks a path relative to the release folder, with forward slashes.
///
/// # Errors
/// Why it may not stand in a release.
pub fn check(path: &str) -> Result<(), UnsafePath> {
    if path.is_empty() || path.len() > MAX_PATH {
        return Err(UnsafePath("a path is 1 to 1024 bytes long"));
    }
    if path.contains(['\\', ':']) {
        return Err(UnsafePath("backslashes and colons are not allowed"));
    }
    if path.chars().any(char::is_control) || matches!(crate::base::text::plain(path), std::borrow::Cow::Owned(_)) {
        return Err(UnsafePath("control and invisible characters are not allowed"));
    }
    if path.chars().any(is_decomposed) {
        return Err(UnsafePath("combining characters are not allowed: use the composed form (NFC)"));
    }
    path.split('/').try_for_each(check_part)
}

fn check_part(part: &str) -> Result<(), UnsafePath> {
    if part.is_empty() || part == "." || part == ".." {
        return Err(UnsafePath("absolute paths and empty, `.` or `..` parts are not allowed"));
    }
    if part.len() > MAX_PART {
        return Err(UnsafePath("a part of the path is longer than 255 bytes"));
    }
    if part.ends_with(['.', ' ']) || part.starts_with([' ', '-']) {
        return Err(UnsafePath("parts may not begin with a space or a dash, nor end with a dot or a space"));
    }
    if part.contains(['<', '>', '"', '|', '?', '*']) || is_device(part) {
        return Err(UnsafePath("the name is not possible on every system"));
    }
    Ok(())
}

/// Device names of Windows, with or without an extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_lowercase();
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || stem
            .strip_prefix("com")
            .or_else(|| stem.strip_prefix("lpt"))
            .is_some_and(|number| matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
}

/// Characters that occur in decomposed text only: combining marks, voiced kana marks and conjoining Hangul. Without them
/// no two paths differ in Unicode normalisation alone.
fn is_decomposed(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}' | '\u{1100}'..='\u{11ff}')
}

/// What two paths must not share: file systems that ignore case would see one file.
#[must_use]
pub fn fold(path: &str) -> String {
    path.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_pass_and_dangerous_ones_do_not() {
        let long = "x".repeat(256);
        for path in ["release.json", "artifacts/rg.exe", "a/b/c", "配布/アプリ", ".hidden", "console/com10", "a b", "é"] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "C:\\x",
            "c:x",
            "a\\b",
            "a\0b",
            "a\nb",
            "con",
            "NUL.txt",
            "Com1.log",
            "x.",
            "x ",
            "-rf",
            "a/-rf",
            "e\u{301}",
            "か\u{3099}",
            "a\u{202e}b",
            "a?b",
            long.as_str(),
        ] {
            assert!(check(path).is_err(), "{path:?}");
        }
        assert_eq!(fold("A/ß"), fold("a/SS"));
    }
}
