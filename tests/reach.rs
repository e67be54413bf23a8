//! How far an advisory reaches into what is built: a case for each answer, built and looked at.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use cargo_supplychain::base::Sha256;
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Project, crate_bytes, files_of};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

const FIG: &str = r#"
//! fig::slice is not called.
pub use inner::slice;
mod inner {
    /// Nothing calls `slice`.
    pub fn slice(text: &str) -> usize { text.len() * super::seeds() }
}
#[inline(never)]
pub fn peel(text: &str) -> usize { text.chars().filter(|one| one.is_alphabetic()).count() }
pub struct Basket<T>(pub Vec<T>);
impl<T: Clone> Basket<T> {
    #[inline(never)]
    pub fn fill(&mut self, with: &[T]) { self.0.extend_from_slice(with) }
    pub fn empty(&mut self) { self.0.clear() }
}
impl<T> std::ops::Deref for Basket<T> {
    type Target = [T];
    fn deref(&self) -> &[T] { &self.0 }
}
#[inline(always)]
pub fn seeds() -> usize { std::env::args().count() }
#[cfg(test)]
mod tests;
"#;

const MAIN: &str = r#"
fn main() {
    let mut basket = fig::Basket(Vec::new());
    basket.fill(&[fig::peel("a1"), fig::seeds(), lime::squeeze()]);
    println!("{}", basket.0.len());
}
"#;

/// `app` over `fig` and `lime`, built with the help of `kiwi`; `plum` is for Windows.
fn app() -> Project {
    let project = Project::app();
    let mut lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\n \"fig\",\n \"kiwi\",\n \"lime\",\n \"plum\",\n]\n".to_owned();
    for (name, source) in [
        ("fig", FIG),
        ("kiwi", "pub fn shave() -> usize { 1 }"),
        ("lime", "#[inline(never)] pub fn squeeze() -> usize { std::process::id() as usize }"),
        ("plum", "pub fn pit() {}"),
    ] {
        let mut files = files_of(name, "1.0.0");
        source.clone_into(&mut files[1].1);
        project.publish_files(name, &[("1.0.0", "", files.clone())]);
        let sum = Sha256::of(crate_bytes(name, "1.0.0", &files));
        lock.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"{CRATES_IO}\"\nchecksum = \"{sum}\"\n"
        ));
    }
    project.write("Cargo.lock", lock);
    project.append(
        "Cargo.toml",
        "\n[dependencies]\nfig = \"1.0.0\"\nlime = \"1.0.0\"\n\n[build-dependencies]\nkiwi = \"1.0.0\"\n\n\
         [target.'cfg(windows)'.dependencies]\nplum = \"1.0.0\"\n",
    );
    project.write("build.rs", "fn main() { println!(\"cargo::rustc-env=SHAVED={}\", kiwi::shave()); }\n");
    project.write("src/main.rs", MAIN);
    project
}

fn advise(project: &Project, id: &str, package: &str, affected: &str) {
    let versions = format!("patched = []\n\n[affected]\n{affected}");
    project.advisory_with(id, package, "2026-08-20", "", &versions);
}

const FUNCTIONS: &str = "functions = { \"fig::peel\" = [], \"fig::Basket::fill\" = [\">= 1.0.0\"], \"fig::slice\" = [\"< 2.0.0\"], \
                         \"fig::Basket::empty\" = [], \"fig::seeds\" = [], \"fig::Basket::deref\" = [], \"fig::Pip\" = [], \"fig::later\" = [\">= 2.0.0\"] }";

/// One line for each finding, and one for each function.
fn reach(report: &Value) -> String {
    let mut lines = Vec::new();
    for finding in report["findings"].as_array().unwrap().iter().filter(|finding| finding["id"] == "advisory/vulnerability") {
        let reach = &finding["reach"];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        lines.push(format!("{} {}: {}", finding["package"].as_str().unwrap(), text(&reach["answer"]), text(&reach["why"])));
        for one in reach["functions"].as_array().into_iter().flatten() {
            lines.push(
                format!("  {} {}: {}", text(&one["answer"]), text(&one["function"]), text(&one["why"])).trim_end().to_owned(),
            );
        }
    }
    lines.sort_by_key(|line| !line.starts_with(' '));
    lines.join("\n")
}

fn built(project: &Project, more: &[&str]) -> Value {
    let arguments = [&["build", "--no-sign", "--sandbox", "off", "--fail-on", "none", "--format", "json"], more].concat();
    project.run(&arguments).expect(0);
    project.json(&format!("{}", project.release().join("reports/report.json")))
}

#[test]
fn each_answer_has_its_evidence() {
    let project = app();
    advise(&project, "RUSTSEC-2026-0002", "fig", FUNCTIONS);
    let check = project.run(&["check", "--fail-on", "none"]).expect(0);
    assert_snapshot!(check.text(), @"
    exit 0
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 5 packages
    high[advisory/vulnerability]: RUSTSEC-2026-0002: A flaw in fig
      --> Cargo.lock:13
       = not scored, which counts as high
       = no patched version
       = not triaged: there is no KEV catalogue, no EPSS scores and no CVE records
       = reach: unknown: nothing was compiled; it affects fig::Basket::deref, fig::Basket::empty, fig::Basket::fill, fig::Pip and 3 more functions
       = help: no patched version is known: look for a replacement of fig, or exempt RUSTSEC-2026-0002 with a reason and an expiry
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            fail 1 high, 1 low; 2 not evaluated
    ");
    let report = built(&project, &[]);
    assert_snapshot!(reach(&report), @"
      linked fig::Basket::fill: `fig::Basket<T>::fill` is in app
      linked fig::peel: `fig::peel` is in app
      unknown fig::Basket::deref: it has no symbol; it is a method of a trait, so that it may have been called and inlined unnamed
      unknown fig::Pip: it has no symbol; the sources of the crate define no function of that name
      unknown fig::seeds: it has no symbol; it may have been inlined where it is named: fig 1.0.0, src/lib.rs:6
      absent fig::Basket::empty: it has no symbol, and nothing that was compiled names it
      absent fig::slice: it has no symbol, and nothing that was compiled names it
    fig function-linked: of the 7 functions that it affects 2 linked, 2 absent
    ");
}

#[test]
fn other_platforms_and_other_places() {
    let project = app();
    advise(&project, "RUSTSEC-2026-0002", "fig", "functions = { \"fig::peel\" = [], \"fig::slice\" = [] }");
    advise(&project, "RUSTSEC-2026-0003", "kiwi", "functions = { \"kiwi::shave\" = [] }");
    advise(&project, "RUSTSEC-2026-0004", "lime", "os = [\"windows\"]\narch = [\"x86_64\"]");
    advise(&project, "RUSTSEC-2026-0005", "lime", "arch = [\"aarch64\"]");
    advise(&project, "RUSTSEC-2026-0006", "lime", "os = [\"linux\"]");
    advise(&project, "RUSTSEC-2026-0007", "plum", "os = [\"windows\"]");
    assert_snapshot!(reach(&project.check().json()), @"
      unknown fig::peel:
      unknown fig::slice:
    fig unknown: nothing was compiled; it affects fig::peel, fig::slice
    kiwi build-only: a build script or procedural macro of app needs it, no artifact does
    lime other-platform: it is about windows on x86_64, and this is compiled for x86_64-unknown-linux-gnu
    lime other-platform: it is about aarch64, and this is compiled for x86_64-unknown-linux-gnu
    lime -: -
    plum resolved-only: Cargo.lock names it, and nothing that is built needs it
    ");
    // The other mangling, and the optimiser's view of all crates at once.
    project.append("Cargo.toml", "\n[profile.release]\nlto = true\n");
    let mut command = project.command(&["build", "--no-sign", "--sandbox", "off", "--fail-on", "none", "--offline"]);
    command = command.env("RUSTFLAGS", "-Csymbol-mangling-version=v0");
    command.run().expect(0);
    assert_snapshot!(reach(&project.json(project.release().join("reports/report.json").as_str())), @"
      linked fig::peel: `fig::peel` is in app
      absent fig::slice: it has no symbol, and nothing that was compiled names it
    fig function-linked: of the 2 functions that it affects 1 linked, 1 absent
    kiwi build-only: a build script or procedural macro of app needs it, no artifact does
    lime other-platform: it is about windows on x86_64, and this is compiled for x86_64-unknown-linux-gnu
    lime other-platform: it is about aarch64, and this is compiled for x86_64-unknown-linux-gnu
    lime -: -
    plum resolved-only: Cargo.lock names it, and nothing that is built needs it
    ");
}

#[test]
fn stripped_is_unknown() {
    let project = app();
    advise(&project, "RUSTSEC-2026-0002", "fig", "functions = { \"fig::peel\" = [], \"fig::slice\" = [] }");
    project.append("Cargo.toml", "\n[profile.release]\nstrip = true\n");
    assert_snapshot!(reach(&built(&project, &[])), @"
      unknown fig::peel: the symbols of app do not tell: it has no symbols of its functions: it was stripped
      unknown fig::slice: the symbols of app do not tell: it has no symbols of its functions: it was stripped
    fig unknown: of the 2 functions that it affects nothing can be said
    ");
}
