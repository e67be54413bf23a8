//! What a produced file itself asks the system for: `DT_NEEDED` of ELF, dylibs of Mach-O, import and delay-load tables of PE. The second
//! witness beside build scripts. Files come out of the user's own build and are read as if they did not.

use object::read::elf::{Dyn as _, ElfFile, FileHeader};
use object::read::macho::{MachHeader, MachOFile};
use object::read::pe::{ImageNtHeaders, PeFile};
use object::{FileKind, LittleEndian as LE};

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 30;
/// The most libraries of one file, and the longest name.
const MAX_LIBRARIES: usize = 4096;
const MAX_NAME: usize = 1024;

/// The names of the libraries that the file needs when it runs, sorted; none where it is no executable or shared library.
///
/// # Errors
/// Why they cannot be read, a fragment.
pub fn needed(data: &[u8]) -> Result<Option<Vec<String>>, String> {
    let Ok(kind) = FileKind::parse(data) else { return Ok(None) };
    let names = match kind {
        FileKind::Elf32 => elf::<object::elf::FileHeader32<object::Endianness>>(data),
        FileKind::Elf64 => elf::<object::elf::FileHeader64<object::Endianness>>(data),
        FileKind::MachO32 => mach_o::<object::macho::MachHeader32<object::Endianness>>(data),
        FileKind::MachO64 => mach_o::<object::macho::MachHeader64<object::Endianness>>(data),
        FileKind::Pe32 => pe::<object::pe::ImageNtHeaders32>(data),
        FileKind::Pe64 => pe::<object::pe::ImageNtHeaders64>(data),
        _ => return Ok(None),
    };
    let mut names = names.map_err(|error| error.to_string())?;
    if names.len() > MAX_LIBRARIES || names.iter().any(|name| name.len() > MAX_NAME) {
        return Err("it names more libraries, or longer ones, than any linker writes".to_owned());
    }
    names.sort();
    names.dedup();
    Ok(Some(names))
}

/// One more than allowed is kept, so that too many are seen.
fn push(names: &mut Vec<String>, name: &[u8]) {
    if names.len() <= MAX_LIBRARIES {
        names.push(String::from_utf8_lossy(&name[..name.len().min(MAX_NAME + 1)]).into_owned());
    }
}

/// Object files and static executables have no such table, and need nothing.
fn elf<H: FileHeader>(data: &[u8]) -> object::Result<Vec<String>> {
    let file = ElfFile::<H>::parse(data)?;
    let mut names = Vec::new();
    let endian = file.endian();
    let Some((entries, strings)) = file.elf_section_table().dynamic(endian, data)? else { return Ok(names) };
    let strings = file.elf_section_table().strings(endian, data, strings)?;
    for entry in entries {
        if entry.tag(endian) == object::elf::DT_NULL {
            break;
        }
        if entry.tag(endian) == object::elf::DT_NEEDED {
            push(&mut names, entry.string(endian, strings)?);
        }
    }
    Ok(names)
}

fn mach_o<H: MachHeader>(data: &[u8]) -> object::Result<Vec<String>> {
    let file = MachOFile::<H>::parse(data)?;
    let (endian, mut names) = (file.endian(), Vec::new());
    let mut commands = file.macho_load_commands()?;
    while let Some(command) = commands.next()? {
        if let Some(library) = command.dylib()? {
            push(&mut names, command.string(endian, library.dylib.name)?);
        }
    }
    Ok(names)
}

fn pe<H: ImageNtHeaders>(data: &[u8]) -> object::Result<Vec<String>> {
    let file = PeFile::<H>::parse(data)?;
    let mut names = Vec::new();
    if let Some(table) = file.import_table()? {
        let mut descriptors = table.descriptors()?;
        while let Some(one) = descriptors.next()? {
            push(&mut names, table.name(one.name.get(LE))?);
        }
    }
    if let Some(table) = file.data_directories().delay_load_import_table(data, &file.section_table())? {
        let mut descriptors = table.descriptors()?;
        while let Some(one) = descriptors.next()? {
            push(&mut names, table.name(one.dll_name_rva.get(LE))?);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    /// The test itself is such a file; a long one.
    static OWN: LazyLock<Vec<u8>> = LazyLock::new(own);

    #[allow(clippy::disallowed_methods, reason = "a test reads the file that it runs from")]
    fn own() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn a_real_file_and_what_is_none() {
        let names = needed(&OWN).unwrap().unwrap();
        let expected = if cfg!(windows) { "kernel32.dll" } else { "libc.so.6" };
        if cfg!(any(windows, all(target_os = "linux", target_env = "gnu"))) {
            assert!(names.iter().any(|name| name.eq_ignore_ascii_case(expected)), "{names:?}");
        }
        assert_eq!(needed(b""), Ok(None));
        assert_eq!(needed(b"!<arch>\n"), Ok(None));
        assert_eq!(needed(&[b"\0asm\x01\0\0\0" as &[u8], &[0; 64]].concat()), Ok(None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_change_of_a_file_never_panics(at in 0_usize..4096, with in any::<[u8; 8]>(), length in 0_usize..8192) {
            let mut head = OWN[..1 << 16].to_vec();
            let at = at % head.len();
            for (index, byte) in with.into_iter().enumerate().filter(|(index, _)| at + index < 4096) {
                if let Some(place) = head.get_mut(at + index) {
                    *place = byte;
                }
            }
            let _ = needed(&head);
            let _ = needed(&head[..length.min(head.len())]);
        }
    }
}
