#!/usr/bin/env bash
# Fills fuzz/corpus with real small inputs: this repository's own files and a release of examples/minimal, built here with a
# throw-away key. Nothing of it is committed. Needs cargo, python3 and `cargo build` of the tool; no network beyond cargo's own.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --locked
binary=${CARGO_TARGET_DIR:-$PWD/target}/debug/cargo-supplychain
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
corpus=$PWD/fuzz/corpus

tool() { env -u CARGO_TARGET_DIR XDG_CONFIG_HOME="$work/config" XDG_CACHE_HOME="$work/cache" "$binary" supplychain "$@"; }

cp -Rp examples/minimal "$work/minimal"
rm -rf "$work/minimal/target"
tool key generate --output "$work/key.pem"
SUPPLYCHAIN_KEY_PASSPHRASE=secret tool key generate --output "$work/encrypted.pem"
tool build --offline --manifest-path "$work/minimal/Cargo.toml" --key "$work/key.pem" --release-dir "$work/releases"
(cd examples/minimal && cargo build --quiet --locked --target-dir "$work/target" --message-format json) >"$work/messages"
for example in minimal workspace; do
  cargo metadata --format-version 1 --all-features --locked --manifest-path "examples/$example/Cargo.toml" >"$work/$example.json"
done
echo 'int f(int a) { return a ? f(a - 1) : 3; }' | cc -x c -c -o "$work/f.o" -

python3 - "$work" "$corpus" <<'PYTHON'
import base64, glob, gzip, json, os, pathlib, sys
work, corpus = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])

def seed(target, name, content):
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

def each(target, pattern):
    for number, path in enumerate(sorted(glob.glob(str(pattern), recursive=True))):
        seed(target, f"seed-{number}", pathlib.Path(path).read_bytes())

import hashlib, io, tarfile
content = {"artifacts/a": b"elf", "release.json": b"{}"}
listed = ",".join(f'{{"path":"{path}","size":{len(b)},"sha256":"{hashlib.sha256(b).hexdigest()}"}}' for path, b in content.items())
record = f'{{"format_version":1,"name":"a","version":"1","target":"t","files":[{listed}],"admission":{{"kind":"unsigned"}},"trusted_roots":[],"feeds":[],"inventory":"{"e" * 64}"}}\n'
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
    for path, b in [("record.json", record.encode())] + [(f"release/{path}", b) for path, b in content.items()]:
        member = tarfile.TarInfo(path)
        member.size = len(b)
        tar.addfile(member, io.BytesIO(b))
seed("archive_file", "small", packed.getvalue())
each("inventory", work / "releases/*/evidence/build.json")
each("lockfile", "examples/*/Cargo.lock")
root = pathlib.Path("cargo-supplychain/src/feeds/tuf/sigstore.dev.root.json").read_text()
names = ["root_history/17.root.json", "timestamp.json", "1.snapshot.json", "targets.json"]
seed("trust_state", "root", json.dumps({"format": 1, "complete": dict.fromkeys(names, root), "latest": {}}))
seed("lockfile", "v1", '[root]\nname = "a"\nversion = "0.1.0"\ndependencies = [\n "b 1.0.0 (registry+https://x/i)",\n]\n\n[[package]]\nname = "b"\nversion = "1.0.0"\nsource = "registry+https://x/i"\n\n[metadata]\n"checksum b 1.0.0 (registry+https://x/i)" = "' + "a" * 64 + '"\n')
seed("lockfile", "git", 'version = 4\n\n[[package]]\nname = "b"\nversion = "1.0.0-rc.1+x"\nsource = "git+https://x/b?branch=main#' + "1" * 40 + '"\n')
seed("lockfile", "part", open("Cargo.lock").read()[:16000].rsplit("[[package]]", 1)[0])
each("manifest", "examples/**/Cargo.toml")
seed("manifest", "own", open("cargo-supplychain/Cargo.toml").read())
seed("manifest", "forms", '[target."cfg(unix)".dependencies]\na = { git = "https://x/a", rev = "1" }\n[patch.crates-io]\nb = { path = "../b", package = "c" }\n[replace]\n"d:1.0.0" = { git = "https://x/d" }\n[workspace.dependencies]\ne.workspace = true\n')
each("policy", "examples/*/supplychain.toml")
policy = '[build]\nfail-on = "low"\n[rules]\nrequire = ["lock"]\n"source/git-unpinned" = "off"\n"source/registry-not-allowed" = { level = "high", allow = ["https://x/i"] }\n[advisories]\nmax-age = "7d"\n[[exemptions]]\nid = "RUSTSEC-2026-0001"\npackage = "a"\nversion = "1.0.0"\nreason = "r"\nexpires = 2026-12-31\n[sign]\nmethod = "key"\nkey = "k.pem"\n[verify]\nkey = "k.pub"\nrequire-fresh-target = true\n'
seed("policy", "all", policy)
entry = {"certificate": "MIIC", "transparency_entries": [{"logIndex": "1"}]}
attestation = {"version": 1, "verification_material": entry, "envelope": {"statement": "e30=", "signature": "MEUC"}}
seed("collection", "object", json.dumps(attestation))
seed("collection", "provenance", json.dumps({"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": [attestation]}]}))
page = json.dumps({"attestations": [{"bundle": {"mediaType": "x"}, "bundle_url": "", "repository_id": 1}, {"bundle": None, "bundle_url": "https://x/y"}]})
for target in ["collection", "attestation_api"]:
    seed(target, "page", page)
seed("attestation_api", "link", '<https://x/y?per_page=100&after=Y3%3D>; rel="next", <https://x/y?before=1>; rel="prev"')
# Snappy: the length, a literal of six bytes, a copy of the last ones.
seed("attestation_api", "snappy", bytes([0x0e, 0x14]) + b'{"a":1' + bytes([0x11, 0x06]))
seed("baseline", "all", 'version = 1\n\n[[crate]]\nname = "a"\nsource = "sparse+https://x/i/"\nrepository = "https://x"\nbuild-script = true\nproc-macro = false\nnative-code = false\nblobs = false\nlinks = "z"\nowners = [\n    { kind = "user", id = 1, login = "u", first-seen = 2026-01-02 },\n    { kind = "team", id = 1, login = "t", first-seen = 2026-01-02T03:04:05Z },\n]\npublishers = [\n    { id = 1, login = "u" },\n    { provider = "github", repository = "o/r" },\n]\ndependencies = [\n    "b",\n]\nversions = [\n    { version = "1.0.0-rc.1+x", checksum = "' + "e" * 64 + '", published = 2026-01-02, publisher = { id = 1, login = "u" } },\n]\n\n[[crate]]\nname = "b"\nowners = []\n')
config = '[build]\nrustc-wrapper = "w"\nrustflags = ["-C", "linker=x", "-Clink-arg=y"]\ntarget = ["a", "b"]\n[target.\'cfg(unix)\']\nrunner = "r"\n[env]\nLD_PRELOAD = { value = "x", force = true }\n[source.crates-io]\nreplace-with = "v"\n[source.v]\nregistry = "sparse+https://x/i"\n[registries.c]\nindex = "https://x"\ntoken = "t"\ncredential-provider = ["cargo:token-from-stdout", "p"]\n[alias]\nb = "build"\n[profile.release.package.a]\nopt-level = 3\n[patch.crates-io]\na = { path = "a" }\n[unstable]\ncodegen-backend = true\n'
environment = "CARGO_BUILD_RUSTFLAGS=-C opt-level=1\nRUSTC_WRAPPER=w\nCARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=l\n"
seed("cargo_config", "all", f"=== config\ninclude = ['i.toml', {{ path = 'no.toml', optional = true }}]\n{config}=== included\nnet.offline = true\n=== argument\nbuild.rustc='x'\n=== argument\nprofile.dev.opt-level=1\n=== environment\n{environment}")
for name, text in [("channel", "[toolchain]\nchannel = \"1.95.0\"\ncomponents = ['clippy']\n"), ("path", "[toolchain]\npath = \"/x\"\n"), ("legacy", "nightly\n")]:
    seed("toolchain_file", name, text)
line = lambda version, rest="": f'{version}\0{{"name":"abcd","vers":"{version}","deps":[],"cksum":"{"e" * 64}"{rest}}}\0'
head = "\3\2\0\0\0etag: \"x\"\0"
seed("index_entry", "short", head + line("1.0.0", ',"yanked":true') + line("1.0.1+b.2", ',"pubtime":"2026-01-02T03:04:05Z"'))
seed("index_entry", "other", head + line("2.0.0"))
full = lambda version, rest="": f'{{"name":"abcd","vers":"{version}","deps":[{{"name":"b","req":"^1","features":[],"optional":true,"default_features":true,"target":"cfg(unix)","kind":"build","registry":null,"package":"c"}}],"cksum":"{"e" * 64}","features":{{}},"yanked":false{rest}}}'
seed("index_entry", "snapshot", "\n".join([full("1.0.0", ',"pubtime":"2026-01-02T03:04:05Z"'), full("1.0.1+b.2", ',"links":"z"'), full("2.0.0-rc.1")]))
seed("index_entry", "whole", head + "".join(f"{version}\0{full(version)}\0" for version in ["1.0.0", "1.0.1+b.2"]))
lines = [full("1.0.0", ',"pubtime":"2026-01-02T03:04:05Z"'), full("1.0.1+b.2", ',"links":"z"'), full("2.0.0-rc.1")]
seed("index_line", "list", "[" + ",".join(lines) + "]")
seed("index_line", "lines", "\n".join(lines))
user = '{"id":7,"login":"x","name":null,"avatar":null,"url":"https://github.com/x"}'
pkt = lambda text: f"{len(text) + 4:04x}{text}"
listed = [("1" * 40, "HEAD\0symref=HEAD:refs/heads/main"), ("1" * 40, "refs/heads/main"), ("2" * 40, "refs/pull/1/head"), ("3" * 40, "refs/tags/v1"), ("1" * 40, "refs/tags/v1^{}")]
seed("github_refs", "list", pkt("# service=git-upload-pack\n") + "0000" + "".join(pkt(f"{id} {name}\n") for id, name in listed) + "0000")
seed("github_event", "request", '{"repository":{"visibility":"public"},"number":5,"pull_request":{"number":5,"head":{"sha":"' + "1" * 40 + '","repo":{"full_name":"o/r"}},"base":{"sha":"' + "2" * 40 + '","repo":{"full_name":"o/r"}}}}')
seed("github_event", "push", '{"repository":{"private":false}}')
release_of = '{"id":9,"upload_url":"https://uploads.github.com/u{?name,label}","assets":[{"id":1,"name":"a b","state":"starter","digest":null}]}'
comments = '[{"id":3,"body":"<!-- m --> old","user":{"type":"Bot"}}]'
# Answers are taken from the end; the first byte of each is its status: ` 200, a 201, b 204, e 403, g 422.
seed("github_api", "attestation", 'a{"id":7}')
seed("github_api", "comment", "\0".join(["a{}", "`" + comments]))
seed("github_api", "asset", "\0".join(['`[{"id":1,"name":"a b","state":"uploaded","digest":"sha256:00"}]', "g{}", "b", "`" + release_of]))
seed("github_api", "refused", 'e{"message":"Resource not accessible"}')
seed("github_refs", "comparison", '{"status":"diverged","ahead_by":1,"files":[]}')
seed("registry_api", "crate", '{"crate":{"id":"a","name":"a","repository":"https://github.com/o/a","trustpub_only":true}}')
seed("registry_api", "owners", f'{{"users":[{user[:-1]},"kind":"user"}},{{"id":7,"login":"github:o:t","kind":"team"}}]}}')
seed("registry_api", "versions", f'{{"versions":[{{"crate":"a","num":"1.1.0","created_at":"2026-01-02T03:04:05.6Z","yanked":false,"published_by":null,"trustpub_data":{{"provider":"github","repository":"o/a","run_id":"1","sha":"0"}},"audit_actions":[]}},{{"crate":"a","num":"1.0.0","yanked":true,"published_by":{user},"trustpub_data":null,"audit_actions":[{{"action":"yank","user":{user},"time":"2020-01-02T03:04:05Z"}}]}}],"meta":{{"total":2,"next_page":"?per_page=100&seek=x"}}}}')
package = "[package]\nname = 'a'\nlinks = 'z'\nbuild = 'build.rs'\n[lib]\nproc-macro = true\n"
script = 'mod help;\n#[cfg(test)]\nmod tests { }\nfn main() { Command::new("sh").arg("-c"); println!("cargo:rustc-link-search={}", "lib"); }'
library = '#[link(name = "x")]\nextern "C" {}\nstatic A: &[u8] = include_bytes!("../t.bin");\nfn a() { quote! { r#"x"# }; unsafe { b(1) } }'
more = ["help.rs", 'use std::net::TcpStream; // "x"', "lib/libx.a", "!<arch>\n" + " " * 80, ".cargo_vcs_info.json", '{"git":{"sha1":"ab"}}']
seed("capabilities", "all", "\0".join([package, script, library, *more]))

def tar(*files):
    out = b""
    for kind, name, content in files:
        head = bytearray(512)
        head[:len(name)] = name.encode()
        head[100:108], head[124:136], head[156:157], head[257:265] = b"0000644\0", b"%011o\0" % len(content), kind, b"ustar\x0000"
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        out += bytes(head) + content + b"\0" * (-len(content) % 512)
    return out + b"\0" * 1024

archive = tar((b"5", "a-1.0.0/", b""), (b"0", "a-1.0.0/Cargo.toml", b"[package]"), (b"L", "l/", b"a-1.0.0/" + b"d" * 120 + b"\0"), (b"0", "a-1.0.0/cut", b"x"), (b"x", "l/x", b"20 path=a-1.0.0/pax\n"), (b"0", "a-1.0.0/p", b"y"))
seed("crate_file", "tar", archive)
seed("crate_file", "gzip", gzip.compress(archive, mtime=0))
seed("vendor_list", "real", json.dumps({"files": {"Cargo.toml": "e" * 64, "src/lib.rs": "0" * 64}, "package": "a" * 64}))
seed("vendor_list", "git", '{"$message":"x","files":{},"package":null}')
each("workflow", ".github/workflows/*.yml")
workflow = "on:\n  pull_request_target:\n  push: {tags: ['v*']}\njobs:\n  release:\n    permissions: {id-token: write}\n    steps:\n      - uses: actions/checkout@v4\n        with: {ref: '${{ github.event.pull_request.head.sha }}'}\n      - uses: Swatinem/rust-cache@v2\n      - run: |\n          echo \"${{ contains(github.head_ref, 'x') && env.A || github.event.issue.title }}\"\n"
seed("workflow", "all", workflow)
seed("workflow", "action", "runs:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.a }}\n      shell: bash\n")
audits = '[criteria.own]\ndescription = "d"\nimplies = "safe-to-run"\n[[audits.a]]\nwho = ["A <a@x>", "B"]\ncriteria = ["own", "safe-to-deploy"]\nversion = "1.0.0"\nnotes = "n"\n[[audits.a]]\nwho = "A"\ncriteria = "safe-to-run"\ndelta = "1.0.0 -> 1.0.1"\n[[audits.a]]\nwho = "A"\ncriteria = "safe-to-deploy"\nviolation = "<0.9, >=0.1"\n[[trusted.b]]\ncriteria = "safe-to-deploy"\nuser-id = 7\nstart = "2020-01-01"\nend = "2027-01-01"\n[[wildcard-audits.b]]\nwho = "A"\ncriteria = "safe-to-deploy"\nuser-id = 7\nstart = "2020-01-01"\nend = "2027-01-01"\n'
vet = '[cargo-vet]\nversion = "0.10"\n[imports.o]\nurl = "https://x/audits.toml"\n[imports.o.criteria-map]\nother = "safe-to-deploy"\n[policy.a]\naudit-as-crates-io = true\n[[exemptions.c]]\nversion = "1.0.0"\ncriteria = "safe-to-deploy"\n'
seed("audits", "all", f"=== audits\n{audits}=== imports\n{audits.replace('[[audits', '[[audits.o.audits').replace('[criteria.own', '[audits.o.criteria.other')}=== config\n{vet}")
deny = '[graph]\ntargets = ["x86_64-unknown-linux-gnu"]\n[advisories]\ndb-urls = ["https://x/db"]\nyanked = "deny"\nunmaintained = "workspace"\nignore = ["RUSTSEC-2026-0001", { id = "RUSTSEC-2026-0002", reason = "r" }, { crate = "a@1.0.0" }]\n[licenses]\nallow = ["MIT", "Apache-2.0 WITH LLVM-exception"]\nconfidence-threshold = 0.8\nexceptions = [{ allow = ["Zlib"], crate = "a" }]\n[[licenses.clarify]]\ncrate = "ring"\nexpression = "MIT AND ISC"\nlicense-files = [{ path = "LICENSE", hash = 0xbd0eed23 }]\n[bans]\nmultiple-versions = "deny"\nwildcards = "allow"\ndeny = [{ crate = "a@<1", use-instead = "b", wrappers = ["c"] }]\nskip = ["d@1.0.0"]\nskip-tree = [{ crate = "e", depth = 20 }]\n[bans.build]\nallow-build-scripts = ["a"]\n[sources]\nunknown-registry = "deny"\nunknown-git = "warn"\nallow-git = ["https://x/a"]\n[sources.allow-org]\ngithub = ["o"]\n'
seed("deny", "all", deny)
for number, text in enumerate(["MIT OR Apache-2.0\nMIT", "(LGPL-2.1+ WITH GCC-exception-2.0 AND GPL-3.0) OR BSD-3-Clause\nGPL-3.0-or-later", "MIT/Apache-2.0\nApache-2.0 WITH LLVM-exception", "LicenseRef-own AND DocumentRef-x:LicenseRef-y\nLicenseRef-own"]):
    seed("licence", f"seed-{number}", text)
each("advisory", "examples/*/advisory-db/**/*.md")
advisory = '```toml\n[advisory]\nid = "RUSTSEC-2026-0001"\npackage = "b"\ndate = "2026-08-20"\ncategories = ["memory-corruption"]\naliases = ["CVE-2026-1"]\ncvss = "CVSS:VECTOR"\n\n[versions]\npatched = ["~1.1.5", ">= 1.2.0"]\nunaffected = ["< 1.0.0"]\n```\n\n# Title\n'
vectors = ["3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"]
for number, vector in enumerate(vectors):
    seed("advisory", f"vector-{number}", advisory.replace("VECTOR", vector))

osv = '{"id":"GHSA-x","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"crates.io","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}'
kev = '{"catalogVersion":"1","dateReleased":"2025-08-25T17:04:19Z","count":1,"vulnerabilities":[{"cveID":"CVE-2023-4863","vendorProject":"a","product":"b GitHub Action","vulnerabilityName":"c","dateAdded":"2023-09-13"}]}'
epss = '#model_version:v2026.06.15,score_date:2026-09-21T12:03:23Z\ncve,epss,percentile\nCVE-2023-4863,0.42,0.88\n'
jvn = '<r xmlns:s="u"><item><title>t</title><s:identifier>JVNDB-2023-000001</s:identifier><s:references source="CVE" id="CVE-2022-4664">u</s:references></item></r>'
eol = '{"result":[{"name":"openssl","releases":[{"name":"3.6","eolFrom":"2026-11-01","isEol":true}]}]}'
for number, text in enumerate([osv, kev, epss, '{"dataType":"CVE_RECORD"}', jvn, eol]):
    seed("source", f"kind-{number}", chr(number) + text)

release = pathlib.Path(next(glob.iglob(str(work / "releases/*/"))))
files = {str(path.relative_to(release)): path for path in release.rglob("*") if path.is_file()}
content = {}
for path, file in sorted(files.items()):
    if path == "attestations/release.sigstore.json" or path.startswith("artifacts/") or path.endswith("sarif"):
        content.update({path: "x"} if path.startswith("artifacts/") else {})
    elif path.startswith("attestations/"):
        bundle = file.read_bytes()
        statement = base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"])
        name = path.split("/")[1]
        seed("bundle", name, bundle)
        seed("statement", name, statement)
        seed("strict_json", name, statement)
        seed("verify_file", name, statement)
        content[path] = json.loads(statement)
    elif path.endswith(".json"):
        content[path] = json.loads(file.read_bytes())
    else:
        content[path] = file.read_text()
# A small release is mutated faster: of the documents only the parts that a verification reads, of the guides nothing.
brief = {"bomFormat", "spdxVersion", "metadata", "name", "component", "version", "buildDefinition", "runDetails"}
for path, value in list(content.items()):
    document = value.get("predicate") if path.startswith("attestations/") else value
    if path == "SHA256SUMS":
        del content[path]
    elif isinstance(document, str) or path.split("/")[0] in ("reports", "evidence"):
        content[path] = "x"
    elif path.startswith(("attestations/", "sbom/")):
        for key in set(document) - brief:
            del document[key]
content["release.json"]["files"] = [file for file in content["release.json"]["files"] if file["path"] in content]
for folder in {os.path.dirname(path) for path in content} - {""}:
    content[folder] = None
seed("verify_release", "minimal", json.dumps(content, separators=(",", ":")))
seed("strict_json", "numbers", '[0,-1,1.5e3,18446744073709551615,"\\ud83d\\ude00",true,null,{"a":{}}]')
seed("verify_file", "two", json.dumps([content[path] for path in sorted(content) if path.endswith("sigstore.json")]))
seed("report", "real", files["reports/report.json"].read_bytes())
seed("public_key", "pem", files["evidence/signer.pub"].read_bytes())
pem = files["evidence/signer.pub"].read_text()
seed("public_key", "der", base64.b64decode("".join(pem.splitlines()[1:-1])))
for name in ["key.pem", "encrypted.pem"]:
    seed("private_key", name, (work / name).read_bytes())
messages = (work / "messages").read_bytes()
seed("messages", "all", messages)
for number, message in enumerate(messages.splitlines()):
    seed("messages", f"line-{number}", message)
seed("messages", "script", '{"reason":"build-script-executed","package_id":"path+file:///w#0.1.0","linked_libs":["static=z"],"linked_paths":["native=/l"],"cfgs":[],"env":[["A","b"]],"out_dir":"/o"}')
for name in ["minimal", "workspace"]:
    seed("plan", name, (work / f"{name}.json").read_bytes())
for number, condition in enumerate(['cfg(all(unix, not(target_os = "linux")))', "x86_64-pc-windows-gnu", "cfg(any())"]):
    seed("conditions", f"seed-{number}", condition)
seed("difference", "object", b"\x01\x40" + (work / "f.o").read_bytes())
seed("functions", "object", (work / "f.o").read_bytes())
seed("functions", "source", "#[cfg(test)] use a::{f as g}; impl A { #[inline] pub fn f(&self) { self.f(\"f\") } } m! { f }")
seed("native_files", "object", (work / "f.o").read_bytes())
for number, header in enumerate(['#define ZLIB_VERSION "1.3.2"', "#define LLHTTP_VERSION_MAJOR 9", "MAJOR=3\nMINOR=6\nPATCH=3", "AC_INIT([libwebp], [1.5.0])"]):
    seed("native_files", f"header-{number}", header)
part = '"name":"a","version":"1.0.0"'
seed("bom", "cyclonedx", f'{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{{"component":{{"bom-ref":"r",{part}}}}},"components":[{{"bom-ref":"a",{part},"purl":"pkg:cargo/a@1.0.0","hashes":[{{"alg":"SHA-256","content":"ab"}}],"licenses":[{{"expression":"MIT"}}],"components":[{{{part}}}]}}],"dependencies":[{{"ref":"r","dependsOn":["a"]}}]}}')
seed("bom", "spdx2", '{"spdxVersion":"SPDX-2.3","SPDXID":"D","creationInfo":{"creators":["Tool: a-1"]},"packages":[{"SPDXID":"a","name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:cargo/a@1.0.0"}]}],"relationships":[{"spdxElementId":"D","relationshipType":"DESCRIBES","relatedSpdxElement":"a"}]}')
seed("bom", "spdx3", '{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"software_Package","spdxId":"a","name":"a"},{"type":"Relationship","from":"a","to":["a"],"relationshipType":"dependsOn"}]}')
seed("vex", "openvex", '{"@context":"https://openvex.dev/ns/v0.2.0","@id":"i","author":"a","timestamp":"2026-01-02T03:04:05Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-1","aliases":["GHSA-1"]},"products":[{"@id":"pkg:cargo/a@1","identifiers":{"purl":"pkg:cargo/a@1"},"subcomponents":[{"@id":"pkg:generic/b"}]}],"status":"not_affected","justification":"component_not_present"}]}')
seed("vex", "cyclonedx", '{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"authors":[{"name":"a"}],"component":{"bom-ref":"r","name":"a","purl":"pkg:cargo/a@1"}},"components":[{"bom-ref":"c","purl":"pkg:cargo/b@1"}],"vulnerabilities":[{"id":"CVE-2026-1","references":[{"id":"GHSA-1"}],"analysis":{"state":"not_affected","justification":"code_not_present","detail":"d","lastUpdated":"2026-01-02T03:04:05Z"},"affects":[{"ref":"c"},{"ref":"urn:cdx:x/1#pkg%3Acargo/b"}]}]}')
seed("vex", "csaf", '{"document":{"category":"csaf_vex","csaf_version":"2.0","publisher":{"name":"a"},"tracking":{"status":"final","current_release_date":"2026-01-02T03:04:05Z"}},"product_tree":{"branches":[{"category":"product_version","name":"1","product":{"name":"a","product_id":"A","product_identification_helper":{"purl":"pkg:cargo/a@1"}}}],"full_product_names":[{"name":"b","product_id":"B"}],"relationships":[{"category":"default_component_of","product_reference":"A","relates_to_product_reference":"B","full_product_name":{"name":"a in b","product_id":"C"}}],"product_groups":[{"group_id":"G","product_ids":["C"]}]},"vulnerabilities":[{"cve":"CVE-2026-1","ids":[{"text":"x"}],"product_status":{"known_not_affected":["C"]},"flags":[{"label":"component_not_present","group_ids":["G"]}],"threats":[{"category":"impact","details":"d","product_ids":["C"]}]}]}')
seed("bom_text", "cyclonedx", '<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components><component type="library" bom-ref="a"><name>a</name><version>1</version><hashes><hash alg="SHA-256">ab</hash></hashes><licenses><expression>MIT</expression></licenses><purl>pkg:cargo/a@1</purl></component></components><dependencies><dependency ref="a"/></dependencies></bom>')
seed("bom_text", "swid", '<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" name="a" tagId="t"><Payload><File name="f" SHA256:hash="ab"/></Payload></SoftwareIdentity>')
seed("bom_text", "tags", "SPDXVersion: SPDX-2.3\nSPDXID: D\nPackageName: a\nSPDXID: a\nPackageChecksum: SHA1: ab\nExternalRef: PACKAGE-MANAGER purl pkg:cargo/a@1\nRelationship: D DESCRIBES a\n")
seed("bom_text", "elf", (work / "f.o").read_bytes())
for number, word in enumerate(["2026-01-02T03:04:05Z", "2026-01-02", "e" * 64, "https://u:p@x/y?token=z", "sbom/a.cdx.json", "\x1b[31m\u202e"]):
    seed("words", f"seed-{number}", word)
lock = open("examples/minimal/Cargo.lock").read() + '\n[[package]]\nname = "b"\nversion = "1.0.0"\nsource = "git+https://x/b?branch=main#' + "1" * 40 + '"\n'
manifest = open("examples/minimal/Cargo.toml").read() + 'b = { git = "https://x/b", branch = "main" }\nc = "*"\nd = { path = "../../d" }\n'
source = "registry+https://github.com/rust-lang/crates.io-index"
registry = lambda name, version: f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "{source}"\nchecksum = "{"e" * 64}"\n'
changed = lambda version: registry("a", version) + registry("abcd", "1.0.0")
by = lambda number, who: f'{{"crate":"a","num":"{number}","created_at":"2026-08-20T00:00:00Z","yanked":false,"published_by":{{"id":{who},"login":"u{who}","created_at":"2026-08-01T00:00:00Z"}},"trustpub_data":null,"audit_actions":[]}}'
people = f'=== crate a\n{{"crate":{{"id":"a","name":"a","repository":"https://github.com/o/a"}}}}\n=== owners a\n{{"users":[{user[:-1]},"kind":"user"}}]}}\n=== versions a\n{{"versions":[{by("1.1.0", 9)},{by("1.0.0", 7)}],"meta":{{"total":2,"next_page":null}}}}\n'
index = "=== index a\n" + "\n".join([full("1.0.0", ',"pubtime":"2020-01-02T03:04:05Z"'), full("1.1.0", ',"pubtime":"2026-08-20T00:00:00Z"')]).replace("abcd", "a") + f"\n=== index abcd\n{full('1.0.0')}\n"
known = 'version = 1\n[[crate]]\nname = "a"\nbuild-script = false\nowners = [{ kind = "user", id = 1, login = "u", first-seen = 2020-01-02 }]\nversions = [{ version = "1.0.0", published = 2020-01-02 }]\n'
files = f"=== source a 1.0.0\n[package]\nname = 'a'\n=== source a 1.1.0\n" + "\0".join([package, script, library])
seed("check", "takeover", f'=== Cargo.lock\nversion = 4\n{changed("1.1.0")}=== before\nversion = 4\n{changed("1.0.0")}=== supplychain.lock\n{known}{people}{index}=== workflow\n{workflow}=== audits\n{audits}=== integrity\nsrc/lib.rs\n{files}')
seed("check", "all", f'=== Cargo.lock\n{lock}=== Cargo.toml\n{manifest}=== config\n{config}=== environment\n{environment}=== toolchain\n[toolchain]\nchannel = "nightly"\n=== policy\n{policy}=== advisory\n{advisory.replace("VECTOR", vectors[0])}')
PYTHON
ls "$corpus" | wc -l
