//! `archive export` and `import`: a release as one file, that stands alone and comes in elsewhere as any other release.

use std::collections::BTreeMap;
use std::io::BufReader;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::key::Prompt;
use super::super::verify as judged;
use super::super::{Class, Error, Progress, sign, signer};
use super::{Outcome, Request, add, open};
use crate::archive::single_file::{self, RECORD, RELEASE};
use crate::archive::unpacked::Unpacked;
use crate::archive::{Access, objects, store};
use crate::archived::{FORMAT_VERSION, Inventory, ReleaseKey, to_bytes};
use crate::attest::{ARCHIVE_EXPORT, Statement, subject_name};
use crate::base::{Context, Sha256};
use crate::document::export_guide;
use crate::files;
use crate::verify::MAX_TRUSTED_ROOT_BYTES;

/// What an imported file may have unpacked, unless told otherwise.
pub const MAX_IMPORT_BYTES: u64 = 4 << 30;

/// `archive.json` of an export: where the release stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Origin {
    format_version: u32,
    /// The archive's identity.
    id: Sha256,
    /// The place of `entry.json` in its chain.
    entry: String,
}

/// A file that was written.
#[derive(Debug)]
pub struct Exported {
    pub key: ReleaseKey,
    pub file: Utf8PathBuf,
    pub size: u64,
    pub sha256: Sha256,
    /// Its signature beside it.
    pub bundle: Option<Utf8PathBuf>,
}

/// Writes a release to one file, `NAME-VERSION-TARGET.tar.zst` in the working folder unless named; with `signing` it is signed.
pub fn export(
    context: &Context,
    request: &Request,
    (entry, output): (&str, Option<&Utf8Path>),
    signing: Option<signer::Request>,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Exported, Error> {
    let opened = open(context, request, Access::Read, progress)?;
    let release = opened.find_one(entry)?;
    let record = opened.record(release)?;
    let placed = opened.chain.get(release.sequence).ok_or_else(|| super::corrupt("its entry is missing"))?;
    let inventory: Inventory = objects::get_value(&opened.store, record.inventory)?;
    let origin = Origin { format_version: FORMAT_VERSION, id: opened.chain.id(), entry: placed.head().to_string() };
    let guide = export_guide::document(&export_guide::Exported {
        record: &record,
        record_sha256: release.record,
        archive: opened.chain.id(),
        entry: placed.head(),
    });
    let mut documents: BTreeMap<String, Vec<u8>> = [
        ("archive.json".to_owned(), to_bytes(&origin)),
        ("entry.json".to_owned(), placed.entry.to_bytes()),
        ("inventory.json".to_owned(), to_bytes(&inventory)),
        (RECORD.to_owned(), to_bytes(&record)),
        (guide.path.clone(), guide.bytes),
    ]
    .into();
    for &root in &record.trusted_roots {
        let bytes = objects::get(&opened.store, root, MAX_TRUSTED_ROOT_BYTES as u64)?;
        documents.insert(format!("trusted_roots/{root}.json"), bytes);
    }
    let key = release.key.clone();
    let own = Utf8PathBuf::from(format!("{}-{}-{}.tar.zst", key.name, key.version, key.target).replace(['/', '\\', ':'], "-"));
    let file = output.map_or(own, Utf8Path::to_owned);
    let (size, sha256) = single_file::write(&opened.store, &documents, &record, &context.cwd.join(&file))?;
    let bundle = match signing {
        None => None,
        Some(signer) => {
            // What `verify` accepts of a key without a log as well; and it says which release of which archive the file is.
            let predicate = json!({
                "name": key.name, "version": key.version, "target": key.target,
                "archive": origin.id, "entry": origin.entry, "record": release.record,
            });
            let statement = Statement::new(subject_name(file.as_str()), sha256, ARCHIVE_EXPORT, predicate);
            let bundle = Utf8PathBuf::from(format!("{file}.sigstore.json"));
            Some(sign::statement(context, (&signer, request.policy.as_deref()), &statement, &bundle, prompt, progress)?.path)
        }
    };
    Ok(Exported { key, file, size, sha256, bundle })
}

/// Takes the release of such a file in, verified as any other. The trusted roots and the record in the file prove nothing: they came with it.
pub fn import(
    context: &Context,
    request: &Request,
    signer: &judged::Request,
    unsigned: bool,
    (file, limit): (&Utf8Path, u64),
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let place = context.cwd.join(file);
    let unreadable = |error: &dyn std::fmt::Display| Error::usage(&format!("cannot read {place}: {error}"));
    let input = files::open(&place).map_err(|error| unreadable(&error))?;
    let folder = Unpacked::begin(&context.cache_dir.join(format!("import-{}", std::process::id())))?;
    single_file::read(BufReader::new(input), limit, &folder).map_err(|error| match error {
        single_file::Error::Refused(why) => Error::new(Class::Rejected, &format!("{place} is not taken in: {why}"))
            .with_help("get it again from whoever exported it; a larger one needs --max-size"),
        single_file::Error::Input(error) => unreadable(&error),
        error => error.into(),
    })?;
    let inside = folder.path().join(RELEASE.trim_end_matches('/'));
    let outcomes = add(context, request, signer, unsigned, &[inside], progress)?;
    outcomes.into_iter().next().map(|(_, outcome)| outcome).ok_or_else(|| Error::usage(&format!("{place} holds no release")))
}

impl From<single_file::Error> for Error {
    fn from(error: single_file::Error) -> Self {
        match error {
            single_file::Error::Object(error) => error.into(),
            single_file::Error::Output(error @ store::Error::Place(_)) => Self::usage(&error),
            single_file::Error::Output(error) => Self::new(Class::Output, &error),
            single_file::Error::Unpacked(error) => error.into(),
            error @ (single_file::Error::Refused(_) | single_file::Error::Input(_)) => Self::usage(&error),
        }
    }
}
