//! The version of a native library, read out of sources: by the one macro or line that upstream keeps it in. No preprocessor and no
//! regular expressions: what does not have the plain form is unknown, never guessed.

/// The largest file that is looked at, in bytes: the amalgamation's header of SQLite has 700 KiB.
pub const MAX_FILE: u64 = 4 << 20;

/// The longest version that is believed.
const MAX_VERSION: usize = 40;

/// How a file says the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// `#define NAME "1.2.3"`.
    Text(&'static str),
    /// `#define NAME 1`, one for each part, joined by dots.
    Numbers(&'static [&'static str]),
    /// `NAME=1` lines (OpenSSL's `VERSION.dat`), likewise.
    Assignments(&'static [&'static str]),
    /// `AC_INIT([name], [1.2.3])` of a configure.ac, or `project(name VERSION 1.2.3)` of a CMakeLists.txt: what follows the text, up to
    /// what no version has.
    After(&'static str),
}

/// What the file says; none where it does not say it in this form.
#[must_use]
pub fn read(pattern: Pattern, text: &str) -> Option<String> {
    let version = match pattern {
        Pattern::Text(name) => {
            let value = define(text, name)?.strip_prefix('"')?;
            value[..value.find('"')?].to_owned()
        }
        Pattern::Numbers(names) => joined(names, |name| define(text, name).and_then(first_word))?,
        Pattern::Assignments(names) => joined(names, |name| assignment(text, name))?,
        Pattern::After(before) => {
            let rest = text[text.find(before)? + before.len()..].trim_start_matches(|one: char| !one.is_ascii_digit());
            let end = rest.find(|one: char| !(one.is_ascii_alphanumeric() || "._-+".contains(one))).unwrap_or(rest.len());
            rest[..end].to_owned()
        }
    };
    plausible(&version).then_some(version)
}

/// The upstream version in the build metadata of a crate's version: `300.5.5+3.5.5`, `0.4.91+curl-8.22.0`, `2.1.3+zstd.1.5.7`.
#[must_use]
pub fn of_build_metadata(crate_version: &str) -> Option<String> {
    let (_, metadata) = crate_version.split_once('+')?;
    // A name may stand before it, with `-` or `.` between them, or `v` alone.
    let after = |separator: char| metadata.split_once(separator).filter(|(name, _)| is_name(name)).map(|(_, rest)| rest);
    let version = |text: &str| {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|one: char| !(one.is_ascii_alphanumeric() || one == '.')).unwrap_or(text.len());
        let version = text[..end].trim_end_matches('.');
        (version.contains('.') && plausible(version)).then(|| version.to_owned())
    };
    [Some(metadata), after('-'), after('.')].into_iter().flatten().find_map(version)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|one: char| one.is_ascii_alphabetic()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn plausible(version: &str) -> bool {
    version.len() <= MAX_VERSION
        && version.starts_with(|one: char| one.is_ascii_digit())
        && version.chars().all(|one| one.is_ascii_alphanumeric() || "._-+".contains(one))
}

/// The rest of the line after `#define NAME`.
fn define<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let line = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("define")?;
        let line = line.strip_prefix([' ', '\t'])?.trim_start().strip_prefix(name)?;
        line.strip_prefix([' ', '\t']).map(str::trim)
    })
}

fn assignment<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| first_word(line.trim().strip_prefix(name)?.strip_prefix('=')?))
}

fn first_word(text: &str) -> Option<&str> {
    text.split_whitespace().next().map(|word| word.trim_matches('"'))
}

fn joined<'t>(names: &[&str], value: impl Fn(&str) -> Option<&'t str>) -> Option<String> {
    let number = |name: &&str| value(name).filter(|one| !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit()));
    Some(names.iter().map(number).collect::<Option<Vec<_>>>()?.join("."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms() {
        use Pattern::{After, Assignments, Numbers, Text};
        const ABC: &[&str] = &["A", "B", "C"];
        for (pattern, text, version) in [
            (Text("ZLIB_VERSION"), "#define ZLIB_VERSION_LONG \"9\"\n#  define\tZLIB_VERSION \"1.3.2\"\n", Some("1.3.2")),
            (Text("V"), "#define V \"\"", None),
            (Text("V"), "#define V 1.2", None),
            (Text("V"), "/* V \"1.2\" */", None),
            (Text("V"), "#define V \"1.2 beta\"", None),
            (Text("V"), "#define V \"1.2", None),
            (Numbers(ABC), "#define A 2\n#define B  12\n#define C 1 /* patch */", Some("2.12.1")),
            (Numbers(ABC), "#define A 2\n#define B 12", None),
            (Numbers(ABC), "#define A 2\n#define B 12\n#define C X", None),
            (Assignments(ABC), "A=3\nB=\"6\"\nC=3\nPRE=\"\"", Some("3.6.3")),
            (After("AC_INIT([libwebp],"), "AC_INIT([libwebp], [1.5.0],\n  [https://…])", Some("1.5.0")),
            (After("nothing"), "else", None),
        ] {
            assert_eq!(read(pattern, text).as_deref(), version, "{pattern:?} {text}");
        }
    }

    #[test]
    fn build_metadata() {
        for (version, upstream) in [
            ("300.5.5+3.5.5", Some("3.5.5")),
            ("111.28.2+1.1.1w", Some("1.1.1w")),
            ("0.18.8+1.9.7", Some("1.9.7")),
            ("0.4.91+curl-8.22.0", Some("8.22.0")),
            ("2.1.3+zstd.1.5.7", Some("1.5.7")),
            ("0.1.13+1.0.8", Some("1.0.8")),
            ("1.0.0+v2.3", Some("2.3")),
            ("1.11.1+lz4-1.10.0", Some("1.10.0")),
            ("0.6.1+5.3.1-0-g81034ce1f1373e37dc865038e1bc8eeecf559ce8", Some("5.3.1")),
            ("0.9.34+deprecated", None),
            ("1.0.0", None),
            ("1.0.0+20240101", None),
            ("1.0.0+git.a1b2", None),
            ("1.0.0+wasi-snapshot-preview1", None),
            ("0.11.1+wasi-0.2.3", Some("0.2.3")),
        ] {
            assert_eq!(of_build_metadata(version).as_deref(), upstream, "{version}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_plain_version_or_none(text in "(#define [AV] ?[\"0-9. \\\\a-z]*\n|A=[0-9\"]*\n|\\PC*)*", build in "\\PC*") {
            for pattern in [Pattern::Text("V"), Pattern::Numbers(&["A"]), Pattern::Assignments(&["A"]), Pattern::After("V")] {
                for version in [read(pattern, &text), of_build_metadata(&format!("1.0.0+{build}"))].into_iter().flatten() {
                    prop_assert!(plausible(&version));
                }
            }
        }
    }
}
