#!/bin/sh
# Install what the benchmark's peers need: Debian's wrk, and PostGraphile with its Node.js from npm into build/benchmarks.
set -eu
cd "$(dirname "$0")/.."

if ! command -v wrk >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    apt-get install -y --no-install-recommends wrk
  else
    echo "wrk is missing. On Debian: sudo apt-get install wrk; on macOS: brew install wrk" >&2
    exit 1
  fi
fi

if ! command -v npm >/dev/null; then
  echo "npm is missing, with which PostGraphile is installed. On Debian: sudo apt-get install nodejs npm" >&2
  exit 1
fi

# The exact versions are in package.json; there is no lock file, since that would record download addresses.
folder=build/benchmarks/postgraphile
mkdir -p "$folder"
if ! cmp -s benchmarks/peers/postgraphile/package.json "$folder/package.json" || [ ! -e "$folder/.installed" ]; then
  rm -f "$folder/.installed"
  cp benchmarks/peers/postgraphile/package.json "$folder/"
  (cd "$folder" && npm install --no-package-lock --no-audit --no-fund --loglevel=error)
  touch "$folder/.installed"
fi
echo "Ready: make bench, or make bench QUICK=1"
