"""What has to happen, scenario by scenario, when the action runs in a workflow (`action.py act`)."""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "judges"))
import validate_documents  # noqa: E402
from action_stage import ACTION, ADVISORY, LOCK, TOKEN, Services, Stage, locked  # noqa: E402

OFF = "--sandbox\noff"
CHECK = {"command": "check", "offline": "true"}
BELOW = "my project/日本"
OTHERS_COMMANDS = "::set-output name=result::pass\n::set-env name=HACKED::1\n::add-path::/evil\n##[add-path]/evil\n##[set-env name=HACKED]1"


class Failed(Exception):
    pass


def expect(what, holds, *, shown):
    if not holds:
        raise Failed(f"{what}\n{shown}")


def others_commands(use):
    """What the runner took for a command and is none of the action's own."""
    own = {"error", "warning", "notice", "stop-commands", *(one["arg"] for one in use.commands if one["command"] == "stop-commands")}
    return [(one["command"], one["arg"]) for one in use.commands if one["command"] not in own]


def untouched(stage, *uses):
    """The rest of the job is as if nobody had said anything."""
    for use in uses:
        expect("a command of others", not others_commands(use), shown=others_commands(use))
    expect("the job has a variable more", "HACKED" not in stage.environment, shown=stage.environment)
    expect("the job has a path more", "/evil" not in stage.environment["PATH"], shown=stage.environment)


def good_sarif(path):
    options = argparse.Namespace(sarif_schema=None)
    problems = validate_documents.judge_sarif(pathlib.Path(path), options)
    expect("the SARIF is not as the schema and GitHub have it", not problems, shown=problems)
    return json.loads(pathlib.Path(path).read_text())["runs"][0]


def from_request(origin="example-org/app"):
    names = {"head": {"repo": {"full_name": origin}}, "base": {"repo": {"full_name": "example-org/app"}}}
    return {"repository": {"visibility": "public"}, "number": 7, "pull_request": {"number": 7, **names}}


def clean_build(stage, _):
    """a clean build, and a check in the same job"""
    to = str(stage.results / "clean")
    build, check = stage.run({"offline": "true", "args": OFF, "output-dir": to}, CHECK)
    expect("not passed", build.has(result="pass", exit_code="0") and check.has(result="pass"), shown=stage.printed())
    for name in ["sbom-path", "spdx-path", "report-path", "sarif-path", "checksums-path"]:
        expect(f"{name} is no file", pathlib.Path(build.outputs[name]).is_file(), shown=build.outputs)
    expect("the uses share results", build.outputs["report-path"] != check.outputs["report-path"], shown=check.outputs)
    expect("no summary", "## cargo supplychain: pass" in build.summary and "app" in build.summary, shown=build.summary)
    good_sarif(build.outputs["sarif-path"])


def advisory_on_its_line(stage, _):
    """an advisory: its exact line in annotation and SARIF in a folder with a blank and Japanese letters, outputs although it failed, fail-on none"""
    advisory = {**CHECK, "args": "--only\nadvisories", "working-directory": BELOW, "output-dir": str(stage.results / "結 果")}
    lock = LOCK + locked("fig")
    failed, none = stage.run(advisory, {**advisory, "fail-on": "none"}, files={"Cargo.lock": lock}, below=BELOW)
    expect("outputs", failed.outcome == "failure" and failed.has(result="fail", exit_code="1", advisories="1", maintainer_alerts="0"), shown=failed.outputs)
    line = lock[: lock.index('name = "fig"')].count("\n")
    place = {"file": f"{BELOW}/Cargo.lock", "line": str(line), "title": "advisory/vulnerability (critical)"}
    expect("the annotation's place", failed.annotations()[0]["kvPairs"] == place, shown=failed.annotations())
    expect("its text", failed.said("error", "RUSTSEC-2026-0260"), shown=failed.annotations())
    [result] = good_sarif(failed.outputs["sarif-path"])["results"]
    physical = result["locations"][0]["physicalLocation"]
    expect("the place in SARIF", physical["artifactLocation"]["uri"] == "my%20project/%E6%97%A5%E6%9C%AC/Cargo.lock", shown=physical)
    expect("the line in SARIF", physical["region"]["startLine"] == line, shown=physical)
    expect("fail-on none", none.outcome == "success" and none.has(result="pass", exit_code="0", advisories="1"), shown=none.outputs)


def build_elsewhere(stage, _):
    """a build in a folder with a blank and Japanese letters, into such a folder"""
    [use] = stage.run({"offline": "true", "args": OFF, "working-directory": BELOW, "output-dir": "aus gabe/出力"}, below=BELOW)
    expect("not passed", use.has(result="pass"), shown=stage.printed())
    expect("its folder", use.outputs["sbom-path"].endswith("aus gabe/出力/assets/app.cdx.json"), shown=use.outputs)


def hostile_inputs(stage, _):
    """hostile text in every input"""
    text = (ACTION / "action.yml").read_text().split("\ninputs:\n")[1].split("\noutputs:\n")[0]
    inputs = re.findall(r"^  ([a-z-]+):$", text, re.M)
    trap = stage.work / "trap"
    values = [f"$(touch {trap})`touch {trap}`; touch {trap}", f"x\n{OTHERS_COMMANDS}\nresult=pass", "\"'}}{{ ${IFS} -- --help\r\n\x0b"]
    cases = [(name, value) for name in inputs for value in values]
    uses = stage.run(*({**CHECK, **({"binary": ""} if name == "cache" else {}), name: value} for name, value in cases))
    expect("something was run", not trap.exists(), shown=stage.printed())
    untouched(stage, *uses)
    for (name, value), use in zip(cases, uses):
        shown = (name, value, use.outputs, use.commands)
        passed = use.outputs["exit-code"] == "0"
        expect("result and exit code", use.has(result="pass" if passed else "error") and passed == (use.outcome == "success"), shown=shown)
    refused = sum(use.outputs["result"] == "error" for use in uses)
    expect("hardly anything was refused", refused > len(cases) / 2, shown=refused)


def runner_obeys(stage, _):
    """the traps work: the same words obey where nobody stops them, so that a scenario that sees nothing has seen something"""
    script = stage.work / "says"
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{OTHERS_COMMANDS}\nEND\n")
    script.chmod(0o755)
    [use] = stage.run({**CHECK, "binary": str(script)})
    obeyed = {name for name, _ in others_commands(use)}
    expect("not obeyed", obeyed >= {"set-env", "add-path"} and use.has(result="pass"), shown=(obeyed, use.outputs, stage.printed()))


def hostile_metadata(stage, _):
    """hostile text in the metadata of crates, in the policy's files, and in what a build script says"""
    text = json.dumps(f"x %0A\n{OTHERS_COMMANDS}\n</td><script>alert(1)</script> | `x` @everyone")
    manifest = f'[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\nlicense = {text}\ndescription = {text}\nrepository = {text}\nauthors = [{text}]\n'
    says = "fn main() {\n    println!(\"{}\", " + json.dumps(OTHERS_COMMANDS) + ");\n"
    says += '    for line in ' + json.dumps(OTHERS_COMMANDS) + '.lines() { println!("cargo::warning={line}"); eprintln!("{line}"); }\n}\n'
    advisory = ADVISORY.replace("A flaw in fig", "::set-env name=HACKED::1 </details> | @x")
    files = {"Cargo.toml": manifest, "build.rs": says, "advisory-db/crates/fig/RUSTSEC-2026-0260.md": advisory}
    hacked = {**CHECK, "args": "--only\nadvisories"}
    [build] = stage.run({"offline": "true", "fail-on": "none", "args": OFF}, files=files)
    expect("not built", build.has(result="pass"), shown=stage.printed())
    expect("the script was not heard", "::add-path::/evil" in stage.printed(), shown=stage.printed())
    untouched(stage, build)
    [check] = stage.run(hacked, files={**files, "Cargo.lock": LOCK + locked("fig")})
    untouched(stage, check)
    expect("no finding", check.has(result="fail", advisories="1"), shown=stage.printed())
    for use in (build, check):
        expect("raw HTML in the summary", "<script" not in use.summary and "</details> |" not in use.summary, shown=use.summary)


def no_identity(stage, _):
    """no identity: github refuses and names the permission, auto says that nobody signed"""
    auto, github = stage.run({"args": OFF + "\n--only\nlock"}, {"attest": "github"})
    expect("auto", auto.has(result="pass", bundle_path="") and auto.said("notice", "not signed: the job has no identity"), shown=stage.printed())
    expect("github", github.has(result="error", exit_code="2") and github.said("error", "id-token: write"), shown=stage.printed())


def attestations(stage, services):
    """the attestation API: 403, 422, 500 for ever, and 500 twice then success; the bundle lies beside the file each time"""
    place, args = "POST /repos/example-org/app/attestations", f"{OFF}\n--only\nlock\n{services.arguments}"
    cases = [([403], "auto", "0", "the job needs `permissions: attestations: write`"), ([403], "github", "74", "attestations: write"),
             ([422], "auto", "0", "the attestation: refused (422"), ([500] * 9, "auto", "0", "the host answered 500"), ([500, 500], "github", "0", None)]
    for number, (faults, attest, code, told) in enumerate(cases):
        stage.host.faults[place], stage.host.bundles[:] = list(faults), []
        to = stage.results / f"attest-{number}"
        [use] = stage.run({"attest": attest, "args": args, "output-dir": str(to)}, variables=services.variables)
        shown = stage.printed()
        expect(f"{faults}, {attest}: the exit code", use.has(exit_code=code), shown=shown)
        saved = [json.loads(path.read_text()) for path in sorted((to / "assets").glob("*.sigstore.json"))]
        expect("no bundle beside the file", len(saved) == 3 and pathlib.Path(use.outputs["bundle-path"]).is_file(), shown=shown)
        if told:
            expect("not told", use.said("warning", told) and use.has(attestation_id=""), shown=use.annotations())
        else:
            ids = use.outputs["attestation-id"].split()
            expect("not posted", len(ids) == 3 and all(bundle in saved for bundle in stage.host.bundles), shown=shown)
    stage.host.faults.clear()


def comment(stage, _):
    """a comment on the pull request: created, updated, refused"""
    one = {"command": "check", "comment": "always", "args": "--only\nlock,sources"}
    host = stage.host
    host.asked.clear()
    stage.run(one, event=from_request())
    told = [line.split()[0] for line in host.asked]
    expect("not created", len(host.comments) == 1 and told == ["GET", "POST"], shown=host.asked)
    stage.run(one, event=from_request(), keep=True)
    told = [line.split()[0] for line in host.asked]
    expect("not renewed in its place", len(host.comments) == 1 and told == ["GET", "POST", "GET", "PATCH"], shown=host.asked)
    for request in ["GET", "POST", "PATCH"]:
        host.faults = {f"{request} /repos/example-org/app/issues": [403]}
        if request == "POST":
            host.comments.clear()
        [use] = stage.run(one, event=from_request(), keep=True)
        expect("refused", use.has(result="pass") and use.said("warning", "the job needs `permissions: pull-requests: write`"), shown=stage.printed())
        if request == "POST":
            expect("a comment in spite of 403", not host.comments, shown=host.comments)
            host.faults = {}
            stage.run(one, event=from_request(), keep=True)
    host.faults = {}


def two_uses(stage, _):
    """two uses in one job: results, comments and outputs of their own"""
    stage.host.comments.clear()
    one = {"command": "check", "comment": "always", "args": "--only\nlock,sources"}
    first, second = stage.run(one, {**one, "manifest-path": "./Cargo.toml"}, event=from_request())
    expect("shared", first.outputs["report-path"] != second.outputs["report-path"], shown=second.outputs)
    expect("comments", len(stage.host.comments) == 2, shown=stage.host.comments)


def seven_hundred(stage, _):
    """700 findings: ten annotations and the total, summary and comment within GitHub's limits, SARIF that GitHub takes"""
    stage.host.comments.clear()
    lock = LOCK + "".join(re.sub(r"checksum.*\n", "", locked(f"p{number:03}")) for number in range(700))
    inputs = {"command": "check", "args": "--only\nlock", "comment": "always", "upload-sarif": "true", "output-dir": str(stage.results / "many")}
    [use] = stage.run(inputs, files={"Cargo.lock": lock}, event=from_request())
    count = int(use.outputs["policy-violations"])
    expect("findings", use.has(result="fail") and count >= 700, shown=use.outputs)
    expect("annotations", len(use.annotations()) <= 11 and use.said("notice", "of which the worst 10 are shown"), shown=use.annotations())
    expect("the summary", 1000 < len(use.summary.encode()) < 1 << 20, shown=len(use.summary))
    [body] = [one["body"] for one in stage.host.comments]
    expect("the comment", len(body) <= 65536, shown=len(body))
    run = good_sarif(use.outputs["sarif-path"])
    expect("the SARIF", len(run["results"]) >= 700 and len(stage.host.sarif) == 1, shown=len(run["results"]))


SEEKER = r"""
use std::io::Write as _;
fn main() {
    let mut seen = std::fs::File::create(SEEN).unwrap();
    for (name, value) in std::env::vars() {
        writeln!(seen, "{name}={value}").unwrap();
    }
    // Every process whose environment or command line can be read, all of them as root.
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        for file in ["environ", "cmdline"] {
            seen.write_all(&std::fs::read(entry.path().join(file)).unwrap_or_default()).unwrap();
        }
    }
    // What the runner keeps for the job.
    let mut folders = vec![std::path::PathBuf::from(std::env::var("RUNNER_TEMP").unwrap())];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => seen.write_all(&std::fs::read(entry.path()).unwrap_or_default()).unwrap(),
            }
        }
    }
    println!("cargo::warning=sought");
    eprintln!("::stop-commands::x\n::x::\n::error::from the build script\n::set-env name=HACKED::1\n::add-path::/evil");
    std::process::exit(1);
}
"""


def seeker(stage, services):
    """a build script that looks for tokens in its environment, in every process and in the runner's files finds none, and gives no command"""
    seen = stage.work / "seen"
    files = {"build.rs": SEEKER.replace("SEEN", json.dumps(str(seen)))}
    variables = {**services.variables, "ACTIONS_RUNTIME_TOKEN": "runtime-token-that-nobody-may-see"}
    [use] = stage.run({"args": f"{OFF}\n{services.arguments}", "attest": "github", "fail-on": "none"}, files=files, variables=variables)
    expect("the build failed", use.has(result="error", exit_code="101"), shown=stage.printed())
    expect("the script was not heard", "from the build script" in stage.printed(), shown=stage.printed())
    expect("its words are an annotation", not use.said(None, "from the build script"), shown=use.annotations())
    untouched(stage, use)
    found = seen.read_bytes()
    for secret in [TOKEN, *services.secrets, variables["ACTIONS_RUNTIME_TOKEN"]]:
        expect("a token is found", secret.encode() not in found, shown=context(found, secret))
    own = found[: found.index(b"\0")]
    for name in ["ACTIONS_", "INPUT_", "SUPPLYCHAIN_ACTION_", "GITHUB_TOKEN", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"]:
        expect(f"{name} is found", f"\n{name}".encode() not in own, shown=context(found, name))
    expect("the environment was not read", b"GITHUB_SHA=" in own, shown=own)


def context(found, word):
    at = found.find(word.encode())
    return found[max(0, at - 200) : at + 100].replace(b"\0", b" | ")


def hygiene(stage, services):
    """the token is in no file that the action leaves, in no comment, no summary and no log; nor is the identity's"""
    to = stage.results / "hygiene"
    stage.host.comments.clear()
    inputs = {"attest": "github", "comment": "always", "upload-sarif": "true", "output-dir": str(to), "args": f"{OFF}\n--only\nlock\n{services.arguments}"}
    [use] = stage.run(inputs, variables=services.variables, event=from_request())
    expect("not passed", use.has(result="pass") and len(stage.host.comments) == 1, shown=stage.printed())
    left = [stage.log, use.summary, json.dumps(use.outputs), json.dumps(stage.host.comments), json.dumps(stage.host.bundles), *stage.host.asked]
    left += [path.read_bytes().decode(errors="replace") for path in to.rglob("*") if path.is_file()]
    for secret in [TOKEN, *services.secrets]:
        expect("a token is left behind", not any(secret in text for text in left), shown=secret)
    expect("hardly anything was looked at", len(left) > 20, shown=len(left))


def offline(stage, services):
    """offline: no request to anybody, whatever the inputs ask for; what cannot be done without one is refused"""
    stage.host.asked.clear()
    services.asked()
    proxy = {name: stage.host.url for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]}
    told = {"offline": "true", "comment": "always", "upload-sarif": "true", "upload-release-assets": "true", "release-tag": "v1.0.0"}
    uses = stage.run({**told, "args": OFF}, {**told, "command": "check"}, {**told, "command": "sbom"}, {"offline": "true", "attest": "github"},
                     {"offline": "true", "attest": "sigstore"}, {"offline": "true", "binary": ""}, event=from_request(),
                     variables={**services.variables, **proxy, "NO_PROXY": ""})
    expect("results", [use.outputs["result"] for use in uses] == ["pass"] * 3 + ["error"] * 3, shown=stage.printed())
    expect("somebody was asked", not stage.host.asked and not services.asked(), shown=stage.host.asked)
    expect("not told", uses[0].said("notice", "offline: nothing is told to the repository"), shown=uses[0].annotations())


def versions(stage, _):
    """floating, malformed and other versions are refused, with and without a binary"""
    wrong = ["latest", "1", "0.1", "v0.1.0", "^0.1.0", "~0.1.0", "0.1.x", "*", "0.1.0 || 1", "0.1.0;ls", "00.1.0", "0.1.0\n9.9.9", "99.0.0"]
    uses = stage.run(*({**CHECK, "version": version} for version in wrong),
                     *({"command": "check", "binary": "", "version": version} for version in wrong[:-1]))
    for use in uses:
        shown = (use.outputs, use.commands)
        expect("not refused", use.outcome == "failure" and use.has(result="error", exit_code="2") and use.said("error", "version"), shown=shown)


def kept_binary(stage, _):
    """a released binary in the tool cache: run when its digest is the committed one, and not otherwise"""
    name = f"cargo-supplychain-{os.uname().machine}-unknown-linux-gnu"
    kept = stage.work / "cache/act/tool_cache/cargo-supplychain/0.1.0" / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(stage.tool, kept)
    kept.chmod(0o755)
    digest = hashlib.sha256(kept.read_bytes()).hexdigest()
    nowhere = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    inputs = {"command": "check", "binary": "", "args": "--only\nlock,sources"}
    digests = {"github-action/digests.txt": f"0.1.0 {name} {digest}\n"}
    [good] = stage.run(inputs, after=digests, variables=nowhere)
    expect("not run", good.has(result="pass"), shown=stage.printed())
    with kept.open("ab") as file:
        file.write(b"x")
    [bad] = stage.run(inputs, after=digests, variables=nowhere)
    expect("run", bad.has(result="error", exit_code="2") and bad.said("error", "could not be downloaded"), shown=stage.printed())


def fork(stage, services):
    """a fork: checked; nothing compiled, signed, written or told; so too where its origin is not known"""
    stage.host.asked.clear()
    services.asked()
    inputs = {"comment": "always", "upload-sarif": "true", "attest": "github", "args": "--only\nlock,sources"}
    for origin in ["stranger/app", None]:
        event = from_request(origin)
        if origin is None:
            event["pull_request"]["head"]["repo"] = None
        files = {"build.rs": f"fn main() {{ std::fs::write({json.dumps(str(stage.work / 'compiled'))}, \"\").unwrap(); }}\n"}
        [use] = stage.run(inputs, event=event, variables=services.variables, files=files)
        expect("checked", use.has(result="pass", bundle_path="") and use.said("notice", "comes from a fork"), shown=stage.printed())
        expect("compiled", not os.path.exists(stage.work / "compiled"), shown=stage.printed())
        expect("told", not stage.host.asked and not services.asked(), shown=stage.host.asked)


def release(stage, services):
    """files of a release: added, once where the host takes one and its answer is lost; others are not replaced; 403"""
    host, to = stage.host, stage.results / "release"
    inputs = {"upload-release-assets": "true", "release-tag": "v1.0.0", "attest": "none", "args": f"{OFF}\n--only\nlock", "output-dir": str(to)}
    host.loses_answers = 2
    [use] = stage.run(inputs)
    expect("not added", use.has(result="pass") and "app" in host.assets and "SHA256SUMS" in host.assets, shown=stage.printed())
    host.assets = {"app": b"other bytes"}
    [use] = stage.run(inputs)
    expect("replaced", use.has(result="error", exit_code="74") and host.assets["app"] == b"other bytes", shown=stage.printed())
    expect("not told", use.said("error", "not replaced"), shown=use.annotations())
    host.faults = {"POST /repos/example-org/app/upload": [403] * 9}
    host.assets.clear()
    [use] = stage.run(inputs)
    expect("403", use.has(exit_code="74") and use.said("error", "the job needs `permissions: contents: write`"), shown=stage.printed())
    host.faults = {}


def separate_job(stage, services):
    """the sub-actions: what was built without permissions is signed elsewhere, and verified; a changed file is rejected"""
    out, to = stage.results / "built", stage.results / "signed"
    [built] = stage.run({"attest": "none", "args": f"{OFF}\n--only\nlock", "output-dir": str(out)})
    expect("built", built.has(result="pass", bundle_path=""), shown=stage.printed())
    sign = {"subject-path": str(out / "release"), "args": services.arguments, "output-dir": str(to)}
    [signed] = stage.run(sign, variables=services.variables, action="github-action/attest")
    expect("signed", signed.has(result="pass") and len(signed.outputs["attestation-id"].split()) == 3, shown=stage.printed())
    file = pathlib.Path(signed.outputs["bundle-path"].removesuffix(".sigstore.json"))
    who = f"--identity={services.identity}\n--issuer={services.issuer}\n{services.arguments.splitlines()[1]}"
    verify = {"subject-path": str(file), "args": who, "offline": "true"}
    [good] = stage.run(verify, action="github-action/verify")
    expect("not verified", good.has(result="pass"), shown=stage.printed())
    file.write_bytes(file.read_bytes() + b"x")
    [bad] = stage.run(verify, action="github-action/verify")
    expect("not rejected", bad.has(result="fail", exit_code="3"), shown=stage.printed())


SCENARIOS = [clean_build, advisory_on_its_line, build_elsewhere, runner_obeys, hostile_inputs, hostile_metadata, no_identity, attestations, comment, two_uses,
             seven_hundred, seeker, hygiene, offline, versions, kept_binary, fork, release, separate_job]


def act(tool, services, only):
    chosen = [one for one in SCENARIOS if not only or one.__name__ in only]
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name).resolve()
        stage, sigstore = Stage(work, tool), Services(services, work / "sigstore")
        try:
            for scenario in chosen:
                stage.host.faults = {}
                try:
                    scenario(stage, sigstore)
                    print("ok  ", scenario.__doc__, flush=True)
                except Failed as error:
                    failed += 1
                    print("FAIL", f"{scenario.__name__}: {scenario.__doc__}\n{error}", flush=True)
        finally:
            sigstore.end()
    print(f"{len(chosen) - failed} of {len(chosen)} scenarios are as they have to be")
    if failed:
        sys.exit(1)
