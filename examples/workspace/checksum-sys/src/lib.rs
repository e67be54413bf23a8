//! Binding to the vendored C.

unsafe extern "C" {
    fn example_checksum(bytes: *const u8, length: usize) -> u16;
}

/// The Fletcher-16 checksum of `bytes`.
pub fn checksum(bytes: &[u8]) -> u16 {
    // SAFETY: the pointer and the length are those of one slice, which the function only reads.
    unsafe { example_checksum(bytes.as_ptr(), bytes.len()) }
}
