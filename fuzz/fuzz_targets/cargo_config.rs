#![no_main]

use std::collections::BTreeMap;

use cargo_supplychain::collect::cargo_config::{ConfigRequest, allow_listed, read};
use cargo_supplychain_fuzz::{folder, parts, text, write};
use libfuzzer_sys::fuzz_target;

// Parts `config` (`.cargo/config.toml`), `included` (`.cargo/i.toml`), `argument` (a value of `--config`, any number) and
// `environment` (lines `NAME=VALUE`).
fuzz_target!(|data: &[u8]| {
    let (mut config_args, mut env) = (Vec::new(), BTreeMap::new());
    write("w/.cargo/config.toml", b"");
    write("w/.cargo/i.toml", b"");
    for (name, content) in parts(data) {
        match (name, text(content)) {
            ("config", _) => drop(write("w/.cargo/config.toml", content)),
            ("included", _) => drop(write("w/.cargo/i.toml", content)),
            ("argument", Some(text)) => config_args.push(text.trim_end_matches('\n').to_owned()),
            ("environment", Some(text)) => {
                let pairs = text.lines().filter_map(|line| line.split_once('='));
                env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            _ => {}
        }
    }
    let workspace = folder().join("w");
    let read = read(&ConfigRequest {
        cwd: &workspace,
        workspace_root: &workspace,
        repository_root: None,
        cargo_home: None,
        env: &env,
        config_args: &config_args,
    });
    match read {
        Ok(config) => drop(allow_listed(&config)),
        Err(error) => drop(error.to_string()),
    }
});
