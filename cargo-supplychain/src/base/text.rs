//! Text that came from files others can write: made harmless before a person's terminal or a log sees it.

use std::borrow::Cow;

/// `text` with every control character (C0, C1, escape sequences, newlines) and every bidirectional or invisible
/// formatting character written as `\u{…}`, so that hostile names can neither move the cursor nor forge lines. `##[` is written so as
/// well: GitHub's runner takes `##[COMMAND]` for a workflow command wherever in a line of the log it stands, as `::` at its start.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    // Nearly all of it, by the thousand lines.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'#') {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(is_unprintable) && !text.contains(OLD_COMMAND) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, character) in text.char_indices() {
        if is_unprintable(character) || text[at..].starts_with(OLD_COMMAND) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// What begins a workflow command of before 2019, which the runner still knows.
pub const OLD_COMMAND: &str = "##[";

/// `text` as one line: every run of white space is one blank, the rest as [`plain`] has it. For descriptions, which authors wrap.
#[must_use]
pub fn one_line(text: &str) -> String {
    plain(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// `1 file`, `2 files`.
#[must_use]
pub fn counted(count: impl TryInto<u64>, word: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A URL without user name, password, query and fragment: what may be shown or recorded (ARCHITECTURE.md, invariant 8).
#[must_use]
pub fn without_credentials(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    let host = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped_and_ordinary_text_is_borrowed() {
        assert_eq!(plain("a\u{1b}[31m\r\n"), "a\\u{1b}[31m\\u{d}\\u{a}");
        assert_eq!(plain("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(plain("a ###[add-mask]b ##"), "a #\\u{23}#[add-mask]b ##");
        assert!(matches!(plain("日本語 ok"), Cow::Borrowed(_)));
    }

    #[test]
    fn wrapped_text_becomes_one_line() {
        assert_eq!(one_line(" a\n  b\r\n\tc\u{1b} "), "a b c\\u{1b}");
    }

    #[test]
    fn secrets_leave_urls() {
        for (url, shown) in [
            ("https://user:pw@host/a@b", "https://host/a@b"),
            ("https://host/r.git?token=1#x", "https://host/r.git"),
            ("git@host:org/repo", "git@host:org/repo"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
