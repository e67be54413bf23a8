//! The words, texts and marks of Rust source, without its comments: enough to tell what code says from what it says about code. No
//! parser: what is not Rust comes out as marks, and nothing is refused.

use std::borrow::Cow;

/// A piece of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) enum Token<'t> {
    /// An identifier, keyword or number.
    Word(&'t str),
    /// The content of a string (plain, raw, byte or C), its escapes resolved.
    Text(Cow<'t, str>),
    /// A byte of punctuation.
    Mark(u8),
}

impl Token<'_> {
    pub(in crate::model) fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if *own == word)
    }

    pub(in crate::model) fn is_mark(&self, mark: u8) -> bool {
        *self == Token::Mark(mark)
    }
}

/// Gives the tokens in turn, each with its line (from 1). Each byte is looked at a bounded number of times.
pub(in crate::model) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Lexer<'t> {
    pub(in crate::model) fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes on by `length` bytes, which hold these lines.
    fn skip(&mut self, length: usize) {
        let end = (self.at + length).min(self.text.len());
        let passed = &self.text.as_bytes()[self.at..end];
        let lines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.at = end;
    }

    fn skip_comment(&mut self) {
        if self.byte(1) == b'/' {
            let end = self.rest().find('\n').unwrap_or(self.rest().len());
            return self.skip(end);
        }
        let bytes = self.rest().as_bytes();
        let (mut depth, mut at) = (0_usize, 0);
        while at < bytes.len() {
            match &bytes[at..bytes.len().min(at + 2)] {
                b"/*" => depth += 1,
                b"*/" => depth = depth.saturating_sub(1),
                _ => {
                    at += 1;
                    continue;
                }
            }
            at += 2;
            if depth == 0 {
                break;
            }
        }
        self.skip(at);
    }

    /// A string whose opening quote stands `prefix` bytes ahead.
    fn string(&mut self, prefix: usize) -> Token<'t> {
        let body = &self.text[(self.at + prefix + 1).min(self.text.len())..];
        let mut length = 0;
        let mut escaped = false;
        let bytes = body.as_bytes();
        while length < bytes.len() && bytes[length] != b'"' {
            escaped |= bytes[length] == b'\\';
            length += if bytes[length] == b'\\' { 2 } else { 1 };
        }
        let length = length.min(bytes.len());
        let content = body.get(..length).unwrap_or(body);
        self.skip(prefix + 1 + length + 1);
        Token::Text(if escaped { Cow::Owned(unescaped(content)) } else { Cow::Borrowed(content) })
    }

    /// A raw string: `hashes` of them stand before the quote, which is `prefix` bytes ahead.
    fn raw_string(&mut self, prefix: usize, hashes: usize) -> Token<'t> {
        let body = &self.text[(self.at + prefix + 1).min(self.text.len())..];
        let end = format!("\"{}", "#".repeat(hashes));
        let length = body.find(&end).unwrap_or(body.len());
        self.skip(prefix + 1 + length + end.len());
        Token::Text(Cow::Borrowed(&body[..length]))
    }

    /// A string that begins here, with the letters before its quote.
    fn any_string(&mut self) -> Option<Token<'t>> {
        let letters = match (self.byte(0), self.byte(1)) {
            (b'"', _) => 0,
            (b'b' | b'c', b'r') => 2,
            (b'b' | b'c' | b'r', _) => 1,
            _ => return None,
        };
        let is_raw = letters == 2 || (letters == 1 && self.byte(0) == b'r');
        let after = self.rest().as_bytes().get(letters..)?;
        let hashes = after.iter().take_while(|byte| is_raw && **byte == b'#').count();
        if after.get(hashes) != Some(&b'"') {
            return None;
        }
        Some(if is_raw { self.raw_string(letters + hashes, hashes) } else { self.string(letters) })
    }

    /// Skips a character, or the quote of a lifetime.
    fn skip_quote(&mut self) {
        if self.byte(1) == b'\\' {
            let bytes = self.rest().as_bytes();
            // `'\''`, `'\u{10ffff}'`: the longest has twelve bytes.
            let end = bytes.iter().take(16).skip(3).position(|byte| *byte == b'\'');
            return self.skip(end.map_or(2, |end| end + 4));
        }
        let mut characters = self.rest().chars();
        characters.next();
        let length = characters.next().map_or(0, char::len_utf8);
        let is_character = characters.next() == Some('\'');
        self.skip(if is_character { length + 2 } else { 1 });
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

impl<'t> Iterator for Lexer<'t> {
    type Item = (Token<'t>, u32);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.at >= self.text.len() {
                return None;
            }
            match (self.byte(0), self.byte(1)) {
                (byte, _) if byte.is_ascii_whitespace() => self.skip(1),
                (b'/', b'/' | b'*') => self.skip_comment(),
                (b'\'', _) => self.skip_quote(),
                _ => break,
            }
        }
        let line = self.line;
        if let Some(text) = self.any_string() {
            return Some((text, line));
        }
        // `r#type` is the word `type`.
        if self.byte(0) == b'r' && self.byte(1) == b'#' && is_word_byte(self.byte(2)) {
            self.skip(2);
        }
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| is_word_byte(*byte)).count();
        if length == 0 {
            let mark = self.byte(0);
            self.skip(1);
            return Some((Token::Mark(mark), line));
        }
        self.skip(length);
        Some((Token::Word(&rest[..length]), line))
    }
}

/// Resolves the escapes of a string (the Rust reference, "Tokens"); one that is none stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let Some(letter) = after.chars().next() else {
            rest = "";
            break;
        };
        rest = &after[letter.len_utf8()..];
        match letter {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '0' => out.push('\0'),
            '\n' | '\r' => rest = rest.trim_start(),
            'x' => match rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    out.push(char::from(byte));
                    rest = &rest[2..];
                }
                None => out.push('x'),
            },
            'u' => match unicode(rest) {
                Some((character, length)) => {
                    out.push(character);
                    rest = &rest[length..];
                }
                None => out.push('u'),
            },
            other => out.push(other),
        }
    }
    out.push_str(rest);
    out
}

/// `{1F600}` at the beginning, with its length.
fn unicode(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix('{')?;
    let end = digits.bytes().take(16).position(|byte| byte == b'}')?;
    let number = u32::from_str_radix(&digits[..end].replace('_', ""), 16).ok()?;
    Some((char::from_u32(number)?, end + 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let shown = |(token, line): (Token<'_>, u32)| match token {
            Token::Word(word) => format!("{line}:{word}"),
            Token::Text(text) => format!("{line}:\"{text}\""),
            Token::Mark(mark) => format!("{line}:{}", char::from(mark)),
        };
        Lexer::new(text).map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn code_is_told_from_what_is_said_about_it() {
        for (text, expected) in [
            ("a::b // \"c\"\nd", "1:a 1:: 1:: 1:b 2:d"),
            ("/* a /* \" */ b */ c /* never", "1:c"),
            ("//! doc\n/// \"doc\"\nx", "3:x"),
            (
                r#""a\"b" "\x63\u{75}rl\\" "a\
                b""#,
                "1:\"a\"b\" 1:\"curl\\\" 1:\"ab\"",
            ),
            (
                "r\"a\\\" r#\"b\"c\"# br##\"d\"#\"## b\"e\" c\"f\" cr#\"g\"#",
                "1:\"a\\\" 1:\"b\"c\" 1:\"d\"#\" 1:\"e\" 1:\"f\" 1:\"g\"",
            ),
            ("'\"' x '\\'' '\\u{22}' y 'é' &'a str '//z'", "1:x 1:y 1:& 1:a 1:str"),
            ("r#type rb br b'\\\"' c", "1:type 1:rb 1:br 1:b 1:c"),
            ("\"a\nb\" c", "1:\"a\nb\" 2:c"),
            ("\"open \\", "1:\"open \""),
            ("r##\"open\"#", "1:\"open\"#\""),
            ("1_000u8 é_1", "1:1_000u8 1:é_1"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a-z'\"\\\\#/*r{}\nbé]{0,80}", other in any::<String>()) {
            for text in [text, other] {
                prop_assert!(Lexer::new(&text).count() <= text.len());
            }
        }
    }
}
