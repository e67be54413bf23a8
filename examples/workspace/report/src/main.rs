//! Prints a checksum that the vendored C computes.

fn main() {
    let text = greeting::greet("report");
    println!("{text}: {}", greeting::number(u64::from(checksum_sys::checksum(text.as_bytes()))));
}
