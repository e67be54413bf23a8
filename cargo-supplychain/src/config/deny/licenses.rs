//! `[licenses]` of cargo-deny.

use toml::de::DeTable;

use super::{Key, Reader, Spec, Value, list, quoted};
use crate::model::licence::{Expression, Term};

const SECTION: &str = "licenses";

pub(super) fn read(reader: &mut Reader<'_, '_>, table: &DeTable<'_>) {
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "version" => {}
            "allow" => {
                let allowed = terms(reader, value);
                reader.policy.licences.allow.extend(allowed);
            }
            "deny" => reader.policy.licences.deny = terms(reader, value),
            "exceptions" => super::items(value).for_each(|item| exception(reader, item)),
            "clarify" => super::items(value).for_each(|item| clarification(reader, item)),
            "unlicensed" => reader.level(key, SECTION, value, "licence/missing"),
            "copyleft" => reader.level(key, SECTION, value, "licence/copyleft-static"),
            "allow-osi-fsf-free" => free(reader, key, value),
            "default" => reader.level(key, SECTION, value, "licence/denied"),
            "private" => reader.note(key, SECTION, "is not needed: packages of the workspace are not judged"),
            "confidence-threshold" => reader.note(key, SECTION, "has no counterpart: licence files are not read"),
            _ => reader.note(key, SECTION, "has no counterpart"),
        }
    }
    let licences = &mut reader.policy.licences;
    licences.allow.sort();
    licences.allow.dedup();
    licences.deny.sort();
    licences.deny.dedup();
    // What is denied is not allowed, there and here.
    licences.allow.retain(|term| !licences.deny.contains(term));
}

/// The licences of a list that are on the SPDX list, by our spelling.
fn terms(reader: &mut Reader<'_, '_>, value: &Value<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for item in super::items(value) {
        let written = item.get_ref().as_str().unwrap_or_default();
        match Term::parse(written) {
            Ok(term) => found.push(term.to_string()),
            Err(unknown) => {
                let meant = unknown.suggestion.map(|id| format!(", did you mean `{id}`?")).unwrap_or_default();
                let message = format!("`{}` is not on the SPDX licence list{meant}", crate::base::text::plain(written));
                reader.note_at(item.span().start, message);
            }
        }
    }
    found
}

/// All licences that one or both of the two institutes call free, by the SPDX list.
fn free(reader: &mut Reader<'_, '_>, key: &Key<'_>, value: &Value<'_>) {
    use spdx::flags::{IS_DEPRECATED, IS_FSF_LIBRE, IS_OSI_APPROVED};
    let wanted: fn(bool, bool) -> bool = match value.get_ref().as_str() {
        Some("both") => |osi, fsf| osi && fsf,
        Some("either") => |osi, fsf| osi || fsf,
        Some("osi-only") => |osi, fsf| osi && !fsf,
        Some("fsf-only") => |osi, fsf| fsf && !osi,
        Some("neither") => return,
        _ => return reader.note(key, SECTION, "has a value that is not known here"),
    };
    let all = spdx::identifiers::LICENSES.iter().filter(|license| license.flags & IS_DEPRECATED == 0);
    let free = all.filter(|license| wanted(license.flags & IS_OSI_APPROVED != 0, license.flags & IS_FSF_LIBRE != 0));
    reader.policy.licences.allow.extend(free.filter_map(|license| Some(Term::parse(license.name).ok()?.to_string())));
    reader.note(key, SECTION, "is written out as a list: shorten it to what you mean");
}

/// `package` and `version` of an entry; a version that we do not read is told.
fn package(reader: &mut Reader<'_, '_>, item: &Value<'_>, what: &str) -> Option<(String, String)> {
    let at = item.span().start;
    let Some(spec) = Spec::of(item.get_ref()) else {
        reader.note_at(at, format!("an entry of `licenses.{what}` names no package"));
        return None;
    };
    match spec.requirement() {
        Ok(Some(version)) => {
            let text = format!("package = {}, version = {}", quoted(&spec.name), quoted(version));
            Some((text, spec.name))
        }
        Ok(None) => Some((format!("package = {}", quoted(&spec.name)), spec.name)),
        Err(()) => {
            let message = format!("the version of `{}` in `licenses.{what}` is no requirement of cargo's", spec.name);
            reader.note_at(at, message);
            None
        }
    }
}

fn exception(reader: &mut Reader<'_, '_>, item: &Value<'_>) {
    let Some((package, name)) = package(reader, item, "exceptions") else { return };
    let allow = item.get_ref().as_table().and_then(|table| table.get("allow"));
    let allowed = allow.map(|allow| terms(reader, allow)).unwrap_or_default();
    if allowed.is_empty() {
        return reader.note_at(item.span().start, format!("the exception of `{name}` allows no licence of the SPDX list"));
    }
    let reason = reason(reader, item);
    reader.policy.licences.exceptions.push(format!("{{ {package}, allow = {}{reason} }}", list(&allowed)));
}

fn clarification(reader: &mut Reader<'_, '_>, item: &Value<'_>) {
    let Some((package, name)) = package(reader, item, "clarify") else { return };
    let Some(table) = item.get_ref().as_table() else { return };
    let written = table.get("expression").and_then(|value| value.get_ref().as_str()).unwrap_or_default();
    let Some(expression) = Expression::parse(written) else {
        return reader.note_at(item.span().start, format!("the clarification of `{name}` is no SPDX expression"));
    };
    if let Some(files) = table.get("license-files") {
        let message = format!("the digests of licence files of `{name}` are not compared: narrow its `version` instead");
        reader.note_at(files.span().start, message);
    }
    let reason = reason(reader, item);
    reader.policy.licences.clarify.push(format!("{{ {package}, expression = {}{reason} }}", quoted(&expression.text)));
}

/// `, reason = "…"` from the author's comment, where there is one.
fn reason(reader: &Reader<'_, '_>, item: &Value<'_>) -> String {
    reader.comment(&item.span()).map(|reason| format!(", reason = {}", quoted(&reason))).unwrap_or_default()
}
