#!/usr/bin/env bash
# Gets the binary, and becomes it: everything else is `cargo-supplychain supplychain action`. Runs in Git Bash on Windows too.
set -euo pipefail

own=0.1.0 # the version that this action belongs to
home=https://github.com/cargo-supplychain/cargo-supplychain
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() { # INPUT WHY: the message in one line, whatever was given
  local why=${2//'%'/%25}
  why=${why//$'\r'/%0D}
  printf '::error title=cargo supplychain::input %s: %s\n' "$1" "${why//$'\n'/%0A}"
  [ -z "${GITHUB_OUTPUT:-}" ] || printf 'result=error\nexit-code=2\n' >>"$GITHUB_OUTPUT"
  exit 2
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

target() {
  local system machine
  system=$(uname -s) machine=$(uname -m)
  case $machine in x86_64 | amd64) machine=x86_64 ;; arm64 | aarch64) machine=aarch64 ;; esac
  case $system in
    Linux) echo "$machine-unknown-linux-gnu" ;;
    Darwin) echo "$machine-apple-darwin" ;;
    *) echo "$machine-pc-windows-msvc" ;;
  esac
}

# A release's binary, whose digest stands in this action: what was downloaded or kept is what was looked at, or is not run.
released() { # VERSION DIGEST NAME FOLDER
  local file=$4/$3
  if ! [ -f "$file" ] || [ "$(sha256 <"$file")" != "$2" ]; then
    curl --fail --silent --show-error --location --proto '=https' --max-time 300 --output "$file.part" "$home/releases/download/v$1/$3" ||
      fail version "the file $3 of release v$1 could not be downloaded"
    [ "$(sha256 <"$file.part")" = "$2" ] || fail version "the file $3 of release v$1 is not the one that this action knows"
    chmod +x "$file.part"
    mv -f "$file.part" "$file"
  fi
  binary=$file
}

installed() { # VERSION FOLDER
  binary=$2/bin/cargo-supplychain
  if ! [ -x "$binary" ]; then
    echo "no digest of a released binary is known to this action: cargo install --locked --version =$1"
    # The workspace's cargo configuration and toolchain file are not this installation's: it runs elsewhere, without our variables.
    (cd "$2" && env -u GITHUB_TOKEN -u GH_TOKEN -u SUPPLYCHAIN_ACTION_TOKEN -u ACTIONS_ID_TOKEN_REQUEST_TOKEN -u ACTIONS_RUNTIME_TOKEN \
      -u GITHUB_ENV -u GITHUB_PATH -u GITHUB_OUTPUT -u GITHUB_STEP_SUMMARY \
      cargo install --locked --quiet --version "=$1" --root "$2" cargo-supplychain) || fail version "cargo could not install version $1"
  fi
}

version=${SUPPLYCHAIN_ACTION_VERSION:-$own}
exact='^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?$'
[[ $version =~ $exact ]] || fail version "\`${version:0:60}\` is no exact version, for example $own"

if [ -n "${SUPPLYCHAIN_ACTION_BINARY:-}" ]; then
  binary=$SUPPLYCHAIN_ACTION_BINARY
  case $binary in /* | [A-Za-z]:*) ;; *) binary=${GITHUB_WORKSPACE:-$PWD}/$binary ;; esac
  [ -f "$binary" ] || fail binary "there is no file ${binary:0:200}"
elif [ "${SUPPLYCHAIN_ACTION_OFFLINE:-}" = true ]; then
  fail binary "offline, nothing is installed: name a binary"
else
  name=cargo-supplychain-$(target)
  case $name in *windows*) name=$name.exe ;; esac
  digest=$(awk -v version="$version" -v name="$name" '$1 == version && $2 == name { print $3 }' "$here/digests.txt")
  # Of what is compiled here nothing says later that nobody has changed it: it is kept for the uses of this job alone.
  if [ -n "$digest" ]; then
    kept=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-/tmp}}/cargo-supplychain/$version
  else
    kept=${RUNNER_TEMP:-$(mktemp -d)}/cargo-supplychain-compiled-$version
  fi
  case ${SUPPLYCHAIN_ACTION_CACHE:-true} in
    true) folder=$kept ;;
    false) folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/cargo-supplychain-XXXXXX") ;;
    *) fail cache "\`${SUPPLYCHAIN_ACTION_CACHE:0:60}\` is none of true, false" ;;
  esac
  mkdir -p "$folder"
  if [ -n "$digest" ]; then released "$version" "$digest" "$name" "$folder"; else installed "$version" "$folder"; fi
fi

# One stream, so that the order of lines holds; and no shell is left whose environment somebody could read.
exec "$binary" supplychain action 2>&1
