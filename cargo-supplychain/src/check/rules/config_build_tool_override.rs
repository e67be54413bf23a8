//! `config/build-tool-override`.

use crate::check::cargo_setting::flags::{Flag, flags, is_harmless_linker};
use crate::check::cargo_setting::{allow, env_influence, env_variable, finding, is_path, key, settings, shown};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::ConfigEntry;
use crate::model::cargo_config::environment::Influence;

pub(super) static RULE: Rule = Rule {
    id: "config/build-tool-override",
    severity: Severity::High,
    area: Area::Config,
    summary: "the cargo configuration chooses the linker, the runner, compiler flags or tools of the build",
    docs: r#"The linker writes the last bytes of a program and may write any; compiler flags can load code into the compiler (`-Z codegen-backend`), link
other objects (`-C link-arg`), or turn on code that nobody tested (`--cfg`); a variable in `[env]` reaches every compiler, build script
and native tool. None of it shows in Cargo.toml or Cargo.lock. SUNSPOT (SolarWinds, 2020) changed a product's code from inside the build,
between clean sources and the signature. With cargo 1.95.0 `[env] LD_PRELOAD` and `-Z codegen-backend` run code of the repository even in
`cargo metadata`.

Fires for `target.*.linker`, `target.*.runner`, `build.rustflags` and `target.*.rustflags` (and `host.*`), overrides of a build script's
result (`target.TRIPLE.LINKS.…`), a target description (`build.target = "….json"`), and `[env]` with `LD_PRELOAD`, `RUSTC_BOOTSTRAP`, `PATH`, `CC`, `CFLAGS` and their like.

Low, because common and harmless: a well-known linker or cross compiler by its bare name (`clang`, `lld`, `mold`, `rust-lld`,
`aarch64-linux-gnu-gcc`), `-fuse-ld=` with one, `-C target-cpu`, `-C target-feature`, `-C force-frame-pointers` and other code
generation options, lint levels such as `-D warnings`. What your own `$CARGO_HOME` says is low.

```toml
# .cargo/config.toml
[target.x86_64-unknown-linux-gnu]
rustflags = ["-C", "link-arg=./prebuilt/helper.o"]
```

What to do: remove what is not needed; allow what is, as the finding writes it (a program, a flag such as `--cfg tokio_unstable`, or a
variable's name):

```toml
# supplychain.toml
[rules]
"config/build-tool-override" = { allow = ["--cfg tokio_unstable", "probe-rs"] }
```
"#,
    options: &[RuleOption::allow("programs as written (the first word), flags as the finding writes them, names of variables")],
    run,
};

const HELP: &str = "remove it, or allow it as written in `[rules]` of supplychain.toml";
const HELP_HARMLESS: &str = "nothing to do: it is allowed, and recorded";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    settings(facts).filter_map(|entry| judge(facts, entry)).collect()
}

fn judge(facts: &Facts<'_>, entry: &ConfigEntry) -> Option<Finding> {
    let allowed = |word: &str| allow(facts, RULE.id).iter().any(|allowed| allowed == word);
    if let Some(name) = env_variable(entry) {
        return variable(entry, name, &allowed);
    }
    match entry.key.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["target", _, tool @ ("linker" | "runner")] | ["host", .., tool @ ("linker" | "runner")] => {
            Some(program(entry, tool, &allowed))
        }
        ["build" | "host", "rustflags"] | ["target" | "host", _, "rustflags"] => compiler_flags(entry, &allowed),
        ["build", "target"] => target_description(entry, &allowed),
        ["target", _, "rustdocflags", ..] => None,
        ["target", _, links] if entry.value.is_table() => Some(build_script(entry, links)),
        ["target", _, links, _, ..] => Some(build_script(entry, links)),
        _ => None,
    }
}

fn build_script(entry: &ConfigEntry, links: &str) -> Finding {
    let message = format!("`{}` replaces what the build script that links `{}` says", key(entry), shown(links));
    finding(RULE.id, Severity::High, entry, message).help(HELP)
}

/// A target description is a file that names the linker, its arguments and the code to start with.
fn target_description(entry: &ConfigEntry, allowed: &dyn Fn(&str) -> bool) -> Option<Finding> {
    let words = entry.value.as_str().map_or_else(|| entry.words(), |one| vec![one.to_owned()]);
    let file = words.iter().find(|word| word.ends_with(".json"))?;
    Some(judged(entry, allowed(file), format!("`{}` builds for the target description `{}`", key(entry), shown(file))))
}

fn judged(entry: &ConfigEntry, is_harmless: bool, message: String) -> Finding {
    let (severity, help) = if is_harmless { (Severity::Low, HELP_HARMLESS) } else { (Severity::High, HELP) };
    finding(RULE.id, severity, entry, message).help(help)
}

fn program(entry: &ConfigEntry, tool: &str, allowed: &dyn Fn(&str) -> bool) -> Finding {
    // A linker is one path, blanks included; a runner is words.
    let word = match (tool, entry.value.as_str()) {
        ("linker", Some(path)) => path.to_owned(),
        _ => entry.words().first().cloned().unwrap_or_default(),
    };
    let is_harmless = allowed(&word) || (tool == "linker" && is_harmless_linker(&word));
    let brought = if is_path(&word) { ", a program at a path of its own" } else { "" };
    judged(entry, is_harmless, format!("`{}` makes `{}` the {tool}{brought}", key(entry), shown(&word)))
}

fn compiler_flags(entry: &ConfigEntry, allowed: &dyn Fn(&str) -> bool) -> Option<Finding> {
    let flags = flags(&entry.words());
    let is_harmless = |flag: &&Flag| flag.harmless || allowed(&flag.text);
    let (harmless, others): (Vec<&Flag>, Vec<&Flag>) = flags.iter().partition(is_harmless);
    let told = if others.is_empty() { harmless } else { others };
    let is_harmless = told.first().is_none_or(is_harmless);
    let list: Vec<_> = told.iter().map(|flag| format!("`{}`", shown(&flag.text))).collect();
    (!list.is_empty()).then(|| judged(entry, is_harmless, format!("`{}` gives the compiler {}", key(entry), list.join(", "))))
}

fn variable(entry: &ConfigEntry, name: &str, allowed: &dyn Fn(&str) -> bool) -> Option<Finding> {
    let influence = env_influence(name).filter(|influence| *influence != Influence::Compiler)?;
    let value = entry.value.as_str().unwrap_or_default();
    let is_known_tool = influence == Influence::NativeTools && is_harmless_linker(value);
    let flags_are_harmless = influence == Influence::CompilerFlags && {
        // Only the encoded form is separated by another sign than blanks.
        let words: Vec<_> = value.split(['\x1f', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        flags(&words).iter().all(|flag| flag.harmless)
    };
    let is_harmless = allowed(name) || is_known_tool || flags_are_harmless;
    let message = format!("`[env]` sets {}, which {}", shown(name), influence.describe());
    Some(judged(entry, is_harmless, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cargo_setting::fixture::{World, table};
    use crate::model::Scope::{CommandLine, Repository, User};

    #[test]
    fn programs() {
        table(
            &RULE,
            &[
                (
                    Repository,
                    "[target.x86_64-unknown-linux-gnu]\nlinker = './ld'",
                    &["high `target.x86_64-unknown-linux-gnu.linker` makes `./ld` the linker, a program at a path of its own"],
                ),
                (Repository, "target.'cfg(unix)'.linker = 'evil'", &["high `target.cfg(unix).linker` makes `evil` the linker"]),
                (Repository, "target.'cfg(unix)'.linker = 'clang'", &["low `target.cfg(unix).linker` makes `clang` the linker"]),
                (Repository, "target.a.runner = ['sh', '-c', 'x']", &["high `target.a.runner` makes `sh` the runner"]),
                (User, "target.a.runner = 'qemu-arm -L x'", &["low `target.a.runner` makes `qemu-arm` the runner"]),
                (Repository, "host.linker = 'x'", &["high `host.linker` makes `x` the linker"]),
                (
                    Repository,
                    "target.a.ssl.rustc-link-lib = ['evil']",
                    &["high `target.a.ssl.rustc-link-lib` replaces what the build script that links `ssl` says"],
                ),
                (
                    Repository,
                    "target.a.ssl.rustc-env.X = 'evil'",
                    &["high `target.a.ssl.rustc-env.X` replaces what the build script that links `ssl` says"],
                ),
                (Repository, "target.a.ssl = {}", &["high `target.a.ssl` replaces what the build script that links `ssl` says"]),
                (
                    Repository,
                    "build.target = ['x86_64-unknown-linux-gnu', 't/my.json']",
                    &["high `build.target` builds for the target description `t/my.json`"],
                ),
                (Repository, "build.jobs = 2\nbuild.target = 'a'\nbuild.rustdocflags = ['-Zx']", &[]),
            ],
        );
    }

    #[test]
    fn flags_of_the_compiler() {
        table(
            &RULE,
            &[
                (
                    Repository,
                    "build.rustflags = ['-C', 'link-arg=x.o', '-Ctarget-cpu=native', '--cfg', 'a']",
                    &["high `build.rustflags` gives the compiler `-C link-arg=x.o`, `--cfg a`"],
                ),
                (
                    CommandLine,
                    "build.rustflags = '-Zx -Clinker=./l'",
                    &["high `build.rustflags` gives the compiler `-Z x`, `-C linker=./l`"],
                ),
                (
                    Repository,
                    "target.a.rustflags = ['-Ctarget-cpu=native', '-Dwarnings']",
                    &["low `target.a.rustflags` gives the compiler `-C target-cpu=native`, `-D warnings`"],
                ),
                (
                    Repository,
                    "target.a.rustflags = ['-Clinker=clang', '-Clink-arg=-fuse-ld=mold']",
                    &["low `target.a.rustflags` gives the compiler `-C linker=clang`, `-C link-arg=-fuse-ld=mold`"],
                ),
                (User, "build.rustflags = ['--cfg', 'a']", &["low `build.rustflags` gives the compiler `--cfg a`"]),
                (Repository, "build.rustflags = []", &[]),
            ],
        );
    }

    #[test]
    fn variables() {
        table(
            &RULE,
            &[
                (
                    Repository,
                    "env.LD_PRELOAD = { value = 'x.so', force = true }",
                    &["high `[env]` sets LD_PRELOAD, which loads code into every program that is started"],
                ),
                (
                    Repository,
                    "env.RUSTC_BOOTSTRAP = '1'",
                    &["high `[env]` sets RUSTC_BOOTSTRAP, which unlocks unstable features of the compiler"],
                ),
                (
                    Repository,
                    "env.CC = './cc'",
                    &["high `[env]` sets CC, which chooses the compilers or tools of native code, or their flags"],
                ),
                (
                    Repository,
                    "env.CC_aarch64-unknown-linux-gnu = 'aarch64-linux-gnu-gcc'",
                    &[
                        "low `[env]` sets CC_aarch64-unknown-linux-gnu, which chooses the compilers or tools of native code, or their flags",
                    ],
                ),
                (
                    Repository,
                    "env.Path = 'bin'",
                    &["high `[env]` sets Path, which changes where programs are looked up, or what an interpreter runs first"],
                ),
                (Repository, "env.RUSTFLAGS = '-Dwarnings'", &["low `[env]` sets RUSTFLAGS, which adds compiler flags"]),
                (Repository, "env.RUSTFLAGS = '-Zx'", &["high `[env]` sets RUSTFLAGS, which adds compiler flags"]),
                (Repository, "env.RUST_LOG = 'debug'\nenv.DATABASE_URL = 'x'\nenv.MACOSX_DEPLOYMENT_TARGET = '11'", &[]),
                (Repository, "env.RUSTC_WRAPPER = 'x'", &[]),
            ],
        );
    }

    #[test]
    fn the_policy_allows_what_it_writes() {
        let text = "build.rustflags = ['--cfg', 'tokio_unstable']\ntarget.a.runner = 'probe-rs run'\nenv.RUSTC_BOOTSTRAP = '1'";
        let found =
            World::new().allow(&RULE, &["--cfg tokio_unstable", "probe-rs", "RUSTC_BOOTSTRAP"]).file(Repository, text).run(&RULE);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|line| line.starts_with("low")), "{found:?}");
    }
}
