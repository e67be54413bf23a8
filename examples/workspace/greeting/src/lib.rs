//! What both binaries share: a macro from a proc-macro crate, and numbers behind a feature.

/// A greeting for `name`.
pub fn greet(name: &str) -> String {
    format!("{} {name}", greeting_macros::salutation!())
}

/// `value` in decimal.
#[cfg(feature = "numbers")]
pub fn number(value: u64) -> String {
    itoa::Buffer::new().format(value).to_owned()
}
