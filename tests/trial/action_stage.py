"""What the action is tried on: `act` in host mode on this machine, a repository's host that speaks GitHub's API, and the test suite's Sigstore.

Nothing here judges; the scenarios are in action_scenarios.py.
"""
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACTION = ROOT / "github-action"
CHECKOUT = re.search(r"actions/checkout@[0-9a-f]{40}", (ROOT / ".github/workflows/ci.yml").read_text())[0]
UPLOAD = re.search(r"actions/upload-artifact@[0-9a-f]{40}", (ACTION / "action.yml").read_text())[0]
REPOSITORY = "example-org/app"
TOKEN = "ghs_token-that-nobody-may-see"
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
PROJECT = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\nlicense = "MIT"\n',
    "Cargo.lock": LOCK,
    "src/main.rs": "fn main() {}\n",
    "supplychain.toml": POLICY,
    "advisory-db/crates/fig/RUSTSEC-2026-0260.md": ADVISORY,
    ".gitignore": "target\n",
}


def locked(name, version="1.2.3"):
    """A package of Cargo.lock."""
    source = "registry+https://github.com/rust-lang/crates.io-index"
    return f'\n[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "{source}"\nchecksum = "{"0" * 64}"\n'


def program(name):
    beside = pathlib.Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name) or sys.exit(f"error: {name} is not installed")


def write(folder, files):
    for path, text in files.items():
        path = folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Host(http.server.ThreadingHTTPServer):
    """A repository's API. `faults`: by the beginning of a request, the statuses that come first; `loses_answers`: so many
    uploads are taken and answered by 502."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked, self.comments, self.bundles, self.sarif, self.assets, self.faults = [], [], [], [], {}, {}
        self.loses_answers = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def release(self):
        return {"id": 1, "upload_url": f"{self.url}/repos/{REPOSITORY}/upload{{?name,label}}", "assets": self.listed()}

    def listed(self):
        sha256 = lambda content: f"sha256:{hashlib.sha256(content).hexdigest()}"  # noqa: E731
        files = enumerate(self.assets.items())
        return [{"id": at, "name": name, "state": "uploaded", "size": len(content), "digest": sha256(content)} for at, (name, content) in files]


class Answers(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        line = f"{self.command} {self.path}"
        self.server.asked.append(line)
        fault = next((left.pop(0) for start, left in self.server.faults.items() if left and line.startswith(start)), None)
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            status, value = 401, {"message": "Bad credentials"}
        elif fault:
            status, value = fault, {"message": "Resource not accessible by integration\n::error::no"}
        else:
            status, value = self.known(body)
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def known(self, body):
        host, (path, _, query) = self.server, self.path.partition("?")
        match self.command, path.removeprefix(f"/repos/{REPOSITORY}/").split("/"):
            case "GET", ["issues", "7", "comments"]:
                return 200, host.comments
            case "POST", ["issues", "7", "comments"]:
                host.comments.append({"id": len(host.comments) + 1, "body": json.loads(body)["body"], "user": {"type": "Bot"}})
                return 201, host.comments[-1]
            case "PATCH", ["issues", "comments", number]:
                host.comments[int(number) - 1]["body"] = json.loads(body)["body"]
                return 200, host.comments[int(number) - 1]
            case "POST", ["attestations"]:
                host.bundles.append(json.loads(body)["bundle"])
                return 201, {"id": len(host.bundles)}
            case "POST", ["code-scanning", "sarifs"]:
                host.sarif.append(json.loads(body))
                return 202, {"id": "x"}
            case "GET", ["releases", "tags", "v1.0.0"]:
                return 200, host.release()
            case "GET", ["releases", "1", "assets"]:
                return 200, host.listed()
            case "POST", ["upload"]:
                name = query.removeprefix("name=")
                if name in host.assets:
                    return 422, {"message": "Validation Failed", "errors": [{"code": "already_exists"}]}
                host.assets[name] = body
                if host.loses_answers:
                    host.loses_answers -= 1
                    return 502, {}
                return 201, {}
        return 404, {"message": "Not Found"}

    do_GET = do_POST = do_PATCH = answer


class Services:
    """The test suite's Sigstore (`cargo build --example services`)."""

    def __init__(self, binary, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen([binary, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.variables, self.secrets, self.identity, self.issuer = (told[name] for name in ["variables", "secrets", "identity", "issuer"])
        self.arguments = f"--signing-config={folder / 'signing.json'}\n--trusted-root={folder / 'root.json'}"

    def asked(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Use:
    """What one use of the action gave, as the runner took it."""

    def __init__(self):
        self.outputs, self.commands, self.summary, self.outcome = {}, [], "", None

    def annotations(self, kind=None):
        kinds = [kind] if kind else ["error", "warning", "notice"]
        return [one for one in self.commands if one["command"] in kinds]

    def said(self, kind, words):
        return any(words in one["arg"] for one in self.annotations(kind))

    def has(self, **outputs):
        return all(self.outputs.get(name.replace("_", "-")) == value for name, value in outputs.items())


class Stage:
    def __init__(self, work, tool):
        self.work, self.tool, self.host = work, tool, Host()
        self.results = work / "results"
        self.log, self.environment = "", {}

    def workflow(self, uses, action):
        out = ["name: trial\non: [push, pull_request]\njobs:\n  trial:\n    runs-on: ubuntu-latest\n    steps:\n"]
        # act puts the repository there when it sees this step, and fetches nothing.
        out.append(f"      - uses: {CHECKOUT}\n")
        for number, inputs in enumerate(uses):
            out.append(f"      - id: use{number}\n        continue-on-error: true\n        uses: ./{action}\n        with:\n")
            out += [f"          {name}: {json.dumps(value)}\n" for name, value in {"binary": self.tool, **inputs}.items()]
        out.append(f"      - run: env -0 >{json.dumps(str(self.work / 'environment'))}\n")
        return "".join(out)

    def run(self, *uses, files=(), below="", after=(), event=None, variables=None, action="github-action", keep=False):
        """A workflow with these uses of the action, in a project of its own (`keep`: that of the last run); gives
        back each use. `files` are the project's, below a folder; `after` overwrites what is there."""
        repository = self.work / "repository"
        if not keep:
            shutil.rmtree(repository, ignore_errors=True)
            write(repository / below, {**PROJECT, **dict(files)})
            shutil.copytree(ACTION, repository / "github-action")
        write(repository, {".github/workflows/trial.yml": self.workflow(uses, action), **dict(after)})
        stand_in = self.work / "upload-artifact"
        write(stand_in, {"action.yml": "name: stand-in\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: bash\n"})
        for folder in [repository, stand_in]:
            git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
            subprocess.run([*git, "init", "-q"], check=True)
            subprocess.run([*git, "remote", "add", "origin", f"https://github.com/{REPOSITORY}"], check=False, stderr=subprocess.DEVNULL)
            subprocess.run([*git, "add", "-A"], check=True)
            subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        payload = event or {"repository": {"visibility": "public"}}
        # Nothing secret is in act's own arguments and environment, where a build script could find what the action kept from it.
        # The runner obeys the old commands as well: what is to be stopped would do harm.
        given = {"GITHUB_API_URL": self.host.url, "ACTIONS_ALLOW_UNSECURE_COMMANDS": "true", **(variables or {})}
        files = {"event.json": json.dumps(payload), "secrets": f"GITHUB_TOKEN={TOKEN}\n"}
        write(self.work, {**files, "variables": "".join(f"{name}={value}\n" for name, value in given.items())})
        command = [program("act"), "pull_request" if event else "push", "-P", "ubuntu-latest=-self-hosted", "--json",
                   "-e", str(self.work / "event.json"), "--secret-file", str(self.work / "secrets"), "--env-file", str(self.work / "variables"),
                   "--local-repository", f"{UPLOAD}={stand_in}", "--no-cache-server"]
        # act's jobs have its own environment as well: what a job around this one has is none of theirs.
        outer = ("ACTIONS_", "GITHUB_", "INPUT_", "RUNNER_", "SUPPLYCHAIN_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
        env["XDG_CACHE_HOME"] = str(self.work / "cache")
        ended = subprocess.run(command, cwd=repository, env=env, text=True, capture_output=True, check=False)
        self.log = ended.stdout + ended.stderr
        if TOKEN in self.log:
            sys.exit(f"the token is shown:\n{self.log}")
        seen = (self.work / "environment").read_text() if (self.work / "environment").exists() else ""
        self.environment = dict(pair.split("=", 1) for pair in seen.split("\0") if "=" in pair)
        return self.read(len(uses))

    def read(self, count):
        """The log as act's own reading of it: what was a command is told apart from what was printed."""
        uses = [Use() for _ in range(count)]
        for line in self.log.splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            step = re.fullmatch(r"use(\d+)", (entry.get("stepID") or [""])[0])
            if not step:
                continue
            use, command = uses[int(step[1])], entry.get("command")
            if command == "set-output":
                use.outputs[entry["name"]] = entry["arg"]
            elif command == "summary":
                use.summary += entry["content"]
            elif command:
                # GitHub's runner ends the properties at the first `::`, act at the last one.
                parts = entry.get("raw", "").rstrip("\n").split("::", 2)
                use.commands.append({**entry, "arg": parts[2] if len(parts) == 3 else entry.get("arg") or ""})
            if len(entry["stepID"]) == 1 and "stepResult" in entry and use.outcome is None:
                use.outcome = entry["stepResult"]
        return uses

    def printed(self):
        """What people read in the log."""
        entries = (json.loads(line) for line in self.log.splitlines() if line.startswith("{"))
        return "".join(entry.get("msg", "") + "\n" * (not entry.get("msg", "").endswith("\n")) for entry in entries)
