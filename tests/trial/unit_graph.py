#!/usr/bin/env python3
"""Judges the linked and host sets of a release against cargo's own unit graph.

    unit_graph.py WORKSPACE RELEASE_FOLDER [cargo build arguments]

Cargo's unit graph is unstable (`RUSTC_BOOTSTRAP=1 cargo build --unit-graph -Z unstable-options`), so it judges in trials only and the
product never uses it. Prints, per artifact, precision and recall over (name, version, features); exits 1 unless all are 1.
"""
import json
import os
import subprocess
import sys


def unit_graph(workspace, arguments, environment=None):
    environment = dict(environment or os.environ, RUSTC_BOOTSTRAP="1")
    command = ["cargo", "build", "--locked", "--unit-graph", "-Z", "unstable-options", *arguments]
    if not any(argument.startswith(("--profile", "--release")) for argument in arguments):
        command.append("--release")
    output = subprocess.run(command, cwd=workspace, env=environment, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def package(pkg_id):
    fragment = pkg_id.rsplit("#", 1)[1]
    if "@" in fragment:
        name, version = fragment.rsplit("@", 1)
    else:
        name, version = pkg_id.rsplit("#", 1)[0].rstrip("/").rsplit("/", 1)[1].split("?")[0], fragment
    return name, version


def key(unit):
    return (*package(unit["pkg_id"]), tuple(sorted(unit["features"])))


def sets_of(graph, root):
    """(linked, host): what is reached without and with crossing a proc macro or a build script."""
    units = graph["units"]
    linked, host = set(), set()
    seen = set()
    todo = [(root, False)]
    while todo:
        index, on_host = todo.pop()
        if (index, on_host) in seen:
            continue
        seen.add((index, on_host))
        unit = units[index]
        kinds = unit["target"]["kind"]
        # A released proc macro is linked of what it needs itself.
        on_host = on_host or (index != root and ("proc-macro" in kinds or "custom-build" in kinds))
        if "custom-build" not in kinds:
            (host if on_host else linked).add(key(unit))
        todo.extend((dependency["index"], on_host) for dependency in unit["dependencies"])
    return linked, host


def ours(build, artifact):
    def side(uses):
        result = set()
        for use in uses:
            component = build["components"][use["purl"]]
            result.add((component["name"], component["version"], tuple(use["features"])))
        return result
    return side(artifact["linked"]), side(artifact["host"])


def judge(workspace, release, arguments):
    graph = unit_graph(workspace, arguments)
    with open(os.path.join(release, "evidence", "build.json")) as file:
        build = json.load(file)
    roots = {}
    for index in graph["roots"]:
        unit = graph["units"][index]
        if unit["mode"] == "build":
            for kind in unit["target"]["kind"]:
                roots[(unit["target"]["name"], kind)] = index
    results = []
    for artifact in build["artifacts"]:
        root = roots.get((artifact["name"], artifact["kind"]))
        if root is None:
            results.append((artifact["name"], "no such root in cargo's unit graph", set(), set(), set(), set()))
            continue
        results.append((artifact["name"], None, *sets_of(graph, root), *ours(build, artifact)))
    return build, results


def ratio(part, whole):
    return 1.0 if not whole else len(part) / len(whole)


def main():
    workspace, release, *arguments = sys.argv[1:]
    build, results = judge(workspace, release, arguments)
    exact = True
    for name, problem, linked, host, our_linked, our_host in results:
        if problem:
            print(f"{name}: {problem}")
            exact = False
            continue
        for what, theirs, mine in (("linked", linked, our_linked), ("host", host, our_host)):
            both = theirs & mine
            print(f"{name}: {what}: {len(mine)} of ours, {len(theirs)} of cargo's, precision {ratio(both, mine):.3f}, recall {ratio(both, theirs):.3f}")
            for label, extra in (("only ours", mine - theirs), ("only cargo's", theirs - mine)):
                for one in sorted(extra):
                    exact = False
                    print(f"    {label}: {one[0]} {one[1]} {list(one[2])}")
    print(f"gaps in the build: {len(build['gaps'])}")
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
