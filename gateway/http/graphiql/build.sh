#!/bin/sh
# Build GraphiQL into bundle/, unless it is up to date. Without Node.js everything but GraphiQL works.
set -eu
cd "$(dirname "$0")"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "GraphiQL not built: Node.js is missing (Debian: apt-get install nodejs npm; or nodejs.org)."
  exit 0
fi

stamp=$(cat package.json build.mjs source/* | cksum)
if [ "$(cat bundle/.stamp 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi

npm install --no-package-lock --no-audit --no-fund --loglevel=error
node build.mjs
echo "$stamp" >bundle/.stamp
echo "GraphiQL built: gateway/http/graphiql/bundle"
