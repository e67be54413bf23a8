use proptest::prelude::*;

use super::*;

const MANIFEST: &str = "[package]\nname = 'a'\nlinks = 'z'\nrepository = 'https://a.org'\nlicense = 'MIT'\n";
const ELF: &[u8] = b"\x7fELF\x02\x01\x01";

fn scan(files: &[(&str, &[u8])]) -> Result<Capabilities, Unreadable> {
    let mut scanner = Scanner::default();
    for (path, bytes) in files {
        scanner.file(path, bytes, true);
    }
    scanner.finish()
}

fn words(capabilities: &Capabilities) -> Vec<String> {
    capabilities.build_reaches.iter().map(|reach| format!("{} {}:{}", reach.word, reach.path, reach.line)).collect()
}

#[test]
fn facts_of_a_package_whatever_the_order_of_its_files() {
    let vcs = b"{\"git\":{\"sha1\":\"ab\",\"dirty\":true},\"path_in_vcs\":\"\"}";
    let mut files: Vec<(&str, &[u8])> = vec![
        ("Cargo.toml", MANIFEST.as_bytes()),
        (".cargo_vcs_info.json", vcs),
        ("build.rs", b"mod help;\nfn main() { help::go() }"),
        ("help.rs", b"\npub fn go() { ureq::get(x); }"),
        ("src/lib.rs", b"// unsafe\npub fn a() { ureq::get(x); }"),
        ("src/x.c", b"int x;"),
        ("bin/tool", ELF),
        ("tests/t.rs", b"fn a() { unsafe {} }"),
    ];
    let first = scan(&files).unwrap();
    files.reverse();
    assert_eq!(scan(&files).unwrap(), first);
    assert_eq!(words(&first), ["ureq help.rs:2"]);
    let expected = Capabilities {
        build_script: true,
        links: Some("z".into()),
        native_code: true,
        blobs: vec!["bin/tool".into()],
        vcs: Some(VcsInfo { commit: "ab".into(), dirty: true }),
        repository: Some("https://a.org".into()),
        license: Some("MIT".into()),
        build_reaches: first.build_reaches.clone(),
        ..Capabilities::default()
    };
    assert_eq!(first, expected);
}

#[test]
fn which_code_runs_at_build_time() {
    let network: &[u8] = b"use std::net::TcpStream;";
    for (manifest, files, build_script, expected) in [
        ("", &[("build.rs", network)][..], true, &["TcpStream build.rs:1"][..]),
        ("build = false", &[("build.rs", network)], false, &[]),
        (
            "build = 'b/main.rs'",
            &[("b/main.rs", b"mod x;"), ("b/x.rs", network), ("x.rs", network)],
            true,
            &["TcpStream b/x.rs:1"],
        ),
        ("build = 'b.rs'", &[("b.rs", b"mod x;"), ("x/mod.rs", b"mod y;"), ("x/y.rs", network)], true, &["TcpStream x/y.rs:1"]),
        ("", &[("build.rs", b"include!(\"src/gen.rs\");"), ("src/gen.rs", network)], true, &["TcpStream src/gen.rs:1"]),
        ("", &[("build.rs", b"#[path = \"src/gen.rs\"] mod g;"), ("src/gen.rs", network)], true, &["TcpStream src/gen.rs:1"]),
        ("", &[("src/lib.rs", network)], false, &[]),
        ("[lib]\nproc-macro = true", &[("src/lib.rs", b"mod a;"), ("src/a.rs", network)], false, &["TcpStream src/a.rs:1"]),
        ("[lib]\nproc-macro = true\npath = 'l.rs'", &[("l.rs", network), ("src/lib.rs", network)], false, &["TcpStream l.rs:1"]),
        ("", &[("build.rs", b"mod build; mod build;")], true, &[]),
    ] {
        let manifest = format!("[package]\nname = 'a'\n{manifest}");
        let files: Vec<_> = [("Cargo.toml", manifest.as_bytes())].into_iter().chain(files.iter().copied()).collect();
        let found = scan(&files).unwrap();
        assert_eq!(
            (found.build_script, words(&found)),
            (build_script, expected.iter().map(|one| (*one).to_owned()).collect()),
            "{manifest}"
        );
    }
}

#[test]
fn which_executables_are_loaded() {
    for (blob, path, source, expected) in [
        ("bin/tool", "src/lib.rs", "static A: &[u8] = include_bytes!(\"../bin/tool\");", true),
        ("tool", "lib.rs", "static A: &[u8] = include_bytes!(\"tool\");", true),
        ("bin/git", "build.rs", "Command::new(\"git\")", false),
        ("bin/tool.bin", "src/lib.rs", "static A: &[u8] = include_bytes!(\"../bin/tool.bin\");", true),
        ("bin/tool.bin", "src/lib.rs", "// include_bytes!(\"../bin/tool.bin\")", false),
        ("bin/tool.bin", "tests/a.rs", "include_bytes!(\"../bin/tool.bin\")", false),
        ("bin/tool.bin", "src/lib.rs", "#[cfg(test)] mod tests { const A: &[u8] = include_bytes!(\"../bin/tool.bin\"); }", false),
        ("lib/libx.a", "src/lib.rs", "#[link(name = \"x\", kind = \"static\")] extern \"C\" {}", true),
        ("lib/x.dll", "src/lib.rs", "#[link(name = \"y\")] extern \"C\" {}", false),
        ("lib/libx.a", "build.rs", "println!(\"cargo:rustc-link-search=native={}\", dir.join(\"lib\").display());", true),
        ("lib/libx.a", "build.rs", "println!(\"cargo:rustc-link-search=native=lib/\");", true),
        ("lib/libx.a", "build.rs", "println!(\"cargo:rustc-link-search=native={}\", dir.join(\"other\").display());", false),
        ("lib/libx.a", "src/lib.rs", "println!(\"cargo:rustc-link-search=native=lib\");", false),
        ("t/run.exe", "build.rs", "Command::new(root.join(\"t/run.exe\"))", true),
    ] {
        let found = scan(&[("Cargo.toml", MANIFEST.as_bytes()), (path, source.as_bytes()), (blob, ELF)]).unwrap();
        assert_eq!(found.blobs, [blob]);
        assert_eq!(!found.loaded_blobs.is_empty(), expected, "{source}");
    }
}

#[test]
fn encoded_text_counts_outside_of_tests_and_where_it_is_read() {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let base64: String = (0..500_usize).map(|at| char::from(letters[(at * at * 7 + at * 13 + at / 3) % 64])).collect();
    let source = format!("const A: &str = \"{base64}\";");
    for (files, expected) in [
        (vec![("src/a.rs", source.clone())], vec!["src/a.rs"]),
        (vec![("tests/a.rs", source.clone())], vec![]),
        (vec![("src/a.rs", format!("// {base64}"))], vec![]),
        (vec![("src/a.rs", format!("#[cfg(test)]\nmod tests {{ {source} }}"))], vec![]),
        (vec![("data/a.txt", base64.clone())], vec![]),
        (vec![("data/a.txt", base64.clone()), ("build.rs", "include_str!(\"data/a.txt\")".into())], vec!["data/a.txt"]),
    ] {
        let mut all = vec![("Cargo.toml", MANIFEST.as_bytes())];
        all.extend(files.iter().map(|(path, text)| (*path, text.as_bytes())));
        assert_eq!(scan(&all).unwrap().encoded, expected, "{files:?}");
    }
}

#[test]
fn what_is_not_understood_is_not_known() {
    let long = format!("fn main() {{}} // {}", "x".repeat(reach::MAX_SOURCE));
    let manifest = MANIFEST.as_bytes();
    assert!(scan(&[("build.rs", b"fn main() {}")]).unwrap_err().to_string().contains("Cargo.toml"));
    assert!(scan(&[("Cargo.toml", b"[package")]).is_err());
    let error = scan(&[("Cargo.toml", manifest), ("build.rs", long.as_bytes())]).unwrap_err();
    assert_eq!(error.to_string(), "build.rs, which runs at build time, has more than 2 MiB");
    assert!(scan(&[("Cargo.toml", manifest), ("src/lib.rs", long.as_bytes())]).is_ok());
    let mut scanner = Scanner::default();
    for _ in 0..=MAX_FILES {
        scanner.file("README.md", b"", true);
    }
    assert!(scanner.finish().unwrap_err().to_string().contains("files"));
}

proptest! {
    #[test]
    fn any_bytes_are_scanned(
        manifest in "(\\[package\\]\nname = 'a'\n)?(build = ['a.rs/\\[\\],]{0,9}\n)?(\\[lib\\]\npath = '[a./]{0,5}'\nproc-macro = true)?",
        files in proptest::collection::vec(("(build|src/lib|a|tests/b)?[./a-z]{0,6}(\\.rs)?", proptest::collection::vec(any::<u8>(), 0..120)), 0..6),
    ) {
        let mut all = vec![("Cargo.toml", manifest.as_bytes())];
        all.extend(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));
        let _ = scan(&all);
    }
}
