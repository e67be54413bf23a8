//! A `.crate`: a gzip of a tar, written plainly (POSIX ustar; RFC 1951 stored blocks, RFC 1952), so that tests need no compressor and the
//! same files are always the same bytes.

use std::collections::BTreeMap;

/// Packs files below one folder.
pub fn tar_gz(folder: &str, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, bytes) in files {
        entry(&mut tar, &format!("{folder}/{path}"), b'0', bytes);
    }
    gzip(&end(tar))
}

/// Adds an entry of any kind: `0` a file, `1` a hard link, `2` a symbolic link, `5` a folder; of links the content is the target.
pub fn entry(tar: &mut Vec<u8>, path: &str, kind: u8, content: &[u8]) {
    let is_link = matches!(kind, b'1' | b'2');
    let size = if is_link { 0 } else { content.len() };
    assert!(path.len() <= 100, "{path}: longer than a plain header holds");
    let mut header = [0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    if is_link {
        put(157, content);
    }
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    if !is_link {
        tar.extend(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
}

/// The end of an archive: two empty blocks.
pub fn end(mut tar: Vec<u8>) -> Vec<u8> {
    tar.resize(tar.len() + 1024, 0);
    tar
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap();
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}
