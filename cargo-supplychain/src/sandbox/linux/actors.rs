//! Who a process of the build works for: the crate whose build script, procedural macro or compilation started it.
//!
//! Cargo's own children are looked at when they are started: their arguments and variables are then in cargo's hands, not yet in
//! those of what runs. Everything below them is found by its parents.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::process::{DEPTH_MAX, Key, Memory, Process};
use crate::model::sandbox::{Actor, ActorKind};

/// How much of a stack is searched for a procedural macro, in bytes.
const STACK_MAX: usize = 512 << 10;

/// A child of cargo, and what it may write in the target folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub actor: Actor,
    /// The build script's own folder.
    pub out_dir: Option<PathBuf>,
    /// Folders that the compiler was told to write to.
    pub outputs: Vec<PathBuf>,
    /// `-C extra-filename`: what tells this compilation's files from those of others.
    pub mark: Option<String>,
}

/// All that were seen.
#[derive(Debug, Default)]
pub(super) struct Actors {
    cargo: u32,
    units: HashMap<Key, Arc<Unit>>,
    /// Libraries of procedural macros by file name: package and version.
    macros: HashMap<String, (String, String)>,
    /// Packages of the build, for macros that an earlier build compiled.
    packages: Vec<(String, String)>,
}

/// Where a process stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Cargo itself.
    Cargo,
    /// In a unit, so many steps below its first process.
    In(Arc<Unit>, usize),
    /// Its parents are gone.
    Lost,
}

impl Actors {
    pub(super) fn new(cargo: u32, packages: Vec<(String, String)>) -> Self {
        Self { cargo, packages, ..Self::default() }
    }

    pub(super) fn is_cargo(&self, process: Process) -> bool {
        process.is_thread_of(self.cargo)
    }

    pub(super) fn place(&self, process: Process) -> Place {
        if self.is_cargo(process) {
            return Place::Cargo;
        }
        // Mostly it is a process's first thread; which process another one is of costs more to find out.
        if let Some(unit) = process.stat().and_then(|stat| self.units.get(&stat.key)) {
            return Place::In(Arc::clone(unit), 0);
        }
        let mut id = process.group().unwrap_or(process.0);
        for depth in 0..DEPTH_MAX {
            let Some(stat) = Process(id).stat() else { return Place::Lost };
            if let Some(unit) = self.units.get(&stat.key) {
                return Place::In(Arc::clone(unit), depth);
            }
            if stat.parent == self.cargo || stat.parent <= 1 || stat.parent == std::process::id() {
                return Place::Lost;
            }
            id = stat.parent;
        }
        Place::Lost
    }

    /// A process is about to run another program.
    pub(super) fn starts(&mut self, process: Process, memory: Memory, arguments: u64, environment: u64) {
        let Some(stat) = process.stat() else { return };
        if stat.parent == self.cargo {
            let unit = self.child_of_cargo(&memory.words(arguments), &memory.words(environment));
            if let Some(unit) = unit {
                self.units.insert(stat.key, Arc::new(unit));
            } else {
                self.units.remove(&stat.key);
            }
            return;
        }
        // Written down now: its parents may be gone when it does something.
        if self.units.contains_key(&stat.key) {
            return;
        }
        if let Place::In(unit, depth) = self.place(process) {
            let started_by_macro = (depth > 0 && unit.actor.kind == ActorKind::Compiler)
                .then(|| self.spawning_macro(stat.parent))
                .flatten()
                .map(|(name, version)| {
                    let actor = Actor { name, version, kind: ActorKind::ProcMacro, program: String::new() };
                    Arc::new(Unit { actor, ..Unit::clone(&unit) })
                });
            self.units.insert(stat.key, started_by_macro.unwrap_or_else(|| child(&unit)));
        }
    }

    fn child_of_cargo(&mut self, arguments: &[String], environment: &[String]) -> Option<Unit> {
        let variable =
            |name: &str| environment.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
        let name = variable("CARGO_PKG_NAME")?;
        let version = variable("CARGO_PKG_VERSION").unwrap_or_default();
        let compiler = Compiler::of(arguments);
        let kind = if compiler.is_some() { ActorKind::Compiler } else { ActorKind::BuildScript };
        let mut unit = Unit {
            actor: Actor { name: name.clone(), version: version.clone(), kind, program: String::new() },
            out_dir: variable("OUT_DIR").map(PathBuf::from),
            outputs: Vec::new(),
            mark: None,
        };
        if let Some(compiler) = compiler {
            if compiler.is_macro {
                let mark = compiler.mark.as_deref().unwrap_or_default();
                self.macros.insert(format!("lib{}{mark}.so", compiler.crate_name), (name, version));
            }
            unit.outputs = compiler.outputs;
            unit.mark = compiler.mark.filter(|mark| mark.len() > 4);
        }
        Some(unit)
    }

    /// The actor of a refused call, for people.
    pub(super) fn actor(&self, process: Process, place: &Place, instruction: u64) -> Actor {
        let program =
            process.program().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())).unwrap_or_default();
        match place {
            Place::Cargo => Actor { name: String::new(), version: String::new(), kind: ActorKind::Unknown, program },
            Place::In(unit, depth) => {
                let mut actor = Actor { program, ..unit.actor.clone() };
                if *depth > 0 && actor.kind == ActorKind::BuildScript {
                    actor.kind = ActorKind::Child;
                }
                if actor.kind == ActorKind::Compiler
                    && let Some((name, version)) = self.running_macro(process, Some(instruction))
                {
                    actor = Actor { name, version, kind: ActorKind::ProcMacro, ..actor };
                }
                actor
            }
            // What it says itself is better than nothing, and is told as that.
            Place::Lost => Actor {
                name: process.variable("CARGO_PKG_NAME").unwrap_or_default(),
                version: process.variable("CARGO_PKG_VERSION").unwrap_or_default(),
                kind: ActorKind::Unknown,
                program,
            },
        }
    }

    /// The procedural macro whose code a waiting thread of the compiler is in: the innermost one on its stack.
    fn running_macro(&self, thread: Process, instruction: Option<u64>) -> Option<(String, String)> {
        let libraries: Vec<_> = thread.code().into_iter().filter(|(_, path)| is_macro_library(path)).collect();
        if libraries.is_empty() {
            return None;
        }
        let at = |address: u64| libraries.iter().find(|(range, _)| range.contains(&address)).map(|(_, path)| path);
        let (stack, _) = thread.stack()?;
        let found = instruction.and_then(at).or_else(|| {
            let bytes = thread.memory().up_to(stack, STACK_MAX);
            bytes.chunks_exact(8).filter_map(|word| word.try_into().ok().map(u64::from_ne_bytes)).find_map(at)
        })?;
        self.package_of(found)
    }

    /// The macro that starts a program: the thread of the compiler that waits in `clone` or `vfork`.
    fn spawning_macro(&self, compiler: u32) -> Option<(String, String)> {
        let threads = std::fs::read_dir(format!("/proc/{compiler}/task")).ok()?;
        threads
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .map(Process)
            .find_map(|thread| self.running_macro(thread, None))
    }

    fn package_of(&self, library: &Path) -> Option<(String, String)> {
        let file = library.file_name()?.to_str()?;
        if let Some(package) = self.macros.get(file) {
            return Some(package.clone());
        }
        let stem = file.strip_prefix("lib")?.strip_suffix(".so")?;
        let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
        let mut of_that_name = self.packages.iter().filter(|(package, _)| package.replace('-', "_") == name);
        match (of_that_name.next(), of_that_name.next()) {
            (Some(package), None) => Some(package.clone()),
            (Some((package, _)), Some(_)) => Some((package.clone(), String::new())),
            _ => Some((name.to_owned(), String::new())),
        }
    }
}

/// The same unit, one step below its first process.
fn child(unit: &Arc<Unit>) -> Arc<Unit> {
    if unit.actor.kind != ActorKind::BuildScript {
        return Arc::clone(unit);
    }
    let actor = Actor { kind: ActorKind::Child, ..unit.actor.clone() };
    Arc::new(Unit { actor, ..Unit::clone(unit) })
}

/// A library that cargo compiled; those of the compiler itself are no macros.
fn is_macro_library(path: &Path) -> bool {
    let in_deps = path.parent().is_some_and(|folder| !folder.starts_with("/usr") && !folder.ends_with("lib"));
    in_deps && path.extension().is_some_and(|extension| extension == "so")
}

/// What the arguments of a compiler say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compiler {
    crate_name: String,
    is_macro: bool,
    mark: Option<String>,
    outputs: Vec<PathBuf>,
}

impl Compiler {
    /// None for a program that is no compiler, or one that is only asked for its version.
    fn of(arguments: &[String]) -> Option<Self> {
        let mut compiler = Self::default();
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            let (option, value) = match argument.split_once('=').filter(|(option, _)| option.starts_with("--")) {
                Some((option, value)) => (option, Some(value)),
                None => (argument, None),
            };
            match option {
                "--crate-name" => compiler.crate_name = value.or_else(|| arguments.next())?.to_owned(),
                "--crate-type" => compiler.is_macro |= value.or_else(|| arguments.next())? == "proc-macro",
                "--out-dir" => compiler.outputs.push(value.or_else(|| arguments.next())?.into()),
                "-C" => compiler.codegen(arguments.next()?),
                _ => {}
            }
        }
        (!compiler.crate_name.is_empty()).then_some(compiler)
    }

    fn codegen(&mut self, option: &str) {
        match option.split_once('=') {
            Some(("extra-filename", mark)) => self.mark = Some(mark.to_owned()),
            Some(("incremental", folder)) => self.outputs.push(folder.into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn children_of_cargo_are_told_apart() {
        let mut actors = Actors::new(1, vec![("serde-derive".into(), "1.0.0".into())]);
        let environment = words("CARGO_PKG_NAME=zlib-sys CARGO_PKG_VERSION=1.2.3 OUT_DIR=/t/build/zlib-sys-1/out");
        let script = actors.child_of_cargo(&words("/t/build/zlib-sys-1/build-script-build"), &environment).unwrap();
        assert_eq!((script.actor.kind, script.actor.name.as_str()), (ActorKind::BuildScript, "zlib-sys"));
        assert_eq!(script.out_dir, Some("/t/build/zlib-sys-1/out".into()));
        let line = "rustc --crate-name my_macro --edition=2021 --crate-type proc-macro -C extra-filename=-0123456789 --out-dir /t/deps -C incremental=/t/incremental";
        let environment = words("CARGO_PKG_NAME=my-macro CARGO_PKG_VERSION=0.1.0");
        let compiler = actors.child_of_cargo(&words(line), &environment).unwrap();
        assert_eq!(compiler.actor.kind, ActorKind::Compiler);
        assert_eq!(compiler.outputs, [PathBuf::from("/t/deps"), "/t/incremental".into()]);
        assert_eq!(compiler.mark.as_deref(), Some("-0123456789"));
        for (file, package) in [
            ("/t/deps/libmy_macro-0123456789.so", ("my-macro", "0.1.0")),
            ("/t/deps/libserde_derive-77.so", ("serde-derive", "1.0.0")),
            ("/t/deps/libother-77.so", ("other", "")),
        ] {
            assert_eq!(actors.package_of(Path::new(file)), Some((package.0.into(), package.1.into())));
        }
        assert_eq!(actors.child_of_cargo(&words("rustc -vV"), &words("PATH=/bin")), None);
    }

    #[test]
    fn arguments_in_both_spellings() {
        let both = Compiler::of(&words("sccache /bin/rustc --crate-name=a --crate-type=proc-macro --out-dir=/t")).unwrap();
        assert!(both.is_macro);
        assert_eq!(both.outputs, [PathBuf::from("/t")]);
        assert_eq!(Compiler::of(&words("rustc --crate-name")), None);
    }

    #[test]
    fn libraries_of_the_compiler_are_no_macros() {
        assert!(is_macro_library(Path::new("/home/u/p/target/supplychain/.build/release/deps/libm-1.so")));
        assert!(!is_macro_library(Path::new("/home/u/.rustup/toolchains/x/lib/librustc_driver-1.so")));
        assert!(!is_macro_library(Path::new("/usr/lib/x86_64-linux-gnu/libc.so.6")));
    }
}
