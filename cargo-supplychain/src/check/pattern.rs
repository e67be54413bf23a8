//! Patterns of package names in the policy. No rule lives here.

/// Whether `name` is what `pattern` says, where `*` stands for any text. As crates.io does, upper and lower case are one, and so are `-`
/// and `_`: whoever lists `corp-*` means `Corp_auth` too.
pub(super) fn is_named(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // The last star, and where the text after it was tried; a policy of a thousand patterns meets fifty thousand names.
    let mut star = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|&wanted| folded(wanted) == folded(name[n])) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, tried)) = star {
            star = Some((at, tried + 1));
            (p, n) = (at + 1, tried + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

fn folded(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_case_and_separators() {
        for (pattern, name, expected) in [
            ("corp-*", "corp-auth", true),
            ("corp-*", "Corp_auth", true),
            ("corp-*", "corp", false),
            ("corp-*", "my-corp-auth", false),
            ("*-sys", "openssl-sys", true),
            ("open*sys", "openssl-sys", true),
            ("a*b*c", "a-b-x-c", true),
            ("a*b*c", "a-c", false),
            ("ab*b", "ab", false),
            ("*", "anything", true),
            ("", "", true),
            ("", "a", false),
            ("a**", "a", true),
            ("*aab", "aaaab", true),
            ("é*", "éa", true),
            ("openssl", "openssl", true),
            ("openssl", "openssl-sys", false),
        ] {
            assert_eq!(is_named(pattern, name), expected, "{pattern} {name}");
        }
    }
}
