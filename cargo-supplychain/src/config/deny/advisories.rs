//! `[advisories]` of cargo-deny.

use toml::de::{DeTable, DeValue};

use super::{Exempted, Key, Reader, Spec, Value, quoted, tidy};

const SECTION: &str = "advisories";

pub(super) fn read(reader: &mut Reader<'_, '_>, table: &DeTable<'_>) {
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "version" => {}
            "ignore" => super::items(value).for_each(|item| ignored(reader, item)),
            "vulnerability" => reader.level(key, SECTION, value, "advisory/vulnerability"),
            "notice" => reader.level(key, SECTION, value, "advisory/notice"),
            "unsound" if is_scope(value) => unsound(reader, key, value),
            "unsound" => reader.level(key, SECTION, value, "advisory/unsound"),
            "unmaintained" if is_scope(value) => {
                let scope = value.get_ref().as_str().unwrap_or_default();
                reader.set("advisory/unmaintained", "scope", quoted(scope));
            }
            "unmaintained" => reader.level(key, SECTION, value, "advisory/unmaintained"),
            "yanked" => reader.level(key, SECTION, value, "registry/yanked"),
            "disable-yank-checking" if value.get_ref().as_bool() == Some(true) => {
                reader.set("registry/yanked", "level", quoted("off"));
            }
            "disable-yank-checking" => {}
            "unused-ignored-advisory" => reader.level(key, SECTION, value, "policy/exemption-unused"),
            "db-url" | "db-urls" => databases(reader, key, value),
            "maximum-db-staleness" => staleness(reader, key, value),
            "db-path" => reader.note(key, SECTION, "has no counterpart: the database is in our cache (`--cache-dir`)"),
            "severity-threshold" => {
                reader.note(key, SECTION, "has no counterpart: findings are rated by their score, `--fail-on` says which fail");
            }
            _ => reader.note(key, SECTION, "has no counterpart"),
        }
    }
}

fn is_scope(value: &Value<'_>) -> bool {
    value.get_ref().as_str().is_some_and(|word| ["all", "workspace", "transitive", "none"].contains(&word))
}

fn unsound(reader: &mut Reader<'_, '_>, key: &Key<'_>, value: &Value<'_>) {
    match value.get_ref().as_str() {
        Some("all") => {}
        Some("none") => {
            reader.set("advisory/unsound", "level", quoted("off"));
        }
        _ => reader.note(key, SECTION, "has no counterpart: unsound packages are told of wherever they are"),
    }
}

/// An advisory (`"RUSTSEC-…"`, or a table with `id`), or a package whose yanked version is accepted.
fn ignored(reader: &mut Reader<'_, '_>, item: &Value<'_>) {
    let table = item.get_ref().as_table();
    let said = |key: &str| table.and_then(|table| table.get(key)).and_then(|value| value.get_ref().as_str());
    let reason = said("reason").and_then(tidy).or_else(|| reader.comment(&item.span()));
    let reason = reason.unwrap_or_else(|| "imported from deny.toml".to_owned());
    let id = said("id").or_else(|| item.get_ref().as_str()).filter(|id| is_advisory(id));
    if let Some(id) = id {
        let id = id.to_owned();
        return reader.policy.exemptions.push(Exempted { id, package: None, version: None, reason });
    }
    let Some(spec) = Spec::of(item.get_ref()) else {
        return reader.note_at(item.span().start, "an entry of `advisories.ignore` names neither advisory nor package");
    };
    let exact = spec.version.as_deref().map(|version| version.trim_start_matches('=').trim().to_owned());
    let version = exact.filter(|version| semver::Version::parse(version).is_ok());
    if spec.version.is_some() && version.is_none() {
        let message =
            format!("the exemption of the yanked `{}` holds for all its versions: ours take exact versions only", spec.name);
        reader.note_at(item.span().start, message);
    }
    reader.policy.exemptions.push(Exempted { id: "registry/yanked".to_owned(), package: Some(spec.name), version, reason });
}

fn is_advisory(id: &str) -> bool {
    ["RUSTSEC-", "CVE-", "GHSA-"].iter().any(|prefix| id.starts_with(prefix) && id.len() > prefix.len())
}

/// RustSec's own is the default; one other can stand in for it.
fn databases(reader: &mut Reader<'_, '_>, key: &Key<'_>, value: &Value<'_>) {
    let urls: Vec<_> = super::items(value).filter_map(|item| item.get_ref().as_str()).collect();
    let is_default = |url: &&str| {
        url.trim_end_matches('/').trim_end_matches(".git").eq_ignore_ascii_case("https://github.com/rustsec/advisory-db")
    };
    let others: Vec<_> = urls.iter().filter(|url| !is_default(url)).collect();
    match others.as_slice() {
        [] => {}
        [only] if urls.len() == 1 => reader.policy.database = Some((**only).to_owned()),
        _ => reader.note(key, SECTION, "names several databases: one is read, RustSec's"),
    }
}

/// `P7D`; other forms of ISO 8601 are told.
fn staleness(reader: &mut Reader<'_, '_>, key: &Key<'_>, value: &Value<'_>) {
    let days = value.get_ref().as_str().and_then(|text| text.strip_prefix('P')?.strip_suffix('D')?.parse().ok());
    match (days, value.get_ref()) {
        (Some(days), DeValue::String(_)) => reader.policy.max_age = Some(days),
        _ => reader.note(key, SECTION, "is not in days: set `[advisories] max-age`"),
    }
}
