//! Which compiler flags, linkers and tools change nothing but how fast or how strictly the same code is built. An allow list: a flag
//! that it does not know is not harmless.

use super::is_path;

/// One flag with its value: `-C target-cpu=native`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    /// In one spelling, whichever of rustc's it was written in.
    pub(crate) text: String,
    pub(crate) harmless: bool,
}

/// Options of rustc with a value that is a word of its own, or behind `=`, or (one letter) attached.
const WITH_VALUE: [(&str, &str); 19] = [
    ("-C", "-C"),
    ("--codegen", "-C"),
    ("-Z", "-Z"),
    ("-L", "-L"),
    ("-l", "-l"),
    ("-A", "-A"),
    ("--allow", "-A"),
    ("-W", "-W"),
    ("--warn", "-W"),
    ("-D", "-D"),
    ("--deny", "-D"),
    ("-F", "-F"),
    ("--forbid", "-F"),
    ("--force-warn", "--force-warn"),
    ("--cap-lints", "--cap-lints"),
    ("--cfg", "--cfg"),
    ("--check-cfg", "--check-cfg"),
    ("--extern", "--extern"),
    ("--remap-path-prefix", "--remap-path-prefix"),
];

/// Codegen options that choose among rustc's own ways of generating the same program.
const HARMLESS_CODEGEN: [&str; 28] = [
    "code-model",
    "codegen-units",
    "control-flow-guard",
    "debug-assertions",
    "debuginfo",
    "embed-bitcode",
    "force-frame-pointers",
    "force-unwind-tables",
    "inline-threshold",
    "instrument-coverage",
    "link-dead-code",
    "link-self-contained",
    "linker-flavor",
    "lto",
    "metadata",
    "no-redzone",
    "opt-level",
    "overflow-checks",
    "panic",
    "prefer-dynamic",
    "relocation-model",
    "relro-level",
    "split-debuginfo",
    "strip",
    "symbol-mangling-version",
    "target-cpu",
    "target-feature",
    "dwarf-version",
];

/// The flags of a list of words, each with its value.
pub(crate) fn flags(words: &[String]) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (option, value) = match split(word) {
            Some((option, Some(value))) => (option, value),
            Some((option, None)) => (option, words.next().unwrap_or_default()),
            None => {
                flags.push(Flag { text: word.to_owned(), harmless: matches!(word, "-g" | "-O") });
                continue;
            }
        };
        flags.push(Flag { text: format!("{option} {value}"), harmless: is_harmless(option, value) });
    }
    flags
}

/// The option in its short spelling, and its value where the same word holds it; `None` for a word that takes none.
fn split(word: &str) -> Option<(&'static str, Option<&str>)> {
    WITH_VALUE.iter().find_map(|(spelling, option)| {
        let rest = word.strip_prefix(spelling)?;
        if rest.is_empty() {
            return Some((*option, None));
        }
        if let Some(value) = rest.strip_prefix('=') {
            return Some((*option, Some(value)));
        }
        (spelling.len() == 2).then_some((*option, Some(rest)))
    })
}

fn is_harmless(option: &str, value: &str) -> bool {
    match option {
        "-A" | "-W" | "-D" | "-F" | "--force-warn" | "--cap-lints" | "--check-cfg" | "--remap-path-prefix" => true,
        "-C" => {
            let (name, value) = value.split_once('=').unwrap_or((value, ""));
            // rustc takes either sign.
            match name.replace('_', "-").as_str() {
                "linker" => is_harmless_linker(value),
                "link-arg" | "link-args" => value.split_whitespace().all(chooses_known_linker) && !value.trim().is_empty(),
                name => HARMLESS_CODEGEN.contains(&name),
            }
        }
        _ => false,
    }
}

fn chooses_known_linker(argument: &str) -> bool {
    argument
        .strip_prefix("-fuse-ld=")
        .or_else(|| argument.strip_prefix("--ld-path="))
        .is_some_and(|linker| matches!(linker, "bfd" | "gold") || is_harmless_linker(linker))
}

/// Whether `word` is a well-known linker or compiler driver by its bare name, with or without a target's prefix and a version:
/// `clang`, `lld`, `aarch64-linux-gnu-gcc`, `ld.lld-18`. A path is not: it names what somebody put there.
pub(crate) fn is_harmless_linker(word: &str) -> bool {
    const KNOWN: [&str; 17] = [
        "clang", "clang++", "lld", "ld.lld", "ld64.lld", "lld-link", "mold", "ld.mold", "wild", "rust-lld", "wasm-ld", "gcc",
        "g++", "cc", "c++", "ld", "link",
    ];
    if is_path(word) {
        return false;
    }
    let word = word.strip_suffix(".exe").unwrap_or(word);
    let is_version = |tail: &str| !tail.is_empty() && tail.chars().all(|c| c.is_ascii_digit() || c == '.');
    let word = word.rsplit_once('-').filter(|(_, tail)| is_version(tail)).map_or(word, |(head, _)| head);
    KNOWN.contains(&word)
        || KNOWN.iter().any(|known| {
            let prefix = word.strip_suffix(known).and_then(|prefix| prefix.strip_suffix('-'));
            prefix.is_some_and(|prefix| {
                prefix.contains('-')
                    && prefix.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let words: Vec<_> = text.split('|').map(str::to_owned).collect();
        flags(&words).into_iter().map(|flag| format!("{}{}", if flag.harmless { "" } else { "! " }, flag.text)).collect()
    }

    #[test]
    fn every_spelling_and_the_unknown() {
        for (text, expected) in [
            ("-Ctarget-cpu=native", "-C target-cpu=native"),
            ("-C|target-feature=+crt-static", "-C target-feature=+crt-static"),
            ("--codegen=opt_level=3", "-C opt_level=3"),
            ("--codegen|lto", "-C lto"),
            ("-Dwarnings", "-D warnings"),
            ("--deny|warnings", "-D warnings"),
            ("-Cforce-frame-pointers", "-C force-frame-pointers"),
            ("-Clinker=clang", "-C linker=clang"),
            ("-Clink-arg=-fuse-ld=lld", "-C link-arg=-fuse-ld=lld"),
            ("-g", "-g"),
            ("-Clinker=./ld", "! -C linker=./ld"),
            ("-Clinker", "! -C linker"),
            ("-Clink-arg=-fuse-ld=/tmp/ld", "! -C link-arg=-fuse-ld=/tmp/ld"),
            ("-Clink-args=-fuse-ld=lld -Wl,--wrap=x", "! -C link-args=-fuse-ld=lld -Wl,--wrap=x"),
            ("-Clink-args=", "! -C link-args="),
            ("-C|link_arg=evil.o", "! -C link_arg=evil.o"),
            ("-Cllvm-args=-load=x.so", "! -C llvm-args=-load=x.so"),
            ("-Zcodegen-backend=./x.so", "! -Z codegen-backend=./x.so"),
            ("--cfg|tokio_unstable", "! --cfg tokio_unstable"),
            ("--cfg=x", "! --cfg x"),
            ("-Lnative=.", "! -L native=."),
            ("--extern|std=x.rlib", "! --extern std=x.rlib"),
            ("--sysroot=x", "! --sysroot=x"),
            ("@args.txt", "! @args.txt"),
        ] {
            assert_eq!(shown(text), [expected], "{text}");
        }
        assert_eq!(shown("-C|linker=x|-g"), ["! -C linker=x", "-g"]);
    }

    #[test]
    fn linkers() {
        for word in [
            "clang",
            "lld",
            "mold",
            "rust-lld",
            "ld.lld-18",
            "clang-18",
            "aarch64-linux-gnu-gcc",
            "x86_64-w64-mingw32-gcc",
            "rust-lld.exe",
        ] {
            assert!(is_harmless_linker(word), "{word}");
        }
        for word in [
            "./clang",
            "tools/lld",
            "/usr/bin/clang",
            "C:\\clang",
            "evil",
            "evilclang",
            "-clang",
            "x-clang;sh",
            "",
            "sh",
            "gcc -B.",
        ] {
            assert!(!is_harmless_linker(word), "{word}");
        }
    }
}
