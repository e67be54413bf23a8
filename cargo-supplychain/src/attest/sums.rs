//! `SHA256SUMS`, in the form of GNU coreutils' `sha256sum` (text mode, two spaces).

use std::collections::BTreeMap;

use crate::base::Sha256;

/// The file's text: one line a file, sorted by path. Paths must be release paths ([`crate::model::release_path`]): they
/// hold neither backslash nor newline, so that `sha256sum` needs no escapes.
#[must_use]
pub fn sha256sums(files: &BTreeMap<String, Sha256>) -> String {
    files.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_and_complete() {
        let files = BTreeMap::from([("b".to_owned(), Sha256::of(b"b")), ("a/x".to_owned(), Sha256::of(b""))]);
        assert_eq!(
            sha256sums(&files),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/x\n\
             3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b\n"
        );
    }
}
