//! The binary: hands the process over to the library, and chooses who gives it memory, which a library leaves to its user.

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cargo_supplychain::cli::main()
}
