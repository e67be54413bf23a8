#!/usr/bin/env python3
"""Judges planned builds against cargo's own unit graph, for hard selections and random workspaces, without compiling.

    selections.py BINARY handmade
    selections.py BINARY random FIRST_SEED COUNT [--keep FOLDER] [--selections N] [--jobs N]

BINARY is `cargo-supplychain`. Every difference is printed with its seed, folder and arguments; exits 1 when there is one. The same
seed gives the same workspace and selections. Needs no network: path dependencies only.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import unit_graph

WINDOWS = ["--target", "x86_64-pc-windows-gnu"]
ARTIFACT_KINDS = {"bin", "cdylib", "staticlib", "dylib"}


# ------------------------------------------------------------------------------------------------------------------ the judgement

class Invocation:
    """One call: arguments of `cargo build`, working folder below the workspace, RUSTFLAGS."""

    def __init__(self, arguments, cwd=".", flags=None):
        self.arguments, self.cwd, self.flags = arguments, cwd, flags

    def __str__(self):
        flags = f"RUSTFLAGS={self.flags!r} " if self.flags else ""
        return f"{flags}(in {self.cwd}) cargo build {' '.join(self.arguments)}"


class Tally:
    def __init__(self):
        self.workspaces = self.invocations = self.artifacts = self.refused = self.differences = 0
        self.notes = collections.Counter()


def environment(invocation):
    env = {name: value for name, value in os.environ.items() if name not in ("RUSTFLAGS", "CI", "GITHUB_ACTIONS")}
    if invocation.flags:
        env["RUSTFLAGS"] = invocation.flags
    return env


def planned(binary, workspace, invocation, cache):
    command = [binary, "supplychain", "build", "--dry-run", "--fail-on", "none", "--offline", "--format", "json", "--cache-dir", cache]
    done = subprocess.run(
        command + invocation.arguments, cwd=workspace / invocation.cwd, env=environment(invocation), capture_output=True, text=True)
    try:
        plan = json.loads(done.stdout).get("plan")
    except ValueError:
        plan = None
    return plan, done.stderr


def expected_artifacts(graph):
    """`{(package, version, target, kind): root index}` of what a release holds, and the libraries that are roots."""
    artifacts, libraries = {}, {}
    for index in graph["roots"]:
        unit = graph["units"][index]
        if unit["mode"] != "build":
            continue
        target = unit["target"]
        package = unit_graph.package(unit["pkg_id"])
        if "example" in target["kind"]:
            if "bin" in target["crate_types"]:
                artifacts[(*package, target["name"], "example")] = index
            continue
        for kind in target["kind"]:
            if kind in ARTIFACT_KINDS:
                artifacts[(*package, target["name"], kind)] = index
        if not ARTIFACT_KINDS & set(target["kind"]):
            libraries[package] = index
    return artifacts, libraries


def our_artifacts(plan):
    found = {}
    for artifact in plan["artifacts"]:
        component = plan["components"][artifact["package"]]
        found[(component["name"], component["version"], artifact["name"], artifact["kind"])] = artifact
    return found


def find(artifacts, key):
    """An artifact's name has its kind or package behind it where two are alike."""
    name, version, target, kind = key
    for (a_name, a_version, a_target, a_kind), artifact in artifacts.items():
        if (a_name, a_version, a_kind) == (name, version, kind) and (a_target == target or a_target.startswith(target + "-")):
            if a_target == target or a_target[len(target) + 1:].split("-")[0] in (kind, name, name.split("-")[0]):
                return artifact
    return None


def differences(binary, workspace, invocation, cache, tally):
    """Every difference between cargo and us, as text."""
    try:
        graph = unit_graph.unit_graph(
            workspace / invocation.cwd, ["--offline", *invocation.arguments], environment(invocation))
    except subprocess.CalledProcessError as error:
        graph, refusal = None, error.stderr.strip()
    plan, stderr = planned(binary, workspace, invocation, cache)
    tally.invocations += 1
    if graph is None:
        tally.refused += 1
        if plan is not None:
            errors = [line for line in refusal.splitlines() if line.startswith("error")]
            tally.notes[f"cargo alone refuses: {(errors or [refusal])[0][:120]}"] += 1
        return []
    artifacts, libraries = expected_artifacts(graph)
    if plan is None:
        if not artifacts and "nothing to release" in stderr:
            return []
        return ["we refuse: " + stderr.strip()[-500:]]
    ours = our_artifacts(plan)
    if not artifacts:
        artifacts = {(*package, package[0], "crate"): index for package, index in libraries.items()}
    out = []
    if len(ours) != len(artifacts):
        out.append(f"artifacts: ours {sorted(ours)}, cargo's {sorted(artifacts)}")
    for key, root in sorted(artifacts.items()):
        artifact = find(ours, key)
        if artifact is None:
            out.append(f"artifact {key}: not in our plan")
            continue
        tally.artifacts += 1
        sides = zip(("linked", "host"), unit_graph.sets_of(graph, root), unit_graph.ours(plan, artifact))
        for what, theirs, mine in sides:
            out += [f"{key} {what}: only ours: {extra}" for extra in sorted(mine - theirs)]
            out += [f"{key} {what}: only cargo's: {extra}" for extra in sorted(theirs - mine)]
    return out


# --------------------------------------------------------------------------------------------------------------- writing workspaces

def write(root, files):
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def lock(workspace):
    subprocess.run(["cargo", "generate-lockfile", "--offline"], cwd=workspace, check=True, capture_output=True, text=True)


def package(folder, manifest, *sources, name=None, version="0.1.0", edition="2021"):
    """The files of one package; `sources` are created empty, or with a `main`."""
    head = f'[package]\nname = "{name or os.path.basename(folder)}"\nversion = "{version}"\nedition = "{edition}"\n'
    files = {f"{folder}/Cargo.toml": head + manifest}
    for source in sources:
        files[f"{folder}/{source}"] = "" if source == "src/lib.rs" else "fn main() {}\n"
    return files


LEAF = '[features]\ndefault = ["a"]\na = []\nb = []\nc = []\nd = ["b"]\n'
# No unstable ones (`overflow_checks`, `relocation_model`): the judge runs with RUSTC_BOOTSTRAP, which makes rustc print them.
CONDITIONS = [
    "cfg(windows)", "cfg(unix)", "x86_64-unknown-linux-gnu", "x86_64-pc-windows-gnu", "cfg(debug_assertions)", "cfg(not(debug_assertions))",
    "cfg(true)", "cfg(false)", "cfg(all())", "cfg(any())", 'cfg(k = "v")', "cfg(plain)", 'cfg(panic = "abort")', 'cfg(panic = "unwind")',
    'cfg(target_feature = "sse2")', 'cfg(target_feature = "avx2")', 'cfg(not(target_feature = "made_up"))', 'cfg(target_os = "linux")',
    'cfg(all(unix, not(target_env = "musl")))', 'cfg(target_pointer_width = "64")', 'cfg(target_has_atomic = "64")', "cfg(proc_macro)",
    'cfg(feature = "a")', 'cfg(target_abi = "")', "cfg(test)",
]
FLAGS = [
    None, '--cfg k="v"', "--cfg plain", "-C panic=abort", "-Ctarget-feature=+avx2", "-C target-cpu=native", "-C debug-assertions=off",
    '--cfg=k="v" -Cpanic=abort --cfg plain', "-C opt-level=1",
]


def handmade(resolver, virtual):
    """The hard cases, one package each."""
    members = ["leaf", "leaf2", "split", "weak", "plat", "macros", "macrobin", "both", "cabi", "twice", "shown", "many", "selfdev", "sys",
               "late", "dev-cycle", "patcher"]
    files = {}
    workspace = f'[workspace]\nresolver = "{resolver}"\nmembers = {json.dumps(members)}\n'
    workspace += '[patch.crates-io]\npatched = { path = "../outside/patched" }\n'
    if virtual:
        files["Cargo.toml"] = f'{workspace.split("[patch")[0]}default-members = ["split", "many", "leaf"]\n[patch{workspace.split("[patch")[1]}'
    else:
        files |= package(".", '[features]\nb = ["leaf/b"]\nc = ["many/extra"]\n[dependencies]\nleaf = { path = "leaf", default-features = false }\n'
                         'many = { path = "many", optional = true }\n' + workspace, "src/main.rs", "src/lib.rs", name="top")
    files |= package("leaf", LEAF + "[dev-dependencies]\ndev-cycle = { path = \"../dev-cycle\" }\n", "src/lib.rs")
    files |= package("leaf2", LEAF, "src/lib.rs", "src/main.rs")
    files |= package("../outside/other", LEAF, "src/lib.rs")
    files |= package("../outside/patched", LEAF, "src/lib.rs")
    files |= package("../outside/dup1", LEAF, "src/lib.rs", name="dup", version="1.2.0")
    files |= package("../outside/dup2", LEAF, "src/lib.rs", name="dup", version="2.0.0-rc.1")
    files |= package("split", '[dependencies]\nleaf = { path = "../leaf", default-features = false, features = ["b"] }\n'
                     '[build-dependencies]\nleaf = { path = "../leaf", features = ["c"] }\nother = { path = "../../outside/other" }\n'
                     '[dev-dependencies]\nleaf = { path = "../leaf", features = ["d"] }\n', "src/lib.rs", "src/main.rs", "build.rs",
                     "tests/t.rs", "examples/e.rs")
    files |= package("weak", '[features]\ndefault = ["std"]\nstd = ["leaf?/b", "renamed?/c"]\nmore = ["dep:leaf"]\nmost = ["renamed/d", "opt"]\n'
                     '[dependencies]\nleaf = { path = "../leaf", default-features = false, optional = true }\n'
                     'renamed = { path = "../leaf2", package = "leaf2", default-features = false, optional = true }\n'
                     'opt = { path = "../../outside/other", package = "other", optional = true }\n'
                     '[build-dependencies]\nopt = { path = "../../outside/other", package = "other", optional = true, features = ["c"] }\n',
                     "src/lib.rs", "src/main.rs", "build.rs")
    plat, manifest = [], '[dependencies]\nother = { path = "../../outside/other", default-features = false }\n'
    for number, condition in enumerate(CONDITIONS):
        plat.append(f"on{number}")
        files |= package(f"../outside/on{number}", LEAF, "src/lib.rs")
        quoted = condition.replace("'", "\\'")
        manifest += f"[target.'{quoted}'.dependencies]\non{number} = {{ path = \"../../outside/on{number}\" }}\n"
    manifest += ("[target.'cfg(windows)'.dependencies.other]\npath = \"../../outside/other\"\nfeatures = [\"b\"]\n"
                 "[target.'cfg(unix)'.build-dependencies.other]\npath = \"../../outside/other\"\nfeatures = [\"c\"]\n"
                 "[target.'cfg(windows)'.build-dependencies.leaf]\npath = \"../leaf\"\nfeatures = [\"c\"]\n")
    files |= package("plat", manifest, "src/main.rs", "build.rs")
    files |= package("macros", '[lib]\nproc-macro = true\n[features]\nx = ["leaf/b", "dep:leaf2"]\n[dependencies]\nleaf = { path = "../leaf" }\n'
                     'leaf2 = { path = "../leaf2", optional = true }\n[build-dependencies]\nother = { path = "../../outside/other" }\n'
                     "[target.'cfg(windows)'.dependencies]\nother = { path = \"../../outside/other\", features = [\"d\"] }\n",
                     "src/lib.rs", "build.rs")
    files |= package("macrobin", '[lib]\nproc-macro = true\n[features]\ndefault = ["y"]\ny = ["leaf/c"]\n[dependencies]\nleaf = { path = "../leaf", default-features = false }\n'
                     "[target.'cfg(windows)'.dependencies]\nother = { path = \"../../outside/other\", features = [\"d\"] }\n",
                     "src/lib.rs", "src/main.rs")
    files |= package("both", '[dependencies]\nmacros = { path = "../macros", features = ["x"] }\nleaf = { path = "../leaf", default-features = false, features = ["d"] }\n'
                     'macrobin = { path = "../macrobin" }\n[build-dependencies]\nmacros = { path = "../macros" }\n', "src/main.rs", "src/lib.rs", "build.rs")
    files |= package("cabi", '[lib]\ncrate-type = ["cdylib", "staticlib", "rlib"]\n[dependencies]\nsys = { path = "../sys" }\nboth = { path = "../both" }\n',
                     "src/lib.rs", "src/main.rs")
    files |= package("twice", '[dependencies]\ndup1 = { path = "../../outside/dup1", package = "dup" }\n'
                     'dup2 = { path = "../../outside/dup2", package = "dup", default-features = false, features = ["c"] }\n'
                     '[features]\nf = ["dup1/b", "dup2/d"]\n', "src/main.rs")
    files |= package("shown", '[features]\nx = ["leaf2"]\n[dependencies]\nleaf2 = { path = "../leaf2", optional = true }\nleaf = { path = "../leaf" }\n'
                     '[dev-dependencies]\nother = { path = "../../outside/other", features = ["c"] }\nleaf = { path = "../leaf", features = ["c"] }\n'
                     '[[example]]\nname = "needs"\nrequired-features = ["x"]\n[[example]]\nname = "shared"\ncrate-type = ["cdylib"]\n'
                     '[[bin]]\nname = "shown"\npath = "src/main.rs"\n',
                     "src/lib.rs", "src/main.rs", "examples/needs.rs", "examples/shared.rs", "examples/plain.rs", "tests/t.rs", "benches/b.rs")
    files |= package("many", 'default-run = "one"\n[features]\ndefault = []\nextra = ["dep:other"]\nmore = ["extra", "other/c"]\n'
                     '[dependencies]\nother = { path = "../../outside/other", optional = true }\nsplit = { path = "../split" }\n'
                     '[[bin]]\nname = "one"\npath = "src/main.rs"\n[[bin]]\nname = "two"\npath = "src/two.rs"\nrequired-features = ["extra"]\n'
                     '[[bin]]\nname = "three"\npath = "src/three.rs"\nrequired-features = ["extra", "more"]\n',
                     "src/lib.rs", "src/main.rs", "src/two.rs", "src/three.rs")
    files |= package("selfdev", '[features]\ndefault = []\nt = ["dep:leaf2"]\n[dependencies]\nleaf2 = { path = "../leaf2", optional = true }\n'
                     '[dev-dependencies]\nselfdev = { path = ".", features = ["t"] }\n', "src/lib.rs", "src/main.rs", "tests/t.rs", "examples/se.rs")
    files |= package("sys", 'links = "sys"\n[features]\nvendored = ["dep:other"]\n[build-dependencies]\nother = { path = "../../outside/other", optional = true, features = ["b"] }\n',
                     "src/lib.rs", "build.rs")
    files |= package("late", '[dependencies]\nsys = { path = "../sys", features = ["vendored"] }\nweak = { path = "../weak", features = ["most"] }\n', "src/main.rs")
    files |= package("dev-cycle", '[dependencies]\nleaf = { path = "../leaf", features = ["d"] }\n', "src/lib.rs")
    files |= package("patcher", '[dependencies]\npatched = { version = "0.1", features = ["c"] }\n', "src/main.rs")
    return files


def handmade_invocations(virtual):
    lists = """
|-p split|-p split -p weak|-p both|-p macros|-p macrobin|-p macrobin -p macros|-p macros -p split|-p cabi|-p cabi --lib|-p cabi --bins|-p twice
-p twice --features f|-p twice --features dup1/b|-p twice --features dup2/b,f|-p plat|-p plat -p both|--workspace|--workspace --exclude both
--workspace --exclude *a*|--workspace --exclude many --exclude late|--workspace --bins|--workspace --lib|--workspace --examples|--workspace --all-targets
--workspace --tests|--workspace --benches|--workspace --all-features|--workspace --no-default-features|--workspace --all-features --all-targets
--bin one -p many|--bin two -p many --features extra|--bin three -p many --features more|-p many --bins --features more|-p many --bin t* --features more
-p many --features other/b|-p many --features extra,other/b|-p many -p split --features extra|-p many -p split --features many/extra
-p split --features leaf/d|-p split -p many --features leaf/d|-p split --bins|-p split --lib|-p split --example e|-p split --all-targets|-p split --tests
-p weak --features more|-p weak --features most|-p weak --no-default-features --features more|-p weak --features more,most|-p weak --features renamed/b
-p weak --features opt|-p weak --all-features|-p weak --features leaf/b|-p weak --no-default-features --features opt/d
-p shown|-p shown --examples|-p shown --examples --features x|-p shown --example plain|-p shown --example plain --bins|-p shown --all-targets|-p shown --tests --bins
-p shown --example needs --features leaf2|-p shown --benches|-p shown --test t --bin shown
-p selfdev|-p selfdev --all-targets|-p selfdev --examples|-p selfdev --bins --tests|-p late|-p late -p cabi|-p leaf|-p leaf --features b,c|-p leaf --no-default-features
-p leaf2|-p patcher|-p sys|-p sys --features vendored|-p s*|-p leaf*|-p leaf -p patcher|-p dev-cycle|-p leaf --all-targets|-p leaf -p dev-cycle --tests
-p split@0.1|-p both --features macros/x|-p macros --features x|-p macros --features leaf/d|-p macrobin --no-default-features|-p macrobin --bins
-p macrobin --lib|-p both -p macrobin --bins|-p both -p macros --features x|-p both -p macros --features macros/x|--features b|--features c|--features leaf/b
--features leaf/b,many/extra|-p leaf -p split --features leaf/b|-p split -p leaf --features b|--all-features|--no-default-features|--bins --all-features
-p split -p macros --tests|-p both -p selfdev --all-targets|--workspace --features leaf/c|--workspace --features extra|--workspace --bins --exclude many
--all-targets|--tests|--examples|--lib|--bins
"""
    for text in lists.strip("\n").replace("\n", "|").split("|"):
        for target in ([], WINDOWS):
            yield Invocation(text.split() + target)
    for arguments in (["-p", "plat"], ["-p", "plat", "-p", "both"], ["-p", "macrobin"]):
        for flags in FLAGS[1:]:
            for target in ([], WINDOWS, ["--target", "x86_64-unknown-linux-gnu"], ["--target", "wasm32-unknown-unknown"]):
                yield Invocation(arguments + target, flags=flags)
    for member in ("split", "macrobin", "many", "leaf", "shown"):
        for rest in ([], ["--all-features"], ["--no-default-features"], ["--features", "leaf/b"], ["-p", "weak", "--features", "more"],
                     ["--workspace", "--features", "leaf/b"], ["-p", "both", "-p", member, "--all-features"], ["--workspace"]):
            yield Invocation(["--manifest-path", f"{member}/Cargo.toml", *rest])
            yield Invocation(rest, cwd=member)
            yield Invocation(rest, cwd=f"{member}/src")


# ------------------------------------------------------------------------------------------------------------------ random workspaces

def random_workspace(seed):
    """Files of a workspace and some selections in it, by the seed alone."""
    dice = random.Random(seed)
    count = dice.randint(4, 12)
    packages = []
    for number in range(count):
        shape = dice.choices(["lib", "bin", "both", "macro", "macrobin", "cabi", "cabibin"], [30, 15, 30, 12, 5, 4, 4])[0]
        name, version = f"p{number}", "0.1.0"
        earlier = [one for one in packages if one["name"].startswith("p") and one["shape"] == shape and not one["twin"]]
        outside = dice.random() < 0.25
        # Members of one workspace have different names.
        twin = outside and bool(earlier) and dice.random() < 0.4
        if twin:
            name, version = earlier[0]["name"], "0.2.0" if dice.random() < 0.5 else "1.0.0"
            earlier[0]["twin"] = True
        packages.append({"number": number, "folder": f"../outside/p{number}" if outside else f"p{number}", "name": name, "version": version, "shape": shape,
                         "twin": twin, "outside": outside, "features": [f"f{index}" for index in range(dice.randint(1, 4))], "optional": set(), "keys": {}})
    if all(one["outside"] for one in packages):
        packages[0] |= {"outside": False, "folder": "p0"}
    rooted = dice.random() < 0.35 and not packages[0]["outside"] and packages[0]["number"] == 0
    if rooted:
        packages[0]["folder"] = "."
    files = {}
    for one in packages:
        files |= random_package(dice, one, packages)
    members = [one for one in packages if not one["outside"]]
    head = f'[workspace]\nresolver = "{dice.choice("123")}"\nmembers = {json.dumps([one["folder"] for one in members if one["folder"] != "."])}\n'
    if dice.random() < 0.4:
        chosen = dice.sample(members, dice.randint(1, len(members)))
        head += f'default-members = {json.dumps([one["folder"] for one in chosen])}\n'
    files["./Cargo.toml"] = files.get("./Cargo.toml", "") + head
    return files, members, packages, dice


def edges(dice, one, packages):
    """`{table: {key: declaration}}`; keys are the same package in all tables."""
    tables = {}
    number = one["number"]
    for other in packages:
        if other is one:
            if dice.random() < 0.06 and one["shape"] in ("lib", "both"):
                key = one["name"]
                one["keys"].setdefault(key, other)
                tables.setdefault("dev-dependencies", {})[key] = declaration(dice, one, other, key, False)
            continue
        if other["shape"] in ("bin", "cabi", "cabibin"):
            continue
        forward = other["number"] > number
        kinds = [kind for kind, chance in (("dependencies", 0.22), ("build-dependencies", 0.1)) if forward and dice.random() < chance]
        if dice.random() < (0.1 if forward else 0.04):
            kinds.append("dev-dependencies")
        if not kinds:
            continue
        rename = other["name"] != f"p{other['number']}" or dice.random() < 0.15 or other["name"] in one["keys"]
        key = f"r{other['number']}" if rename else other["name"]
        one["keys"][key] = other
        for kind in kinds:
            table = kind
            if dice.random() < 0.25:
                table = f"target.'{dice.choice(CONDITIONS)}'.{kind}"
            optional = kind != "dev-dependencies" and dice.random() < 0.3
            if optional:
                one["optional"].add(key)
            tables.setdefault(table, {})[key] = declaration(dice, one, other, key, optional)
            if dice.random() < 0.1:
                table = f"target.'{dice.choice(CONDITIONS)}'.{kind}"
                tables.setdefault(table, {}).setdefault(key, declaration(dice, one, other, key, optional))
    return tables


def declaration(dice, one, other, key, optional):
    here = pathlib.PurePosixPath("/w/ws") / one["folder"]
    there = pathlib.PurePosixPath("/w/ws") / other["folder"]
    parts = [f'path = "{os.path.relpath(os.path.normpath(there), os.path.normpath(here))}"']
    if key != other["name"]:
        parts.append(f'package = "{other["name"]}"')
    if dice.random() < 0.4:
        parts.append("default-features = false")
    wanted = [feature for feature in other["features"] if dice.random() < 0.3]
    if wanted:
        parts.append(f"features = {json.dumps(wanted)}")
    if optional:
        parts.append("optional = true")
    return "{ " + ", ".join(parts) + " }"


def random_package(dice, one, packages):
    tables = edges(dice, one, packages)
    normal = {key for table, entries in tables.items() if not table.endswith("dev-dependencies") for key in entries}
    explicit = {key for key in sorted(one["optional"]) if dice.random() < 0.5}
    # `dep:` takes the feature of the dependency's name away, so it has to stand in some feature for sure.
    lines, left = {}, sorted(explicit)
    for index, feature in enumerate(one["features"]):
        items = [later for later in one["features"][index + 1:] if dice.random() < 0.25]
        for key in sorted(one["optional"]):
            chance = dice.random()
            if chance < 0.2:
                items.append(f"dep:{key}" if key in explicit else key)
                left = [other for other in left if other != key]
        for key in sorted(normal):
            if dice.random() < 0.25:
                weak = "?" if key in one["optional"] and dice.random() < 0.6 else ""
                items.append(f"{key}{weak}/{dice.choice(one['keys'][key]['features'])}")
        lines[feature] = items
    if left:
        lines[one["features"][-1]] += [f"dep:{key}" for key in left]
    named = one["features"] + sorted(one["optional"] - explicit)
    one["named"] = named
    default = [feature for feature in named if dice.random() < 0.3]
    text = "[features]\n" + (f"default = {json.dumps(default)}\n" if dice.random() < 0.7 else "")
    text += "".join(f"{feature} = {json.dumps(items)}\n" for feature, items in lines.items())
    sources, shape = [], one["shape"]
    if shape in ("lib", "both", "macro", "macrobin", "cabi", "cabibin"):
        sources.append("src/lib.rs")
    if shape in ("bin", "both", "macrobin", "cabibin"):
        sources.append("src/main.rs")
    if "build-dependencies" in " ".join(tables) or dice.random() < 0.1:
        sources.append("build.rs")
    for kind in ("tests", "examples"):
        if dice.random() < 0.3:
            sources.append(f"{kind}/{kind[0]}{one['number']}.rs")
    bins = ""
    if "src/main.rs" in sources:
        needed = f"required-features = {json.dumps(dice.sample(named, 1))}\n" if dice.random() < 0.2 else ""
        bins = f'[[bin]]\nname = "b{one["number"]}"\npath = "src/main.rs"\n{needed}'
    library = {"macro": "proc-macro = true\n", "macrobin": "proc-macro = true\n", "cabi": 'crate-type = ["cdylib"]\n',
               "cabibin": 'crate-type = ["staticlib", "rlib"]\n'}.get(shape, "")
    if "src/lib.rs" in sources:
        # Twins of one name have libraries of two names, or cargo warns of colliding files.
        bins += f'[lib]\nname = "l{one["number"]}"\n{library}'
    links = f'links = "l{one["number"]}"\n' if "build.rs" in sources and dice.random() < 0.3 else ""
    manifest = links + text + bins + "".join(
        f"[{table}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items()) for table, entries in tables.items())
    return package(one["folder"], manifest, *sources, name=one["name"], version=one["version"], edition=dice.choice(["2018", "2021", "2024"]))


def random_invocation(dice, members, packages):
    arguments, cwd = [], "."
    spec = lambda one: f"{one['name']}@{one['version']}"
    way = dice.random()
    picked = members
    if way < 0.45:
        picked = dice.sample(members, min(len(members), dice.choices([1, 2, 3], [6, 3, 2])[0]))
        for one in picked:
            arguments += ["-p", spec(one)]
    elif way < 0.75:
        arguments.append("--workspace")
        if dice.random() < 0.4 and len(members) > 1:
            arguments += ["--exclude", spec(dice.choice(members))]
    elif way < 0.85:
        one = dice.choice(members)
        picked = [one]
        if dice.random() < 0.5:
            cwd = one["folder"]
        else:
            arguments += ["--manifest-path", f"{one['folder']}/Cargo.toml"]
    features = []
    chance = dice.random()
    if chance < 0.15:
        arguments.append("--all-features")
    elif chance < 0.55:
        for _ in range(dice.randint(1, 2)):
            one = dice.choice(picked)
            kind = dice.random()
            if kind < 0.4:
                features.append(dice.choice(one["named"]))
            elif kind < 0.7:
                features.append(f"{one['name']}/{dice.choice(one['named'])}")
            elif one["keys"]:
                key = dice.choice(sorted(one["keys"]))
                features.append(f"{key}/{dice.choice(one['keys'][key]['features'])}")
    if features:
        arguments += ["--features", ",".join(features)]
    if dice.random() < 0.2:
        arguments.append("--no-default-features")
    chance = dice.random()
    if chance < 0.45:
        arguments += dice.choice([["--bins"], ["--lib"], ["--examples"], ["--all-targets"], ["--tests"], ["--tests", "--bins"], ["--bins", "--examples"],
                                  ["--lib", "--bins"]])
    if dice.random() < 0.3:
        arguments += WINDOWS
    elif dice.random() < 0.1:
        arguments += ["--target", "x86_64-unknown-linux-gnu"]
    flags = dice.choice(FLAGS) if dice.random() < 0.25 else None
    return Invocation(arguments, cwd, flags)


# ----------------------------------------------------------------------------------------------------------------------------- running

def judge(binary, what, files, invocations, folder, tally):
    """Writes the workspace, judges every invocation, prints what differs. True when something did."""
    workspace = folder / "ws"
    workspace.mkdir(parents=True)
    write(workspace, files)
    try:
        lock(workspace)
    except subprocess.CalledProcessError as error:
        tally.notes["no lockfile: " + error.stderr.strip().splitlines()[-1][:100]] += 1
        return False
    tally.workspaces += 1
    differs = False
    for invocation in invocations:
        found = differences(binary, workspace, invocation, str(folder / "cache"), tally)
        if found:
            tally.differences += 1
            differs = True
            print(f"{what}: {invocation}\n    " + "\n    ".join(found[:12]), flush=True)
    return differs


def run(options, jobs, folder, tally):
    def one(job):
        what, make = job
        place = folder / what.replace(" ", "-")
        try:
            files, invocations = make()
            if not judge(options.binary, what, files, invocations, place, tally) and not options.keep:
                shutil.rmtree(place, ignore_errors=True)
        except Exception as error:  # a bug of the trial itself must not pass for agreement
            tally.differences += 1
            print(f"{what}: the trial failed: {error!r}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, jobs))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("mode", choices=["handmade", "random"])
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("count", type=int, nargs="?", default=100)
    parser.add_argument("--keep", type=pathlib.Path, help="folder in which the workspaces stay")
    parser.add_argument("--selections", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    tally = Tally()

    def handmade_job(resolver, virtual):
        invocations = list(handmade_invocations(virtual))
        return lambda: (handmade(resolver, virtual), invocations)

    def random_job(seed):
        def make():
            files, members, packages, dice = random_workspace(seed)
            return files, [random_invocation(dice, members, packages) for _ in range(options.selections)]
        return make

    if options.mode == "handmade":
        jobs = [(f"handmade {resolver} {'virtual' if virtual else 'rooted'}", handmade_job(resolver, virtual))
                for resolver in "123" for virtual in (True, False)]
    else:
        jobs = [(f"seed {seed}", random_job(seed)) for seed in range(options.first, options.first + options.count)]
    with tempfile.TemporaryDirectory() as scratch:
        run(options, jobs, options.keep or pathlib.Path(scratch), tally)
    for note, count in tally.notes.most_common():
        print(f"note: {count} times: {note}")
    print(f"{tally.workspaces} workspaces, {tally.invocations} invocations ({tally.refused} refused by cargo), {tally.artifacts} artifacts, "
          f"{tally.differences} invocations with differences")
    sys.exit(1 if tally.differences else 0)


if __name__ == "__main__":
    main()
