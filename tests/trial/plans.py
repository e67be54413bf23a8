#!/usr/bin/env python3
"""Judges the plans of published crates against cargo's own unit graph, without compiling.

    plans.py BINARY WORKSPACE...

Each workspace × {default, --no-default-features, --all-features} × {this machine, x86_64-pc-windows-gnu}. Exits 1 at a difference.
"""
import pathlib
import sys
import tempfile

import selections

FEATURES = [[], ["--no-default-features"], ["--all-features"]]
TARGETS = [[], selections.WINDOWS]


def main():
    binary, *workspaces = sys.argv[1:]
    tally, bad = selections.Tally(), 0
    with tempfile.TemporaryDirectory() as cache:
        for workspace in map(pathlib.Path, workspaces):
            for features in FEATURES:
                for target in TARGETS:
                    invocation = selections.Invocation([*features, *target])
                    found = selections.differences(str(pathlib.Path(binary).resolve()), workspace.resolve(), invocation, cache, tally)
                    bad += bool(found)
                    print(f"{workspace.name}: {invocation}: {len(found)} differences", flush=True)
                    for line in found[:10]:
                        print("   ", line)
    print(f"{len(workspaces)} workspaces, {tally.invocations} invocations, {tally.artifacts} artifacts, {tally.refused} refused by cargo; "
          f"{bad} invocations with differences; {dict(tally.notes)}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
