//! `key generate`, `key rotate`, `key public`.

use serde_json::json;

use super::super::args::{Format, KeyCommand};
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::{ENVELOPE_VERSION, ask_passphrase, json_out};
use crate::base::Context;
use crate::ops;

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, command: &KeyCommand) -> Result<Exit, ops::Error> {
    match command {
        KeyCommand::Generate { output, passphrase } => {
            let asked = if *passphrase { Some(new_passphrase()?) } else { None };
            let passphrase = asked.as_deref().or_else(|| context.var(ops::key::PASSPHRASE));
            let key = ops::key::generate(context, output.as_deref(), passphrase)?;
            if shell.format == Format::Json {
                json_out(
                    shell,
                    &json!({
                        "schema_version": ENVELOPE_VERSION,
                        "private": key.private,
                        "public": key.public,
                        "fingerprint": key.fingerprint,
                        "encrypted": passphrase.is_some(),
                    }),
                );
            } else {
                let encrypted = if passphrase.is_some() { "encrypted" } else { "not encrypted" };
                shell.say("Created", &format!("{} (private key, {encrypted}: keep it to yourself)", key.private));
                shell.say("Created", &format!("{} (public key: give it to those who verify)", key.public));
                shell.say("Fingerprint", &key.fingerprint);
            }
        }
        KeyCommand::Rotate { key, passphrase } => {
            let asked = if *passphrase { Some(new_passphrase()?) } else { None };
            let done = ops::key::rotate(context, key.as_deref(), asked.as_deref(), &mut ask_passphrase)?;
            show_rotated(shell, &done);
        }
        KeyCommand::Public { key } => {
            let pem = ops::key::public(context, key.as_deref(), &mut ask_passphrase)?;
            shell.out(pem.as_bytes());
        }
    }
    Ok(Exit::Pass)
}

fn show_rotated(shell: &mut Shell, done: &ops::key::Rotated) {
    let ops::key::Rotated { former, encrypted, rotated } = done;
    let fingerprint = rotated.new.public_key().fingerprint();
    if shell.format == Format::Json {
        json_out(
            shell,
            &json!({
                "schema_version": ENVELOPE_VERSION,
                "private": rotated.new.path(),
                "public": rotated.public,
                "fingerprint": fingerprint,
                "encrypted": encrypted,
                "statement": rotated.statement,
                "former": { "private": rotated.former_private, "public": rotated.former_public, "fingerprint": former },
            }),
        );
        return;
    }
    let state = if *encrypted { "encrypted" } else { "not encrypted" };
    shell.say("Created", &format!("{} (private key, {state}: keep it to yourself)", rotated.new.path()));
    shell.say("Created", &format!("{} (public key: give it to those who verify)", rotated.public));
    shell.say(
        "Signed",
        &format!("{} (the former key vouches for the new one: publish it with the public key)", rotated.statement),
    );
    shell.say("Kept", &format!("{} (former public key: releases of before verify with it)", rotated.former_public));
    shell.say(
        "Kept",
        &format!("{} (former private key: delete it when nothing is signed with it any more)", rotated.former_private),
    );
    shell.say("Fingerprint", &format!("{fingerprint}, before {former}"));
}

fn new_passphrase() -> Result<String, ops::Error> {
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|error| {
            ops::Error::usage(&format!("cannot ask for a passphrase: {error}"))
                .with_help(format!("set {} instead", ops::key::PASSPHRASE))
        })
    };
    let first = ask("Passphrase of the new key: ")?;
    if first.is_empty() {
        return Err(ops::Error::usage(&"the passphrase is empty"));
    }
    if ask("The same again: ")? == first { Ok(first) } else { Err(ops::Error::usage(&"the two passphrases differ")) }
}
