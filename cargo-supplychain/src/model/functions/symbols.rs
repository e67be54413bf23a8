//! Functions in the symbols of an executable or library (ELF, Mach-O, PE), by the crate `object`; names in both of rustc's manglings.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSymbol as _, SymbolKind};

use super::{Asked, Path};

const MAX_SYMBOLS: usize = 8_000_000;
/// The longest symbol, in bytes; longer ones make the answer unknown.
const MAX_NAME: usize = 1 << 16;

/// What the symbols of a file have of a function, the strongest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// It, or a closure in it; the demangled symbol.
    Exact(String),
    /// A function of its name that belongs to its crate, under another path.
    Similar(String),
    /// A symbol of its name that is not mangled, as C has them.
    Plain(String),
    #[default]
    Nothing,
}

/// Looks for functions, each with the path that it has in a crate of its name.
///
/// # Errors
/// Why the symbols do not tell, a fragment.
pub fn find(data: &[u8], asked: &[(Asked, Path)]) -> Result<BTreeMap<Asked, Found>, String> {
    let file = object::File::parse(data).map_err(|_| "its format is not read here".to_owned())?;
    let mut found: BTreeMap<Asked, Found> = asked.iter().map(|(asked, _)| (asked.clone(), Found::Nothing)).collect();
    let mut by_name: BTreeMap<&str, Vec<&(Asked, Path)>> = BTreeMap::new();
    for one in asked {
        by_name.entry(one.1.name()).or_default().push(one);
    }
    let mut has_functions = false;
    let own = file.symbols().map(|symbol| (true, symbol));
    let dynamic = file.dynamic_symbols().map(|symbol| (false, symbol));
    for (count, (is_own, symbol)) in own.chain(dynamic).enumerate() {
        let Ok(raw) = symbol.name() else { continue };
        if count >= MAX_SYMBOLS || raw.len() > MAX_NAME {
            return Err("it has more symbols, or longer ones, than are read".to_owned());
        }
        // What a file needs of other libraries is called there: as good as a definition.
        if !symbol.is_undefined() && symbol.kind() != SymbolKind::Text {
            continue;
        }
        has_functions |= is_own && !symbol.is_undefined() && rustc_demangle::try_demangle(raw).is_ok();
        for (asked, better) in compared(raw, &by_name) {
            let known = found.entry(asked.clone()).or_default();
            if better < *known {
                *known = better;
            }
        }
    }
    if has_functions { Ok(found) } else { Err("it has no symbols of its functions: it was stripped".to_owned()) }
}

/// More names than so are looked up instead of searched for.
const FEW: usize = 16;

/// The functions that a symbol may be of.
fn compared<'a>(raw: &str, by_name: &BTreeMap<&str, Vec<&'a (Asked, Path)>>) -> Vec<(&'a Asked, Found)> {
    if by_name.len() <= FEW && !by_name.keys().any(|name| raw.contains(name)) {
        return Vec::new();
    }
    let Ok(demangled) = rustc_demangle::try_demangle(raw) else {
        // Mach-O writes `_` before names of C.
        let names = [Some(raw), raw.strip_prefix('_')];
        let named = names.iter().flatten().filter_map(|name| by_name.get(name)).flatten();
        return named.map(|(asked, _)| (asked, Found::Plain(raw.to_owned()))).collect();
    };
    // Without the hash.
    let text = format!("{demangled:#}");
    let own = Path::parse(&text);
    let named = own.words().iter().filter_map(|word| by_name.get(word.as_str())).flatten();
    named.map(|(asked, path)| (asked, compare(&text, &own, path))).collect()
}

fn compare(text: &str, own: &Path, path: &Path) -> Found {
    if own.is_in(path) {
        Found::Exact(text.to_owned())
    } else if own.name() == path.name() && text.contains(&format!("{}::", path.crate_name())) {
        Found::Similar(text.to_owned())
    } else {
        Found::Nothing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(raw: &str, function: &str) -> String {
        let asked = (Asked { purl: String::new(), function: function.to_owned() }, Path::parse(function));
        let many: Vec<_> = (0..FEW).map(|number| (asked.0.clone(), Path::parse(&format!("a::b{number}")))).collect();
        let of = |more: &[(Asked, Path)]| {
            let mut by_name = BTreeMap::from([(asked.1.name(), vec![&asked])]);
            by_name.extend(more.iter().map(|one| (one.1.name(), vec![one])));
            compared(raw, &by_name).into_iter().map(|(_, found)| found).min().unwrap_or_default()
        };
        assert_eq!(of(&[]), of(&many), "{raw}");
        match of(&[]) {
            Found::Exact(text) => format!("= {text}"),
            Found::Similar(text) => format!("~ {text}"),
            Found::Plain(text) => format!("c {text}"),
            Found::Nothing => String::new(),
        }
    }

    #[test]
    fn both_manglings_are_read() {
        for (raw, function, expected) in [
            ("_ZN5shlex5bytes5quote17h0123456789abcdefE", "shlex::bytes::quote", "= shlex::bytes::quote"),
            ("_ZN5shlex5bytes5quote17h0123456789abcdefE", "shlex::quote", "~ shlex::bytes::quote"),
            ("_ZN5shlex5bytes5quote17h0123456789abcdefE", "other::quote", ""),
            ("_ZN3tar5entry14Entry$LT$R$GT$6unpack17h0123456789abcdefE", "tar::Entry::unpack", "~ tar::entry::Entry<R>::unpack"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo", "= mycrate::foo"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::fo", ""),
            ("_RNCNvCs1234_7mycrate3foo0B3_", "mycrate::foo", "= mycrate::foo::{closure#0}"),
            ("git_index_add", "libgit2_sys::git_index_add", "c git_index_add"),
            ("_git_index_add", "libgit2_sys::git_index_add", "c _git_index_add"),
            ("git_index_add_all", "libgit2_sys::git_index_add", ""),
        ] {
            assert_eq!(shown(raw, function), expected, "{raw} {function}");
        }
    }

    #[test]
    fn a_real_file() {
        let asked = |function: &str| {
            (Asked { purl: String::new(), function: function.to_owned() }, Path::parse(function).in_crate("cargo_supplychain"))
        };
        let own = own();
        let here = asked("x::model::functions::symbols::find");
        let gone = asked("x::model::functions::symbols::is_not_here_at_all");
        let found = find(&own, &[here.clone(), gone.clone()]).unwrap();
        assert!(matches!(&found[&here.0], Found::Exact(text) if text.contains("symbols::find")), "{found:?}");
        assert_eq!(found[&gone.0], Found::Nothing);
        for (bytes, why) in [(&b"text"[..], "its format is not read here"), (b"\x7fELF", "its format is not read here")] {
            assert_eq!(find(bytes, &[]).unwrap_err(), why);
        }
    }

    #[allow(clippy::disallowed_methods, reason = "a test reads the file that it runs from")]
    fn own() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn any_name_is_compared(raw in "(_ZN|_R)[0-9a-zA-Z_$.]{0,40}|\\PC{0,20}") {
            let _ = shown(&raw, "a::b");
        }
    }
}
