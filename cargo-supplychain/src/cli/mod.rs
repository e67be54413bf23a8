//! Layer 5: the command line: arguments, output, exit codes.

mod args;
mod exit;
mod render;
mod shell;
