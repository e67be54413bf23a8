//! Which crate may write where inside the target folder: a rule between crates, held by the supervisor alone. The outer wall is Landlock's.

use std::path::{Path, PathBuf};

use super::actors::Unit;
use super::paths::real;
use crate::model::sandbox::ActorKind;

/// What a compilation or a build script may write within the target folder: what is its own, and what is nobody's.
pub(super) fn may_write(unit: &Unit, real: &Path, inside: &Path) -> bool {
    // What is not there leads nowhere else.
    let really = |folder: &PathBuf| self::real(folder).unwrap_or_else(|| folder.clone());
    let script_folder = unit.out_dir.as_ref().filter(|_| unit.actor.kind != ActorKind::Compiler).map(really);
    // Whatever is in it, a cargo of its own with all its folders too.
    if script_folder.as_ref().is_some_and(|folder| real.starts_with(folder)) {
        return true;
    }
    let outputs: Vec<_> = unit.outputs.iter().map(really).collect();
    // Whoever moves a folder above its own moves those of all others.
    if script_folder.iter().chain(&outputs).any(|folder| folder != real && folder.starts_with(real)) {
        return false;
    }
    let parts: Vec<&str> = inside.iter().map(|part| part.to_str().unwrap_or_default()).collect();
    let shared = |name: &str| parts.iter().position(|part| *part == name);
    if shared(".fingerprint").is_some() {
        return false;
    }
    let is_own = outputs.iter().any(|folder| real.starts_with(folder));
    if let Some(folder) = ["deps", "examples"].iter().find_map(|name| shared(name)) {
        let name = parts.get(folder + 1).copied().unwrap_or_default();
        return is_own && mark_of(name).is_none_or(|mark| unit.mark.as_deref() == Some(mark));
    }
    is_own || (shared("build").is_none() && shared("incremental").is_none())
}

/// `-0123456789abcdef` in `libname-0123456789abcdef.rlib`: which compilation the file is of.
fn mark_of(name: &str) -> Option<&str> {
    name.match_indices('-').find_map(|(at, _)| {
        let mark = name.get(at..at + 17)?;
        mark[1..].bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(mark)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sandbox::Actor;

    fn unit(kind: ActorKind, out_dir: Option<&str>, outputs: &[&str], mark: Option<&str>) -> Unit {
        Unit {
            actor: Actor { name: "dep".into(), version: "1.0.0".into(), kind, program: String::new() },
            out_dir: out_dir.map(PathBuf::from),
            outputs: outputs.iter().map(PathBuf::from).collect(),
            mark: mark.map(str::to_owned),
        }
    }

    #[test]
    fn each_crate_writes_what_is_its_own() {
        let script = unit(ActorKind::BuildScript, Some("/t/release/build/dep-1/out"), &[], None);
        let compiler = unit(
            ActorKind::Compiler,
            Some("/t/release/build/dep-1/out"),
            &["/t/release/deps", "/t/release/incremental"],
            Some("-0123456789abcdef"),
        );
        for (path, by_script, by_compiler) in [
            ("release/build/dep-1/out/a/b.rs", true, false),
            ("release/build/dep-1/out/target/release/.fingerprint/x", true, false),
            ("release/build/other-1/out/a", false, false),
            ("release/build/dep-1/build-script-build", false, false),
            ("release/deps/libdep-0123456789abcdef.rlib", false, true),
            ("release/deps/libdep-fedcba9876543210.rlib", false, false),
            ("release/deps/rmetaAbCd/lib.rmeta", false, true),
            ("release/incremental/dep-x/s/y.bin", false, true),
            ("release/.fingerprint/dep-1/x", false, false),
            ("release/libvendor.so", true, true),
            ("cxxbridge/dep/include/a.h", true, true),
            // What is above the own folder is above those of others as well.
            ("release", false, false),
            ("release/build", false, false),
        ] {
            let real = Path::new("/t").join(path);
            for (unit, expected) in [(&script, by_script), (&compiler, by_compiler)] {
                assert_eq!(may_write(unit, &real, Path::new(path)), expected, "{path} by {}", unit.actor.kind.words());
            }
        }
    }

    #[test]
    fn files_of_a_compilation_carry_its_mark() {
        for (name, mark) in [
            ("libserde_json-0123456789abcdef.rlib", Some("-0123456789abcdef")),
            ("a-b-0123456789abcdef.d", Some("-0123456789abcdef")),
            ("x-0123456789abcdeg", None),
            ("-0123", None),
            ("größe-0123456789abcdef", Some("-0123456789abcdef")),
        ] {
            assert_eq!(mark_of(name), mark, "{name}");
        }
    }
}
