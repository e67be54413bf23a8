//! The data as an object file that the linker takes, and the way back. The object holds a section and a symbol, no path and no time: what
//! is linked does not tell where it lay.

use object::write::{Object, StandardSegment, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, Object as _, ObjectSection as _, SectionFlags, SectionKind, SymbolFlags,
    SymbolKind, SymbolScope, elf,
};

/// The section's name.
pub const SECTION: &str = ".dep-v0";

/// Names the data, so that a linker can be told to keep it.
const SYMBOL: &str = "CARGO_SUPPLYCHAIN_AUDIT_DATA";

/// The largest file that is looked into, in bytes.
pub const MAX_FILE: u64 = 1 << 30;

/// What decides the form of an object file: the target's cfgs (`rustc --print cfg`), those that count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectTarget {
    pub triple: String,
    pub arch: String,
    pub os: String,
    pub env: String,
    pub vendor: String,
    pub endian: String,
    pub pointer_width: String,
    /// `target_feature`s that are on.
    pub features: Vec<String>,
}

/// An object file, and what the linker has to be told besides its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditObject {
    pub bytes: Vec<u8>,
    pub linker_arguments: Vec<String>,
}

/// The object file for a target.
///
/// # Errors
/// The target's object files are none that can be written; a fragment that says so.
pub fn object_file(target: &ObjectTarget, content: &[u8]) -> Result<AuditObject, String> {
    let unsupported = || format!("audit data cannot be embedded for the target {}", target.triple);
    let architecture = architecture(target).ok_or_else(unsupported)?;
    let endianness = if target.endian == "big" { Endianness::Big } else { Endianness::Little };
    let format = format(target);
    let mut file = Object::new(format, architecture, endianness);
    if let Some(e_flags) = elf_flags(target, architecture).filter(|_| format == BinaryFormat::Elf) {
        file.flags = FileFlags::Elf { os_abi: 0, abi_version: 0, e_flags };
    }
    let segment = file.segment_name(StandardSegment::Data).to_vec();
    let section = file.add_section(segment, SECTION.as_bytes().to_vec(), SectionKind::ReadOnlyData);
    if format == BinaryFormat::Elf {
        // Beside the program, not loaded with it: no linker collects such a section, no program pays for it.
        file.section_mut(section).flags = SectionFlags::Elf { sh_flags: 0 };
    }
    let value = file.append_section_data(section, content, 1);
    file.add_symbol(Symbol {
        name: SYMBOL.as_bytes().to_vec(),
        value,
        size: content.len() as u64,
        kind: SymbolKind::Data,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    let bytes = file.write().map_err(|error| format!("{}: {error}", unsupported()))?;
    let linker_arguments = match format {
        BinaryFormat::MachO => vec![format!("-Wl,-u,_{SYMBOL}")],
        BinaryFormat::Coff if target.env == "msvc" => vec![format!("/INCLUDE:{}", coff_symbol(architecture))],
        BinaryFormat::Coff => vec![format!("-Wl,-u,{}", coff_symbol(architecture))],
        _ => Vec::new(),
    };
    Ok(AuditObject { bytes, linker_arguments })
}

/// Names of C have an underscore in front of them in 32-bit files for Windows.
fn coff_symbol(architecture: Architecture) -> String {
    if architecture == Architecture::I386 { format!("_{SYMBOL}") } else { SYMBOL.to_owned() }
}

fn format(target: &ObjectTarget) -> BinaryFormat {
    match (target.vendor.as_str(), target.os.as_str()) {
        ("apple", _) => BinaryFormat::MachO,
        (_, "windows") => BinaryFormat::Coff,
        _ => BinaryFormat::Elf,
    }
}

/// None where linkers of the target take other files (WebAssembly), or where the flags of its objects are not known here.
fn architecture(target: &ObjectTarget) -> Option<Architecture> {
    Some(match target.arch.as_str() {
        "aarch64" => Architecture::Aarch64,
        "arm" => Architecture::Arm,
        "loongarch64" => Architecture::LoongArch64,
        "powerpc64" => Architecture::PowerPc64,
        "riscv64" => Architecture::Riscv64,
        "s390x" => Architecture::S390x,
        "x86" => Architecture::I386,
        "x86_64" if target.pointer_width == "32" => Architecture::X86_64_X32,
        "x86_64" => Architecture::X86_64,
        _ => return None,
    })
}

/// Linkers compare the float ABI of what they link.
fn elf_flags(target: &ObjectTarget, architecture: Architecture) -> Option<u32> {
    let has = |feature: &str| target.features.iter().any(|one| one == feature);
    match architecture {
        Architecture::Riscv64 => {
            let float = if has("d") { elf::EF_RISCV_FLOAT_ABI_DOUBLE } else { elf::EF_RISCV_FLOAT_ABI_SOFT };
            Some(float | if has("c") { elf::EF_RISCV_RVC } else { 0 })
        }
        Architecture::Arm => Some(elf::EF_ARM_EABI_VER5),
        Architecture::LoongArch64 => {
            Some(elf::EF_LARCH_OBJABI_V1 | if has("d") { elf::EF_LARCH_ABI_DOUBLE_FLOAT } else { elf::EF_LARCH_ABI_SOFT_FLOAT })
        }
        // Version 2 of the ABI for little-endian files.
        Architecture::PowerPc64 => Some(if target.endian == "big" { 1 } else { 2 }),
        _ => None,
    }
}

/// The data in a linked file; none where there is none.
#[must_use]
pub fn embedded(file: &[u8]) -> Option<&[u8]> {
    let file = object::File::parse(file).ok()?;
    file.sections().find(|section| section.name_bytes().is_ok_and(|name| name == SECTION.as_bytes()))?.data().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(triple: &str) -> ObjectTarget {
        let parts: Vec<&str> = triple.split('-').collect();
        let text = |text: &str| text.to_owned();
        ObjectTarget {
            triple: text(triple),
            arch: text(parts[0].trim_end_matches("gc")),
            vendor: text(parts[1]),
            os: text(if parts[2] == "darwin" { "macos" } else { parts[2] }),
            env: text(parts.get(3).unwrap_or(&"")),
            endian: text(if parts[0] == "s390x" { "big" } else { "little" }),
            pointer_width: text("64"),
            features: vec![text("c"), text("d")],
        }
    }

    #[test]
    fn what_was_put_in_is_found_again() {
        for (triple, arguments) in [
            ("x86_64-unknown-linux-gnu", ""),
            ("aarch64-unknown-linux-musl", ""),
            ("riscv64gc-unknown-linux-gnu", ""),
            ("s390x-unknown-linux-gnu", ""),
            ("aarch64-apple-darwin", "-Wl,-u,_CARGO_SUPPLYCHAIN_AUDIT_DATA"),
            ("x86_64-pc-windows-msvc", "/INCLUDE:CARGO_SUPPLYCHAIN_AUDIT_DATA"),
            ("x86_64-pc-windows-gnu", "-Wl,-u,CARGO_SUPPLYCHAIN_AUDIT_DATA"),
        ] {
            let made = object_file(&target(triple), b"the data").unwrap();
            assert_eq!(embedded(&made.bytes), Some(b"the data" as &[u8]), "{triple}");
            assert_eq!(made.linker_arguments.join(" "), arguments, "{triple}");
            assert_eq!(object_file(&target(triple), b"the data").unwrap(), made);
        }
        let error = object_file(&target("wasm32-unknown-unknown"), b"").unwrap_err();
        assert_eq!(error, "audit data cannot be embedded for the target wasm32-unknown-unknown");
        assert_eq!(embedded(b"no object"), None);
    }

    proptest! {
        #[test]
        fn any_change_never_panics(at in any::<prop::sample::Index>(), with in any::<[u8; 8]>()) {
            let mut bytes = object_file(&target("x86_64-unknown-linux-gnu"), &[7; 64]).unwrap().bytes;
            let at = at.index(bytes.len() - 8);
            bytes[at..at + 8].copy_from_slice(&with);
            let _ = embedded(&bytes);
        }
    }
}
