import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { instructionSets, isAvailable } from './support.ts';

const native = path.resolve(import.meta.dirname, '../../native');

describe.skipIf(!isAvailable)('the native kernels', () => {
  test('match plain loops in double precision on every instruction set', async () => {
    const build = await execa(process.execPath, ['scripts/build-kernel-tests.mjs'], {
      cwd: native,
      reject: false,
    });
    expect(build.stderr).toBe('');
    const { stdout, exitCode } = await execa(build.stdout, [], { reject: false });
    expect(stdout.split('\n').filter((line) => !line.startsWith('ok '))).toEqual([
      expect.stringMatching(/^\d+ passed, 0 failed$/),
    ]);
    expect(exitCode).toBe(0);
    for (const name of instructionSets) expect(stdout).toContain(`ok     ${name}: `);
  });
});

// A function of a shared header compiled twice, once for AVX-512, could be the one that the linker keeps for all; and what runs when the
// addon is loaded runs on every processor. Objects for AVX-512 are there on processors without it too. nm shows all this in ELF files only.
describe.skipIf(!isAvailable || process.platform !== 'linux')('the objects of one instruction set', () => {
  test.for(process.arch === 'x64' ? ['avx2', 'avx512'] : [])(
    'define nothing that another may use in its place, and run nothing on loading: %s',
    async (name, { skip }) => {
      const object = path.join(native, `build/Release/obj.target/plif_${name}/src/kernels/${name}.o`);
      const { stdout, exitCode } = await execa('nm', ['--demangle', object], { reject: false });
      if (exitCode !== 0) skip('there is no object file, or no nm');
      expect(stdout).toContain(`plif::${name}::fire(`);
      expect(stdout).toContain(`plif::${name}Kernels`);
      const shared = stdout.split('\n').filter((line) => /^\S* +[TWVu] /.test(line));
      expect(shared.filter((line) => !line.includes(`plif::${name}::`))).toEqual([]);
      expect(stdout).not.toContain('_GLOBAL__sub_I');
      expect((await readFile(object)).includes('.init_array')).toBe(false);
    },
  );
});

const engines = isAvailable ? ['native', 'wasm'] : ['wasm'];
describe.each(engines)('the boundary of %s', (engine) => {
  test.each([1, 2, 3])('answers anything with a value or an error, seed %i', async (seed) => {
    const { stdout, exitCode, stderr } = await execa(
      process.execPath,
      ['test/fuzz.mjs', '--engine', engine, '--rounds', '300', '--seed', String(seed)],
      { cwd: native, reject: false },
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/300 rounds, \d+ errors, no crash/);
  });
});
