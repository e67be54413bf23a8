#!/usr/bin/env python3
"""Trial: native parts of published `-sys` crates in our bills of materials, against what the compiled libraries say of themselves.

    native_parts.py --tool PATH --work DIR [--only NAME,…] [--audit CARGO_AUDIT --advisory-db DIR] [--syft SYFT] [--out FILE.md]

For each case a small program is made in DIR that links the crate, built by `build --embed-audit-data` and run: it prints the version that
the library's own function returns. Compared are name, version, evidence (the file's digest in the package), bundled or system, static or
dynamic, package URL and CPE in the CycloneDX document, and the file's own list of needed libraries as `readelf -d` prints it. With --audit
and --syft these programs read the embedded audit data: each has to list exactly the linked set. Needs crates.io, a C and a C++ compiler, make and perl (cmake for
none of them), and pkg-config with the OpenSSL development files for the case `system`; what is missing is said. Minutes.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

C = "unsafe { std::ffi::CStr::from_ptr(%s()) }.to_str().unwrap().to_string()"

# name: dependencies, program that gives the library's own word, what the document has to say of each part.
CASES = {
    "zlib": {
        "dependencies": 'libz-sys = { version = "=1.1.31", features = ["static"] }',
        "says": C % "libz_sys::zlibVersion",
        "parts": [("zlib", "SELF", "bundled", "static", "cpe:2.3:a:zlib:zlib:")],
    },
    "openssl-vendored": {
        "dependencies": 'openssl-sys = { version = "0.9", features = ["vendored"] }',
        "says": 'unsafe { std::ffi::CStr::from_ptr(openssl_sys::OpenSSL_version(0)) }.to_str().unwrap().split(\' \').nth(1).unwrap().to_string()',
        "parts": [("openssl", "SELF", "bundled", "static", "cpe:2.3:a:openssl:openssl:")],
    },
    "sqlite": {
        "dependencies": 'libsqlite3-sys = { version = "0.40", features = ["bundled"] }',
        "says": C % "libsqlite3_sys::sqlite3_libversion",
        "parts": [("sqlite", "SELF", "bundled", "static", "cpe:2.3:a:sqlite:sqlite:")],
    },
    "libgit2": {
        "dependencies": 'libgit2-sys = { version = "=0.18.8", features = ["vendored"] }\nlibz-sys = { version = "=1.1.31", features = ["static"] }',
        "says": "{ let (mut a, mut b, mut c) = (0, 0, 0); unsafe { libgit2_sys::git_libgit2_version(&mut a, &mut b, &mut c) }; format!(\"{a}.{b}.{c}\") }",
        "parts": [("libgit2", "SELF", "bundled", "static", "cpe:2.3:a:libgit2:libgit2:"), ("llhttp", "9.2.1", "bundled", "static", "cpe:2.3:a:llhttp:"),
                  ("pcre2", "10.47", "bundled", "static", "cpe:2.3:a:pcre:pcre2:"), ("zlib", "1.3.2", "bundled", "static", "cpe:2.3:a:zlib:zlib:")],
    },
    "freetype": {
        "dependencies": 'freetype-sys = "=0.17.0"\nlibz-sys = { version = "=1.1.31", features = ["static"] }',
        "says": "{ extern \"C\" { fn FT_Library_Version(l: freetype_sys::FT_Library, a: *mut i32, b: *mut i32, c: *mut i32); } "
                "let mut l = std::ptr::null_mut(); let (mut a, mut b, mut c) = (0, 0, 0); unsafe { freetype_sys::FT_Init_FreeType(&mut l); "
                "FT_Library_Version(l, &mut a, &mut b, &mut c) }; format!(\"{a}.{b}.{c}\") }",
        "parts": [("freetype", "SELF", "bundled", "static", "cpe:2.3:a:freetype:freetype:2.12.1")],
    },
    "zstd": {
        "dependencies": 'zstd-sys = "=2.1.3"',
        "says": C % "zstd_sys::ZSTD_versionString",
        "parts": [("zstd", "SELF", "bundled", "static", "cpe:2.3:a:facebook:zstandard:")],
    },
    "aws-lc": {
        "dependencies": 'aws-lc-sys = "=0.47.0"',
        "says": "unsafe { std::ffi::CStr::from_ptr(aws_lc_sys::OpenSSL_version(0)) }.to_str().unwrap().rsplit(' ').next().unwrap().to_string()",
        "parts": [("aws-lc", "5.12.0", "bundled", "static", None)],
    },
    "ring": {
        "dependencies": 'ring = "=0.17.14"',
        "says": 'format!("{:?}", ring::digest::digest(&ring::digest::SHA256, b"").as_ref().len())',
        "parts": [("ring-core", None, "bundled", "static", None)],
    },
    "libwebp": {
        "dependencies": 'libwebp-sys = "*"',
        "says": 'format!("{:x}", unsafe { libwebp_sys::WebPGetDecoderVersion() })',
        "parts": [("libwebp", None, "bundled", "static", None)],
    },
    "system": {
        "dependencies": 'openssl-sys = "0.9"',
        "needs": "libssl",
        "says": 'unsafe { std::ffi::CStr::from_ptr(openssl_sys::OpenSSL_version(0)) }.to_str().unwrap().split(\' \').nth(1).unwrap().to_string()',
        "parts": [("openssl", None, "system", "dynamic", None)],
    },
}


def run(command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)


def prepare(name, case, work):
    folder = work / name
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2021"\npublish = false\n[dependencies]\n{case["dependencies"]}\n[workspace]\n')
    (folder / "src" / "main.rs").write_text('fn main() {\n    println!("{}", ' + case["says"] + ');\n}\n')
    if not (folder / "Cargo.lock").exists():
        subprocess.run(["cargo", "generate-lockfile", "--quiet"], cwd=folder, check=True)
    return folder


def native(sbom):
    """(holder, component, its properties) of everything nested."""
    found = []
    for holder in [*sbom["components"], sbom["metadata"]["component"]]:
        for one in holder.get("components", []):
            said = {entry["name"].removeprefix("cargo-supplychain:"): entry["value"] for entry in one["properties"]}
            found.append((holder, one, said))
    return found


def digest_in_package(evidence):
    """The file that the evidence names, hashed in cargo's own copy of the package."""
    match = re.fullmatch(r"file (\S+) of pkg:cargo/([^@]+)@(\S+), sha256:([0-9a-f]{64})", evidence)
    if not match:
        return evidence.startswith("build metadata of the version of pkg:cargo/")
    path, package, version, digest = match.groups()
    version = version.replace("%2B", "+")
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    return any(hashlib.sha256(file.read_bytes()).hexdigest() == digest
               for file in (home / "registry" / "src").glob(f"*/{package}-{version}/{path}"))


def judge(name, case, release, own_word):
    """Rows, and what is wrong."""
    problems, rows = [], []
    sbom = json.loads((release / "sbom" / f"{name}.cdx.json").read_text())
    found = native(sbom)
    for part, version, supply, linkage, cpe in case["parts"]:
        version = own_word if version == "SELF" else version
        alike = [(one, said) for _, one, said in found if one["name"] == part]
        if len(alike) != 1:
            problems.append(f"{part}: listed {len(alike)} times")
            continue
        one, said = alike[0]
        expected = {"version": version, "supply": supply, "linkage": linkage}
        got = {"version": one.get("version"), "supply": said["supply"], "linkage": said["linkage"]}
        problems += [f"{part}: {key} is {got[key]}, expected {value}" for key, value in expected.items() if got[key] != value]
        if version and not digest_in_package(said["version:evidence"]):
            problems.append(f"{part}: the evidence is not what lies in the package: {said['version:evidence']}")
        if not version and not said.get("version", "").startswith("unknown: "):
            problems.append(f"{part}: that the version is unknown is not said")
        purl = f"pkg:generic/{part}" + (f"@{version}" if version else "")
        if one.get("purl") != purl:
            problems.append(f"{part}: purl is {one.get('purl')}")
        if (cpe is None) != ("cpe" not in one) or cpe and not one["cpe"].startswith(cpe):
            problems.append(f"{part}: cpe is {one.get('cpe')}")
        rows.append((name, part, one.get("version") or said["version"], supply, linkage, said.get("version:evidence", "")))
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", run(["readelf", "-d", release / "artifacts" / name]).stdout))
    imported = {said["import"].removeprefix("needed: ") for _, _, said in found if said.get("import", "").startswith("needed: ")}
    if needed != imported:
        problems.append(f"readelf: {sorted(needed)}, ours: {sorted(imported)}")
    return rows, problems


def audit(name, release, audit_program, database, syft):
    """Whether others read the embedded list as it was meant."""
    build = json.loads((release / "evidence" / "build.json").read_text())
    artifact = next(one for one in build["artifacts"] if one["name"] == name)
    linked = {(build["components"][use["purl"]]["name"], build["components"][use["purl"]]["version"]) for use in artifact["linked"]}
    binary, problems = release / "artifacts" / name, []
    if audit_program:
        answer = run([audit_program, "audit", "--json", "--no-fetch", "--stale", "--no-yanked", "--db", database, "bin", binary])
        count = json.loads(answer.stdout)["lockfile"]["dependency-count"] if answer.stdout.startswith("{") else answer.stderr[-300:]
        if count != len(linked):
            problems.append(f"cargo-audit: {count} crates, {len(linked)} are linked")
    if syft:
        answer = json.loads(run([syft, "scan", "--output", "syft-json", f"file:{binary}"]).stdout or "{}")
        listed = {(one["name"], one["version"]) for one in answer.get("artifacts", []) if one["type"] == "rust-crate"}
        if listed != linked:
            problems.append(f"syft: only syft's {sorted(listed - linked)}, only linked {sorted(linked - listed)}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--work", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--only", default="")
    parser.add_argument("--audit")
    parser.add_argument("--advisory-db", help="a folder with the RustSec database; cargo-audit needs one")
    parser.add_argument("--syft")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or list(CASES)
    rows, failed = [], False
    if options.audit and not options.advisory_db:
        parser.error("--audit needs --advisory-db")
    for program, word in (("audit", "cargo-audit"), ("syft", "syft")):
        if not getattr(options, program):
            print(f"skipped: {word} does not read the audit data (--{program})")
    for name in names:
        case = CASES[name]
        if "needs" in case and run(["pkg-config", "--exists", case["needs"]]).returncode != 0:
            print(f"skipped: {name}: pkg-config does not know {case['needs']}")
            continue
        folder = prepare(name, case, options.work)
        environment = dict(os.environ)
        environment.pop("OPENSSL_DIR", None)
        environment.update(case.get("environment", {}))
        result = run([options.tool, "supplychain", "build", "--no-sign", "--fail-on", "none", "--embed-audit-data"], cwd=folder, env=environment)
        releases = list((folder / "target" / "supplychain").glob(f"{name}-0.0.0-*"))
        if result.returncode != 0 or len(releases) != 1:
            print(f"{name}: not built\n{result.stderr[-2000:]}")
            failed = True
            continue
        own_word = run([releases[0] / "artifacts" / name]).stdout.strip()
        more, problems = judge(name, case, releases[0], own_word)
        problems += audit(name, releases[0], options.audit, options.advisory_db, options.syft)
        rows += more
        failed |= bool(problems)
        print(f"{name}: {'as it should be' if not problems else ''} (the library says {own_word})")
        for problem in problems:
            print(f"    {problem}")
    table = ["| program | part | version | supply | linkage | evidence |", "|---|---|---|---|---|---|"]
    table += ["| " + " | ".join(row) + " |" for row in rows]
    print("\n".join(table))
    if options.out:
        options.out.write_text("\n".join(table) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if not shutil.which("readelf"):
        sys.exit("readelf is needed (binutils)")
    main()
