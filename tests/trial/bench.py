#!/usr/bin/env python3
"""What we cost: paired runs, CPU seconds (user + system, children included) and their ratios.

    bench.py --tool PATH WORKSPACE [--advisory-db DIR] [--peers DIR] [--pairs 7]

1. A second `cargo supplychain build` with nothing to compile, against `cargo build` with nothing to compile: the difference is our work.
   Without remapped paths, or the two would compile everything anew in turns. (What walls cost is `sandbox.py`'s.) --skip-build leaves it out.
2. `check --offline`, against `cargo metadata`, and against cargo-deny's and cargo-audit's checks (binaries in --peers; skipped with a
   message without them). The database of all three is --advisory-db.
3. `check --only integrity`, against `check --only config`, which reads the same project and no sources: with nothing remembered, and with
   everything remembered.
The two of a pair run one after the other, in turns; the median of the pairs is printed. Noise of the machine hits both.
"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile


def cpu(command, cwd, accepted=(0,), **environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([str(part) for part in command], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            env=dict(os.environ, **environment), text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode not in accepted:
        sys.exit(f"{command} ended with {result.returncode}\n{result.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def own_cpu(command, cwd):
    """CPU seconds of the process without its children, read off /proc before it is reaped: exact also where cargo compiles each time."""
    child = subprocess.Popen([str(part) for part in command], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    fields = pathlib.Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    if child.wait():
        sys.exit(f"{command} ended with {child.returncode}")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def paired(pairs, *runs):
    """The medians of several runs, taken in turns."""
    for run in runs:
        run()
    times = [[run() for run in runs] for _ in range(pairs)]
    return [statistics.median(column) for column in zip(*times)]


def deny_config(folder, database):
    """cargo-deny takes https databases only: its copy of the default one is laid where it would have cloned it to."""
    copy = folder / "dbs" / "advisory-db-3157b0e258782691"
    copy.parent.mkdir()
    subprocess.run(["cp", "-r", database, copy], check=True)
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "database"]):
        subprocess.run(git + command, cwd=copy, check=True)
    (copy / ".git" / "FETCH_HEAD").write_text((copy / ".git" / "refs" / "heads" / "main").read_text())
    config = folder / "deny.toml"
    config.write_text(f'[advisories]\ndb-urls = ["https://github.com/rustsec/advisory-db"]\ndb-path = "{folder}/dbs"\n'
                      'maximum-db-staleness = "P9999D"\n[licenses]\nallow = ["MIT"]\n[bans]\nmultiple-versions = "allow"\n')
    return config, copy


def integrity(tool, workspace, folder, pairs):
    """The comparison of the sources: what it adds to a check that knows the project already."""
    cache = folder / "cache"
    check = [tool, "supplychain", "check", "-q", "--offline", "--cache-dir", cache, "--only"]

    def cold():
        (cache / "integrity").unlink(missing_ok=True)
        return cpu(check + ["integrity"], workspace)

    of_config, of_cold = paired(pairs, lambda: cpu(check + ["config"], workspace, accepted=(0, 1)), cold)
    config_again, warm = paired(pairs, lambda: cpu(check + ["config"], workspace, accepted=(0, 1)),
                                lambda: cpu(check + ["integrity"], workspace))
    remembered = max(0, len((cache / "integrity").read_text().splitlines()) - 1)
    print(f"  integrity of {remembered} packages and checkouts: nothing remembered {of_cold - of_config:.3f}, "
          f"nothing changed {warm - config_again:.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--advisory-db", type=pathlib.Path)
    parser.add_argument("--peers", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--skip-build", action="store_true")
    parser.add_argument("workspace", type=pathlib.Path)
    arguments = parser.parse_args()
    tool, workspace = arguments.tool.resolve(), arguments.workspace.resolve()
    database = ["--advisory-db", arguments.advisory_db.resolve()] if arguments.advisory_db else []
    packages = (workspace / "Cargo.lock").read_text().count("[[package]]")
    print(f"{workspace.name}: {packages} packages in the lockfile, {arguments.pairs} pairs, CPU seconds")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if not arguments.skip_build:
            build(tool, workspace, folder, database, arguments.pairs)
        check_and_peers(tool, workspace, folder, database, arguments)



def build(tool, workspace, folder, database, pairs):
    key = folder / "key.pem"
    policy = folder / "policy.toml"
    policy.write_text("[build]\nremap-paths = false\n")
    subprocess.run([tool, "supplychain", "key", "generate", "-q", "--output", key], check=True)
    # The first one compiles what is not compiled yet, outside of the measurement.
    ours = [tool, "supplychain", "build", "-q", "--offline", "--fail-on", "none", "--key", key, "--policy", policy, "--sandbox", "off", *database]
    cpu(ours, workspace)
    cargo = ["cargo", "build", "-q", "--release", "--locked", "--offline", "--target-dir", "target/supplychain/.build"]
    of_cargo, of_ours = paired(pairs, lambda: cpu(cargo, workspace), lambda: cpu(ours, workspace))
    print(f"  build, nothing to compile: cargo {of_cargo:.3f}, cargo supplychain {of_ours:.3f}: our own work {of_ours - of_cargo:.3f}")

    own = statistics.median(own_cpu(ours, workspace) for _ in range(pairs))
    print(f"  the same, our process alone, without cargo: {own:.2f}", flush=True)


def check_and_peers(tool, workspace, folder, database, arguments):
    check = [tool, "supplychain", "check", "-q", "--offline", "--fail-on", "none", *database]
    metadata = ["cargo", "metadata", "--format-version", "1", "--all-features", "--locked", "--offline"]
    cold = paired(arguments.pairs, lambda: cpu(check + ["--cache-dir", tempfile.mkdtemp(dir=folder)], workspace))[0]
    of_check, of_metadata = paired(arguments.pairs, lambda: cpu(check, workspace), lambda: cpu(metadata, workspace))
    print(f"  check --offline: warm {of_check:.3f}, cold {cold:.3f}; one cargo metadata {of_metadata:.3f}")
    print(f"  check --offline costs {of_check / of_metadata:.2f} of one cargo metadata")
    integrity(tool, workspace, folder, arguments.pairs)
    if not arguments.peers or not arguments.advisory_db:
        print("  peers: skipped, no --peers or no --advisory-db")
        return
    config, copy = deny_config(folder, arguments.advisory_db.resolve())
    deny = [arguments.peers.resolve() / "cargo-deny", "--offline", "--all-features", "--config", config, "check"]
    audit = [arguments.peers.resolve() / "cargo-audit", "audit", "--no-fetch", "--stale", "--db", copy]
    # Both end with the findings' exit code; an exit of theirs without a result would be the cheapest of all.
    for command in (deny, audit):
        judged = subprocess.run([str(part) for part in command], cwd=workspace, capture_output=True, text=True)
        if not any(word in judged.stderr + judged.stdout for word in ("advisories FAILED", "advisories ok", "Loaded ")):
            sys.exit(f"{command} did not judge\n{judged.stderr[-2000:]}")
    of_check, of_deny, of_audit = paired(
        arguments.pairs, lambda: cpu(check, workspace), lambda: cpu(deny, workspace, accepted=range(256)),
        lambda: cpu(audit, workspace, accepted=range(256)))
    print(f"  check --offline {of_check:.3f}, cargo-deny {of_deny:.3f}, cargo-audit {of_audit:.3f}: "
          f"the two together cost {(of_deny + of_audit) / of_check:.1f} times as much")


if __name__ == "__main__":
    main()
