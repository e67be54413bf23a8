//! Patterns of identities and references: always anchored at both ends, no regular expression, time linear in the product of the two
//! lengths.

use std::fmt;

/// A text in which `*` stands for any characters but `/` and `@`, and `**` for any at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Every text is a pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What stands before the first `*`.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Whether it has no `*`.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.0.contains('*')
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether all of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes();
        // `reached[n]`: the pattern so far matches the first n bytes.
        let mut reached = vec![false; text.len() + 1];
        reached[0] = true;
        let mut pattern = self.0.as_bytes();
        while let Some((&first, rest)) = pattern.split_first() {
            pattern = rest;
            if first == b'*' {
                let any = pattern.first() == Some(&b'*');
                while pattern.first() == Some(&b'*') {
                    pattern = &pattern[1..];
                }
                for at in 1..reached.len() {
                    reached[at] |= reached[at - 1] && (any || !matches!(text[at - 1], b'/' | b'@'));
                }
            } else {
                for at in (1..reached.len()).rev() {
                    reached[at] = reached[at - 1] && text[at - 1] == first;
                }
                reached[0] = false;
            }
        }
        reached[text.len()]
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_and_stay_within_a_segment() {
        for (pattern, text, expected) in [
            ("refs/tags/v*", "refs/tags/v1.2.3", true),
            ("refs/tags/v*", "refs/tags/v", true),
            ("refs/tags/v*", "refs/tags/v1/x", false),
            ("refs/tags/v*", "xrefs/tags/v1", false),
            ("refs/tags/**", "refs/tags/a/b", true),
            ("refs/tags/v1", "refs/tags/v10", false),
            ("*@example.com", "a@example.com", true),
            ("*@example.com", "a@evil@example.com", false),
            ("*@example.com", "a@example.com.evil", false),
            ("a.c", "abc", false),
            ("", "", true),
            ("", "x", false),
            ("*", "", true),
            ("**", "a/b@c", true),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
        assert!(!Pattern::new("a*".repeat(500)).matches(&"a".repeat(400)));
    }
}
