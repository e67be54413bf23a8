//! Text of others within Markdown: shown as it is, never as markup, a link, a mention or another table cell.

use std::borrow::Cow;

use crate::base::text::plain;

/// `text` for running text and table cells.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in plain(text).chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => out.extend(['\\', character]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention would notify whoever has that name.
            '@' => out.push_str("&#64;"),
            _ => out.push(character),
        }
    }
    out
}

/// `text` as a code span of running text: the fence is longer than any run of backticks within.
pub(super) fn code(text: &str) -> String {
    let text: Cow<'_, str> = plain(text);
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// One argument of a POSIX shell command: quoted unless it is plain.
pub(super) fn shell_word(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+:=,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    let path = if word.starts_with('-') { format!("./{word}") } else { word.to_owned() };
    format!("'{}'", path.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture::HOSTILE;

    #[test]
    fn markup_is_shown_not_interpreted() {
        assert_eq!(text("a|b `c` <d> @me [l](u)\n"), "a\\|b \\`c\\` &lt;d&gt; &#64;me \\[l\\](u)\\\\u{a}");
        assert!(!text(HOSTILE).contains(['\n', '\r', '\u{1b}', '<']));
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn words_of_a_command() {
        for (word, quoted) in [
            ("a/b.json", "a/b.json"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("-rf", "'./-rf'"),
            ("$(id)", "'$(id)'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
