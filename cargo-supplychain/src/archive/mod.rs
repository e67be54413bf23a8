//! Layer 3 (IO): where releases are kept: the release folder of a build, and the archive with its stores.

use camino::Utf8Path;

pub mod chain;
pub mod folder;
pub mod generations;
pub mod index;
pub mod local;
pub mod objects;
pub mod oci;
mod platform;
pub mod remote;
pub mod single_file;
pub mod store;
pub mod unpacked;

pub use chain::{Chain, Placed};
pub use generations::Generations;
pub use local::Local;
pub use store::Store;

/// What an opened store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing is written.
    Read,
    /// Entries and objects are added; others may do so at the same time.
    Write,
    /// Objects are removed. A local store holds all others off meanwhile; with an object store the chain decides ([`generations`]).
    Exclusive,
}

/// Opens the store that `text` names: a folder, relative to `cwd`, or a URL (`s3://…`) for which `remote` holds. With [`Access::Read`] it has to be
/// there; else a folder is made. `on_wait` is called once where another run has to end first.
///
/// # Errors
/// There is none, it cannot be used, or others could change what is in it.
pub fn open(
    text: &str,
    cwd: &Utf8Path,
    access: Access,
    remote: &remote::Options<'_>,
    on_wait: &mut dyn FnMut(),
) -> Result<Generations, store::Error> {
    if remote::is_remote(text) {
        let opened = remote::open(text, remote).map_err(|error| store::Error::Place(format!("{error} ({})", error.help())))?;
        return Ok(Generations::new(opened));
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(store::Error::Place(format!(
            "there is no store of the kind {scheme:?}: only folders, s3://, gs:// and az://"
        )));
    }
    Ok(Generations::new(Box::new(Local::open(&crate::files::normal(&cwd.join(text)), access, on_wait)?)))
}
