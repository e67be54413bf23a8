//! `[sources]` of cargo-deny.

use toml::de::DeTable;

use super::{Reader, Value, list, quoted};

const SECTION: &str = "sources";

pub(super) fn read(reader: &mut Reader<'_, '_>, table: &DeTable<'_>) {
    let mut git = Vec::new();
    let mut unknown_git = None;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "unknown-registry" => reader.level(key, SECTION, value, "source/registry-not-allowed"),
            "unknown-git" => {
                unknown_git = value.get_ref().as_str();
                reader.level(key, SECTION, value, "source/git-not-allowed");
            }
            "allow-registry" => {
                let urls: Vec<_> = texts(value).iter().filter(|url| !is_crates_io(url)).map(|url| as_locked(url)).collect();
                if texts(value).iter().all(|url| !is_crates_io(url)) {
                    reader.note(key, SECTION, "leaves crates.io out, which is always allowed here");
                }
                if !urls.is_empty() {
                    reader.set("source/registry-not-allowed", "allow", list(&urls));
                }
            }
            // Our entries have no query: any branch of the repository, at a full revision.
            "allow-git" => git.extend(texts(value).iter().map(|url| url.split('?').next().unwrap_or_default().to_owned())),
            "private" => git.extend(texts(value).iter().map(|url| below(url))),
            "allow-org" => {
                for (host, names) in value.get_ref().as_table().into_iter().flatten() {
                    let url = match host.get_ref().as_ref() {
                        "github" => "https://github.com",
                        "gitlab" => "https://gitlab.com",
                        "bitbucket" => "https://bitbucket.org",
                        _ => {
                            reader.note(host, "sources.allow-org", "is a host that is not known here");
                            continue;
                        }
                    };
                    git.extend(texts(names).iter().map(|name| below(&format!("{url}/{name}"))));
                }
            }
            "required-git-spec" if value.get_ref().as_str() == Some("rev") => {
                reader.set("source/git-not-pinned", "level", quoted("high"));
            }
            "required-git-spec" => {
                reader.note(key, SECTION, "has no counterpart: \"source/git-not-pinned\" asks for a revision, as medium");
            }
            _ => reader.note(key, SECTION, "has no counterpart"),
        }
    }
    if unknown_git == Some("allow") {
        return;
    }
    // cargo-deny warns of every repository without a list; here a list is needed for that, and `none` is no repository.
    if git.is_empty() && unknown_git.is_some() {
        git.push("none".to_owned());
    }
    git.sort();
    git.dedup();
    if !git.is_empty() {
        reader.set("source/git-not-allowed", "allow", list(&git));
    }
}

fn texts(value: &Value<'_>) -> Vec<String> {
    super::items(value).filter_map(|item| item.get_ref().as_str()).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn is_crates_io(url: &str) -> bool {
    let bare = url.trim_start_matches("registry+").trim_end_matches('/').trim_end_matches(".git");
    bare == "https://github.com/rust-lang/crates.io-index" || bare == "sparse+https://index.crates.io"
}

/// A registry as Cargo.lock writes it: with the protocol before its URL.
fn as_locked(url: &str) -> String {
    if url.starts_with("sparse+") || url.starts_with("registry+") { url.to_owned() } else { format!("registry+{url}") }
}

/// All below a URL.
fn below(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}
