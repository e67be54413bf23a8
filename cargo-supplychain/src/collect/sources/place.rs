//! Where the source of a package lies: the folder that cargo named in its metadata, or else where cargo would put it.

use camino::{Utf8Path, Utf8PathBuf};
use tame_index::utils::get_index_details;

use super::{Request, Source, git, vendor};
use crate::model::integrity::NOT_FETCHED;
use crate::model::lockfile::CRATES_IO;

/// A package's source, by how it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Unpacked from a `.crate`.
    Registry { folder: Utf8PathBuf, crate_path: Utf8PathBuf },
    /// In a directory source.
    Vendored { folder: Utf8PathBuf, crate_path: Option<Utf8PathBuf> },
    /// Checked out; `checkout` is the whole repository's folder.
    Git { folder: Utf8PathBuf, checkout: Utf8PathBuf },
}

/// Finds the source, or says why not.
pub(super) fn of(request: &Request<'_>, source: &Source<'_>) -> Result<Place, String> {
    let home = request.cargo_home.ok_or("there is no home folder of cargo")?;
    let folder = match &source.folder {
        Some(folder) => below_home(folder, home),
        None => found(request, source, home)?,
    };
    // By where it lies, never by what is in it: a file put there must not choose how it is judged.
    if let Some(index) = folder.parent().filter(|index| index.parent() == Some(&home.join("registry").join("src"))) {
        let name = format!("{}.crate", folder.file_name().unwrap_or_default());
        let cached = home.join("registry").join("cache").join(index.file_name().unwrap_or_default()).join(&name);
        let local = || local_registry(request).map(|registry| registry.join(&name)).filter(|path| path.exists());
        let crate_path = if cached.exists() { cached } else { local().unwrap_or(cached) };
        return Ok(Place::Registry { folder, crate_path });
    }
    if let Some(checkout) = git::checkout_of(&folder, home) {
        return Ok(Place::Git { folder, checkout });
    }
    if folder.join(vendor::LIST).exists() {
        let name = format!("{}-{}.crate", source.package.name, source.package.version);
        let crate_path = if source.package.is_registry() { cached(home, &name) } else { None };
        return Ok(Place::Vendored { folder, crate_path });
    }
    Err(format!("{} is none of the folders that cargo puts sources in", request.shown().path(&folder)))
}

/// Cargo was asked with a private home whose `registry` and `git` are those of the real one (`collect::cargo`).
fn below_home(folder: &Utf8Path, home: &Utf8Path) -> Utf8PathBuf {
    if folder.starts_with(home) {
        return folder.to_owned();
    }
    let is_private = |part: &Utf8Path| part.file_name().is_some_and(|name| name.starts_with("cargo-home-"));
    let private = folder.ancestors().find(|part| is_private(part));
    private.and_then(|private| folder.strip_prefix(private).ok()).map_or_else(|| folder.to_owned(), |inside| home.join(inside))
}

/// A `.crate` in any folder of the cache.
fn cached(home: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    let entries = home.join("registry").join("cache").read_dir_utf8().ok()?;
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path().join(name))).filter(|path| path.exists()).collect();
    found.sort();
    found.into_iter().next()
}

/// Without a plan: the folder that cargo would use, where it is there.
fn found(request: &Request<'_>, source: &Source<'_>, home: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let package = source.package;
    let versioned = format!("{}-{}", package.name, package.version);
    let mut places = Vec::new();
    if let Some(vendored) = setting(request, "directory") {
        places.extend([vendored.join(&versioned), vendored.join(&package.name)]);
    }
    if let Some(revision) = package.git().and_then(|git| git.rev) {
        places.extend(git::find_checkout(home, revision));
    } else if let Some(url) = &package.source {
        let urls = if package.is_crates_io() { vec![CRATES_IO[1], CRATES_IO[0]] } else { vec![url.as_str()] };
        for (url, stable) in urls.iter().flat_map(|url| [(*url, true), (*url, false)]) {
            if let Ok((index, _)) = get_index_details(url, Some(home.to_owned()), stable) {
                let name = index.file_name().unwrap_or_default();
                places.push(home.join("registry").join("src").join(name).join(&versioned));
            }
        }
    }
    // A vendored folder without a version in its name holds one version only.
    let is_it = |folder: &Utf8PathBuf| folder.join("Cargo.toml").exists();
    places.into_iter().find(is_it).ok_or_else(|| NOT_FETCHED.to_owned())
}

fn local_registry(request: &Request<'_>) -> Option<Utf8PathBuf> {
    setting(request, "local-registry")
}

/// The path of a `[source.NAME]` of this kind.
fn setting(request: &Request<'_>, kind: &str) -> Option<Utf8PathBuf> {
    let entry = request.config.get(&["source", "*", kind])?;
    Some(Utf8Path::new(&entry.base).join(entry.value.as_str()?))
}
