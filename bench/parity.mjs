// The largest errors as shares of their tolerances on networks with other seeds, by engine, and the smallest of wrong formulas:
// `npm run bench:parity -- [SEEDS]`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const seeds = process.argv[2] ?? '50';
/** As `test:gpu`: it compiles in half the time for narrow vectors and without optimisation. */
const software = { REPRO_GPU: 'llvmpipe', LP_NATIVE_VECTOR_WIDTH: '128', GALLIVM_PERF: 'nopt' };
const engines = {
  'tfjs-cpu': {},
  wasm: {},
  'native, SSE2': { REPRO_ISA: 'baseline' },
  'native, AVX2': { REPRO_ISA: 'avx2' },
  'native, AVX-512': { REPRO_ISA: 'avx512' },
  'webgpu, llvmpipe': software,
};
/** As vectors.py names them. */
const mistakes = [
  'batch norm without eps',
  'running variance divided by n',
  'alpha 1 % too large',
  'gradient by w 1 % too large',
  'reset not detached',
  'eps of Adam inside the root',
];

const folder = mkdtempSync(path.join(tmpdir(), 'bench-parity-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
process.once('SIGINT', () => process.exit(1));

function run(program, args, env = {}) {
  return spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
}

/** @returns the folder with the vectors of all seeds, right or with a mistake */
function makeVectors(...mistake) {
  const made = mkdtempSync(path.join(folder, 'vectors-'));
  const { status, stderr } = run('/usr/bin/python3', ['bench/parity/vectors.py', made, seeds, ...mistake]);
  if (status === 0) return made;
  console.error(`${stderr}\nbench:parity needs PyTorch in /usr/bin/python3 (Debian: python3-torch).`);
  return process.exit(1);
}

/** @returns each case's comparisons: what, and the largest error as a share of its tolerance; or why the engine cannot run */
function compare(vectors, engine, env) {
  const { stdout, stderr } = run(
    process.execPath,
    ['bin/repro.js', 'parity', vectors, '--engine', engine, '--json'],
    env,
  );
  if (stdout === '') return stderr.trim().split('\n')[0];
  return JSON.parse(stdout).cases.map(({ comparisons }) =>
    comparisons.map(({ what, ofTolerance }) => ({
      what: what.replace(/, .*/, ''),
      share: Number(ofTolerance ?? Number.POSITIVE_INFINITY),
    })),
  );
}

const format = (share) => String(Number(share.toPrecision(2)));
const printRow = (cells) => console.log(`| ${cells.join(' | ')} |`);

printRow(['wrong formula', 'cases', 'smallest']);
printRow(['---', '---', '---']);
for (const mistake of mistakes) {
  const cases = compare(makeVectors(mistake), 'wasm', {});
  const smallest = Math.min(...cases.map((rows) => Math.max(...rows.map(({ share }) => share))));
  printRow([mistake, cases.length, format(smallest)]);
}
console.log();

const right = makeVectors();
let quantities;
for (const [name, env] of Object.entries(engines)) {
  const cases = compare(right, name.split(',')[0], env);
  if (typeof cases === 'string') {
    console.log(`${name}: ${cases}`);
    continue;
  }
  const largest = new Map();
  for (const { what, share } of cases.flat()) largest.set(what, Math.max(share, largest.get(what) ?? 0));
  if (quantities === undefined) {
    quantities = [...largest.keys()];
    printRow([`largest of ${seeds} seeds`, ...quantities]);
    printRow(['---', ...quantities.map(() => '---')]);
  }
  printRow([name, ...quantities.map((what) => format(largest.get(what)))]);
}
