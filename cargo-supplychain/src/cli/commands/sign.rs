//! `sign`.

use serde_json::json;

use super::super::args::{Format, SignArgs};
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::{ENVELOPE_VERSION, ask_passphrase, json_out, signer_request};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::ops::{self, Interrupt};

pub(in crate::cli) fn run(
    shell: &mut Shell,
    context: &Context,
    args: SignArgs,
    interrupt: &Interrupt,
) -> Result<Exit, ops::Error> {
    if !matches!(shell.format, Format::Human | Format::Json) {
        return Err(ops::Error::usage(&"sign has the formats human and json"));
    }
    let request = ops::sign::Request {
        path: args.path,
        signer: signer_request(&args.signer, false),
        policy: args.policy,
        is_statement: args.statement,
        bundle: args.bundle,
    };
    let outcome = ops::sign::sign(context, &request, interrupt, &mut ask_passphrase, shell)?;
    if shell.format == Format::Json {
        json_out(
            shell,
            &json!({
                "schema_version": ENVELOPE_VERSION,
                "exit_code": Exit::Pass as u8,
                "path": outcome.path,
                "signed": outcome.signed,
                "signer": outcome.signer,
            }),
        );
    } else if outcome.signed == 0 {
        shell.say("Complete", &format!("{}: nothing is pending", plain(outcome.path.as_str())));
    } else {
        shell.say("Signed", &format!("{} ({})", plain(outcome.path.as_str()), counted(outcome.signed, "signature")));
        shell.say("Signer", &plain(&outcome.signer));
    }
    Ok(Exit::Pass)
}
