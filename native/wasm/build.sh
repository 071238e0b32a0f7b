#!/usr/bin/env bash
# Compiles the engine to plif.wasm: `native/wasm/build.sh [OUTPUT]`. Needs Debian 13's packages clang-19, lld-19, wasi-libc,
# libc++-19-dev-wasm32, libc++abi-19-dev-wasm32 and libclang-rt-19-dev-wasm32; the committed file is made by exactly these.
set -euo pipefail
export LC_ALL=C # The order of the sources.
cd "$(dirname "$0")"
output=${1:-plif.wasm}
clang++-19 --target=wasm32-wasi -std=c++17 -O3 -msimd128 -fwasm-exceptions -ffp-contract=off -fno-math-errno \
  -fno-trapping-math -fvisibility=hidden -ffunction-sections -Wall -Wextra -DNDEBUG "-DPLIF_SOURCE_DIGEST=\"$(node ../scripts/source-digest.cjs wasm)\"" \
  ../src/kernels/baseline.cc ../src/network/*.cc *.cc \
  -mexec-model=reactor -Wl,--no-entry,--strip-all,--gc-sections,--stack-first,--export=__stack_pointer,--initial-memory=1048576,--max-memory=4294901760 \
  -Wl,-z,stack-size=262144 -o "$output"
