//! Secrets that one process of ours hands to the next: by a pipe that is read once, so that they do not stand in an environment, which whoever
//! has enough rights reads in `/proc`.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::process::Command;

/// Says that standard input holds variables. Its beginning keeps it from build children.
const MARK: &str = "SUPPLYCHAIN_HANDED_OVER";
/// A pipe takes so much without a reader.
const MAX_BYTES: usize = 60 << 10;

/// Lets a process that is about to start receive these variables.
pub(super) fn over(command: &mut Command, variables: &BTreeMap<String, String>) -> io::Result<()> {
    let bytes = serde_json::to_vec(variables)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::other(format!("more than {MAX_BYTES} bytes of inputs and secrets")));
    }
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(&bytes)?;
    command.env(MARK, "true").stdin(reader);
    Ok(())
}

/// Adds what was handed to this process to its variables.
pub(super) fn receive(env: &mut BTreeMap<String, String>) -> io::Result<()> {
    if env.remove(MARK).is_none() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_BYTES as u64).read_to_end(&mut bytes)?;
    let variables: BTreeMap<String, String> = serde_json::from_slice(&bytes)?;
    env.extend(variables);
    Ok(())
}
