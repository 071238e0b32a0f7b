// Compiles native/test against the kernels that node-gyp compiled, and prints the program's path.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { kernelFlags, listSources } from './sources.mjs';
import { compilerVariables } from './toolchain.mjs';

const native = path.resolve(import.meta.dirname, '..');
const built = path.join(native, 'build', 'Release', 'obj.target');
const kernels = [
  ...kernelFlags().map(({ name }) => path.join(built, `plif_${name}`, 'src', 'kernels', `${name}.o`)),
  path.join(built, 'plif_native', 'src', 'kernels', 'detect.o'),
];
const folder = path.join(native, 'build', 'test');
mkdirSync(folder, { recursive: true });
const program = path.join(folder, 'kernel-tests');
// CXX may have options of its own.
const [compiler = 'g++', ...own] = (compilerVariables().CXX ?? process.env.CXX ?? 'g++').split(' ');
const { status } = spawnSync(
  compiler,
  [
    ...own,
    '-std=c++17',
    '-O2',
    '-Wall',
    '-Wextra',
    '-pthread',
    '-DPLIF_X86',
    ...listSources('test'),
    ...kernels,
    '-o',
    program,
  ].filter((option) => process.arch === 'x64' || option !== '-DPLIF_X86'),
  { cwd: native, stdio: ['ignore', 'inherit', 'inherit'] },
);
if (status !== 0) process.exit(1);
console.log(program);
