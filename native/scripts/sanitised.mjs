// Compiles the addon and its kernel tests with the address and undefined-behaviour sanitizers, apart from the usual build, and runs the
// kernel tests, the parity suite and the fuzz target with them: `npm run test:native-sanitize`. Needs g++ on Linux.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { instructionSets, kernelFlags, listSources } from './sources.mjs';

const require = createRequire(import.meta.url);
const native = path.resolve(import.meta.dirname, '..');
const project = path.resolve(native, '..');
const folder = path.join(native, 'build', 'sanitised');
const compiler = process.env.CXX ?? 'g++';
// -O1 keeps the parity suite within minutes; what a sanitizer finds stops the program.
const flags = [
  '-std=c++17',
  '-O1',
  '-g',
  '-fPIC',
  '-pthread',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  // Node.js, which is compiled without RTTI, has some of the standard library's classes under the same names.
  '-fno-sanitize=vptr',
  '-fno-sanitize-recover=all',
];

const objects = await compileAll();
link([...objects.shared, ...objects.tests], 'kernel-tests', []);
link([...objects.shared, ...objects.addon], 'plif_native.node', ['-shared']);
run('the kernel tests', path.join(folder, 'kernel-tests'), [], {});
const sanitizer = spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim();
const environment = {
  LD_PRELOAD: sanitizer,
  // Node.js itself frees little before it ends.
  ASAN_OPTIONS: 'detect_leaks=0',
  PLIF_NATIVE_BINARY: path.join(folder, 'plif_native.node'),
};
for (const name of instructionSets()) {
  for (const suite of ['test/golden', 'test/golden/torch']) {
    const variables = { ...environment, REPRO_ISA: name, REPRO_THREADS: '2' };
    run(
      `${suite}, ${name}`,
      process.execPath,
      ['bin/repro.js', 'parity', suite, '--engine', 'native'],
      variables,
    );
  }
}
run('the fuzz target', process.execPath, ['native/test/fuzz.mjs', '--rounds', '3000'], environment);
console.log('no sanitizer found anything');

async function compileAll() {
  mkdirSync(folder, { recursive: true });
  const headers = [
    `-I${path.resolve(require('node-addon-api').include_dir)}`,
    `-I${path.resolve(path.dirname(process.execPath), '../include/node')}`,
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
  ];
  const defines = process.arch === 'x64' ? ['-DPLIF_X86'] : [];
  const kernels = kernelFlags().map(({ name, options }) => ({ file: `src/kernels/${name}.cc`, options }));
  const shared = [
    ...kernels,
    { file: 'src/kernels/detect.cc', options: [] },
    ...listSources('src/events', 'src/threads', 'src/network').map((file) => ({ file, options: [] })),
  ];
  const addon = listSources('src/addon').map((file) => ({ file, options: headers }));
  const tests = readdirSync(path.join(native, 'test'))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => ({ file: `test/${name}`, options: [] }));
  const jobs = [...shared, ...addon, ...tests];
  console.log(`compiling ${jobs.length} files with the sanitizers …`);
  let next = 0;
  const worker = async () => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      await compile(job.file, [...flags, ...defines, ...job.options]);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  const objectsOf = (list) => list.map(({ file }) => objectOf(file));
  return { shared: objectsOf(shared), addon: objectsOf(addon), tests: objectsOf(tests) };
}

function objectOf(file) {
  return path.join(folder, `${file.replaceAll('/', '-')}.o`);
}

function compile(file, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, [...options, '-c', file, '-o', objectOf(file)], {
      cwd: native,
      stdio: 'inherit',
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file} does not compile`))));
  });
}

function link(objects, output, options) {
  const { status } = spawnSync(
    compiler,
    [...flags, ...options, ...objects, '-o', path.join(folder, output)],
    {
      stdio: 'inherit',
    },
  );
  if (status !== 0) throw new Error(`${output} cannot be linked`);
}

function run(what, program, options, variables) {
  console.log(`\n==> ${what}`);
  const { status, signal } = spawnSync(program, options, {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, ...variables },
  });
  if (status !== 0) {
    console.error(`${what}: failed (${signal ?? `exit code ${status}`})`);
    process.exit(1);
  }
}
