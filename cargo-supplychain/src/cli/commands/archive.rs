//! `archive add|list|show|restore|verify|prune|hold|unhold|export|import|push|pull`.

use serde_json::{Value, json};

use super::super::args::{
    AddArgs, ArchiveCommand, ExportFileArgs, Format, HoldArgs, IdentityArgs, ImportArgs, IncomingArgs, ListArgs, PlaceArgs,
    PruneArgs, PullArgs, PushArgs, RestoreArgs, ShowEntryArgs, VerifyArchiveArgs,
};
use super::super::exit::Exit;
use super::super::shell::{BAD, GOOD, NOTE, Shell};
use super::verify::{conditions, show_rejection};
use super::{ENVELOPE_VERSION, afterlife, ask_passphrase, json_out, signer_request};
use crate::archived::retention::Retention;
use crate::archived::{Admission, ArchivedRelease, Record};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::ops::archive::{self, Added, Checked, CheckedRelease, Day, Outcome, Request, Sent, Signatures};
use crate::ops::{self, verify};

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, command: ArchiveCommand) -> Result<Exit, ops::Error> {
    if !matches!(shell.format, Format::Human | Format::Json) {
        return Err(ops::Error::usage(&"archive has the formats human and json"));
    }
    match command {
        ArchiveCommand::Add(args) => add(shell, context, *args),
        ArchiveCommand::List(args) => list(shell, context, args),
        ArchiveCommand::Show(args) => show(shell, context, args),
        ArchiveCommand::Restore(args) => restore(shell, context, *args),
        ArchiveCommand::Verify(args) => verify_archive(shell, context, *args),
        ArchiveCommand::Prune(args) => prune(shell, context, args),
        ArchiveCommand::Hold(args) => hold(shell, context, args, true),
        ArchiveCommand::Unhold(args) => hold(shell, context, args, false),
        ArchiveCommand::Export(args) => export(shell, context, *args),
        ArchiveCommand::Import(args) => import(shell, context, *args),
        ArchiveCommand::Push(args) => push(shell, context, *args),
        ArchiveCommand::Pull(args) => pull(shell, context, *args),
        ArchiveCommand::Index(command) => afterlife::index(shell, context, &command),
        ArchiveCommand::Supported(args) => afterlife::supported(shell, context, &args),
    }
}

fn request(args: PlaceArgs) -> Request {
    Request { archive: args.archive.archive, policy: args.archive.policy, expect_head: args.expect_head }
}

fn signer(args: IdentityArgs, place: &PlaceArgs) -> verify::Request {
    verify::Request {
        keys: args.key.clone(),
        trusted_root: args.trusted_root.clone(),
        signer: conditions(args),
        policy: place.archive.policy.clone(),
        ..verify::Request::default()
    }
}

/// The envelope: what it holds beside version and exit code.
fn envelope(shell: &mut Shell, exit: Exit, mut value: Value) {
    let mut whole = json!({ "schema_version": ENVELOPE_VERSION, "exit_code": exit as u8 });
    if let (Some(whole), Some(value)) = (whole.as_object_mut(), value.as_object_mut()) {
        whole.append(value);
    }
    json_out(shell, &whole);
}

fn add(shell: &mut Shell, context: &Context, args: AddArgs) -> Result<Exit, ops::Error> {
    let IncomingArgs { unsigned, signer: by, place } = args.incoming;
    let signer = signer(by, &place);
    let outcomes = archive::add(context, &request(place), &signer, unsigned, &args.folders, shell)?;
    Ok(tell_outcomes(shell, &outcomes))
}

fn tell_outcomes(shell: &mut Shell, outcomes: &[(camino::Utf8PathBuf, Outcome)]) -> Exit {
    let rejected = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Rejected(_)));
    let exit = if rejected { Exit::Rejected } else { Exit::Pass };
    if shell.format == Format::Json {
        let results: Vec<_> = outcomes
            .iter()
            .map(|(path, outcome)| match outcome {
                Outcome::Added(added) => json!({ "path": path, "outcome": added_word(added), "release": added_json(added) }),
                Outcome::Rejected(rejection) => {
                    json!({ "path": path, "outcome": "rejected", "reasons": rejection.reasons() })
                }
            })
            .collect();
        envelope(shell, exit, json!({ "results": results }));
        return exit;
    }
    for (path, outcome) in outcomes {
        match outcome {
            Outcome::Added(added) => tell_added(shell, added),
            Outcome::Rejected(rejection) => show_rejection(shell, path, rejection),
        }
    }
    exit
}

fn added_word(added: &Added) -> &'static str {
    if added.existed { "exists" } else { "added" }
}

pub(super) fn added_json(added: &Added) -> Value {
    json!({
        "archive": added.place,
        "name": added.key.name,
        "version": added.key.version,
        "target": added.key.target,
        "sequence": added.sequence,
        "record": added.record,
        "files": added.files,
        "admission": added.admission,
        "head": added.head.to_string(),
    })
}

pub(super) fn tell_added(shell: &Shell, added: &Added) {
    let word = if added.existed { "Exists" } else { "Archived" };
    let same = if added.existed { ", identical" } else { "" };
    shell.say(
        word,
        &format!("{}{same} ({}, entry {})", plain(&added.key.to_string()), counted(added.files, "file"), added.sequence),
    );
    shell.say("Signer", &plain(&admission(&added.admission)));
    shell.say("Record", &format!("sha256:{}", added.record));
    shell.say("Head", &format!("{} of {}: keep it elsewhere, for --expect-head", added.head, plain(&added.place)));
}

fn admission(admission: &Admission) -> String {
    match admission {
        Admission::Key { fingerprint, .. } => format!("key {fingerprint}"),
        Admission::Identity { subject, issuer } => format!("{subject} ({issuer})"),
        Admission::Unsigned => "none: it came in unsigned".to_owned(),
    }
}

fn release_json(release: &ArchivedRelease) -> Value {
    json!({
        "sequence": release.sequence,
        "archived": release.time,
        "name": release.key.name,
        "version": release.key.version,
        "target": release.key.target,
        "record": release.record,
        "pruned_by": release.pruned,
        "hold": release.hold.as_ref().map(|(entry, reason)| json!({ "entry": entry, "reason": reason })),
    })
}

fn list(shell: &mut Shell, context: &Context, args: ListArgs) -> Result<Exit, ops::Error> {
    let listing = archive::list(context, &request(args.place), args.entry.as_deref(), false, shell)?;
    let releases: Vec<_> = listing.releases.iter().map(|(release, _)| release).collect();
    let releases: Vec<_> = releases.into_iter().filter(|one| args.pruned || one.is_kept()).collect();
    if shell.format == Format::Json {
        let releases: Vec<_> = releases.iter().map(|one| release_json(one)).collect();
        let archive = json!({ "place": listing.place, "id": listing.id, "head": listing.head.to_string() });
        envelope(shell, Exit::Pass, json!({ "archive": archive, "releases": releases }));
        return Ok(Exit::Pass);
    }
    let line = |one: &ArchivedRelease| {
        let state = match (&one.pruned, &one.hold) {
            (Some(entry), _) => format!("  pruned by entry {entry}"),
            (None, Some((_, reason))) => format!("  held: {reason}"),
            (None, None) => String::new(),
        };
        plain(&format!("{:>6}  {}  {}{state}", one.sequence, one.time.date(), one.key)).into_owned() + "\n"
    };
    let text: String = releases.iter().map(|one| line(one)).collect();
    shell.out(text.as_bytes());
    shell.say("Archive", &format!("{}: {}", plain(&listing.place), counted(releases.len(), "release")));
    shell.say("Head", &listing.head.to_string());
    Ok(Exit::Pass)
}

fn show(shell: &mut Shell, context: &Context, args: ShowEntryArgs) -> Result<Exit, ops::Error> {
    let listing = archive::list(context, &request(args.place), Some(&args.entry), true, shell)?;
    if shell.format == Format::Json {
        let one = |(release, record): &(ArchivedRelease, Option<Record>)| {
            let mut value = release_json(release);
            value["content"] = json!(record);
            value
        };
        let releases: Vec<_> = listing.releases.iter().map(one).collect();
        let archive = json!({ "place": listing.place, "id": listing.id, "head": listing.head.to_string() });
        envelope(shell, Exit::Pass, json!({ "archive": archive, "releases": releases }));
        return Ok(Exit::Pass);
    }
    let text: String =
        listing.releases.iter().filter_map(|(release, record)| Some(described(release, record.as_ref()?))).collect();
    shell.out(text.as_bytes());
    Ok(Exit::Pass)
}

fn described(release: &ArchivedRelease, record: &Record) -> String {
    let mut lines = vec![
        format!("{} (entry {}, {})", release.key, release.sequence, release.time.date()),
        format!("  signer   {}", admission(&record.admission)),
        format!("  record   sha256:{}", release.record),
    ];
    if let Some((entry, reason)) = &release.hold {
        lines.push(format!("  held     by entry {entry}: {reason}"));
    }
    if let Some(entry) = release.pruned {
        lines.push(format!("  pruned   by entry {entry}: its files are gone"));
    }
    lines.extend(record.trusted_roots.iter().map(|root| format!("  root     sha256:{root}")));
    for feed in &record.feeds {
        let revision = feed.revision.as_deref().unwrap_or("-");
        let date = feed.date.map_or_else(|| "-".to_owned(), crate::base::Timestamp::date);
        lines.push(format!("  feed     {} {revision} {date}", feed.name));
    }
    for file in &record.files {
        let mark = if file.executable { " *" } else { "" };
        lines.push(format!("  {}  {:>10}  {}{mark}", file.sha256, file.size, file.path));
    }
    lines.iter().map(|line| plain(line).into_owned() + "\n").collect()
}

fn restore(shell: &mut Shell, context: &Context, args: RestoreArgs) -> Result<Exit, ops::Error> {
    let signer = signer(args.signer, &args.place);
    let named = names_signer(context, &signer)?.then_some(&signer);
    let restored = archive::restore(context, &request(args.place), named, &args.entry, args.to.as_deref(), shell)?;
    let exit = match &restored.signatures {
        Some((Err(_), _)) => Exit::Rejected,
        _ => Exit::Pass,
    };
    if shell.format == Format::Json {
        let signatures = match &restored.signatures {
            None => json!({ "verdict": "not-asked" }),
            Some((outcome, day)) => judged_json(outcome, day),
        };
        let value = json!({
            "name": restored.key.name, "version": restored.key.version, "target": restored.key.target,
            "folder": if exit == Exit::Pass { Some(&restored.folder) } else { None },
            "files": restored.files, "signatures": signatures,
        });
        envelope(shell, exit, value);
        return Ok(exit);
    }
    if let Some((Err(rejection), _)) = &restored.signatures {
        show_rejection(shell, camino::Utf8Path::new(&args.entry), rejection);
        return Ok(exit);
    }
    shell.say(
        "Restored",
        &format!(
            "{} to {} ({})",
            plain(&restored.key.to_string()),
            plain(restored.folder.as_str()),
            counted(restored.files, "file")
        ),
    );
    match &restored.signatures {
        Some((Ok(verified), day)) => {
            shell.say("Signer", &plain(verified.signer()));
            tell_day(shell, day);
        }
        _ => shell
            .say("Signatures", "were not judged: the bytes are those that were archived; name the signer with --key or --repo"),
    }
    Ok(exit)
}

/// Whether somebody is named whose signature counts, here or in the policy.
fn names_signer(context: &Context, request: &verify::Request) -> Result<bool, ops::Error> {
    verify::names_signer(context, request)
}

fn judged_json(outcome: &Result<Box<crate::verify::Verified>, crate::verify::Rejection>, day: &Day) -> Value {
    let mut value = match outcome {
        Ok(verified) => json!({ "verdict": "verified", "verified": verified }),
        Err(rejection) => json!({ "verdict": "rejected", "reasons": rejection.reasons() }),
    };
    value["roots_of"] = json!(day.archived);
    value["rotated"] = json!(day.rotated);
    value
}

pub(super) fn tell_day(shell: &Shell, day: &Day) {
    if !day.rotated.is_empty() {
        shell.styled_status(NOTE, "Rotated", &format!("judged by the trusted roots of {}; since then:", day.archived.date()));
        for one in &day.rotated {
            shell.line(&plain(&format!("             {one}")));
        }
    }
}

fn verify_archive(shell: &mut Shell, context: &Context, args: VerifyArchiveArgs) -> Result<Exit, ops::Error> {
    let signer = signer(args.signer, &args.place);
    let named = names_signer(context, &signer)?.then_some(&signer);
    let checked = archive::verify(context, &request(args.place), named, &args.entries, shell)?;
    let exit = if checked.problems.is_empty() && !checked.is_rejected() { Exit::Pass } else { Exit::Rejected };
    if shell.format == Format::Json {
        let value = checked_json(&checked, exit);
        envelope(shell, exit, value);
    } else {
        tell_checked(shell, &checked, named.is_some());
    }
    Ok(exit)
}

fn checked_json(checked: &Checked, exit: Exit) -> Value {
    let release = |one: &CheckedRelease| {
        let mut value = release_json(&one.release);
        value["signatures"] = match &one.signatures {
            Signatures::NotAsked => json!({ "verdict": "not-asked" }),
            Signatures::Unsigned(day) => json!({ "verdict": "unsigned", "roots_of": day.archived, "rotated": day.rotated }),
            Signatures::Judged(outcome, day) => judged_json(outcome, day),
        };
        value
    };
    let problems: Vec<_> =
        checked.problems.iter().map(|one| json!({ "id": "archive/corrupt", "place": one.place, "why": one.why })).collect();
    json!({
        "verdict": if exit == Exit::Pass { "sound" } else { "rejected" },
        "archive": { "place": checked.place, "id": checked.id, "head": checked.head.to_string() },
        "entries": checked.entries,
        "objects": checked.objects,
        "pruned": checked.pruned,
        "problems": problems,
        "unreferenced": checked.unreferenced,
        "releases": checked.releases.iter().map(release).collect::<Vec<_>>(),
    })
}

fn tell_checked(shell: &Shell, checked: &Checked, asked: bool) {
    for one in &checked.releases {
        let key = plain(&one.release.key.to_string()).into_owned();
        match &one.signatures {
            Signatures::NotAsked => {}
            Signatures::Unsigned(_) => shell.styled_status(NOTE, "Unsigned", &format!("{key}: it came in so")),
            Signatures::Judged(Ok(verified), day) => {
                shell.styled_status(GOOD, "Verified", &format!("{key}, signed by {}", plain(verified.signer())));
                tell_day(shell, day);
            }
            Signatures::Judged(Err(rejection), _) => show_rejection(shell, camino::Utf8Path::new(&key), rejection),
        }
    }
    for problem in &checked.problems {
        shell.styled_status(BAD, "Damaged", &plain(&format!("archive/corrupt: {} {}", problem.place, problem.why)));
    }
    for path in &checked.unreferenced {
        shell.styled_status(
            NOTE,
            "Unneeded",
            &format!("{} is sound and no entry names it: an interrupted run left it; `archive prune` removes it", plain(path)),
        );
    }
    let sound = checked.problems.is_empty() && !checked.is_rejected();
    let (style, word) = if sound { (GOOD, "Sound") } else { (BAD, "Rejected") };
    let pruned = if checked.pruned > 0 { format!(", {} pruned", checked.pruned) } else { String::new() };
    shell.styled_status(
        style,
        word,
        &format!(
            "{}: {}{pruned}, {}",
            plain(&checked.place),
            counted(checked.releases.len(), "release"),
            counted(checked.objects, "object")
        ),
    );
    shell.say("Head", &checked.head.to_string());
    if !asked {
        shell.say("Signatures", "were not judged: name the signer with --key or --repo, or in [verify]");
    }
}

fn prune(shell: &mut Shell, context: &Context, args: PruneArgs) -> Result<Exit, ops::Error> {
    let retention = Retention { keep_last: args.keep_last, older_than_days: args.older_than };
    let reason = args.reason.as_deref();
    let pruned = archive::prune(context, &request(args.place), retention, &args.entries, reason, args.dry_run, shell)?;
    if shell.format == Format::Json {
        let one = |(sequence, key): &(u64, crate::archived::ReleaseKey)| json!({ "sequence": sequence, "name": key.name, "version": key.version, "target": key.target });
        let releases: Vec<_> = pruned.releases.iter().map(one).collect();
        let value = json!({
            "archive": pruned.place, "dry_run": pruned.dry_run, "releases": releases,
            "objects": pruned.objects, "bytes": pruned.bytes, "head": pruned.head.to_string(),
        });
        envelope(shell, Exit::Pass, value);
        return Ok(Exit::Pass);
    }
    let word = if pruned.dry_run { "Would go" } else { "Pruned" };
    for (sequence, key) in &pruned.releases {
        shell.say(word, &plain(&format!("{key} (entry {sequence})")));
    }
    let objects = counted(pruned.objects, "object");
    shell.say(word, &format!("{}, {objects}, {} bytes", counted(pruned.releases.len(), "release"), pruned.bytes));
    shell.say("Head", &pruned.head.to_string());
    Ok(Exit::Pass)
}

fn hold(shell: &mut Shell, context: &Context, args: HoldArgs, held: bool) -> Result<Exit, ops::Error> {
    let change = if held { archive::hold } else { archive::unhold };
    let (key, head) = change(context, &request(args.place), &args.entry, &args.reason, shell)?;
    if shell.format == Format::Json {
        let value = json!({
            "name": key.name, "version": key.version, "target": key.target, "held": held, "head": head.to_string(),
        });
        envelope(shell, Exit::Pass, value);
    } else {
        shell.say(if held { "Held" } else { "Released" }, &plain(&key.to_string()));
        shell.say("Head", &head.to_string());
    }
    Ok(Exit::Pass)
}

fn export(shell: &mut Shell, context: &Context, args: ExportFileArgs) -> Result<Exit, ops::Error> {
    let signing = args.sign.then(|| signer_request(&args.signer, false));
    let (entry, output) = (args.entry.as_str(), args.output.as_deref());
    let request = request(args.place);
    let exported = archive::export(context, &request, (entry, output), signing, &mut ask_passphrase, shell)?;
    if shell.format == Format::Json {
        let value = json!({
            "name": exported.key.name, "version": exported.key.version, "target": exported.key.target,
            "file": exported.file, "size": exported.size, "sha256": exported.sha256, "bundle": exported.bundle,
        });
        envelope(shell, Exit::Pass, value);
        return Ok(Exit::Pass);
    }
    let size = counted(exported.size, "byte");
    shell.say("Exported", &format!("{} to {} ({size})", plain(&exported.key.to_string()), plain(exported.file.as_str())));
    shell.say("Digest", &format!("sha256:{}", exported.sha256));
    if let Some(bundle) = &exported.bundle {
        shell.say("Signed", &plain(bundle.as_str()));
    }
    Ok(Exit::Pass)
}

fn import(shell: &mut Shell, context: &Context, args: ImportArgs) -> Result<Exit, ops::Error> {
    let IncomingArgs { unsigned, signer: by, place } = args.incoming;
    let signer = signer(by, &place);
    let outcome = archive::import(context, &request(place), &signer, unsigned, (&args.file, args.max_size), shell)?;
    Ok(tell_outcomes(shell, &[(args.file, outcome)]))
}

fn push(shell: &mut Shell, context: &Context, args: PushArgs) -> Result<Exit, ops::Error> {
    let signer = signer(args.signer, &args.place);
    let named = names_signer(context, &signer)?.then_some(&signer);
    let sent = archive::push(context, &request(args.place), named, (&args.entry, &args.artifact), shell)?;
    let exit = if sent.pushed.is_some() { Exit::Pass } else { Exit::Rejected };
    if shell.format == Format::Json {
        let signatures = sent.signatures.as_ref();
        let signatures = signatures.map_or_else(|| json!({ "verdict": "not-asked" }), |(outcome, day)| judged_json(outcome, day));
        let pushed = sent.pushed.as_ref();
        let value = json!({
            "name": sent.key.name, "version": sent.key.version, "target": sent.key.target,
            "reference": pushed.map(|one| &one.reference), "digest": pushed.map(|one| one.digest),
            "uploaded": pushed.map(|one| one.uploaded), "bundles": pushed.map(|one| one.bundles), "signatures": signatures,
        });
        envelope(shell, exit, value);
    } else {
        tell_sent(shell, &args.entry, &sent);
    }
    Ok(exit)
}

fn tell_sent(shell: &Shell, entry: &str, sent: &Sent) {
    match &sent.signatures {
        Some((Err(rejection), _)) => show_rejection(shell, camino::Utf8Path::new(entry), rejection),
        Some((Ok(verified), day)) => {
            shell.say("Signer", &plain(verified.signer()));
            tell_day(shell, day);
        }
        None => shell.say("Signatures", "were not judged: name the signer with --key or --repo"),
    }
    if let Some(pushed) = &sent.pushed {
        let (uploaded, bundles) = (counted(pushed.uploaded, "byte"), counted(pushed.bundles, "bundle"));
        shell.say("Pushed", &format!("{} to {} ({uploaded}, {bundles})", sent.key, pushed.reference));
    }
}

fn pull(shell: &mut Shell, context: &Context, args: PullArgs) -> Result<Exit, ops::Error> {
    let IncomingArgs { unsigned, signer: by, place } = args.incoming;
    let signer = signer(by, &place);
    let what = (args.artifact.as_str(), args.max_size);
    let (pulled, outcome) = archive::pull(context, &request(place), &signer, unsigned, what, shell)?;
    Ok(tell_outcomes(shell, &[(pulled.reference.into(), outcome)]))
}
