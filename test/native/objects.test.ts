import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const objects = path.resolve(import.meta.dirname, '../../native/build/Release/obj.target');
const sample = path.join(objects, 'plif_avx512/src/kernels/avx512.o');
const canRead = existsSync(sample) && spawnSync('nm', ['--version']).status === 0;

describe.runIf(canRead)('the kernels of an instruction set', () => {
  it.each(['avx2', 'avx512'])('%s share no function with other files, and run nothing on loading', (isa) => {
    const object = path.join(objects, `plif_${isa}/src/kernels/${isa}.o`);
    const symbols = execFileSync('nm', ['--demangle', object], { encoding: 'utf8' })
      .split('\n')
      .map((line) => /^[0-9a-f]+ (?<kind>\w) (?<name>.+)$/.exec(line)?.groups)
      .filter((symbol) => symbol !== undefined);
    // The linker keeps one copy of a weak function; the addon would run it on processors that lack the instructions.
    const foreign = symbols.filter(
      ({ kind, name }) => /[WVuT]/.test(kind ?? '') && !name?.includes(`plif::${isa}::`),
    );
    expect(foreign).toEqual([]);
    expect(symbols.filter(({ name }) => name?.startsWith('_GLOBAL__sub_I'))).toEqual([]);
    expect(readFileSync(object).includes('.init_array')).toBe(false);
    expect(symbols.some(({ name }) => name === `plif::${isa}Kernels`)).toBe(true);
  });
});
