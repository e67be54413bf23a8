//! Compiles the vendored C.

fn main() {
    println!("cargo::rerun-if-changed=vendor/checksum.c");
    cc::Build::new().file("vendor/checksum.c").compile("checksum");
}
