//! Patterns of package names in the policy. No rule lives here.

/// Whether `name` is what `pattern` says, where `*` stands for any text. As crates.io does, upper and lower case are one, and so are `-`
/// and `_`: whoever lists `corp-*` means `Corp_auth` too.
pub(super) fn is_named(pattern: &str, name: &str) -> bool {
    let folded = |text: &str| text.to_lowercase().replace('_', "-");
    let (pattern, name) = (folded(pattern), folded(name));
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<_> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
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
            ("openssl", "openssl", true),
            ("openssl", "openssl-sys", false),
        ] {
            assert_eq!(is_named(pattern, name), expected, "{pattern} {name}");
        }
    }
}
