#!/usr/bin/env python3
"""Trial: published crates with native code, built sealed (`build --sandbox require`); what each was refused, and what sealing costs.

    sandbox.py --tool PATH --work DIR [--venv DIR] [--out FILE.md] [--slot CMD] [--keep] [--again] [NAME ...]
    sandbox.py --tool PATH --work DIR --cost FOLDER [--pairs 5]
    sandbox.py --tool PATH [--other PATH] --work DIR --start FOLDER [FOLDER ...] [--pairs 21]

Each trial is a scratch project that depends on the crate, links it and calls it. It is fetched, built without optimization, and its program
is run outside: that it answers is part of the trial. NAME chooses trials; without one all are made, the small ones first.
`--venv` is a folder with Python's `cmake` and `libclang` installed, for what the machine lacks; its `bin` goes onto PATH.
`--again` builds with `--reproduce` and says whether the bytes agree. `--slot` is put before every command that compiles.

`--cost` builds FOLDER (a workspace with its Cargo.lock, fetched) sealed and unsealed in turns: CPU seconds of the whole tree, ours
included. `--start` does it with nothing to compile: wall clock and CPU of both. `--other` is another version of the tool, which takes its
turns in between, so that what the machine does meanwhile hits both.
"""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import time

import sandbox_crates

CHEAP = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "0", "CARGO_PROFILE_RELEASE_DEBUG": "0", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
         "CARGO_INCREMENTAL": "0"}


def environment(venv):
    env = dict(os.environ, **CHEAP)
    for name in [name for name in env if name.startswith("CARGO_SUPPLYCHAIN")]:
        del env[name]
    if venv:
        env["PATH"] = f"{venv / 'bin'}:{env['PATH']}"
        library = next(venv.glob("lib/python*/site-packages/clang/native"), None)
        if library and "LIBCLANG_PATH" not in env:
            headers = subprocess.run(["gcc", "-print-file-name=include"], text=True, capture_output=True, check=True).stdout.strip()
            env.update(LIBCLANG_PATH=str(library), BINDGEN_EXTRA_CLANG_ARGS=f"-I{headers}")
    return env


def lacking(needs, env):
    """What of a trial's needs this machine does not have: a program, `NAME.pc` of pkg-config, or libclang."""
    for need in needs:
        if need == "libclang":
            there = "LIBCLANG_PATH" in env
        elif need.endswith(".pc"):
            there = subprocess.run(["pkg-config", "--exists", need[:-3]]).returncode == 0
        else:
            there = shutil.which(need, path=env["PATH"]) is not None
        if not there:
            return need
    return None


def write(trial, folder):
    """The scratch project, in a git repository of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "src").mkdir(parents=True)
    kind = trial.get("lib", "")
    manifest = '[package]\nname = "trial"\nversion = "0.1.0"\nedition = "2021"\nlicense = "MIT"\npublish = false\n'
    manifest += f"{kind}[dependencies]\n{trial['dependencies']}"
    if "build" in trial:
        manifest += f"\n[build-dependencies]\n{trial['build_dependencies']}"
        (folder / "build.rs").write_text(trial["build"])
    (folder / "Cargo.toml").write_text(manifest)
    (folder / "src" / ("lib.rs" if kind else "main.rs")).write_text(trial["main"])
    (folder / ".gitignore").write_text("/target\n")
    for name, text in trial.get("files", {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    git = ["git", "-c", "user.name=trial", "-c", "user.email=trial@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "trial"]):
        subprocess.run(git + command, cwd=folder, check=True)


def attempts(folder):
    """What was refused: `openssl-sys 0.9.1, child (perl): read /x, 3 times`."""
    record = folder / "target" / "supplychain" / "denied.json"
    if not record.exists():
        return []
    lines = []
    for one in json.loads(record.read_text())["attempts"]:
        actor, act = one["actor"], one["act"]
        what = " ".join(str(value) for value in act.values() if not isinstance(value, bool))
        program = f" ({actor['program']})" if actor["program"] else ""
        lines.append(f"{actor['name']} {actor['version']}, {actor['kind']}{program}: {what}, {one['count']} times")
    return lines


def run_trial(trial, options, env):
    folder = options.work / trial["name"]
    write(trial, folder)
    lock = (folder / "Cargo.lock").read_text().split("[[package]]")
    version = next(one.split('version = "')[1].split('"')[0] for one in lock if f'name = "{trial["crate"]}"\n' in one)
    command = shlex.split(options.slot) + [options.tool, "supplychain", "build", "--sandbox", "require", "--no-sign", "--offline", "--fail-on",
                                           "none", "--only", "lock", "--format", "json"]
    if options.again:
        command.append("--reproduce")
    env = dict(env, **{name: value.replace("{folder}", str(folder)) for name, value in trial.get("env", {}).items()})
    begin = time.monotonic()
    result = subprocess.run([str(part) for part in command], cwd=folder, env=env, text=True, capture_output=True, timeout=1800)
    row = {"name": trial["name"], "crate": f"{trial['crate']} {version}", "packages": len(lock) - 1, "exit": result.returncode,
           "seconds": time.monotonic() - begin, "refused": attempts(folder), "expected": trial.get("expected", "built"), "why": ""}
    row["outcome"] = "built" if result.returncode == 0 else "not built"
    program = next(iter(folder.glob("target/supplychain/trial-*/artifacts/trial")), None)
    if result.returncode == 0 and program:
        row["outcome"] = "built, runs" if subprocess.run([program], stdout=subprocess.DEVNULL).returncode == 0 else "built, does not run"
    if result.returncode:
        errors = [line for line in result.stderr.splitlines() if "error" in line.lower() or "panicked" in line or "denied" in line]
        row["why"] = " / ".join(errors[-3:])[:300]
        (options.work / f"{trial['name']}.log").write_text(result.stdout + result.stderr)
    if options.again and result.returncode == 0:
        row["again"] = agreement(json.loads(result.stdout))
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return row


def agreement(answer):
    """`yes`, or the causes of the difference."""
    reproduction = answer["release"]["reproduction"]
    if reproduction["failed"]:
        return "second build failed: " + reproduction["failed"].splitlines()[0]
    causes = []
    for artifact in reproduction["artifacts"]:
        for cause in (artifact["difference"] or {}).get("causes", []):
            causes.append(f"{cause['kind']} ({cause['total']}): {', '.join(cause['examples'][:3])}")
    equal = all(one["first"] == one["second"] for one in reproduction["artifacts"])
    return "yes" if equal else "no: " + "; ".join(causes)


def table(rows, again):
    head = ["crate", "packages", "outcome", "exit", "refused", "s"] + (["same bytes again"] if again else [])
    text = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row["crate"], row["packages"], row["outcome"] + (f" ({row['why']})" if row["why"] else ""), row["exit"],
                 "; ".join(row["refused"]) or "nothing", f"{row['seconds']:.0f}"]
        cells += [row.get("again", "")] if again else []
        text.append("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(text) + "\n"


def cpu_and_wall(command, folder, env):
    """CPU seconds of a process and of everything below it, and wall clock."""
    begin = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"{command} ended with {status}\n{errors.decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin


def build(tool, mode, folder, options, env, *more):
    command = [tool, "supplychain", "build", "-q", "--sandbox", mode, "--no-sign", "--offline", "--fail-on", "none", "--only", "lock", *more]
    return cpu_and_wall(shlex.split(options.slot) + command, folder, env)


def in_turns(number, them):
    """Who begins changes, so that what the machine does meanwhile hits all of them."""
    return them if number % 2 == 0 else them[::-1]


def begin(folder):
    packages = (folder / "Cargo.lock").read_text().count("[[package]]")
    print(f"{folder.name}, {packages} packages in the lockfile")


def cost(options, env):
    begin(options.cost)
    sealed, plain = [], []
    for number in range(options.pairs or 5):
        for mode in in_turns(number, ["require", "off"]):
            (sealed if mode == "require" else plain).append(build(options.tool, mode, options.cost, options, env, "--clean")[0])
        print(f"  pair {number + 1}: sealed {sealed[-1]:.3f}, not {plain[-1]:.3f}, ratio {sealed[-1] / plain[-1]:.4f}", flush=True)
    ratio = statistics.median(one / other for one, other in zip(sealed, plain))
    print(f"CPU, everything compiled: sealed {statistics.median(sealed):.3f} s, not {statistics.median(plain):.3f} s, median of the ratios {ratio:.4f}")


def start_up(folder, options, env):
    begin(folder)
    tools = [options.tool] + ([options.other] if options.other else [])
    build(options.tool, "require", folder, options, env)
    more = {tool: [] for tool in tools}
    for number in range(options.pairs or 21):
        for tool in in_turns(number, tools):
            took = {mode: build(tool, mode, folder, options, env) for mode in in_turns(number // len(tools), ["require", "off"])}
            more[tool].append([sealed - plain for sealed, plain in zip(took["require"], took["off"])])
    for tool, differences in more.items():
        for what, column in (("wall clock", 1), ("CPU", 0)):
            low, median, high = (1000 * value for value in statistics.quantiles([one[column] for one in differences], n=4))
            print(f"  {tool}: {what}, sealed more than not: median {median:.1f} ms, quartiles {low:.1f} and {high:.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--venv", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--slot", default="")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--cost", type=pathlib.Path)
    parser.add_argument("--start", type=pathlib.Path, nargs="+")
    parser.add_argument("--other", type=pathlib.Path)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    options.tool, options.work = options.tool.resolve(), options.work.resolve()
    options.other = options.other and options.other.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    env = environment(options.venv.resolve() if options.venv else None)
    if options.cost or options.start:
        # A sealed cargo is told both; without them its memory of the compiler is another one, and each change of mode would ask it again.
        homes = (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"))
        env = dict(env, **{name: env.get(name, str(pathlib.Path.home() / folder)) for name, folder in homes})
        if options.cost:
            cost(options, env)
        for folder in options.start or []:
            start_up(folder, options, env)
        return 0
    unknown = set(options.names) - {trial["name"] for trial in sandbox_crates.TRIALS}
    if unknown:
        sys.exit(f"no such trial: {', '.join(sorted(unknown))}")
    rows = []
    for trial in sandbox_crates.TRIALS:
        if options.names and trial["name"] not in options.names:
            continue
        lacks = lacking(trial.get("needs", []), env)
        if lacks:
            print(f"{'skipped':<20} {trial['name']}: this machine has no {lacks}", flush=True)
            continue
        row = run_trial(trial, options, env)
        rows.append(row)
        print(f"{row['outcome']:<20} {row['name']} ({row['crate']}), exit {row['exit']}, {row['seconds']:.0f} s {row['why']} {row.get('again', '')}")
        for line in row["refused"]:
            print(f"    {line}")
        sys.stdout.flush()
        if options.out:
            options.out.write_text(table(rows, options.again))
    other = [row["name"] for row in rows if row["expected"] not in row["outcome"] or (row["refused"] and row["expected"] != "not built")]
    print(f"{len(rows) - len(other)} of {len(rows)} as expected" + (f"; not: {', '.join(other)}" if other else ""))
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
