#!/usr/bin/env bash
# Tries the committed project under another version of Node, in a clean clone: `scripts/try-node.sh 26.10.0 FOLDER`.
# Its results are compared with those of the version that was tried first with the same folder.
# `--plain` tries it as most laptops have it: an ordinary user with FOLDER as home, Node.js in a folder there, and neither compiler, make nor Python.
# Tests that root skips run there, too. The engine is the one in WebAssembly, so results are not compared.
set -euo pipefail
version=$1
folder=$(mkdir -p "$2" && realpath "$2")
project=$(realpath "$(dirname "$0")/..")
plain=${3-}
as=()
tests=()
set -x
npm install --silent --prefix "$folder/node-$version" "node@$version"
clone=$folder/clone
rm -rf "$clone"
git clone --quiet "$project" "$clone"
if [[ -n $plain ]]; then
  mkdir -p "$folder/bin"
  ln -sf /usr/bin/* "$folder/bin"
  ln -sf "$(command -v npm)" "$(command -v npx)" "$folder/bin"
  (cd "$folder/bin" && rm -f -- *g++* *gcc* *clang* c++ cc make gmake node python*)
  export HOME=$folder PATH=$folder/bin
  if ((UID == 0)); then
    as=(setpriv --reuid=1234 --regid=1234 --clear-groups)
    chown -R 1234:1234 "$folder"
  fi
  tests=(test/runner/store/heal.test.ts)
fi
export PATH="$folder/node-$version/node_modules/node/bin:$PATH"
[[ $(node --version) == "v$version" ]]

cd "$clone"
"${as[@]}" npm ci
[[ -n $plain ]] || npm run build:native

# What differs between versions: the permission model, module loading, the file system, threads, the addon.
"${as[@]}" npx vitest run test/runner/executors test/runner/stage/ test/base/files test/network/addon test/native test/data/reading/threads test/app/node-version.test.ts \
  test/runner/lazy-imports.test.ts test/runner/execution-hermetic.test.ts test/runner/execution-packages.test.ts "${tests[@]}"

quick=(--set train.epochs=2 --set 'models=[baseline, no-reg]')
"${as[@]}" npm run reproduce -- "${quick[@]}" 2>&1 | tee "$folder/run.log"
"${as[@]}" ./repro run "${quick[@]}" 2>&1 | tee -a "$folder/run.log" | grep '8 up to date'
"${as[@]}" ./repro status --exit-code "${quick[@]}"
"${as[@]}" ./repro check "${quick[@]}"
# Node warns as `(node:123) ExperimentalWarning: …`, also into the logs of stages.
if grep -r '^(node:' "$folder/run.log" artifacts/.cache/logs; then exit 1; fi
[[ -z $plain ]] || exit 0

# Every result is the same to the byte.
results=$folder/results
rm -rf artifacts/.cache
if [[ -e $results ]]; then
  diff -r "$results" artifacts
else
  mv artifacts "$results"
fi
