#!/usr/bin/env python3
"""Cost of writing SBOMs of 10,000 components: seconds and memory, every format.

    sbom_scale.py --tool PATH [--packages N] [--work DIR]

A workspace that is made here: a program and N packages beside it (path dependencies, each needing up to four earlier ones), so that nothing
is fetched. `sbom` is run once for each format that its help names; what it takes includes cargo's own metadata (which is remembered after
the first run). Fails when a run takes more than 20 s or 1 GB. SWID tags are left out: they describe built files.
"""
import argparse
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

from formats import formats

SECONDS, MEGABYTES = 20, 1000


def workspace(folder, count):
    chance = random.Random(8)
    for number in range(count):
        package = folder / "parts" / f"part-{number:05}"
        (package / "src").mkdir(parents=True)
        (package / "src" / "lib.rs").touch()
        needs = sorted({chance.randrange(number) for _ in range(4)}) if number else []
        lines = "".join(f'part-{one:05} = {{ path = "../part-{one:05}" }}\n' for one in needs)
        (package / "Cargo.toml").write_text(
            f'[package]\nname = "part-{number:05}"\nversion = "1.{number}.0"\nedition = "2021"\nlicense = "MIT/Apache-2.0"\n'
            f'authors = ["Someone <someone@example.org>"]\ndescription = "Part {number} of the trial."\n[dependencies]\n{lines}')
    (folder / "src").mkdir()
    (folder / "src" / "main.rs").write_text("fn main() {}\n")
    all_parts = "".join(f'part-{one:05} = {{ path = "parts/part-{one:05}" }}\n' for one in range(count))
    (folder / "Cargo.toml").write_text(f'[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\n{all_parts}\n[workspace]\n')
    subprocess.run(["cargo", "generate-lockfile", "--offline"], cwd=folder, check=True)


def measure(command, to):
    began = time.monotonic()
    with open(to, "wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.PIPE)
        said = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"exit {status}: {said}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--packages", type=int, default=10_000)
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or pathlib.Path(scratch)
        folder = work / f"scale-{options.packages}"
        if not folder.exists():
            workspace(folder, options.packages)
        print("| format | seconds | MB of memory | MB written |\n|---|---|---|---|")
        for name in formats(options.tool):
            if name.startswith("swid"):
                continue
            to = work / f"{name}.out"
            command = [options.tool, "supplychain", "sbom", "--offline", "--manifest-path", folder / "Cargo.toml", "--format-sbom", name]
            seconds, memory = measure(command, to)
            print(f"| {name} | {seconds:.1f} | {memory:.0f} | {to.stat().st_size / 1e6:.1f} |", flush=True)
            failed |= seconds > SECONDS or memory > MEGABYTES
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
