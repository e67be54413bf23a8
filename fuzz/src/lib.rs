//! What the fuzz targets share: bytes as text, and a folder for parsers that read files.

pub mod json;

use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};

/// One folder a process, in which the targets overwrite the same few files. `run.sh` puts it into memory, by `TMPDIR`.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder can be made"));

/// The folder. libFuzzer ends the process without dropping it; `run.sh` removes what is left.
pub fn folder() -> &'static Utf8Path {
    Utf8Path::from_path(FOLDER.path()).expect("its path is text")
}

/// Writes a file below [`folder`], for the owner only, and returns its path.
pub fn write(name: &str, bytes: &[u8]) -> Utf8PathBuf {
    let path = folder().join(name);
    let parent = path.parent().expect("it lies below the folder");
    if !parent.is_dir() {
        std::fs::create_dir_all(parent).expect("a folder can be made");
    }
    std::fs::write(&path, bytes).expect("a file can be written");
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is our own file");
    path
}

/// The text, where the bytes are one.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The parts of an input that stands for several files: each begins with a line `=== NAME`; what stands before the first is
/// left out.
pub fn parts(data: &[u8]) -> Vec<(&str, &[u8])> {
    const MARK: &[u8] = b"=== ";
    let starts: Vec<_> =
        (0..data.len()).filter(|&at| data[at..].starts_with(MARK) && (at == 0 || data[at - 1] == b'\n')).collect();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([data.len()]);
    let part = |(start, end): (usize, usize)| {
        let part = data.get(start + MARK.len()..end)?;
        let line = part.iter().position(|byte| *byte == b'\n').unwrap_or(part.len());
        Some((text(&part[..line])?, part.get(line + 1..).unwrap_or_default()))
    };
    starts.iter().copied().zip(ends).filter_map(part).collect()
}
