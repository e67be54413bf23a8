//! The list of files that the compiler read for a crate (rustc's `--emit=dep-info`), in the form of a makefile.

/// The largest list that is read, in bytes.
pub const MAX_FILE: u64 = 64 << 20;

/// The files, in the order of the list, each once. Paths are as the compiler writes them: absolute, or relative to where it ran.
#[must_use]
pub fn files(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        // `C:\x.d: C:\x.rs`: the colon of a drive has no space after it.
        let Some((_, list)) = line.split_once(": ") else { continue };
        for file in split(list) {
            if seen.insert(file.clone()) {
                found.push(file);
            }
        }
    }
    found
}

/// Splits at spaces; one that belongs to a path has `\` before it.
fn split(list: &str) -> Vec<String> {
    let mut files = vec![String::new()];
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&' ') => {
                characters.next();
                files.last_mut().expect("there is one").push(' ');
            }
            ' ' => files.push(String::new()),
            other => files.last_mut().expect("there is one").push(other),
        }
    }
    files.retain(|file| !file.is_empty());
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let text = "/t/libx-1.rmeta: src/lib.rs src/a\\ b.rs /t/out/g.rs\n\n/t/x-1.d: src/lib.rs src/a\\ b.rs /t/out/g.rs\n\nsrc/lib.rs:\n\
                    # env-dep:OUT_DIR=/t/out: x\n";
        assert_eq!(files(text), ["src/lib.rs", "src/a b.rs", "/t/out/g.rs"]);
        assert_eq!(files("C:\\t\\x.d: C:\\x\\src\\lib.rs"), ["C:\\x\\src\\lib.rs"]);
        assert_eq!(files(""), Vec::<String>::new());
    }
}
