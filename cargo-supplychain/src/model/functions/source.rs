//! Where Rust source names a function: its definitions, and every other place. By words and brackets, without a parser of the language: what is not
//! understood counts as a place that names it, so that "nothing names it" is only said where it holds.
//!
//! Not seen: names that macros put together from parts (`paste!`, `format_ident!`).

use super::Named;
use crate::model::capability::lex::{Lexer, Token};

/// What files say of a name, added up file by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    definitions: Vec<Definition>,
    in_code: Option<u32>,
    in_macros: Option<u32>,
}

/// A function of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Definition {
    /// In a module or an inherent `impl`: called by its name only.
    Plain,
    /// Declared in `extern { … }`.
    Foreign,
    /// Why it may be called otherwise, a fragment.
    Implicit(&'static str),
}

/// Why what stands in a macro may be called otherwise.
const MACRO: &str = "a macro makes it";

/// Deeper nested files count as naming everything.
const MAX_DEPTH: usize = 4096;

/// Attributes that call nothing and let nobody else call.
const INERT: [&str; 24] = [
    "allow",
    "cfg",
    "clippy",
    "cold",
    "cfg_attr",
    "coverage",
    "deny",
    "deprecated",
    "derive",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "non_exhaustive",
    "optimize",
    "path",
    "rustfmt",
    "rustc_deprecated",
    "stable",
    "target_feature",
    "track_caller",
    "unstable",
    "warn",
];
/// Attributes whose texts are prose.
const PROSE: [&str; 3] = ["doc", "deprecated", "must_use"];

impl Names {
    /// Reads a file for one name.
    #[must_use]
    pub fn of(text: &str, name: &str) -> Self {
        let mut reader = Reader { name, names: Self::default(), scopes: vec![Scope::new(Kind::Module)], is_import: false };
        for (token, line) in Lexer::new(text) {
            if !reader.read(&token, line) {
                reader.names.in_macros.get_or_insert(line);
                break;
            }
        }
        reader.names
    }

    /// The line of the first place that names it beside definitions and imports. `of_dependent`: the file belongs to a crate that has the function's
    /// crate among its dependencies, however far. Another one cannot call it; but others may have code in them that its macros make.
    #[must_use]
    pub fn mention(&self, of_dependent: bool) -> Option<u32> {
        let in_code = self.in_code.filter(|_| of_dependent);
        [in_code, self.in_macros].into_iter().flatten().min()
    }

    /// Counts the definitions, where the file belongs to the crate of the function.
    pub fn add_definitions_to(&self, named: &mut Named) {
        for definition in &self.definitions {
            match definition {
                Definition::Plain => named.definitions += 1,
                Definition::Foreign => named.is_foreign = true,
                Definition::Implicit(why) => {
                    named.definitions += 1;
                    named.implicit.get_or_insert(why);
                }
            }
        }
    }
}

/// What a pair of brackets holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Items that are called by their names: a file, `mod`, an inherent `impl`.
    Module,
    /// Items whose functions may be called otherwise.
    Implicit(&'static str),
    Foreign,
    /// `use a::{…}`.
    Import,
    /// An attribute; `true`: its texts are prose.
    Attribute(bool),
    /// The body of a function of the name, which is called by its name.
    OwnBody,
    /// Compiled for tests only.
    Tests,
    /// Everything else.
    Code,
}

/// A pair of brackets that is open.
struct Scope {
    kind: Kind,
    /// What stands before the next item's brackets.
    head: Head,
}

/// The beginning of an item.
#[derive(Default)]
struct Head {
    /// The first word that is no visibility.
    first: String,
    /// The last two tokens.
    last: String,
    before_last: String,
    has_for: bool,
    has_fn: bool,
    has_extern: bool,
    /// `fn` and the name: what a body belongs to.
    is_own: bool,
    /// It has an attribute that may lead to calls.
    is_marked: bool,
    /// `#[cfg(test)]`, `#[test]`.
    is_test: bool,
}

impl Scope {
    fn new(kind: Kind) -> Self {
        Self { kind, head: Head::default() }
    }
}

struct Reader<'n> {
    name: &'n str,
    names: Names,
    scopes: Vec<Scope>,
    /// The name was the last token of an import: `as` makes another name of it.
    is_import: bool,
}

impl Reader<'_> {
    /// False: too deep.
    fn read(&mut self, token: &Token<'_>, line: u32) -> bool {
        if std::mem::take(&mut self.is_import) && token.is_word("as") {
            self.mention(line);
        }
        match token {
            Token::Word(word) if *word == self.name => self.name_at(line),
            Token::Word(word) => self.word(word),
            Token::Text(text) => {
                if has_word(text, self.name) && self.kind() != Kind::Attribute(true) {
                    self.mention_in_text(line);
                }
                self.head().push("\"");
            }
            Token::Mark(b'{' | b'(' | b'[') => return self.open(token),
            Token::Mark(mark @ (b'}' | b')' | b']')) => self.close(*mark),
            Token::Mark(b';') => *self.head() = Head::default(),
            // The next arm, field or argument has attributes of its own.
            Token::Mark(b',') => {
                self.head().is_test = false;
                self.head().push(",");
            }
            Token::Mark(mark) => self.head().push(std::str::from_utf8(&[*mark]).unwrap_or("?")),
        }
        true
    }

    fn kind(&self) -> Kind {
        self.scopes.last().map_or(Kind::Code, |scope| scope.kind)
    }

    fn head(&mut self) -> &mut Head {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::new(Kind::Code));
        }
        &mut self.scopes.last_mut().expect("there is one").head
    }

    fn mention(&mut self, line: u32) {
        // A function that only functions of its name call is called by nobody.
        let is_left_out = |scope: &Scope| matches!(scope.kind, Kind::OwnBody | Kind::Tests);
        if self.scopes.iter().any(is_left_out) || self.head().is_test {
            return;
        }
        let is_macro = |scope: &Scope| matches!(scope.kind, Kind::Implicit(MACRO) | Kind::Attribute(_));
        let place = if self.scopes.iter().any(is_macro) { &mut self.names.in_macros } else { &mut self.names.in_code };
        place.get_or_insert(line);
    }

    /// A text may become code by a macro.
    fn mention_in_text(&mut self, line: u32) {
        self.scopes.push(Scope::new(Kind::Implicit(MACRO)));
        self.mention(line);
        self.scopes.pop();
    }

    fn name_at(&mut self, line: u32) {
        let kind = self.kind();
        let head = self.head();
        let is_definition = head.last == "fn";
        let is_import = kind == Kind::Import || head.first == "use";
        if is_definition {
            let definition = definition(kind, head);
            head.is_own = definition == Definition::Plain;
            if kind != Kind::Tests && !head.is_test {
                self.names.definitions.push(definition);
            }
        } else if is_import {
            self.is_import = true;
        } else {
            self.mention(line);
        }
        let name = self.name.to_owned();
        self.head().push(&name);
    }

    fn word(&mut self, word: &str) {
        self.attribute(word);
        let head = self.head();
        head.has_for |= word == "for";
        head.has_fn |= word == "fn";
        head.has_extern |= word == "extern";
        head.push(word);
    }

    /// The first word of an attribute says what it is.
    fn attribute(&mut self, word: &str) {
        let [.., above, scope] = self.scopes.as_mut_slice() else { return };
        if !matches!(scope.kind, Kind::Attribute(_)) || !scope.head.first.is_empty() {
            return;
        }
        let of_item = above.head.last == "#";
        // `#![…]` is about what it stands in, not about the next item.
        if of_item || above.head.last == "!" {
            scope.kind = Kind::Attribute(PROSE.contains(&word));
            above.head.is_marked |= of_item && !INERT.contains(&word) && word != "test";
            above.head.is_test |= of_item && word == "test";
        }
    }

    /// `#[cfg(test)]` has been read.
    fn condition(&mut self, of_cfg: &Head) {
        if let [.., above, scope] = self.scopes.as_mut_slice()
            && matches!(scope.kind, Kind::Attribute(_))
            && scope.head.first == "cfg"
            && above.head.last == "#"
        {
            above.head.is_test |= of_cfg.first == "test" && of_cfg.before_last.is_empty();
        }
    }

    fn open(&mut self, token: &Token<'_>) -> bool {
        let outer = self.kind();
        let head = self.head();
        let kind = if token.is_mark(b'{') {
            braces(outer, head)
        } else if token.is_mark(b'[') && (head.last == "#" || (head.last == "!" && head.before_last == "#")) {
            Kind::Attribute(false)
        } else if head.last == "!" {
            Kind::Implicit(MACRO)
        } else if matches!(outer, Kind::Attribute(_) | Kind::OwnBody | Kind::Tests) {
            outer
        } else {
            Kind::Code
        };
        self.scopes.push(Scope::new(kind));
        self.scopes.len() <= MAX_DEPTH
    }

    fn close(&mut self, mark: u8) {
        let closed = self.scopes.pop();
        if let (b')', Some(closed)) = (mark, &closed) {
            self.condition(&closed.head);
        }
        let is_attribute = closed.is_some_and(|scope| matches!(scope.kind, Kind::Attribute(_)));
        if mark == b'}' {
            *self.head() = Head::default();
        } else if is_attribute && mark == b']' {
            // What is marked stays marked; the attribute is no part of the item's words.
            self.head().last.clear();
        } else {
            self.head().push(")");
        }
    }
}

impl Head {
    fn push(&mut self, token: &str) {
        if self.first.is_empty() && token.starts_with(|one: char| one.is_alphabetic() || one == '_') && token != "pub" {
            token.clone_into(&mut self.first);
        }
        std::mem::swap(&mut self.before_last, &mut self.last);
        token.clone_into(&mut self.last);
    }
}

fn definition(kind: Kind, head: &Head) -> Definition {
    match kind {
        Kind::Foreign => Definition::Foreign,
        Kind::Module if head.is_marked => Definition::Implicit("it has an attribute that may make calls of it"),
        Kind::Module if head.has_extern => Definition::Implicit("other languages may call it"),
        Kind::Module => Definition::Plain,
        Kind::Implicit(why) => Definition::Implicit(why),
        _ => Definition::Implicit("it stands in a place that is not understood"),
    }
}

/// What braces hold, by what stands before them.
fn braces(outer: Kind, head: &Head) -> Kind {
    if outer == Kind::Tests || head.is_test {
        return Kind::Tests;
    }
    // `fn a() -> ! {` is none.
    if head.last == "!" && head.before_last != ">" {
        return Kind::Implicit(MACRO);
    }
    if head.has_fn {
        return if head.is_own || outer == Kind::OwnBody { Kind::OwnBody } else { Kind::Code };
    }
    match (outer, head.first.as_str()) {
        (Kind::OwnBody, _) => Kind::OwnBody,
        (Kind::Implicit(why), _) => Kind::Implicit(why),
        (_, "use") | (Kind::Import, _) => Kind::Import,
        (_, "trait") => Kind::Implicit("it is a method of a trait"),
        (_, "impl") if head.has_for => Kind::Implicit("it is a method of a trait"),
        (_, "extern") => Kind::Foreign,
        (_, "unsafe") if head.has_extern => Kind::Foreign,
        (_, "unsafe" | "auto") => Kind::Implicit("it is a method of a trait"),
        (Kind::Module, "mod" | "impl") if head.is_marked => {
            Kind::Implicit("it is in a block whose attribute may make calls of it")
        }
        (Kind::Module, "mod" | "impl") => Kind::Module,
        (_, "macro_rules" | "macro") => Kind::Implicit(MACRO),
        _ => Kind::Code,
    }
}

/// Whether a text has the word: not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |one: char| one.is_alphanumeric() || one == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_part) && !text[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `definitions`, why one is implicit, whether one is foreign, the line that names it.
    fn read(text: &str) -> String {
        let names = Names::of(text, "quote");
        let mut named = Named::default();
        names.add_definitions_to(&mut named);
        let foreign = if named.is_foreign { " foreign" } else { "" };
        let mention = names.mention(true).map(|line| format!(" named in {line}")).unwrap_or_default();
        format!("{}{foreign}{}{mention}", named.definitions, named.implicit.map(|why| format!(" ({why})")).unwrap_or_default())
    }

    #[test]
    fn definitions_and_imports_name_nobody() {
        for (text, expected) in [
            ("pub fn quote(a: &str) -> u8 { 1 }", "1"),
            ("/// quote\n// quote()\nmod a { pub(crate) const unsafe fn quote<T>() {} }", "1"),
            ("impl<T: Fn() -> u8> A<T> where T: B { #[inline] #[doc = \"quote\"] pub async fn quote(&self) { x() } }", "1"),
            ("pub use bytes::quote;\nuse a::{b, quote, c::{quote}};\npub(in crate::x) use quote::*;", "0"),
            ("fn requote() { unquote(\"requote _quote\") }", "0"),
            ("#[cfg(a)] #[must_use = \"quote\"] pub fn quote() {}\n#[deprecated(note = \"quote\")] fn b() {}", "1"),
            // Who calls itself is called by nobody.
            ("fn quote() { if x { quote() } }\nimpl A { fn quote(&self) { self.0.quote(|| quote!()) } }", "2"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_does() {
        for (text, expected) in [
            ("fn a() {\n quote() }", "0 named in 2"),
            ("fn quote() {}\nfn a() { b(quote) }", "1 named in 2"),
            ("fn quote() {}\nstatic A: fn() = quote;", "1 named in 2"),
            ("use a::quote as b;", "0 named in 1"),
            ("use a::{quote as b};", "0 named in 1"),
            ("macro_rules! a { () => { $crate::quote() } }", "0 named in 1"),
            ("m!(quote);", "0 named in 1"),
            ("#[serde(with = \"a::quote\")] struct A;", "0 named in 1"),
            ("#[a(quote)] struct A;", "0 named in 1"),
            ("fn a() { r#quote() }", "0 named in 1"),
            ("fn a() { b(\"call quote\") }", "0 named in 1"),
            ("struct A { quote: u8 }", "0 named in 1"),
            // The body of another function of the name, called through a trait, counts.
            ("impl A for B { fn quote(&self) { quote() } }", "1 (it is a method of a trait) named in 1"),
            ("fn quote() {}\nfn a() { fn quote2() { quote() } }", "1 named in 2"),
            (&"(".repeat(5000), "0 named in 1"),
        ] {
            assert_eq!(read(text), expected, "{}", &text[..text.len().min(80)]);
        }
    }

    #[test]
    fn tests_are_not_compiled() {
        for (text, expected) in [
            ("#[cfg(test)] mod tests { fn a() { quote() } fn quote() {} }", "0"),
            ("#[cfg(test)]\n#[allow(x)]\nfn a() { quote() }\nfn b() { quote() }", "0 named in 4"),
            ("#[test] fn a() { m!(quote, \"quote\") }", "0"),
            ("#[cfg(test)] use a::b;\nfn b() { quote() }", "0 named in 2"),
            ("#[cfg(not(test))] fn b() { quote() }", "0 named in 1"),
            ("#[cfg(any(test, x))] mod b { fn a() { quote() } }", "0 named in 1"),
            ("#[cfg(feature = \"test\")] mod b { fn a() { quote() } }", "0 named in 1"),
            ("#[cfg(test)] static A: fn() = quote;", "0"),
            ("fn a() { match b { #[cfg(test)] C => d(), E => quote() } }", "0 named in 1"),
            ("fn a() { B { #[cfg(test)] c: 1, d: quote() } }", "0 named in 1"),
            ("fn a() { #[cfg(test)] { quote() } quote() }", "0 named in 1"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn only_macros_reach_into_what_depends_on_the_crate() {
        for (text, expected) in [
            ("fn a() { b.quote() }", None),
            ("fn a() { let f: fn() = m!(quote); }", Some(1)),
            ("fn a() { let f: fn() = m! { quote }; }", Some(1)),
            ("macro_rules! a {\n () => { $crate::b(|| { quote() }) } }", Some(2)),
            ("fn a() -> ! { quote() }", None),
            ("fn a() { f(\"quote\") }", Some(1)),
            ("#[a(quote)] struct A;", Some(1)),
        ] {
            assert_eq!(Names::of(text, "quote").mention(false), expected, "{text}");
        }
    }

    #[test]
    fn who_may_be_called_without_a_name() {
        const TRAIT: &str = "1 (it is a method of a trait)";
        for (text, expected) in [
            ("impl Deref for A { fn quote(&self) {} }", TRAIT),
            ("unsafe impl<T> B for A<T> { fn quote(&self) {} }", TRAIT),
            ("trait A { fn quote(&self); }", TRAIT),
            ("pub unsafe trait A { fn quote(&self) {} }", TRAIT),
            ("pub extern \"C\" fn quote() {}", "1 (other languages may call it)"),
            ("extern \"C\" { pub fn quote(); }", "0 foreign"),
            ("unsafe extern \"C\" { pub fn quote(); }", "0 foreign"),
            ("#[ctor] fn quote() {}", "1 (it has an attribute that may make calls of it)"),
            ("#[tokio::test] #[inline] fn quote() {}", "1 (it has an attribute that may make calls of it)"),
            ("#[pymethods] impl A { fn quote() {} }", "1 (it is in a block whose attribute may make calls of it)"),
            ("#[cxx::bridge] mod a { fn quote() {} }", "1 (it is in a block whose attribute may make calls of it)"),
            ("m! { fn quote() {} }", "1 (a macro makes it)"),
            ("macro_rules! m { () => { impl A { fn quote() {} } } }", "1 (a macro makes it)"),
            ("fn a() { fn quote() {} }", "1 (it stands in a place that is not understood)"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[{}()\\[\\];#!\" fnquoteimpl]{0,80}", other in any::<String>()) {
            for text in [text, other] {
                let _ = read(&text);
            }
        }
    }
}
