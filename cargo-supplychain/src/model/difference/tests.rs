use proptest::prelude::*;

use super::*;

/// An ELF file for x86-64 with the given sections (name, type, flags, content) and functions in the first of them (name, start, size).
/// Sections lie at 0x1000, 0x2000, … in memory.
fn elf(sections: &[(&str, u32, u64, &[u8])], functions: &[(&str, u64, u64)]) -> Vec<u8> {
    let (mut names, mut strings, mut symbols) = (vec![0u8], vec![0u8], vec![0u8; 24]);
    let mut bytes = vec![0u8; 64];
    let mut headers = vec![[0u8; 64]];
    let header =
        |name: usize, kind: u32, flags: u64, address: u64, offset: usize, size: usize, link: u32, info: u32, entry: u64| {
            let mut header = Vec::new();
            header.extend((name as u32).to_le_bytes());
            header.extend(kind.to_le_bytes());
            for value in [flags, address, offset as u64, size as u64] {
                header.extend(value.to_le_bytes());
            }
            header.extend(link.to_le_bytes());
            header.extend(info.to_le_bytes());
            header.extend(1u64.to_le_bytes());
            header.extend(entry.to_le_bytes());
            <[u8; 64]>::try_from(header).unwrap()
        };
    let mut add_name = |name: &str| {
        let at = names.len();
        names.extend(name.bytes().chain([0]));
        (at, names.clone())
    };
    for (index, (name, kind, flags, content)) in sections.iter().enumerate() {
        let (at, _) = add_name(name);
        headers.push(header(at, *kind, *flags, 0x1000 * (index as u64 + 1), bytes.len(), content.len(), 0, 0, 0));
        bytes.extend(*content);
    }
    for (name, start, size) in functions {
        symbols.extend((strings.len() as u32).to_le_bytes());
        symbols.extend([0x12, 0]);
        symbols.extend(1u16.to_le_bytes());
        symbols.extend((0x1000 + start).to_le_bytes());
        symbols.extend(size.to_le_bytes());
        strings.extend(name.bytes().chain([0]));
    }
    let count = headers.len() as u32;
    let (at, _) = add_name(".symtab");
    headers.push(header(at, 2, 0, 0, bytes.len(), symbols.len(), count + 1, 1, 24));
    bytes.extend(&symbols);
    let (at, _) = add_name(".strtab");
    headers.push(header(at, 3, 0, 0, bytes.len(), strings.len(), 0, 0, 0));
    bytes.extend(&strings);
    let (at, all) = add_name(".shstrtab");
    headers.push(header(at, 3, 0, 0, bytes.len(), all.len(), 0, 0, 0));
    bytes.extend(&all);
    let start = bytes.len() as u64;
    bytes.extend(headers.iter().flatten());
    let mut head = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    head.extend(3u16.to_le_bytes());
    head.extend(62u16.to_le_bytes());
    head.extend(1u32.to_le_bytes());
    head.extend(0u64.to_le_bytes());
    head.extend(0u64.to_le_bytes());
    head.extend(start.to_le_bytes());
    head.extend(0u32.to_le_bytes());
    for value in [64u16, 0, 0, 64, headers.len() as u16, headers.len() as u16 - 1] {
        head.extend(value.to_le_bytes());
    }
    bytes[..64].copy_from_slice(&head);
    bytes
}

const CODE: u64 = 6;
const DATA: u64 = 2;

/// `first` calls `second` and refers to the constant at `text` in the section at 0x2000; both have `fill` before them.
fn program(fill: usize, second: &[u8], text: u64, constants: &[u8], id: u8) -> Vec<u8> {
    let mut code = vec![0x90; fill];
    let start = code.len() as u64;
    let after_call = 0x1000 + start + 5;
    let target = 0x1000 + start + 16;
    code.push(0xe8);
    code.extend(((target - after_call) as i32).to_le_bytes());
    code.extend([0x48, 0x8d, 0x3d]);
    code.extend(((0x2000 + text) as i32 - (0x1000 + start + 12) as i32).to_le_bytes());
    code.resize(start as usize + 16, 0x90);
    code.extend(second);
    elf(
        &[(".text", 1, CODE, &code), (".rodata", 1, DATA, constants), (".note.gnu.build-id", 7, DATA, &[id; 20])],
        &[
            ("_ZN3app4main17h0123456789abcdefE", start, 16),
            ("_ZN3app5check17h1123456789abcdefE", start + 16, second.len() as u64),
        ],
    )
}

fn told(first: &[u8], second: &[u8]) -> Vec<String> {
    explain(first, second).unwrap().causes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_differs_is_named() {
    let constants = b"hello there\0/home/a/main.rs\0built 1763938453\0";
    let base = program(0, &[0xb8, 1, 0, 0, 0, 0xc3], 0, constants, 1);
    assert_eq!(explain(&base, &base.clone()), None);
    for (other, expected) in [
        (program(0, &[0xb8, 1, 0, 0, 0, 0xc3], 0, constants, 2), &["build id"][..]),
        (
            program(0, &[0xb8, 2, 0, 0, 0, 0xc3], 0, constants, 1),
            &["code of functions: `app::check` (6 bytes, other instructions)"],
        ),
        (program(0, &[0x31, 0xc0, 0xc3], 0, constants, 1), &["code of functions: `app::check` (6 and 3 bytes)"]),
        (program(7, &[0xb8, 1, 0, 0, 0, 0xc3], 0, constants, 1), &["code at other addresses"]),
        (program(0, &[0xb8, 1, 0, 0, 0, 0xc3], 6, constants, 1), &["data that functions refer to: `app::main`"]),
        (
            program(0, &[0xb8, 1, 0, 0, 0, 0xc3], 0, b"hello there\0/home/b/main.rs\0built 1763938453\0", 2),
            &["paths: `/home/a/main.rs` / `/home/b/main.rs`", "build id"],
        ),
        (
            program(0, &[0xb8, 1, 0, 0, 0, 0xc3], 0, b"hello there\0/home/a/main.rs\0built 1763938999\0", 1),
            &["dates or times: `1763938453` / `1763938999`"],
        ),
        (
            program(0, &[0xb8, 1, 0, 0, 0, 0xc3], 0, b"hello there\0\x01\x02/home/a/main.rs\0built 1763938453\0", 1),
            &["sections: .rodata"],
        ),
    ] {
        assert_eq!(told(&base, &other), expected);
    }
    let mut longer = base.clone();
    longer.push(0);
    assert_eq!(told(&base, &longer), ["headers, or bytes outside of sections"]);
    assert_eq!(told(&base, b"text"), ["not explained: format"]);
    assert_eq!(told(b"a", b"b"), ["not explained: format"]);
}

#[test]
fn debug_information_holds_text() {
    let make = |folder: &str| elf(&[(".debug_str", 1, 0x30, folder.as_bytes()), (".debug_info", 1, 0, &[1, 2])], &[]);
    assert_eq!(told(&make("/home/alice/app\0x"), &make("/srv/builds/app\0x")), ["paths: `/home/alice/app` / `/srv/builds/app`"]);
}

/// A table of distances that moved with the code it leads to is the same table, and one that leads elsewhere is not.
#[test]
fn tables_that_moved_are_the_same() {
    let make = |fill: usize, offset: i32| {
        let target = 0x1000 + fill as i32 + 16 + offset;
        program(fill, &[0xb8, 1, 0, 0, 0, 0xc3], 0, &[(target - 0x2000).to_le_bytes(), [9; 4]].concat(), 1)
    };
    assert_eq!(told(&make(0, 0), &make(7, 0)), ["code at other addresses"]);
    assert_eq!(told(&make(0, 0), &make(7, 5)), ["data that functions refer to: `app::main`"]);
}

#[test]
fn what_only_one_has_and_other_hashes_are_told() {
    let one = elf(&[(".text", 1, CODE, &[0xc3, 0xc3])], &[("_ZN1a1b17h0123456789abcdefE", 0, 1), ("gone", 1, 1)]);
    let other = elf(&[(".text", 1, CODE, &[0xc3, 0x90])], &[("_ZN1a1b17hfedcba9876543210E", 0, 1)]);
    assert_eq!(told(&one, &other), ["code of functions: `gone` (only in the first)", "hashes in names of functions"]);
    let stripped = elf(&[(".text", 1, CODE, &[0x90])], &[]);
    let why = "not explained: the code differs, and without symbols no function can be named";
    assert_eq!(told(&one, &stripped), ["sections: .text, .symtab, .strtab", why]);
}

#[test]
fn many_are_counted() {
    let names: Vec<String> = (0..30).map(|index| format!("f{index:02}")).collect();
    let functions: Vec<_> = names.iter().enumerate().map(|(index, name)| (name.as_str(), index as u64, 1)).collect();
    let make = |byte: u8| elf(&[(".text", 1, CODE, &[byte; 30])], &functions);
    let difference = explain(&make(0xc3), &make(0x90)).unwrap();
    assert_eq!((difference.causes[0].total, difference.causes[0].examples.len()), (30, MAX_EXAMPLES));
    assert!(difference.causes[0].to_string().ends_with(", and 10 more"));
}

proptest! {
    #[test]
    fn never_panics(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let base = program(3, &[0xb8, 1, 0, 0, 0, 0xc3], 0, b"hello there\0/home/a/main.rs\0", 1);
        let mut other = base.clone();
        for (at, byte) in &changes {
            let at = at.index(other.len());
            other[at] = *byte;
        }
        let _ = explain(&base, &other);
        let _ = explain(&other, &base);
        other.truncate(cut.index(other.len()));
        let _ = explain(&base, &other);
    }

    #[test]
    fn any_bytes(first in proptest::collection::vec(any::<u8>(), 0..200), second in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(explain(&first, &second).is_none(), first == second);
    }
}
