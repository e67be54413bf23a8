//! What is compiled is what was locked (ATTACKS.md, TMP-01, -02, -05, -07): each attack is found by `check` and stops `build` before
//! anything is compiled, and each has a benign twin that stays silent.

use std::fs;
use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;
use cargo_supplychain::base::Sha256;

use crate::support::{NOW, POLICY, Project, crate_bytes, files_of, locked};

const NONE: &[&str] = &[];

fn fig() -> Project {
    Project::with_packages(&[("fig", "1.2.3")])
}

/// A path of the unpacked `fig`, for [`Project::write`].
fn source(project: &Project, path: &str) -> String {
    project.fetched("src", &format!("fig-1.2.3/{path}"))
}

/// `check` and `build` find this and nothing else that fails, and nothing was compiled.
#[track_caller]
fn assert_found(project: &Project, expected: &str) {
    assert_eq!(failing(&project.check().expect(1).findings()), [expected]);
    let outcome = project.run(&["build", "--no-sign", "--format", "json"]).expect(1);
    assert_eq!(failing(&outcome.findings()), [expected]);
    assert!(project.releases().is_empty() && !project.path("target/supplychain/.build").exists(), "{outcome}");
}

fn failing(findings: &[String]) -> Vec<&str> {
    let fails = |finding: &&String| ["critical", "high"].iter().any(|severity| finding.starts_with(severity));
    findings.iter().filter(fails).map(String::as_str).collect()
}

/// `check` has compared everything and found nothing.
#[track_caller]
fn assert_silent(project: &Project) {
    let outcome = project.check().expect(0);
    assert_eq!(failing(&outcome.findings()), NONE, "{outcome}");
    let report = outcome.report();
    let unmade: Vec<_> =
        report["not_evaluated"].as_array().unwrap().iter().filter(|check| check["area"] == "integrity").collect();
    assert!(unmade.is_empty(), "{unmade:?}");
}

/// TMP-01.
#[test]
fn an_edited_source_file() {
    let project = fig();
    assert_silent(&project);
    project.write(&source(&project, "src/lib.rs"), "pub fn evil() {}\n");
    assert_found(&project, "critical integrity/source-tampered fig 1.2.3");
    let finding = project.check().finding("integrity/source-tampered");
    let path = source(&project, "src/lib.rs").replace("../cargo", "$CARGO_HOME");
    let digests = format!("{path}: expected {}, found {}", Sha256::of(""), Sha256::of("pub fn evil() {}\n"));
    assert_eq!(finding["evidence"], serde_json::json!([digests]));
    assert_eq!(finding["message"], format!("a file of fig 1.2.3 not as in its .crate: {path}"));
    assert_eq!(finding["locations"][0]["line"], 12);
}

/// TMP-01, twin: what is not content does not count.
#[test]
fn times_and_bits_of_sources_do_not_count() {
    let project = fig();
    let path = project.path(&source(&project, "src/lib.rs"));
    fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::create_dir(project.path(&source(&project, "empty"))).unwrap();
    assert_silent(&project);
}

/// What is remembered is never older than the file, even where its time was set back; in CI nothing is remembered.
#[test]
fn nothing_is_remembered_past_a_change() {
    let project = fig();
    let old = SystemTime::now() - Duration::from_secs(3600);
    let path = project.path(&source(&project, "src/lib.rs"));
    // Younger files are not remembered at all.
    std::thread::sleep(Duration::from_millis(1100));
    let memory = project.root().join("cache/cargo-supplychain/integrity");
    project.command(&["check", "--format", "json"]).offline().env("CI", "true").run().expect(0);
    assert!(!memory.exists());
    assert_silent(&project);
    let remembered = fs::read_to_string(&memory).unwrap();
    assert_eq!(remembered.lines().count(), 2, "{remembered}");
    assert_silent(&project);
    assert_eq!(fs::read_to_string(&memory).unwrap(), remembered);

    fs::write(&path, "pub fn evil() {}\n").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    assert_found(&project, "critical integrity/source-tampered fig 1.2.3");
}

/// TMP-01: what is there and should not be, or is no file.
#[test]
fn files_that_do_not_belong_there() {
    let project = fig();
    project.write(&source(&project, "build.rs"), "fn main() {}\n");
    assert_found(&project, "critical integrity/source-extra-file fig 1.2.3");

    let project = fig();
    fs::remove_file(project.path(&source(&project, "src/lib.rs"))).unwrap();
    project.write(&source(&project, "src/lib/mod.rs"), "");
    let found = project.check().expect(1).findings();
    let expected = ["critical integrity/source-extra-file fig 1.2.3", "critical integrity/source-tampered fig 1.2.3"];
    assert_eq!(failing(&found), expected);

    #[cfg(unix)]
    {
        let project = fig();
        std::os::unix::fs::symlink("/etc/passwd", project.path(&source(&project, "src/link"))).unwrap();
        assert_found(&project, "high integrity/source-not-regular-file fig 1.2.3");
    }
}

/// TMP-02: cargo unpacks what lies in its cache, without a look at it.
#[test]
fn a_replaced_crate() {
    let project = fig();
    fs::remove_dir_all(project.path(&source(&project, ""))).unwrap();
    assert_silent(&project);

    fs::remove_dir_all(project.path(&source(&project, ""))).unwrap();
    let mut files = files_of("fig", "1.2.3");
    files[1].1 = "pub fn evil() {}\n".to_owned();
    project.write(&project.fetched("cache", "fig-1.2.3.crate"), crate_bytes("fig", "1.2.3", &files));
    assert_found(&project, "critical integrity/crate-checksum-mismatch fig 1.2.3");
}

/// Without the `.crate` nothing can be said, and that is no pass.
#[test]
fn a_missing_crate_is_undetermined() {
    let project = fig();
    fs::remove_file(project.path(&project.fetched("cache", "fig-1.2.3.crate"))).unwrap();
    let outcome = project.check().expect(4);
    let path = project.fetched("cache", "fig-1.2.3.crate").replace("../cargo", "$CARGO_HOME");
    let expected = format!("sources against their checksums: {path} cannot be read: entity not found: 1 package: fig 1.2.3");
    assert_eq!(outcome.undetermined(), [expected]);
    project.command(&["check", "--only", "lock,config", "--format", "json"]).offline().run().expect(0);
}

/// A package that no registry would have accepted.
#[test]
fn a_malformed_package() {
    let project = fig();
    let mut files = files_of("fig", "1.2.3");
    files.push(("../../../evil".to_owned(), "x".to_owned()));
    let bytes = crate_bytes("fig", "1.2.3", &files);
    let lock = project.read("Cargo.lock").replace(&crate::support::checksum("fig", "1.2.3"), &Sha256::of(&bytes).to_string());
    project.publish_files("fig", &[("1.2.3", "", files_of("fig", "1.2.3"))]);
    project.write("Cargo.lock", lock);
    let entry = fs::read_to_string(project.path(&index_entry())).unwrap();
    project.write(&index_entry(), entry.replace(&crate::support::checksum("fig", "1.2.3"), &Sha256::of(&bytes).to_string()));
    project.write(&project.fetched("cache", "fig-1.2.3.crate"), bytes);
    assert_found(&project, "high source/malformed-package fig 1.2.3");
}

fn index_entry() -> String {
    "../cargo/registry/index/index.crates.io-1949cf8c6b5b557f/.cache/3/f/fig".to_owned()
}

/// A project whose packages `cargo vendor` has put into `vendor/`.
fn vendored() -> Project {
    let project = fig();
    assert!(!project.is_sprung_by_cargo(&["vendor", "--offline", "vendor"]));
    project.write(
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"vendored-sources\"\n[source.vendored-sources]\ndirectory = \"vendor\"\n",
    );
    project
}

/// Cargo's cache is not on every machine that has the vendored sources.
fn without_cache(project: &Project) {
    fs::remove_dir_all(project.root().join("cargo/registry")).unwrap();
}

/// TMP-05, twin.
#[test]
fn what_cargo_vendor_writes_is_silent() {
    let project = vendored();
    assert_silent(&project);
    without_cache(&project);
    let outcome = project.check().expect(0);
    assert_eq!(failing(&outcome.findings()), NONE, "{outcome}");
    let report = outcome.report();
    let unmade = report["not_evaluated"].as_array().unwrap().iter().find(|check| check["area"] == "integrity").unwrap();
    assert_eq!(unmade["check"], "vendored files against the .crate", "{outcome}");
    project.run(&["check", "--require", "integrity"]).expect(4);
}

/// TMP-05: cargo checks what the list names, and nothing else.
#[test]
fn a_vendored_package_with_an_empty_list() {
    for with_cache in [true, false] {
        let project = vendored();
        let package = crate::support::checksum("fig", "1.2.3");
        project.write("vendor/fig/.cargo-checksum.json", format!("{{\"files\":{{}},\"package\":\"{package}\"}}"));
        project.write("vendor/fig/src/lib.rs", "pub fn evil() {}\n");
        if !with_cache {
            without_cache(&project);
        }
        assert_found(&project, "critical integrity/vendor-checksums-incomplete fig 1.2.3");
    }
}

/// TMP-05: the other ways in which a vendored package is not what was locked.
#[test]
fn a_vendored_package_that_was_edited() {
    let project = vendored();
    project.write("vendor/fig/build.rs", "fn main() {}\n");
    assert_found(&project, "critical integrity/vendor-extra-file fig 1.2.3");
    without_cache(&project);
    assert_found(&project, "critical integrity/vendor-extra-file fig 1.2.3");

    // The list was edited with the file: only the `.crate` tells.
    let project = vendored();
    let evil = "pub fn evil() {}\n";
    let list = project.read("vendor/fig/.cargo-checksum.json");
    project.write("vendor/fig/.cargo-checksum.json", list.replace(&Sha256::of("").to_string(), &Sha256::of(evil).to_string()));
    project.write("vendor/fig/src/lib.rs", evil);
    assert_found(&project, "critical integrity/source-tampered fig 1.2.3");
}

/// A repository with a package and a submodule, and a project that depends on it.
struct Upstream {
    project: Project,
    revision: String,
}

fn commit(folder: &Utf8PathBuf) -> String {
    let repository = git2::Repository::open(folder).unwrap();
    let mut index = repository.index().unwrap();
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = git2::Signature::new("a", "a@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
    repository.commit(Some("HEAD"), &who, &who, "c", &tree, &[]).unwrap().to_string()
}

fn upstream(files: &[(&str, &str)]) -> Upstream {
    let project = Project::app();
    let inner = project.root().join("inner");
    git2::Repository::init(&inner).unwrap();
    project.write("../inner/data.txt", "data\n");
    commit(&inner);

    let outer = project.root().join("outer");
    let repository = git2::Repository::init(&outer).unwrap();
    project
        .write("../outer/Cargo.toml", "[package]\nname = \"gd\"\nversion = \"0.1.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n");
    project.write("../outer/src/lib.rs", "pub fn f() {}\n");
    for (path, text) in files {
        project.write(&format!("../outer/{path}"), text);
    }
    let mut submodule = repository.submodule(&format!("file://{inner}"), "inner".as_ref(), true).unwrap();
    submodule.clone(None).unwrap();
    submodule.add_finalize().unwrap();
    let revision = commit(&outer);

    project.append("Cargo.toml", &format!("\n[dependencies]\ngd = {{ git = \"file://{outer}\", rev = \"{revision}\" }}\n"));
    project.append("supplychain.toml", &format!("[rules]\n\"source/git-not-allowed\" = {{ allow = [\"file://{outer}\"] }}\n"));
    assert!(!project.is_sprung_by_cargo(&["fetch"]));
    assert!(project.read("Cargo.lock").contains(&revision), "{}", project.read("Cargo.lock"));
    Upstream { project, revision }
}

impl Upstream {
    /// The checkout, for [`Project::write`].
    fn checkout(&self) -> String {
        let checkouts = self.project.root().join("cargo/git/checkouts");
        let repository = |entry: &camino::Utf8DirEntry| entry.file_name().starts_with("outer-");
        let repository = checkouts.read_dir_utf8().unwrap().map(Result::unwrap).find(repository).unwrap();
        format!("../cargo/git/checkouts/{}/{}", repository.file_name(), &self.revision[..7])
    }
}

/// TMP-07, twin: a submodule, converted line ends, times.
#[test]
fn a_clean_checkout_is_silent() {
    let upstream =
        upstream(&[(".gitattributes", "*.txt text eol=crlf\n*.id ident\n"), ("a.txt", "a\nb\n"), ("b.id", "// $Id$\n")]);
    let checkout = upstream.checkout();
    assert_eq!(upstream.project.read(&format!("{checkout}/inner/data.txt")), "data\n");
    assert_eq!(upstream.project.read(&format!("{checkout}/a.txt")), "a\r\nb\r\n");
    let path = upstream.project.path(&format!("{checkout}/src/lib.rs"));
    fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_silent(&upstream.project);
}

/// TMP-07.
#[test]
fn an_edited_checkout() {
    for (path, text) in [
        ("src/lib.rs", "pub fn evil() {}\n"),
        ("build.rs", "fn main() {}\n"),
        ("inner/data.txt", "evil\n"),
        ("inner/extra.txt", "evil\n"),
    ] {
        let upstream = upstream(&[]);
        let checkout = upstream.checkout();
        upstream.project.write(&format!("{checkout}/{path}"), text);
        // Its own index says that all is well: nobody asks it.
        if path == "src/lib.rs" {
            let repository = git2::Repository::open(upstream.project.path(&checkout)).unwrap();
            let mut index = repository.index().unwrap();
            index.add_path(path.as_ref()).unwrap();
            index.write().unwrap();
        }
        assert_found(&upstream.project, "critical integrity/git-checkout-tampered gd 0.1.0");
    }
}

/// A file that is written while the build runs: what was compiled is not known.
#[test]
fn a_build_script_that_changes_sources() {
    let manifest =
        "[package]\nname = \"fig\"\nversion = \"1.2.3\"\nedition = \"2021\"\nlicense = \"MIT\"\nbuild = \"build.rs\"\n";
    // Once for good, once set back, and the benign twin that keeps to its own folder.
    for (script, expected) in [
        ("fn main() { std::fs::write(\"src/lib.rs\", \"pub fn evil() {}\").unwrap(); }", true),
        (
            "fn main() { std::fs::write(\"src/lib.rs\", \"pub fn evil() {}\").unwrap(); std::fs::write(\"src/lib.rs\", \"\").unwrap(); }",
            true,
        ),
        ("fn main() { std::fs::write(\"src/more.rs\", \"\").unwrap(); }", true),
        ("fn main() { let out = std::env::var(\"OUT_DIR\").unwrap(); std::fs::write(out + \"/x\", \"\").unwrap(); }", false),
    ] {
        let project = Project::app();
        let files = [("Cargo.toml", manifest), ("build.rs", script), ("src/lib.rs", "")];
        let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        project.publish_files("fig", &[("1.2.3", "", files.clone())]);
        project.append("Cargo.toml", "\n[dependencies]\nfig = \"1.2.3\"\n");
        let sum = Sha256::of(crate_bytes("fig", "1.2.3", &files)).to_string();
        let lock = locked("fig", "1.2.3").replace(&crate::support::checksum("fig", "1.2.3"), &sum);
        project.write(
            "Cargo.lock",
            format!("version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"fig\",\n]\n{lock}"),
        );
        // Behind walls nothing of it could be written; `tests/sandbox.rs` tries that.
        let arguments = ["build", "--no-sign", "--offline", "--format", "json", "--sandbox", "off"];
        let outcome = project.command(&arguments).writes().run().expect(i32::from(expected));
        let expected: &[&str] = if expected { &["critical integrity/changed-during-build fig 1.2.3"] } else { NONE };
        assert_eq!(failing(&outcome.findings()), expected, "{script}");
        assert_eq!(project.releases().len(), usize::from(expected.is_empty()), "{script}");
    }
}

/// The sources that cargo has fetched for this repository are real ones.
#[test]
fn real_packages_are_compared() {
    let project = Project::example("workspace").with_packages_of_this_machine();
    project.write("supplychain.toml", POLICY);
    project.advisory("RUSTSEC-2026-0001", "nothing", "2026-08-31", "");
    let outcome =
        project.command(&["check", "--only", "integrity,sources", "--format", "json"]).offline().now(NOW).run().expect(0);
    assert_eq!(outcome.findings(), NONE, "{outcome}");
    let report = outcome.report();
    let unmade = report["not_evaluated"].as_array().unwrap().iter().filter(|check| check["area"] == "integrity").count();
    assert_eq!(unmade, 0, "{outcome}");
    let remembered = fs::read_to_string(project.root().join("cache/cargo-supplychain/integrity")).unwrap();
    assert!(remembered.lines().count() > 3, "{remembered}");
}
