// Compiles the engine with ThreadSanitizer, apart from the usual build, and trains small networks with many more threads than cores:
// `npm run test:native-threads`. Needs Clang 19 on Linux, or the compiler that CXX names; less than a minute on two cores.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { listSources } from './sources.mjs';

const native = path.resolve(import.meta.dirname, '..');
const program = path.join(native, 'build', 'test', 'thread-tests');
mkdirSync(path.dirname(program), { recursive: true });
// Without PLIF_X86 there are only the kernels of the baseline: threads do not depend on the instruction set.
run(process.env.CXX ?? 'clang++-19', [
  '-std=c++17',
  '-O1',
  '-g',
  '-pthread',
  '-fsanitize=thread',
  ...listSources('test/threads', 'src/network', 'src/threads'),
  'src/kernels/baseline.cc',
  'src/kernels/detect.cc',
  '-o',
  program,
]);
run(program, []);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: native, stdio: 'inherit' });
  if (status === 0) return;
  console.error(
    error
      ? `${error.message}; set CXX to another Clang or GCC, such as CXX=g++`
      : `${command}: failed (exit code ${status})`,
  );
  process.exit(1);
}
