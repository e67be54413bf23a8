//! What object stores and registries are tried with: single operations of the library's stores, for `tests/trial/archive_s3.py` and
//! `tests/trial/oci.py`. Credentials and endpoints come from the environment, as for the tool. Exit 0: done; 1: refused, as standard error says;
//! 2: usage.
//!
//!     cargo build --example stores --features remote-stores

#![allow(clippy::disallowed_methods, reason = "a program of the tests does IO")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_supplychain::archive::{oci, remote};
use cargo_supplychain::base::Sha256;
use cargo_supplychain::http::{Client, Patience};

const USAGE: &str = "usage: stores create URL PATH FILE | read URL PATH LIMIT | open URL PATH | list URL PREFIX | remove URL PATH | \
                     race URL PREFIX WRITER ROUNDS START PAUSE | push FOLDER OCI_REFERENCE | pull OCI_REFERENCE FOLDER";

type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let env: BTreeMap<String, String> = std::env::vars().collect();
    let outcome = match arguments.as_slice() {
        ["push", folder, reference] => push(Utf8Path::new(folder), reference, &env),
        ["pull", reference, folder] => pull(reference, Utf8Path::new(folder), &env),
        [operation, url, rest @ ..] => {
            let options = remote::Options { endpoint: None, region: None, env: &env, patience: Patience::default() };
            match remote::open(url, &options) {
                Ok(store) => operate(&*store, operation, rest),
                Err(error) => Err(error.to_string()),
            }
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(if why == USAGE { 2 } else { 1 })
        }
    }
}

fn operate(store: &dyn cargo_supplychain::archive::store::Store, operation: &str, arguments: &[&str]) -> Outcome {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    match (operation, arguments) {
        ("create", [path, file]) => {
            let mut content = File::open(file).map_err(|error| text(&error))?;
            println!("{:?}", store.create(path, &mut content).map_err(|error| text(&error))?);
        }
        ("read", [path, limit]) => {
            let bytes = store.read(path, limit.parse().map_err(|_| USAGE)?).map_err(|error| text(&error))?;
            io::stdout().write_all(&bytes).map_err(|error| text(&error))?;
        }
        ("open", [path]) => {
            let mut content = store.open(path).map_err(|error| text(&error))?;
            io::copy(&mut content, &mut io::stdout()).map_err(|error| text(&error))?;
        }
        ("list", [prefix]) => {
            for one in store.list(prefix).map_err(|error| text(&error))? {
                println!("{} {}", one.size, one.path);
            }
        }
        ("remove", [path]) => store.remove(path).map_err(|error| text(&error))?,
        // Each round has one place that all writers want at the same time: START (ms since 1970) and PAUSE (ms) for each round before it. What is
        // printed are the rounds that this one got.
        ("race", [prefix, writer, rounds, start, pause]) => {
            let [rounds, start, pause] = [rounds, start, pause].map(|text| text.parse::<u64>().map_err(|_| USAGE));
            let (start, pause) = (start?, pause?);
            for round in 0..rounds? {
                let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(start + round * pause);
                std::thread::sleep(at.duration_since(std::time::SystemTime::now()).unwrap_or_default());
                let created =
                    store.create(&format!("{prefix}/{round:06}"), &mut writer.as_bytes()).map_err(|error| text(&error))?;
                if created == cargo_supplychain::archive::store::Creation::Created {
                    println!("{round}");
                }
            }
        }
        _ => return Err(USAGE.to_owned()),
    }
    Ok(())
}

fn registry<'h>(
    http: &'h Client,
    reference: &str,
    env: &BTreeMap<String, String>,
    writes: bool,
) -> Result<oci::Registry<'h>, String> {
    let reference = oci::Reference::parse(reference).map_err(|error| error.to_string())?;
    let credentials = oci::Credentials::find(&reference.registry, env).map_err(|error| error.to_string())?;
    Ok(oci::Registry::new(http, reference, credentials, writes))
}

fn told(error: &oci::Error) -> String {
    error.help().map_or(error.to_string(), |help| format!("{error}\nhelp: {help}"))
}

fn push(folder: &Utf8Path, reference: &str, env: &BTreeMap<String, String>) -> Outcome {
    let mut files = Vec::new();
    collect(folder, folder, &mut files).map_err(|error| error.to_string())?;
    let release: serde_json::Value = File::open(folder.join("release.json"))
        .map_err(|error| error.to_string())
        .and_then(|file| serde_json::from_reader(file).map_err(|error| error.to_string()))?;
    let word = |key: &str| release[key].as_str().unwrap_or("unknown").to_owned();
    let (name, version, target) = (word("name"), word("version"), word("target"));
    let root: Utf8PathBuf = folder.to_owned();
    let open = |file: &oci::File| File::open(root.join(&file.path)).map(|file| Box::new(file) as Box<dyn Read + Send>);
    let http = Client::new(env, Patience::default());
    let release = oci::Release { name: &name, version: &version, target: &target, files: &files, open: &open };
    let pushed = oci::push(&registry(&http, reference, env, true)?, &release).map_err(|error| told(&error))?;
    println!("{} bundles={} referrers={} uploaded={}", pushed.reference, pushed.bundles, pushed.has_referrers, pushed.uploaded);
    Ok(())
}

fn collect(root: &Utf8Path, folder: &Utf8Path, files: &mut Vec<oci::File>) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let bytes = std::fs::read(&path)?;
        #[cfg(unix)]
        let executable = std::os::unix::fs::PermissionsExt::mode(&path.metadata()?.permissions()) & 0o111 != 0;
        #[cfg(not(unix))]
        let executable = false;
        let relative = path.strip_prefix(root).unwrap_or(&path).as_str().replace('\\', "/");
        files.push(oci::File { path: relative, sha256: Sha256::of(&bytes), size: bytes.len() as u64, executable });
    }
    Ok(())
}

fn pull(reference: &str, folder: &Utf8Path, env: &BTreeMap<String, String>) -> Outcome {
    let http = Client::new(env, Patience::default());
    let pulled = oci::pull(&registry(&http, reference, env, false)?, folder, u64::MAX).map_err(|error| told(&error))?;
    println!("{} bundles={} bytes={}", pulled.reference, pulled.bundles, pulled.size);
    Ok(())
}
