//! How files of several targets are called that are published together: `app-TARGET` is the `app` for TARGET. Pure text; whether it is for that
//! target, its signed provenance says.

/// What stays at the end of a name.
const ENDS: [&str; 12] =
    [".cdx.json", ".spdx.json", ".exe", ".dll", ".so", ".dylib", ".a", ".lib", ".wasm", ".crate", ".tar.gz", ".zip"];

/// `app-TARGET.cdx.json` of `app.cdx.json`, `app-TARGET.exe` of `app.exe`; what has the target in it already stays.
#[must_use]
pub fn with_target(name: &str, target: &str) -> String {
    if name.contains(target) {
        return name.to_owned();
    }
    let (stem, end) = parted(name);
    // The SBOM of `app.exe` is `app.exe.cdx.json`.
    if end.ends_with(".json") && !parted(stem).1.is_empty() {
        return format!("{}{end}", with_target(stem, target));
    }
    format!("{stem}-{target}{end}")
}

/// The target, if `name` is what the file `plain` is called for one.
#[must_use]
pub fn target_of<'n>(name: &'n str, plain: &str) -> Option<&'n str> {
    let (stem, end) = parted(plain);
    let target = name.strip_suffix(end)?.strip_prefix(stem)?.strip_prefix('-')?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    (target.contains('-') && target.bytes().all(is_plain) && with_target(plain, target) == name).then_some(target)
}

fn parted(name: &str) -> (&str, &str) {
    let end = ENDS.into_iter().find(|end| name.ends_with(end)).unwrap_or_default();
    name.split_at(name.len() - end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_targets_apart() {
        for (name, with) in [
            ("app", "app-x-y"),
            ("app.exe", "app-x-y.exe"),
            ("app.cdx.json", "app-x-y.cdx.json"),
            ("app.exe.spdx.json", "app-x-y.exe.spdx.json"),
            ("libapp.so", "libapp-x-y.so"),
            ("app.v2", "app.v2-x-y"),
            ("app-x-y.tar.gz", "app-x-y.tar.gz"),
        ] {
            assert_eq!(with_target(name, "x-y"), with);
        }
        for (name, plain, target) in [
            ("app-x86_64-unknown-linux-gnu", "app", Some("x86_64-unknown-linux-gnu")),
            ("app-x-y.exe", "app.exe", Some("x-y")),
            ("app-x-y", "app.exe", None),
            ("app-debug", "app", None),
            ("app", "app", None),
            ("app-", "app", None),
            ("app-X-y", "app", None),
            ("app2-x-y", "app", None),
            ("app-x/-y", "app", None),
            ("app", "app-x-y", None),
        ] {
            assert_eq!(target_of(name, plain), target, "{name} {plain}");
        }
    }
}
