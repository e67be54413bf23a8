//! Archives made by hand, hostile ones above all.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

/// A header with the right sum.
pub(crate) fn header(name: &[u8], size: u64, kind: u8) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    let fits = name.len().min(100);
    block[..fits].copy_from_slice(&name[..fits]);
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    summed(block)
}

fn summed(mut block: Vec<u8>) -> Vec<u8> {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn entry(name: &str, content: &[u8], kind: u8) -> Vec<u8> {
    let mut bytes = header(name.as_bytes(), content.len() as u64, kind);
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// What a `.crate` of these entries holds, or why it is refused.
fn read(parts: &[Vec<u8>]) -> Result<Vec<(String, String)>, String> {
    let mut tar = parts.concat();
    tar.resize(tar.len() + 2 * BLOCK, 0);
    read_bytes(&gzip(&tar))
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let mut archive = CrateFile::from_bytes("a-1.0.0", bytes).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    while let Some(mut file) = archive.next_file().map_err(|error| error.to_string())? {
        let bytes = file.bytes(MAX_PATH).map_err(|error| error.to_string())?;
        found.push((file.path().to_owned(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(found)
}

fn file(name: &str, content: &str) -> Vec<u8> {
    entry(name, content.as_bytes(), b'0')
}

fn pax(records: &str) -> Vec<u8> {
    entry("PaxHeaders/x", records.as_bytes(), b'x')
}

#[test]
fn files_of_every_kind_of_name() {
    let long = format!("a-1.0.0/{}/lib.rs", "d".repeat(200));
    let mut split = header(b"src/lib.rs", 1, b'0');
    split[345..352].copy_from_slice(b"a-1.0.0");
    let mut split = summed(split);
    split.extend(b"s");
    split.resize(2 * BLOCK, 0);
    let record = format!("path={long}.x\n");
    let length = record.len() + 4;
    let found = read(&[
        entry("a-1.0.0/", b"", b'5'),
        entry("a-1.0.0/src/", b"", b'5'),
        file("a-1.0.0/Cargo.toml", "[package]"),
        entry("././@LongLink", format!("{long}\0").as_bytes(), b'L'),
        file("cut", "long"),
        pax(&format!("12 mtime=1.5\n{length} {record}").replacen("12 ", "13 ", 1)),
        file("cut", "pax"),
        split,
        entry("a-1.0.0/old", b"old", 0),
        file("a-1.0.0/empty", ""),
    ]);
    let expected = [
        ("Cargo.toml", "[package]"),
        (&long["a-1.0.0/".len()..], "long"),
        (&format!("{}.x", &long["a-1.0.0/".len()..]), "pax"),
        ("src/lib.rs", "s"),
        ("old", "old"),
        ("empty", ""),
    ];
    assert_eq!(found.unwrap(), expected.map(|(path, content)| (path.to_owned(), content.to_owned())));
}

#[test]
fn what_is_not_read_is_passed_over() {
    let big = "x".repeat(200_000);
    let mut tar = [file("a-1.0.0/a", &big), file("a-1.0.0/b", "b")].concat();
    tar.resize(tar.len() + BLOCK, 0);
    // Behind the end is nobody's.
    tar.extend(file("b-1.0.0/c", "c"));
    let bytes = gzip(&tar);
    let mut archive = CrateFile::from_bytes("a-1.0.0", &bytes).unwrap();
    assert_eq!(archive.next_file().unwrap().unwrap().size(), 200_000);
    assert_eq!(archive.next_file().unwrap().unwrap().path(), "b");
    assert!(archive.next_file().unwrap().is_none());
}

#[test]
fn hostile_archives() {
    let sparse = "22 GNU.sparse.major=1\n";
    let mut wrong_sum = file("a-1.0.0/a", "");
    wrong_sum[0] = b'b';
    let huge = header(b"a-1.0.0/a", 0o77_777_777_777, b'0');
    let mut larger = header(b"a-1.0.0/a", 0, b'0');
    larger[124..136].fill(0xff);
    let mut no_size = header(b"a-1.0.0/a", 0, b'0');
    no_size[124..136].copy_from_slice(b"99999999999\0");
    for (what, parts, expected) in [
        ("traversal", vec![file("a-1.0.0/../../x", "")], "a-1.0.0/../../x: a path that is not plain"),
        ("absolute", vec![file("/etc/passwd", "")], "/etc/passwd: outside of the package's folder"),
        ("other package", vec![file("b-1.0.0/x", "")], "b-1.0.0/x: outside of the package's folder"),
        ("other version", vec![file("a-1.0.00/x", "")], "a-1.0.00/x: outside of the package's folder"),
        ("the folder as a file", vec![file("a-1.0.0/", "")], "a-1.0.0/: a path that is not plain"),
        ("dot", vec![file("a-1.0.0/./x", "")], "a-1.0.0/./x: a path that is not plain"),
        ("backslash", vec![file("a-1.0.0/..\\x", "")], "a-1.0.0/..\\x: a path that is not plain"),
        ("folder outside", vec![entry("../", b"", b'5')], "..: outside of the package's folder"),
        ("escape", vec![file("\u{1b}[31m", "")], "\\u{1b}[31m: outside of the package's folder"),
        ("symlink", vec![entry("a-1.0.0/l", b"", b'2')], "a-1.0.0/l: a symbolic link"),
        ("hard link", vec![entry("a-1.0.0/l", b"", b'1')], "a-1.0.0/l: a hard link"),
        ("device", vec![entry("a-1.0.0/d", b"", b'3')], "a-1.0.0/d: a character device"),
        ("pipe", vec![entry("a-1.0.0/p", b"", b'6')], "a-1.0.0/p: a pipe"),
        ("unknown", vec![entry("a-1.0.0/s", b"", b'S')], "a-1.0.0/s: an entry of the unknown kind 'S'"),
        ("global header", vec![entry("a-1.0.0/g", b"", b'g')], "a-1.0.0/g: an entry of the unknown kind 'g'"),
        ("twice", vec![file("a-1.0.0/x", "1"), file("a-1.0.0/x", "2")], "x: the same path twice"),
        ("wrong sum", vec![wrong_sum], "a header with a wrong sum"),
        ("huge", vec![huge], "a: it ends too early"),
        ("larger", vec![summed(larger)], "a header without a size"),
        ("no size", vec![summed(no_size)], "a header without a size"),
        ("sparse", vec![pax(sparse), file("a-1.0.0/x", "")], "a sparse file"),
        ("size", vec![pax("9 size=1\n"), file("a-1.0.0/x", "")], "an extended header that changes a size"),
        ("broken", vec![pax("99 path=x\n"), file("a-1.0.0/x", "")], "a broken extended header"),
        ("zero", vec![pax("0 path=x\n"), file("a-1.0.0/x", "")], "a broken extended header"),
        ("lonely name", vec![entry("l", b"a-1.0.0/x\0", b'L')], "a long name without its file"),
        ("two names", vec![entry("l", b"x\0", b'L'), entry("l", b"y\0", b'L')], "l: two long names for one file"),
        ("long header", vec![header(b"l", 1 << 30, b'L')], "a header of 1073741824 bytes"),
        ("long path", vec![entry("l", &[b"a-1.0.0/".to_vec(), vec![b'x'; 2000]].concat(), b'L'), file("y", "")], "too long"),
    ] {
        let refused = read(&parts).expect_err(what);
        assert!(
            refused == expected || (expected == "too long" && refused.ends_with("a path that is too long")),
            "{what}: {refused}"
        );
    }
}

#[test]
fn broken_files() {
    let whole = gzip(&file("a-1.0.0/x", &"x".repeat(5000)));
    for (bytes, expected) in [
        (&b""[..], "it ends too early"),
        (b"fetched before", "it is no gzip file, or a broken one"),
        (&whole[..20], "it ends too early"),
        (&gzip(b"short"), "it ends too early"),
    ] {
        assert_eq!(read_bytes(bytes).unwrap_err().trim_start_matches("x: "), expected);
    }
}

#[test]
fn a_bomb_ends_at_the_limit() {
    // 600 MiB of zeros in one file, packed to some hundred kibibytes.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&header(b"a-1.0.0/bomb", 600 << 20, b'0')).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..600).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bytes = encoder.finish().unwrap();
    let mut archive = CrateFile::from_bytes("a-1.0.0", &bytes).unwrap();
    assert_eq!(archive.next_file().unwrap().unwrap().path(), "bomb");
    let refused = archive.next_file().err().unwrap();
    assert_eq!((refused.kind, refused.why.as_str()), (ErrorKind::Malformed, "it unpacks to more than the limit"));
}

#[test]
fn a_file_on_disk_names_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().join("a-1.0.0.crate");
    assert_eq!(CrateFile::open(&path).err().unwrap().kind, ErrorKind::Unreadable);
    std::fs::write(&path, gzip(&file("a-1.0.0/x", "y"))).unwrap();
    assert_eq!(CrateFile::open(&path).unwrap().next_file().unwrap().unwrap().bytes(9).unwrap(), b"y");
}

proptest! {
    #[test]
    fn any_archive_is_read_or_refused(tar in proptest::collection::vec(any::<u8>(), 0..2000), kind in any::<u8>(), raw in any::<bool>()) {
        let bytes = if raw { tar } else { gzip(&[header(b"a-1.0.0/x", 100, kind), tar].concat()) };
        let _ = read_bytes(&bytes);
    }
}
