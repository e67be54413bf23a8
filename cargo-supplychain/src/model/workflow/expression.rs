//! Expressions of GitHub workflows (`${{ … }}`): which contexts can end up in their text (GitHub Docs, "Evaluate expressions in workflows
//! and actions"). A pure reader of hostile text: bounded depth, no panic; what it cannot read counts as every context that it names.

/// A context that an expression reads, in lower case with dots, indexes of lists as `*`: `github.event.issue.title`.
pub type Context = String;

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 32;
/// The longest expression with strings in it, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// The bodies of the `${{ … }}` in a text, each with its byte offset. `}}` within a string ends none.
#[must_use]
pub fn expressions(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${{").map(|at| from + at + 3) {
        let Some(length) = end(&text[start..]) else { break };
        found.push((start - 3, &text[start..start + length]));
        from = start + length + 2;
    }
    found
}

/// Where an expression ends: at the first `}}` outside of a string, or at the first one at all where no string is closed before it.
fn end(text: &str) -> Option<usize> {
    let mut is_text = false;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => is_text = !is_text,
            b'}' if !is_text && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            // Nobody writes longer ones; who leaves a string open does not hide what follows.
            _ if at >= MAX_LENGTH => break,
            _ => {}
        }
    }
    text.find("}}")
}

/// The contexts whose text can be part of the expression's value. A comparison or `contains(…)` gives a truth value, whatever its parts
/// hold; of `a && b` only `b` comes out with text.
#[must_use]
pub fn contexts(expression: &str) -> Vec<Context> {
    let tokens = tokens(expression);
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let mut found = match reader.or(0) {
        Some(found) if reader.at == tokens.len() => found,
        _ => all_contexts(&tokens),
    };
    found.sort();
    found.dedup();
    found
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name: of a context, a property or a function.
    Name(String),
    /// A string, with its text.
    Text(String),
    /// A number or another literal.
    Literal,
    /// An operator or bracket: `(`, `.`, `[`, `&&`, `==`, …
    Sign(&'static str),
    Unknown,
}

const SIGNS: [&str; 16] = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ".", ",", "*"];

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == '-';
        let (token, length) = if first == '\'' {
            string(rest)
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.find(|one| !is_name(one)).unwrap_or(rest.len());
            (Token::Name(rest[..length].to_ascii_lowercase()), length)
        } else if first.is_ascii_digit() || first == '-' || first == '+' {
            let length = rest.find(|one: char| !(one.is_ascii_alphanumeric() || "+-.".contains(one))).unwrap_or(rest.len());
            (Token::Literal, length.max(1))
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            (Token::Unknown, first.len_utf8())
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// `'it''s'`.
fn string(text: &str) -> (Token, usize) {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, one)) = chars.next() {
        if one != '\'' {
            value.push(one);
        } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
            chars.next();
            value.push('\'');
        } else {
            return (Token::Text(value), at + 1);
        }
    }
    (Token::Unknown, text.len())
}

/// Every context that is named, for an expression that cannot be read.
fn all_contexts(tokens: &[Token]) -> Vec<Context> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let follows = at.checked_sub(1).is_some_and(|before| tokens[before] == Token::Sign("."));
        if matches!(tokens[at], Token::Name(_)) && !follows {
            let mut reader = Reader { tokens, at };
            found.extend(reader.primary(0).unwrap_or_default());
        }
    }
    found
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
}

type Found = Option<Vec<Context>>;

impl Reader<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(here)) if *here == sign);
        self.at += usize::from(is);
        is
    }

    fn or(&mut self, depth: usize) -> Found {
        let mut found = self.and(depth)?;
        while self.takes("||") {
            found.extend(self.and(depth)?);
        }
        Some(found)
    }

    fn and(&mut self, depth: usize) -> Found {
        let mut found = self.comparison(depth)?;
        while self.takes("&&") {
            found = self.comparison(depth)?;
        }
        Some(found)
    }

    fn comparison(&mut self, depth: usize) -> Found {
        let mut found = self.unary(depth)?;
        while ["==", "!=", "<=", ">=", "<", ">"].into_iter().any(|sign| self.takes(sign)) {
            self.unary(depth)?;
            found = Vec::new();
        }
        Some(found)
    }

    fn unary(&mut self, depth: usize) -> Found {
        let mut is_negated = false;
        while self.takes("!") {
            is_negated = true;
        }
        let found = self.primary(depth)?;
        Some(if is_negated { Vec::new() } else { found })
    }

    fn primary(&mut self, depth: usize) -> Found {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.takes("(") {
            let found = self.or(depth + 1)?;
            return self.takes(")").then_some(found);
        }
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        match token {
            Token::Text(_) | Token::Literal => Some(Vec::new()),
            Token::Name(name) if self.takes("(") => self.call(&name, depth + 1),
            Token::Name(name) if matches!(name.as_str(), "true" | "false" | "null") => Some(Vec::new()),
            Token::Name(name) => self.context(name, depth + 1),
            Token::Sign(_) | Token::Unknown => None,
        }
    }

    fn call(&mut self, function: &str, depth: usize) -> Found {
        let mut found = Vec::new();
        while !self.takes(")") {
            found.extend(self.or(depth)?);
            if !self.takes(",") && !matches!(self.tokens.get(self.at), Some(Token::Sign(")"))) {
                return None;
            }
        }
        // What these give is a truth value or a digest, never the text of their arguments.
        let is_harmless = matches!(
            function,
            "contains" | "startswith" | "endswith" | "success" | "failure" | "always" | "cancelled" | "hashfiles"
        );
        Some(if is_harmless { Vec::new() } else { found })
    }

    /// `github.event['issue'].labels[0].name`.
    fn context(&mut self, mut name: String, depth: usize) -> Found {
        let mut found = Vec::new();
        loop {
            if self.takes(".") {
                match self.tokens.get(self.at)? {
                    Token::Name(part) => name = format!("{name}.{part}"),
                    Token::Sign("*") => name += ".*",
                    _ => return None,
                }
                self.at += 1;
            } else if self.takes("[") {
                match self.tokens.get(self.at)? {
                    Token::Text(part) => {
                        name = format!("{name}.{}", part.to_ascii_lowercase());
                        self.at += 1;
                    }
                    Token::Sign("*") | Token::Literal => {
                        name += ".*";
                        self.at += 1;
                    }
                    // Any property: what it picks is not known.
                    _ => {
                        found.extend(self.or(depth)?);
                        name += ".*";
                    }
                }
                if !self.takes("]") {
                    return None;
                }
            } else {
                break;
            }
        }
        found.push(name);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_comes_out_as_text() {
        for (expression, expected) in [
            (" github.head_ref ", &["github.head_ref"][..]),
            ("github.event['pull_request'].Title", &["github.event.pull_request.title"]),
            ("github.event.commits[0].message", &["github.event.commits.*.message"]),
            ("github.event.issue.labels.*.name", &["github.event.issue.labels.*.name"]),
            ("github.head_ref == 'main'", &[]),
            ("contains(github.event.issue.title, 'x')", &[]),
            ("github.head_ref || github.ref_name", &["github.head_ref", "github.ref_name"]),
            ("github.head_ref && 'yes' || 'no'", &[]),
            ("format('{0}', github.head_ref)", &["github.head_ref"]),
            ("toJSON(github)", &["github"]),
            ("!github.head_ref", &[]),
            ("(env.A)", &["env.a"]),
            ("github.head_ref ??? x", &["github.head_ref", "x"]),
            ("'it''s github.head_ref'", &[]),
            ("true", &[]),
        ] {
            assert_eq!(contexts(expression), expected, "{expression}");
        }
        assert_eq!(expressions("a ${{ x }} ${{y}} ${{ z"), [(2, " x "), (11, "y")]);
    }

    #[test]
    fn deep_nesting_is_not_followed() {
        let deep = format!("{}github.head_ref{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(contexts(&deep), ["github.head_ref"]);
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in "\\PC{0,60}", expression in "[a-c.'()\\[\\]*&|=! ,$\\{\\}]{0,40}") {
            for text in [text, expression] {
                let _ = contexts(&text);
                let _ = expressions(&text);
            }
        }
    }
}
