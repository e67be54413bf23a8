#!/usr/bin/env python3
"""The offline cases of the public Sigstore client conformance suite, by path and by digest.

    cargo build --example conformance
    tests/trial/conformance.py CASES [--entrypoint target/debug/examples/conformance] [-v]

CASES is a folder like `test/assets/bundle-verify` of https://github.com/sigstore/sigstore-conformance: a folder a case, `_fail` in its name
where the bundle must be rejected, beside it `a.txt`, the artifact of cases without their own. Exit 1 when a case goes wrong.
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import time

IDENTITY = ("https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/"
            ".github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main")
ISSUER = "https://token.actions.githubusercontent.com"


def artifact_of(case):
    for path in [case / "artifact", case.parent / "a.txt", case.parent.parent / "a.txt"]:
        if path.is_file():
            return path
    sys.exit(f"error: no artifact for {case}")


def run(entrypoint, case, artifact):
    arguments = [entrypoint, "verify-bundle", "--bundle", case / "bundle.sigstore.json"]
    key = case / "key.pub"
    word = lambda name, default: (case / name).read_text().strip() if (case / name).is_file() else default
    if key.is_file():
        arguments += ["--key", key]
    if not key.is_file() or "client-identity" in case.name:
        arguments += ["--certificate-identity", word("identity", IDENTITY)]
        arguments += ["--certificate-oidc-issuer", word("issuer", ISSUER)]
    if (case / "trusted_root.json").is_file():
        arguments += ["--trusted-root", case / "trusted_root.json"]
    began = time.monotonic()
    done = subprocess.run([*map(str, arguments), artifact], capture_output=True, text=True)
    return done.returncode, (done.stderr or done.stdout).strip(), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("--entrypoint", default="target/debug/examples/conformance")
    parser.add_argument("-v", action="store_true", help="every case, with what was said")
    options = parser.parse_args()
    cases = sorted(case for case in options.cases.iterdir() if (case / "bundle.sigstore.json").is_file())
    if not cases:
        sys.exit(f"error: no cases in {options.cases}")
    wrong, slowest = [], 0.0
    for case in cases:
        path = artifact_of(case)
        digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        for how, artifact in [("path", str(path)), ("digest", digest)]:
            code, said, seconds = run(options.entrypoint, case, artifact)
            slowest = max(slowest, seconds)
            # A rejection is exit 1, or 2 for what cannot be read at all; anything else is a fault of the program.
            good = code in (1, 2) if case.name.endswith("_fail") else code == 0
            if not good:
                wrong.append(f"{case.name} by {how}: exit {code}: {said}")
            if options.v:
                print(f"{'ok ' if good else 'BAD'} {case.name:62} {how:6} {code} {said.splitlines()[0] if said else ''}")
    runs = 2 * len(cases)
    print(f"{len(cases)} cases, {runs} runs: {runs - len(wrong)} as expected, {len(wrong)} not; slowest {slowest:.3f} s")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
