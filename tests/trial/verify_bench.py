#!/usr/bin/env python3
"""Throughput of `verify` on one core: bundles a second, beside the time of one ECDSA P-256 verification, which no verifier can undercut.

    cargo build --release
    tests/trial/verify_bench.py FILE BUNDLE --identity SUBJECT --issuer URL [--trusted-root FILE] [--binary target/release/cargo-supplychain]

FILE and BUNDLE are a real pair, of the conformance suite for instance. One process verifies the pair N times; the time of a process
that verifies it once is taken off. Then each of `cosign`, `sigstore` (sigstore-python) and `gh` that is on the PATH verifies it once, as a process:
with --trusted-root no one of them needs a network; without it they may, and what then fails is said.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import time


def seconds(command, times):
    taken = []
    for _ in range(times):
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True)
        taken.append(time.monotonic() - began)
        if done.returncode != 0:
            raise SystemExit(f"error: exit {done.returncode}: {done.stderr.decode()}")
    return statistics.median(taken)


def one_ecdsa():
    """Seconds of one verification by OpenSSL, through the package `cryptography`; None without it."""
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        return None
    key = ec.generate_private_key(ec.SECP256R1())
    signature, public = key.sign(b"x", ec.ECDSA(hashes.SHA256())), key.public_key()
    began = time.monotonic()
    for _ in range(2000):
        public.verify(signature, b"x", ec.ECDSA(hashes.SHA256()))
    return (time.monotonic() - began) / 2000


def others(options):
    """The same verification by other programs: name and command."""
    who = ["--certificate-identity", options.identity, "--certificate-oidc-issuer", options.issuer]
    root = lambda option: [option, options.trusted_root] if options.trusted_root else []
    statement = "dsseEnvelope" in pathlib.Path(options.bundle).read_text()
    cosign = ["verify-blob-attestation", "--check-claims=true", "--type", options.type] if statement else ["verify-blob"]
    yield "cosign", ["cosign", *cosign, "--new-bundle-format", "--offline", "--bundle", options.bundle, *who, *root("--trusted-root"), options.file]
    yield "sigstore", ["sigstore", "verify", "identity", "--offline", "--bundle", options.bundle, "--cert-identity", options.identity,
                       "--cert-oidc-issuer", options.issuer, options.file]
    yield "gh", ["gh", "attestation", "verify", options.file, "--bundle", options.bundle, "--owner", options.owner, "--cert-identity", options.identity,
                 "--cert-oidc-issuer", options.issuer, "--predicate-type", options.type, *root("--custom-trusted-root")]


def one_process(command, times=3):
    """Seconds of a process, or why it failed."""
    taken = []
    for _ in range(times):
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, env=dict(os.environ, GH_TOKEN="none"))
        taken.append(time.monotonic() - began)
        if done.returncode != 0:
            words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            return f"failed with {done.returncode}: {words[-1][:120] if words else 'no word'}"
    return f"{statistics.median(taken) * 1000:.0f} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("bundle")
    parser.add_argument("--identity", required=True)
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--trusted-root")
    parser.add_argument("--binary", default="target/release/cargo-supplychain")
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--type", default="https://slsa.dev/provenance/v1", help="predicate type of the statement, for cosign and gh")
    parser.add_argument("--owner", default="sigstore-conformance", help="owner of the repository, for gh")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    end = ["--bundle", options.bundle, "--identity", options.identity, "--issuer", options.issuer, "-q"]
    end += ["--trusted-root", options.trusted_root] if options.trusted_root else []
    command = lambda n: [options.binary, "supplychain", "verify", *[options.file] * n, *end]
    once, many = seconds(command(1), 5), seconds(command(options.n), 3)
    each = (many - once) / (options.n - 1)
    print(f"one process, one bundle: {once * 1000:.1f} ms")
    print(f"each further bundle:     {each * 1e6:.0f} µs, {1 / each:.0f} a second on one core")
    limit = one_ecdsa()
    if limit:
        print(f"one ECDSA verification:  {limit * 1e6:.0f} µs; a bundle takes {each / limit:.1f} of them")
    for name, command in others(options):
        print(f"{name + ', one process:':24} {one_process(command) if shutil.which(name) else 'not on the PATH'}")


if __name__ == "__main__":
    main()
