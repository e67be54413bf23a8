//! A build without Parquet.

use super::Error;
use super::columns::Table;
use crate::base::Sha256;

/// Nothing is written.
pub(super) fn encode(_: &Table<'_>, _: Sha256) -> Result<Vec<u8>, Error> {
    Err(Error::Unsupported)
}
