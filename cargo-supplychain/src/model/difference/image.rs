//! An executable or library as sections and functions, by the crate `object`. What cannot be read is left out; nothing is believed of
//! sizes and addresses beyond the bytes that are there.

use object::{Architecture, BinaryFormat, Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};

const MAX_SECTIONS: usize = 4096;
const MAX_SYMBOLS: usize = 2_000_000;
/// The longest name of a function, in bytes.
const MAX_NAME: usize = 1 << 14;
/// How often the bytes of a file may be looked at by sections or functions that overlap.
const MAX_OVERLAP: u64 = 4;

pub(super) struct Image<'d> {
    pub format: &'static str,
    pub architecture: Architecture,
    pub sections: Vec<Section<'d>>,
    /// Sorted by address.
    pub functions: Vec<Function<'d>>,
    /// Whether something was left out for being too much.
    pub is_cut: bool,
}

pub(super) struct Section<'d> {
    pub name: String,
    pub address: u64,
    /// In memory; a section that is all zero has no data.
    pub size: u64,
    pub data: &'d [u8],
    pub is_code: bool,
    /// Constants, and the text of debug information.
    pub holds_text: bool,
}

pub(super) struct Function<'d> {
    /// As it stands in the file.
    pub name: &'d str,
    pub address: u64,
    pub bytes: &'d [u8],
}

impl<'d> Image<'d> {
    pub fn parse(data: &'d [u8]) -> Option<Self> {
        let file = object::File::parse(data).ok()?;
        let format = match file.format() {
            BinaryFormat::Elf => "ELF",
            BinaryFormat::MachO => "Mach-O",
            BinaryFormat::Pe | BinaryFormat::Coff => "PE",
            _ => return None,
        };
        let budget = (data.len() as u64).saturating_mul(MAX_OVERLAP);
        let mut image =
            Self { format, architecture: file.architecture(), sections: Vec::new(), functions: Vec::new(), is_cut: false };
        image.read_sections(&file, budget);
        image.read_functions(&file, budget);
        Some(image)
    }

    /// Images of different kinds are not compared.
    pub fn kind(&self) -> (&'static str, Architecture) {
        (self.format, self.architecture)
    }

    fn read_sections(&mut self, file: &object::File<'d>, mut budget: u64) {
        for section in file.sections() {
            let data = section.data().unwrap_or_default();
            if self.sections.len() >= MAX_SECTIONS || data.len() as u64 > budget {
                self.is_cut = true;
                return;
            }
            budget -= data.len() as u64;
            let name = section.name_bytes().map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
            let kind = section.kind();
            self.sections.push(Section {
                holds_text: holds_text(kind, &name),
                is_code: kind == SectionKind::Text,
                address: section.address(),
                size: section.size(),
                name,
                data,
            });
        }
    }

    fn read_functions(&mut self, file: &object::File<'d>, mut budget: u64) {
        let mut found = Vec::new();
        let symbols = file.symbols().chain(file.dynamic_symbols());
        for (count, symbol) in symbols.enumerate() {
            if count >= MAX_SYMBOLS {
                self.is_cut = true;
                break;
            }
            if symbol.kind() == SymbolKind::Text && symbol.is_definition() {
                found.push((symbol.address(), symbol.name().unwrap_or_default(), symbol.size()));
            }
        }
        let before = found.len();
        found.retain(|(_, name, _)| name.len() <= MAX_NAME);
        self.is_cut |= found.len() < before;
        found.retain(|(_, name, _)| !name.is_empty());
        found.sort_unstable();
        // The dynamic table repeats names; a longer one of the same place and name is the same function.
        found.dedup_by_key(|(address, name, _)| (*address, *name));
        // Where a symbol has no size, it reaches to the next address.
        let mut next = None;
        let mut following = vec![None; found.len()];
        for index in (0..found.len()).rev() {
            following[index] = next;
            if index > 0 && found[index - 1].0 < found[index].0 {
                next = Some(found[index].0);
            }
        }
        for ((address, name, size), next) in found.iter().zip(following) {
            let Some(section) = self.section_at(*address).filter(|section| section.is_code) else { continue };
            let end = section.address.saturating_add(section.data.len() as u64);
            let size = if *size > 0 { *size } else { next.unwrap_or(end).min(end) - address };
            let start = (address - section.address) as usize;
            let Some(bytes) = usize::try_from(size).ok().and_then(|size| section.data.get(start..start.checked_add(size)?))
            else {
                continue;
            };
            if size > budget {
                self.is_cut = true;
                return;
            }
            budget -= size;
            self.functions.push(Function { name, address: *address, bytes });
        }
    }

    /// The section with bytes in the file at an address.
    pub fn section_at(&self, address: u64) -> Option<&Section<'d>> {
        self.sections.iter().find(|section| {
            section.address != 0 && address >= section.address && address - section.address < section.data.len() as u64
        })
    }

    /// The section of an address in memory, one that is all zero included.
    pub fn place_of(&self, address: u64) -> Option<&Section<'d>> {
        self.sections
            .iter()
            .find(|section| section.address != 0 && address >= section.address && address - section.address < section.size)
    }

    /// The function at an address, and how far into it.
    pub fn function_at(&self, address: u64) -> Option<(&Function<'d>, u64)> {
        let after = self.functions.partition_point(|function| function.address <= address);
        let function = self.functions[..after].last()?;
        let offset = address - function.address;
        (offset < (function.bytes.len() as u64).max(1)).then_some((function, offset))
    }
}

fn holds_text(kind: SectionKind, name: &str) -> bool {
    // By name: ELF has no kind for what belongs to debug information.
    if name.contains("debug_") {
        return name.contains("str") || name.contains("line");
    }
    match kind {
        SectionKind::ReadOnlyData | SectionKind::ReadOnlyString | SectionKind::Data => {
            !["eh_frame", "except_table", "unwind", "pdata", "rel.ro", "got"].iter().any(|part| name.contains(part))
        }
        _ => false,
    }
}
