//! Values of a JSON document taken apart, each error with its place.

use serde_json::{Map, Value};

use super::Error;
use crate::base::Timestamp;

pub(super) type Object = Map<String, Value>;

/// The longest text that is kept, in characters; what is longer is cut: it is for people.
const MAX_TEXT: usize = 2000;

pub(super) fn object(value: &Value) -> Result<&Object, Error> {
    value.as_object().ok_or_else(|| Error::new("it is no object"))
}

pub(super) fn text(value: &Value) -> Result<&str, Error> {
    value.as_str().ok_or_else(|| Error::new("it is no text"))
}

/// Text for people, bounded.
pub(super) fn words(value: &Value) -> Result<String, Error> {
    Ok(text(value)?.chars().take(MAX_TEXT).collect())
}

pub(super) fn time(value: &Value) -> Result<Timestamp, Error> {
    text(value)?.parse().map_err(|error| Error::new(format!("{error}")))
}

/// A value that has to be there.
pub(super) fn required<'v, T>(of: &'v Object, key: &str, read: impl FnOnce(&'v Value) -> Result<T, Error>) -> Result<T, Error> {
    let value = of.get(key).ok_or_else(|| Error::new(format!("`{key}` is missing")))?;
    read(value).map_err(|error| error.within(key))
}

/// A value that may be left out.
pub(super) fn optional<'v, T>(
    of: &'v Object,
    key: &str,
    read: impl FnOnce(&'v Value) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    of.get(key).map(read).transpose().map_err(|error| error.within(key))
}

/// A list, empty where it is left out.
pub(super) fn list<'v, T>(of: &'v Object, key: &str, read: impl Fn(&'v Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let Some(value) = of.get(key) else { return Ok(Vec::new()) };
    let values = value.as_array().ok_or_else(|| Error::new("it is no list").within(key))?;
    let one = |(index, value)| read(value).map_err(|error| error.within(&format!("[{index}]")).within(key));
    values.iter().enumerate().map(one).collect()
}
