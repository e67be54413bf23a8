//! Keyless bundles that were tampered with or made to exhaust, and the sockets that verification does not open.

use std::fs;

use cargo_supplychain::attest::PROVENANCE;
use cargo_supplychain::base::Sha256;
use cargo_supplychain::verify::{BundleFile, FileEvidence, IdentityConditions, IdentityPolicy, Origin, VerificationPolicy, file};
use serde_json::{Value, json};

use crate::keyless::{BYTES, World, statement};
use crate::support::authority::{Holder, base64};

/// Whether a bundle about `app` is accepted.
fn judge(world: &World) -> impl Fn(Vec<u8>) -> bool {
    let conditions = IdentityConditions { repository: Some("org/app".into()), ..IdentityConditions::default() };
    let policy = VerificationPolicy::keyless(IdentityPolicy::new(&conditions).unwrap(), world.roots());
    move |bytes| {
        let bundle = BundleFile { path: "b".into(), bytes, origin: Origin::Given };
        let (name, sha256) = (Some("app".to_owned()), Sha256::of(BYTES));
        file(&FileEvidence { name, sha256, sha512: None, bytes: Some(BYTES.to_vec()), bundles: vec![bundle] }, &policy).is_ok()
    }
}

/// A good bundle of each content: over a statement, and over the file itself.
fn good_bundles(world: &World) -> [Value; 2] {
    let holder = Holder::github();
    [world.authority.bundle(&holder, &statement("app", BYTES, PROVENANCE)), world.authority.blob_bundle(&holder, BYTES)]
}

/// Every text and number of a good bundle, every kind of byte in it, and every member left out, doubled or added: nothing but the
/// bundle itself is accepted.
#[test]
fn every_mutation_of_a_good_bundle_is_rejected() {
    let world = World::new();
    good_bundles(&world).iter().for_each(|good| mutate(good, &judge(&world)));
}

fn mutate(good: &Value, accepts: &impl Fn(Vec<u8>) -> bool) {
    assert!(accepts(good.to_string().into_bytes()));
    let mut places = Vec::new();
    walk(good, String::new(), &mut places);
    let mut tried = 0;
    for place in &places {
        let old = good.pointer(place).unwrap();
        for new in mutations(old) {
            let mut bundle = good.clone();
            *bundle.pointer_mut(place).unwrap() = new.clone();
            assert!(!accepts(bundle.to_string().into_bytes()), "{place}: {new}");
            tried += 1;
        }
        let (parent, key) = place.rsplit_once('/').unwrap_or(("", ""));
        let mut bundle = good.clone();
        if let Some(Value::Object(map)) = bundle.pointer_mut(parent).filter(|_| !key.is_empty()) {
            map.remove(key);
            // An empty list, and a digest that only helps to find the file: the signature is over the file.
            let is_optional = ["/timestampVerificationData", "/messageDigest"].iter().any(|name| place.ends_with(name));
            assert_eq!(accepts(bundle.to_string().into_bytes()), is_optional, "without {place}");
            // The member twice.
            let text = good.to_string();
            let member = format!("\"{key}\":{old}");
            let doubled = text.replacen(&member, &format!("{member},{member}"), 1);
            assert!(doubled != text && !accepts(doubled.into_bytes()), "{place} twice");
        }
    }
    assert!(tried > 300, "{tried}");
}

/// Bytes of the bundle's text, whatever they stand for: spread over all of it, each changed in one of several ways, and the text cut
/// and lengthened.
#[test]
fn every_kind_of_byte_of_a_good_bundle_counts() {
    let world = World::new();
    good_bundles(&world).iter().for_each(|good| change_bytes(good.to_string().as_bytes(), &judge(&world)));
}

fn change_bytes(good: &[u8], accepts: &impl Fn(Vec<u8>) -> bool) {
    assert!(accepts(good.to_vec()) && accepts([good, b"\n"].concat()));
    let ways: [fn(u8) -> u8; 6] = [|byte| byte ^ 1, |byte| byte ^ 0x20, |_| b' ', |_| b'"', |_| 0, |byte| byte | 0x80];
    let mut tried = 0;
    for (at, way) in (0..good.len()).step_by(2).zip(ways.iter().cycle()) {
        let mut changed = good.to_vec();
        changed[at] = way(good[at]);
        if changed != good {
            let around = String::from_utf8_lossy(&good[at.saturating_sub(80)..good.len().min(at + 40)]);
            assert!(!accepts(changed), "byte {at}: {:?} in {around}", char::from(good[at]));
            tried += 1;
        }
    }
    for end in (0..good.len()).step_by(97) {
        assert!(!accepts(good[..end].to_vec()), "cut at {end}");
    }
    for more in [&b"{}"[..], b"x", b"\0", good] {
        assert!(!accepts([good, more].concat()));
    }
    assert!(tried > 1000, "{tried}");
}

fn walk(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| walk(inner, format!("{place}/{key}"), places)),
        Value::Array(list) => list.iter().enumerate().for_each(|(at, inner)| walk(inner, format!("{place}/{at}"), places)),
        _ => {}
    }
    if !place.is_empty() {
        places.push(place);
    }
}

fn mutations(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            let mut out = vec![json!(""), json!(99), json!(format!("{text} ")), json!(format!("{text}=")), json!([text])];
            // Spread over the text, so that each field of what is encoded in it is met.
            for at in (0..text.len())
                .step_by(text.len().div_ceil(60))
                .filter(|&at| text.is_char_boundary(at) && text.is_char_boundary(at + 1))
            {
                let old = text.as_bytes()[at];
                for new in [b'A', b'b', b'7', b'/', b' ', b'\n'] {
                    if new != old {
                        out.push(json!(format!("{}{}{}", &text[..at], char::from(new), &text[at + 1..])));
                    }
                }
            }
            out
        }
        Value::Array(list) => {
            let mut out = vec![json!([]), json!({})];
            out.extend(list.first().map(|first| json!([first, first])));
            out
        }
        Value::Object(map) => {
            let mut more = map.clone();
            more.insert("more".into(), json!(1));
            let mut out = vec![json!([]), Value::Object(more)];
            if !map.is_empty() {
                out.push(json!({}));
            }
            out
        }
        _ => vec![json!("x")],
    }
}

/// Verifies `app` with at most so much memory and five seconds of CPU: asking for more ends the process, which is no rejection.
fn reasons_within(world: &World, megabytes: u64) -> Vec<String> {
    let arguments = ["verify", "app", "--trusted-root", "root.json", "--repo", "org/app", "--offline", "--format", "json"];
    let mut process = world.project.command(&arguments).process();
    #[cfg(target_os = "linux")]
    within(&mut process, megabytes);
    let output = process.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{} {}", output.status, String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reasons = json["results"][0]["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["id"].as_str().unwrap().to_owned()).collect()
}

/// Bundles made to exhaust or confuse are rejected, within 5 s of CPU and 256 MB, and without a panic.
#[test]
fn hostile_bundles_are_rejected_soon() {
    let world = World::new();
    let good = fs::read_to_string(world.project.path("app.sigstore.json")).unwrap();
    let many: Vec<_> = (0..20_000).map(|n| format!(r#"{{"name":"{n}","digest":{{"sha256":"{}"}}}}"#, "0".repeat(64))).collect();
    let many = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"predicateType":"x","predicate":{{}}}}"#,
        many.join(",")
    );
    let million = format!("[{}{{}}]", r#"{"digest":{"sha256":"0"}},"#.repeat(1_000_000));
    let million =
        format!(r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{million},"predicateType":"x","predicate":{{}}}}"#);
    let values =
        format!(r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicate":[{}0]}}"#, "0,".repeat(3_000_000));
    let with = |pointer: &str, value: Value| {
        let mut bundle: Value = serde_json::from_str(&good).unwrap();
        *bundle.pointer_mut(pointer).unwrap() = value;
        bundle.to_string()
    };
    let first = "/verificationMaterial/tlogEntries/0";
    let proof = format!("{first}/inclusionProof");
    for (what, text) in [
        ("depth", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("objects", "{\"a\":".repeat(10_000)),
        ("subjects", with("/dsseEnvelope/payload", json!(base64(many.as_bytes())))),
        ("a million subjects", with("/dsseEnvelope/payload", json!(base64(million.as_bytes())))),
        ("a million of them without a bundle", million.clone()),
        ("values", with("/dsseEnvelope/payload", json!(base64(values.as_bytes())))),
        ("both members of a choice", good.replacen("\"certificate\"", "\"publicKey\":{\"hint\":\"\"},\"certificate\"", 1)),
        ("attestations", format!("{{\"attestations\":[{}]}}", vec!["{\"bundle\":{}}"; 1_000_000].join(","))),
        (
            "of PEP 740",
            format!("{{\"version\":1,\"verification_material\":{{\"transparency_entries\":[{}0]}}}}", "0,".repeat(5_000_000)),
        ),
        ("entries", with("/verificationMaterial/tlogEntries", json!(vec![json!({}); 100_000]))),
        ("negative size", with(&format!("{proof}/treeSize"), json!("-1"))),
        ("huge size", with(&format!("{proof}/treeSize"), json!("18446744073709551616"))),
        ("huge number", with(&format!("{proof}/treeSize"), json!(1e300))),
        ("size 0", with(&format!("{proof}/treeSize"), json!("0"))),
        ("index", with(&format!("{first}/logIndex"), json!(-1))),
        ("time", with(&format!("{first}/integratedTime"), json!("9223372036854775807"))),
        ("hashes", with(&format!("{proof}/hashes"), json!(vec![base64(&[0; 32]); 65]))),
        ("both contents", good.replacen("\"dsseEnvelope\"", "\"messageSignature\":{\"signature\":\"AAAA\"},\"dsseEnvelope\"", 1)),
        ("two signatures", with("/dsseEnvelope/signatures", json!([{ "sig": "AAAA" }, { "sig": "AAAA" }]))),
        ("no media type", good.replacen("\"mediaType\"", "\"media\"", 1)),
        ("duplicate", good.replacen("\"dsseEnvelope\"", "\"dsseEnvelope\":{},\"dsseEnvelope\"", 1)),
        ("not text", "\u{0}".repeat(1000)),
        ("large", " ".repeat(30 * 1024 * 1024)),
        ("empty", String::new()),
    ] {
        world.project.write("app.sigstore.json", &text);
        let reasons = reasons_within(&world, 256);
        let known = |id: &String| ["attest/malformed", "attest/log-invalid"].contains(&id.as_str());
        assert!(reasons.iter().all(known) && !reasons.is_empty(), "{what}: {reasons:?}");
    }
    // A gigabyte of nothing: a file with a hole.
    let huge = fs::File::create(world.project.path("app.sigstore.json")).unwrap();
    huge.set_len(1 << 30).unwrap();
    assert_eq!(reasons_within(&world, 256), ["attest/malformed"]);
}

/// Verification of local files opens no socket: the system call kills the process here. Its twin, which does open one, dies.
#[cfg(target_os = "linux")]
#[test]
fn att_17_no_sockets() {
    let world = World::new();
    let run = |arguments: &[&str]| {
        let mut process = world.project.command(arguments).process();
        without_sockets(&mut process);
        process.output().unwrap().status
    };
    assert_eq!(run(&["verify", "app", "--trusted-root", "root.json", "--repo", "org/app"]).code(), Some(0));
    assert_eq!(run(&["verify", "app", "--repo", "org/app"]).code(), Some(3));
    let mut twin = std::process::Command::new("bash");
    twin.args(["-c", "echo > /dev/tcp/127.0.0.1/9"]);
    without_sockets(&mut twin);
    assert_eq!(twin.output().unwrap().status.code(), None, "the trap does not work");
}

/// The process that will be started gets so much memory of its own and no more.
#[cfg(target_os = "linux")]
fn within(command: &mut std::process::Command, megabytes: u64) {
    use std::os::unix::process::CommandExt as _;
    let limit = |most| libc::rlimit { rlim_cur: most, rlim_max: most };
    // Not by the clock: the machine may be at work with other tests.
    let (memory, time) = (limit(megabytes << 20), limit(5));
    let set = move || {
        // SAFETY: two calls that only the kernel acts on, with structures that live as long as this closure.
        #[allow(unsafe_code)]
        let done = unsafe {
            libc::setrlimit(libc::RLIMIT_DATA, &raw const memory) == 0 && libc::setrlimit(libc::RLIMIT_CPU, &raw const time) == 0
        };
        if done { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // SAFETY: as above; nothing is allocated between fork and exec.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(set);
    }
}

/// Every `socket` of the process that will be started ends it.
#[cfg(target_os = "linux")]
fn without_sockets(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt as _;
    let number = u32::try_from(libc::SYS_socket).unwrap();
    let step = |code: u32, yes, no, value| libc::sock_filter { code: u16::try_from(code).unwrap(), jt: yes, jf: no, k: value };
    let program = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, number),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let set = move || {
        let filter = libc::sock_fprog { len: 4, filter: program.as_ptr().cast_mut() };
        // SAFETY: two calls that only the kernel acts on, with a program that lives as long as this closure; nothing is allocated
        // between fork and exec.
        #[allow(unsafe_code)]
        let done = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) == 0
        };
        if done { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(set);
    }
}
