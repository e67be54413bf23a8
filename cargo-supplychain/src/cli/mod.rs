//! Layer 5: the command line: arguments, output, exit codes.
