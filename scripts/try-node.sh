#!/usr/bin/env bash
# Tries the committed project under another version of Node, in a clean clone: `scripts/try-node.sh 26.10.0 FOLDER`.
# Its results are compared with those of the version that was tried first with the same folder.
# `--addon BUILD` is the short way, for versions between two that were tried in full: it takes the native engine from there instead of
# compiling it, as Node-API has the same functions in every version, and only runs the tests.
set -euo pipefail
version=$1
folder=$(mkdir -p "$2" && realpath "$2")
project=$(realpath "$(dirname "$0")/..")
set -x
npm install --silent --prefix "$folder/node-$version" "node@$version"
export PATH="$folder/node-$version/node_modules/node/bin:$PATH"
[[ $(node --version) == "v$version" ]]

clone=$folder/clone
rm -rf "$clone"
git clone --quiet "$project" "$clone"
[[ ${3-} != --addon ]] || cp -a "$4" "$clone/native/build"
cd "$clone"
npm ci
npm run build:native

# What differs between versions: the permission model, module loading, the file system, threads, the addon.
npx vitest run test/executors test/stage/ test/files test/addon test/native test/datasets/reading/threads test/cli/node-version.test.ts \
  test/runner/lazy-imports.test.ts test/runner/execution-hermetic.test.ts test/runner/execution-packages.test.ts

[[ ${3-} != --addon ]] || exit 0

quick=(--set train.epochs=2)
./repro run "${quick[@]}" 2>&1 | tee "$folder/run.log"
./repro run "${quick[@]}" 2>&1 | tee -a "$folder/run.log" | grep '12 up to date'
./repro status --exit-code "${quick[@]}"
./repro check "${quick[@]}"
# Node warns as `(node:123) ExperimentalWarning: …`, also into the logs of stages.
if grep -r '^(node:' "$folder/run.log" artifacts/.cache/logs; then exit 1; fi

# Every result is the same to the byte; the timeline shows when and how long.
results=$folder/results
rm -rf artifacts/.cache artifacts/timeline
if [[ -e $results ]]; then
  diff -r "$results" artifacts
else
  mv artifacts "$results"
fi
