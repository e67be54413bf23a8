//! `[bans]` of cargo-deny.

use toml::de::DeTable;

use super::{Key, Reader, Spec, Value, list, quoted, tidy};

const SECTION: &str = "bans";

pub(super) fn read(reader: &mut Reader<'_, '_>, table: &DeTable<'_>) {
    // Packages whose second version is accepted, by name: the two lists are one here.
    let mut skipped = Vec::<(String, &Key<'_>)>::new();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "multiple-versions" => reader.level(key, SECTION, value, "dep/duplicate-version"),
            "wildcards" => reader.level(key, SECTION, value, "dep/wildcard-requirement"),
            "allow-wildcard-paths" if value.get_ref().as_bool() == Some(false) => {}
            "deny" => super::items(value).for_each(|item| denied(reader, item)),
            "skip" | "skip-tree" => {
                let names: Vec<_> = super::items(value).filter_map(|item| Some(Spec::of(item.get_ref())?.name)).collect();
                if key.get_ref() == "skip-tree" && !names.is_empty() {
                    reader.note(key, SECTION, "is carried over for the named packages, not for what is below them");
                }
                skipped.extend(names.into_iter().map(|name| (name, key)));
            }
            "build" => build(reader, value),
            "highlight" => reader.note(key, SECTION, "is about the output of cargo-deny"),
            // An empty list says nothing.
            "allow" | "features" if value.get_ref().as_array().is_some_and(|list| list.is_empty()) => {}
            "allow" => reader.note(key, SECTION, "has no counterpart: a list of all packages that may be used is Cargo.lock"),
            _ => reader.note(key, SECTION, "has no counterpart"),
        }
    }
    let mut names: Vec<_> = skipped.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names.dedup();
    if let Some((_, key)) = skipped.first()
        && !reader.set("dep/duplicate-version", "allow", list(&names))
    {
        reader.note(key, SECTION, "has no counterpart in this version");
    }
}

/// `[bans] deny` of ours: `{ name, version, reason, wrappers }`.
fn denied(reader: &mut Reader<'_, '_>, item: &Value<'_>) {
    let at = item.span().start;
    if !reader.known.iter().any(|rule| rule.id == "dep/banned") {
        return reader.note_at(at, "`bans.deny` has no counterpart in this version");
    }
    let Some(spec) = Spec::of(item.get_ref()) else {
        return reader.note_at(at, "an entry of `bans.deny` names no package");
    };
    let Ok(version) = spec.requirement() else {
        return reader.note_at(at, format!("the version of `{}` in `bans.deny` is no requirement of cargo's", spec.name));
    };
    let table = item.get_ref().as_table();
    let get = |key: &str| table.and_then(|table| table.get(key));
    if get("deny-multiple-versions").is_some_and(|value| value.get_ref().as_bool() == Some(true)) {
        let message = format!("`{}` is banned in more than one version only: set \"dep/duplicate-version\" instead", spec.name);
        return reader.note_at(at, message);
    }
    let instead = get("use-instead").and_then(|value| value.get_ref().as_str()).map(|other| format!("use {other} instead"));
    let reason = spec.reason.clone().or(instead.as_deref().and_then(tidy)).or_else(|| reader.comment(&item.span()));
    let mut entry = format!("{{ name = {}", quoted(&spec.name));
    if let Some(version) = version {
        entry += &format!(", version = {}", quoted(version));
    }
    if let Some(wrappers) = get("wrappers") {
        let names: Vec<_> = super::items(wrappers).filter_map(|item| Some(Spec::of(item.get_ref())?.name)).collect();
        if !names.is_empty() {
            entry += &format!(", wrappers = {}", list(&names));
        }
    }
    if let Some(reason) = reason {
        entry += &format!(", reason = {}", quoted(&reason));
    }
    reader.policy.bans.push(entry + " }");
}

/// `[bans.build]`: which packages may run code when the build does.
fn build(reader: &mut Reader<'_, '_>, value: &Value<'_>) {
    for (key, value) in value.get_ref().as_table().into_iter().flatten() {
        let names: Vec<_> = super::items(value).filter_map(|item| Some(Spec::of(item.get_ref())?.name)).collect();
        let is_carried = key.get_ref() == "allow-build-scripts"
            && !names.is_empty()
            && reader.set("build/script-not-allowed", "allow", list(&names));
        if !is_carried {
            reader.note(key, "bans.build", "has no counterpart in this version");
        }
    }
}
