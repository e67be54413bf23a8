use super::*;

fn package(files: &[(&str, &str)]) -> Package {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), FileDigest::of(text.as_bytes()))).collect();
    Package { files, ..Package::default() }
}

/// `same | different | only in the package | unknown`, of a package in `crates/lib`.
fn compared(files: &[(&str, &str)], repository: &[(&str, &str)]) -> String {
    let at = PackagedAt { commit: "0".repeat(40), dirty: false, folder: "crates/lib".into() };
    let look = |path: &str| {
        if path.starts_with("crates/lib/vendor/") {
            return Ok(InRepository::Unknown("the submodule crates/lib/vendor".into()));
        }
        let file = repository.iter().find(|(other, _)| *other == path);
        Ok(file.map_or(InRepository::Absent, |(_, text)| InRepository::File(FileDigest::of(text.as_bytes()))))
    };
    let found = compare(&package(files), "https://example.org/lib", &at, look).unwrap();
    let unknown: Vec<_> = found.unknown.iter().map(|(place, count)| format!("{count} in {place}")).collect();
    format!("{} | {} | {} | {}", found.same, found.different.join(" "), found.only_in_package.join(" "), unknown.join(" "))
}

#[test]
fn what_differs_and_what_cargo_makes() {
    let made = [("Cargo.toml", "made"), ("Cargo.lock", "made"), (".cargo_vcs_info.json", "{}"), ("Cargo.toml.orig", "mine")];
    let mine = ("crates/lib/Cargo.toml", "mine");
    for (files, repository, expected) in [
        (&[("src/lib.rs", "a")][..], &[mine, ("crates/lib/src/lib.rs", "a")][..], "2 |  |  | "),
        (&[("src/lib.rs", "a\r\nb\n")], &[mine, ("crates/lib/src/lib.rs", "a\nb\r\n")], "2 |  |  | "),
        (&[("src/lib.rs", "b")], &[mine, ("crates/lib/src/lib.rs", "a")], "1 | src/lib.rs |  | "),
        // A lone carriage return is no end of a line.
        (&[("src/lib.rs", "a\rb")], &[mine, ("crates/lib/src/lib.rs", "ab")], "1 | src/lib.rs |  | "),
        (&[], &[("crates/lib/Cargo.toml", "theirs")], "0 | Cargo.toml.orig |  | "),
        // The same file, but at another place: of the root of the repository, not of the package.
        (&[("src/lib.rs", "a")], &[mine, ("src/lib.rs", "a")], "1 |  | src/lib.rs | "),
        // `readme = "../../README.md"`; a script is never taken from there.
        (&[("README.md", "r"), ("build.rs", "x")], &[mine, ("README.md", "r"), ("build.rs", "x")], "2 |  | build.rs | "),
        (&[("README.md", "r")], &[mine, ("README.md", "other")], "1 |  | README.md | "),
        (&[("vendor/a.c", "a"), ("vendor/b.c", "b")], &[mine], "1 |  |  | 2 in the submodule crates/lib/vendor"),
        (
            &[("NOTICE", "n"), ("a.c", ""), ("src/a.rs", ""), ("build.rs", ""), ("tests/t.rs", "")],
            &[mine],
            "1 |  | build.rs src/a.rs a.c tests/t.rs NOTICE | ",
        ),
    ] {
        assert_eq!(compared(&[files, &made].concat(), repository), expected, "{files:?}");
    }
    // Without the original the manifest itself is the author's.
    assert_eq!(compared(&[("Cargo.toml", "mine")], &[mine]), "1 |  |  | ");
    assert_eq!(compared(&[("Cargo.toml", "made")], &[mine]), "0 | Cargo.toml |  | ");
}

#[test]
fn line_endings_of_binary_files_count() {
    let same = |one: &[u8], other: &[u8]| FileDigest::of(one).text == FileDigest::of(other).text;
    assert!(same(b"a\r\n", b"a\n") && same(b"", b"") && same(b"\r\n\r\n", b"\n\n"));
    assert!(!same(b"\0a\r\n", b"\0a\n") && !same(b"a\r", b"a") && !same(b"a\r\r\n", b"a\n"));
}

#[test]
fn weights() {
    for (path, expected) in [
        ("build.rs", Weight::Script),
        ("src/a/b.rs", Weight::Source),
        ("src/build.rs", Weight::Source),
        ("sub/build.rs", Weight::Other),
        ("README", Weight::Document),
        ("docs/notes.md", Weight::Document),
        ("LICENSE-MIT", Weight::Document),
        ("license.txt", Weight::Document),
        ("data.txt", Weight::Other),
        ("readme.rs", Weight::Other),
        ("LICENSE.so", Weight::Other),
        ("Cargo.toml.orig", Weight::Other),
    ] {
        assert_eq!(weight(path), expected, "{path}");
    }
}

#[test]
fn urls_that_are_fetched_and_hostile_ones() {
    for (given, expected) in [
        ("https://github.com/org/foo", Some("https://github.com/org/foo")),
        (" https://GitHub.com/Org/foo.git/ ", Some("https://github.com/Org/foo.git")),
        ("http://github.com/org/foo/tree/main/crates/bar#x", Some("https://github.com/org/foo")),
        ("git://github.com/org/foo", Some("https://github.com/org/foo")),
        ("git+https://codeberg.org/a/b/src/branch/main/x", Some("https://codeberg.org/a/b")),
        ("https://gitlab.com/a/b/c/-/tree/main/x", Some("https://gitlab.com/a/b/c")),
        ("https://git.example.org:8443/x/y.git", Some("https://git.example.org:8443/x/y.git")),
        ("http://127.0.0.1:80/x", Some("http://127.0.0.1:80/x")),
        ("https://github.com/org", None),
        ("http://example.org/x", None),
        ("git://example.org/x", None),
        ("file:///etc", None),
        ("ssh://git@github.com/a/b", None),
        ("ext::sh -c x", None),
        ("ext://sh/x", None),
        ("--upload-pack=x://a/b", None),
        ("https://user:pw@example.org/x", None),
        ("https://example.org@127.0.0.1/x", None),
        ("https://example.org/a b", None),
        ("https://example.org/a\nb", None),
        ("https://example.org/", None),
        ("https://example.org", None),
        ("https:///x", None),
        ("", None),
    ] {
        assert_eq!(clone_url(given).as_deref(), expected, "{given:?}");
    }
    assert_eq!(clone_url(&format!("https://example.org/{}", "x".repeat(MAX_URL))), None);
}

#[test]
fn places_that_packages_name() {
    let at = |text: &str| PackagedAt::parse(text.as_bytes()).map(|at| (at.commit, at.dirty, at.folder));
    let plain = r#"{"git": {"sha1": "abc"}, "path_in_vcs": "crates/lib"}"#;
    assert_eq!(at(plain), Some(("abc".into(), false, "crates/lib".into())));
    assert_eq!(at(r#"{"git": {"sha1": "abc", "dirty": true}}"#), Some(("abc".into(), true, String::new())));
    for bad in ["", "{}", r#"{"git": {"sha1": "a"}, "path_in_vcs": "../x"}"#, r#"{"git": {"sha1": "a"}, "path_in_vcs": "a//b"}"#]
    {
        assert_eq!(at(bad), None, "{bad}");
    }
}

#[test]
fn dependencies_that_only_the_manifest_that_counts_has() {
    let original = "[dependencies]\na = \"1\"\nb.workspace = true\nc = { package = \"cc\", version = \"1\" }\n\
                    [target.'cfg(unix)'.build-dependencies]\nd = { path = \"../d\", version = \"1\" }\n";
    for (counts, expected) in [
        ("[dependencies.a]\nversion = \"1\"\n[dependencies.b]\npackage = \"bb\"\nversion = \"1\"\n", &[][..]),
        (
            "[dependencies.c]\npackage = \"cc\"\nversion = \"1\"\n[target.\"cfg(unix)\".build-dependencies.d]\nversion = \"1\"\n",
            &[],
        ),
        ("[dependencies]\ne = \"1\"\na = \"1\"\n", &["e"]),
        ("[target.'cfg(windows)'.dependencies]\ne = \"1\"\n", &["e"]),
        ("[dependencies.a]\npackage = \"evil\"\nversion = \"1\"\n", &["a (package evil)"]),
        ("no manifest", &[]),
    ] {
        assert_eq!(further_dependencies(counts, original), expected, "{counts}");
    }
}

#[test]
fn pointers_of_git_lfs() {
    let digest = "ab".repeat(32);
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 12\n");
    assert_eq!(lfs_digest(pointer.as_bytes()), digest.parse().ok());
    for other in ["", "version https://git-lfs.github.com/spec/v1\nsize 1\n", "oid sha256:ab\n"] {
        assert_eq!(lfs_digest(other.as_bytes()), None, "{other}");
    }
}
