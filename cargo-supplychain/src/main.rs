//! The binary: hands the process over to the library.

fn main() -> std::process::ExitCode {
    cargo_supplychain::cli::main()
}
