//! The variables of the environment that cargo, rustc and the build scripts' tools listen to: which configuration key a variable
//! sets, and which variables shape a build at all. Names only decide; values are never shown.

use std::collections::BTreeMap;

use super::{ConfigEntry, Scope};
use crate::base::Location;

/// Variables that set one configuration key (cargo book, "Environment variables" and "Configuration").
const KEYS: [(&str, &[&str]); 21] = [
    ("RUSTC", &["build", "rustc"]),
    ("RUSTC_WRAPPER", &["build", "rustc-wrapper"]),
    ("RUSTC_WORKSPACE_WRAPPER", &["build", "rustc-workspace-wrapper"]),
    ("RUSTDOC", &["build", "rustdoc"]),
    ("CARGO_ENCODED_RUSTFLAGS", &["build", "rustflags"]),
    ("RUSTFLAGS", &["build", "rustflags"]),
    ("CARGO_BUILD_RUSTC", &["build", "rustc"]),
    ("CARGO_BUILD_RUSTC_WRAPPER", &["build", "rustc-wrapper"]),
    ("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER", &["build", "rustc-workspace-wrapper"]),
    ("CARGO_BUILD_RUSTDOC", &["build", "rustdoc"]),
    ("CARGO_BUILD_RUSTFLAGS", &["build", "rustflags"]),
    ("CARGO_BUILD_TARGET", &["build", "target"]),
    ("CARGO_BUILD_TARGET_DIR", &["build", "target-dir"]),
    ("CARGO_BUILD_BUILD_DIR", &["build", "build-dir"]),
    ("CARGO_NET_OFFLINE", &["net", "offline"]),
    ("CARGO_NET_RETRY", &["net", "retry"]),
    ("CARGO_NET_GIT_FETCH_WITH_CLI", &["net", "git-fetch-with-cli"]),
    ("CARGO_REGISTRY_DEFAULT", &["registry", "default"]),
    ("CARGO_REGISTRY_CREDENTIAL_PROVIDER", &["registry", "credential-provider"]),
    ("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", &["registry", "global-credential-providers"]),
    ("CARGO_ALIAS_SUPPLYCHAIN", &["alias", "supplychain"]),
];

/// Settings of a profile, as the tail of a variable's name and of the key; longest first where one ends another.
const PROFILE_KEYS: [&str; 16] = [
    "split-debuginfo",
    "debug-assertions",
    "overflow-checks",
    "codegen-backend",
    "codegen-units",
    "trim-paths",
    "hint-mostly-unused",
    "incremental",
    "opt-level",
    "rustflags",
    "inherits",
    "dir-name",
    "debug",
    "strip",
    "panic",
    "rpath",
];

/// The configuration that the environment makes, sorted by variable; RUSTC and its like before `CARGO_BUILD_RUSTC`, as cargo
/// prefers them. `cwd` is the absolute folder that relative paths start from.
#[must_use]
pub fn entries(env: &BTreeMap<String, String>, cwd: &str) -> Vec<ConfigEntry> {
    let entry = |name: &str, key: Vec<String>, value: &str| ConfigEntry {
        key,
        value: toml::Value::String(value.to_owned()),
        location: Location::file(format!("environment variable {name}")),
        scope: Scope::Environment,
        base: cwd.to_owned(),
        effective: true,
    };
    let fixed = KEYS.iter().filter_map(|(name, key)| {
        let value = env.get(*name)?;
        Some(entry(name, key.iter().map(|&part| part.to_owned()).collect(), value))
    });
    let patterned = env.iter().filter_map(|(name, value)| Some(entry(name, patterned_key(name)?, value)));
    fixed.chain(patterned).collect()
}

/// The part of a variable's name that stands for a key's part: upper case, `-` and `.` as `_`.
#[must_use]
pub fn in_variable(part: &str) -> String {
    part.to_uppercase().replace(['-', '.'], "_")
}

/// The key of a variable whose name holds a name of the user's. The way back is ambiguous, so a target triple keeps its
/// underscores (`x86_64_unknown_linux_gnu`); compare with [`in_variable`].
fn patterned_key(name: &str) -> Option<Vec<String>> {
    let lower = |text: &str| text.to_lowercase();
    let key = |parts: &[&str]| Some(parts.iter().map(|&part| part.to_owned()).collect());
    if let Some(rest) = name.strip_prefix("CARGO_TARGET_") {
        for (tail, last) in [("_LINKER", "linker"), ("_RUNNER", "runner"), ("_RUSTFLAGS", "rustflags")] {
            if let Some(triple) = rest.strip_suffix(tail).filter(|triple| !triple.is_empty()) {
                return key(&["target", &lower(triple), last]);
            }
        }
    } else if let Some(rest) = name.strip_prefix("CARGO_PROFILE_") {
        let rest = lower(rest);
        for last in PROFILE_KEYS.into_iter().chain(["lto"]) {
            let tail = last.replace('-', "_");
            let Some(head) = rest.strip_suffix(&tail).and_then(|head| head.strip_suffix('_')) else { continue };
            return match head.strip_suffix("_build_override") {
                Some(profile) => key(&["profile", profile, "build-override", last]),
                None => key(&["profile", head, last]),
            };
        }
    } else if let Some(rest) = name.strip_prefix("CARGO_REGISTRIES_") {
        for (tail, last) in [("_INDEX", "index"), ("_CREDENTIAL_PROVIDER", "credential-provider")] {
            if let Some(registry) = rest.strip_suffix(tail).filter(|registry| !registry.is_empty()) {
                return key(&["registries", &lower(registry), last]);
            }
        }
    }
    None
}

/// What a variable of the environment can do to a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Influence {
    /// Replaces or wraps the compiler or documentation tool.
    Compiler,
    /// Adds flags to the compiler.
    CompilerFlags,
    /// Replaces the linker, or the program that runs what was built.
    Linker,
    /// Loads code into every program that is started.
    Loader,
    /// Unlocks unstable features of a stable compiler.
    Bootstrap,
    /// Names the compilers and tools of native code, or their flags.
    NativeTools,
    /// Where programs are looked up, or what a shell or interpreter runs first.
    Lookup,
    /// Changes a profile.
    Profile,
}

impl Influence {
    /// For people: what such a variable does, a verb phrase.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Compiler => "replaces or wraps the compiler",
            Self::CompilerFlags => "adds compiler flags",
            Self::Linker => "chooses the linker or the runner",
            Self::Loader => "loads code into every program that is started",
            Self::Bootstrap => "unlocks unstable features of the compiler",
            Self::NativeTools => "chooses the compilers or tools of native code, or their flags",
            Self::Lookup => "changes where programs are looked up, or what an interpreter runs first",
            Self::Profile => "changes a profile",
        }
    }
}

/// What the variable `name` can do to a build; `None` for the many that do nothing of the kind (`CARGO_TERM_COLOR`, `RUST_LOG`).
///
/// Cargo's own variables, the dynamic loaders' (ld.so(8), dyld(1)), those of the `cc` crate, of `cmake`, `pkg-config` and
/// `bindgen`, with their `_TRIPLE`, `HOST_` and `TARGET_` forms.
#[must_use]
pub fn influence(name: &str) -> Option<Influence> {
    let starts = |heads: &[&str]| heads.iter().any(|head| name.starts_with(head));
    match name {
        "RUSTC" | "RUSTC_WRAPPER" | "RUSTC_WORKSPACE_WRAPPER" | "RUSTDOC" | "CARGO" => return Some(Influence::Compiler),
        "RUSTFLAGS" | "CARGO_ENCODED_RUSTFLAGS" | "CARGO_BUILD_RUSTFLAGS" => return Some(Influence::CompilerFlags),
        "RUSTC_BOOTSTRAP" => return Some(Influence::Bootstrap),
        "LD_PRELOAD" | "LD_AUDIT" | "LD_LIBRARY_PATH" => return Some(Influence::Loader),
        "PATH" | "BASH_ENV" | "ENV" | "SHELL" | "PERL5LIB" | "PERL5OPT" | "PYTHONPATH" | "PYTHONSTARTUP" | "PYTHONHOME"
        | "NODE_OPTIONS" | "RUBYOPT" | "GIT_SSH" | "GIT_SSH_COMMAND" | "GIT_EXEC_PATH" | "COMPILER_PATH" | "GCC_EXEC_PREFIX"
        | "LIBRARY_PATH" | "CPATH" | "C_INCLUDE_PATH" | "CPLUS_INCLUDE_PATH" => {
            return Some(Influence::Lookup);
        }
        _ => {}
    }
    if starts(&["CARGO_BUILD_RUSTC", "CARGO_BUILD_RUSTDOC"]) && !name.ends_with("FLAGS") {
        return Some(Influence::Compiler);
    }
    if starts(&["DYLD_"]) {
        return Some(Influence::Loader);
    }
    if starts(&["CARGO_PROFILE_"]) {
        return Some(Influence::Profile);
    }
    if starts(&["CARGO_TARGET_"]) {
        return match name {
            _ if name.ends_with("_RUSTFLAGS") => Some(Influence::CompilerFlags),
            _ if name.ends_with("_LINKER") || name.ends_with("_RUNNER") => Some(Influence::Linker),
            _ => None,
        };
    }
    is_native_tool(name).then_some(Influence::NativeTools)
}

/// `CC`, `HOST_CC`, `TARGET_CC`, `CC_x86_64-unknown-linux-gnu` and the same of the other tools.
fn is_native_tool(name: &str) -> bool {
    const TOOLS: [&str; 21] = [
        "CC",
        "CXX",
        "AR",
        "LD",
        "AS",
        "NM",
        "RANLIB",
        "STRIP",
        "NVCC",
        "MAKE",
        "CMAKE",
        "CMAKE_TOOLCHAIN_FILE",
        "PKG_CONFIG",
        "PKG_CONFIG_PATH",
        "PKG_CONFIG_SYSROOT_DIR",
        "CFLAGS",
        "CXXFLAGS",
        "CPPFLAGS",
        "LDFLAGS",
        "BINDGEN_EXTRA_CLANG_ARGS",
        "LIBCLANG_PATH",
    ];
    let name = name.strip_prefix("HOST_").or_else(|| name.strip_prefix("TARGET_")).unwrap_or(name);
    let triple_of = |rest: &str| rest.matches(['-', '_']).count() >= 2 && !rest.chars().any(|c| c.is_ascii_uppercase());
    TOOLS.iter().any(|tool| match name.strip_prefix(tool) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('_').is_some_and(triple_of),
        None => false,
    })
}

/// The variables of `env` that shape a build, for [`crate::check`]'s facts.
#[must_use]
pub fn shaping(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    env.iter().filter(|(name, _)| influence(name).is_some()).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_set_keys() {
        for (name, key) in [
            ("RUSTC_WRAPPER", Some("build.rustc-wrapper")),
            ("CARGO_BUILD_TARGET", Some("build.target")),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", Some("target.x86_64_unknown_linux_gnu.linker")),
            ("CARGO_PROFILE_RELEASE_LTO", Some("profile.release.lto")),
            ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", Some("profile.release.overflow-checks")),
            ("CARGO_PROFILE_DEV_BUILD_OVERRIDE_OPT_LEVEL", Some("profile.dev.build-override.opt-level")),
            ("CARGO_REGISTRIES_CORP_INDEX", Some("registries.corp.index")),
            ("CARGO_REGISTRIES_CORP_TOKEN", None),
            ("CARGO_REGISTRY_TOKEN", None),
            ("CARGO_TARGET_DIR", None),
            ("CARGO_TERM_COLOR", None),
        ] {
            let env = BTreeMap::from([(name.to_owned(), "v".to_owned())]);
            let entries = entries(&env, "/w");
            assert_eq!(entries.first().map(ConfigEntry::dotted).as_deref(), key, "{name}");
            assert!(entries.iter().all(|entry| entry.location.file == format!("environment variable {name}")));
        }
    }

    #[test]
    fn the_plain_variable_is_stronger_than_the_one_of_the_key() {
        let env = ["CARGO_BUILD_RUSTC_WRAPPER", "RUSTC_WRAPPER"].map(|name| (name.to_owned(), name.to_owned()));
        let entries = entries(&env.into_iter().collect(), "/w");
        assert_eq!(entries[0].value.as_str(), Some("RUSTC_WRAPPER"));
    }

    #[test]
    fn what_shapes_a_build_and_what_does_not() {
        use Influence::{Bootstrap, Compiler, CompilerFlags, Linker, Loader, Lookup, NativeTools, Profile};
        for (name, expected) in [
            ("RUSTC", Some(Compiler)),
            ("CARGO_BUILD_RUSTC_WRAPPER", Some(Compiler)),
            ("CARGO_ENCODED_RUSTFLAGS", Some(CompilerFlags)),
            ("CARGO_BUILD_RUSTFLAGS", Some(CompilerFlags)),
            ("CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER", Some(Linker)),
            ("CARGO_TARGET_AARCH64_APPLE_DARWIN_RUSTFLAGS", Some(CompilerFlags)),
            ("LD_PRELOAD", Some(Loader)),
            ("DYLD_INSERT_LIBRARIES", Some(Loader)),
            ("RUSTC_BOOTSTRAP", Some(Bootstrap)),
            ("CC", Some(NativeTools)),
            ("HOST_CC", Some(NativeTools)),
            ("CC_aarch64-unknown-linux-musl", Some(NativeTools)),
            ("CFLAGS_aarch64_unknown_linux_musl", Some(NativeTools)),
            ("PATH", Some(Lookup)),
            ("LIBRARY_PATH", Some(Lookup)),
            ("CARGO_PROFILE_RELEASE_DEBUG", Some(Profile)),
            ("CARGO_TERM_COLOR", None),
            ("CARGO_TARGET_DIR", None),
            ("CARGO_BUILD_RUSTDOCFLAGS", None),
            ("RUST_LOG", None),
            ("RUST_BACKTRACE", None),
            ("CC_ENABLE_DEBUG_OUTPUT", None),
            ("PKG_CONFIG_ALLOW_CROSS", None),
            ("MACOSX_DEPLOYMENT_TARGET", None),
            ("CARGO_HOME", None),
        ] {
            assert_eq!(influence(name), expected, "{name}");
        }
    }
}
