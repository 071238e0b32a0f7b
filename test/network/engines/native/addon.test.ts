import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { countCores } from '../../../../src/base/cores.ts';
import { digestSources } from '../../../../src/network/addon/load-addon.ts';
import { loadAddon } from '../../../../src/network/engines/native/addon.ts';
import {
  chooseInstructionSet,
  chooseThreads,
  identifyBuild,
} from '../../../../src/network/engines/native/arithmetic.ts';
import { explainNativeError } from '../../../../src/network/engines/native/memory.ts';
import { FakeAddon } from './fake-addon.ts';

/** A `require` that knows the package, if `load` is given. */
function fakeRequire(load?: () => unknown): NodeJS.Require {
  const require = (() => load?.()) as unknown as NodeJS.Require;
  require.resolve = ((request: string) => {
    if (load === undefined) throw new Error(`Cannot find module '${request}'`);
    return request;
  }) as NodeJS.RequireResolve;
  return require;
}

function failing(message: string, details: { readonly code?: string } = {}): () => never {
  return () => {
    throw Object.assign(new Error(message), details);
  };
}

describe('loadAddon', () => {
  it('returns the addon', () => {
    const addon = new FakeAddon();
    expect(loadAddon(fakeRequire(() => addon))).toEqual({ ok: true, addon, isEarlierBuild: false });
  });

  it('tells an addon that was compiled from other sources, which stays in use', () => {
    const addon = new FakeAddon();
    const require = (digest: string) =>
      Object.assign(
        (request: string) => (request.endsWith('/source-digest') ? { sourceDigest: () => digest } : addon),
        { resolve: (request: string) => request },
      ) as unknown as NodeJS.Require;
    expect(loadAddon(require(addon.sourceDigest))).toMatchObject({ ok: true, isEarlierBuild: false });
    expect(loadAddon(require('ffffffffffff'))).toMatchObject({ ok: true, isEarlierBuild: true });
  });

  it('says in words why there is none, and how to get it', () => {
    const reasons = [
      loadAddon(fakeRequire()),
      loadAddon(
        fakeRequire(
          failing("Cannot find module 'plif_native.node'\nRequire stack: …", { code: 'MODULE_NOT_FOUND' }),
        ),
      ),
      loadAddon(fakeRequire(failing('libstdc++.so.6: cannot open shared object file\nRequire stack: …'))),
      loadAddon(fakeRequire(() => ({ sourceDigest: '1', instructionSets: [] }))),
    ];
    expect(reasons.map((one) => (one.ok ? null : one.reason))).toEqual([
      'plif-native is not installed',
      'it is not compiled',
      'it does not load (libstdc++.so.6: cannot open shared object file)',
      'it lacks functions that this version needs',
    ]);
    for (const one of reasons) expect(one).toMatchObject({ fix: expect.stringMatching(/Run `npm /) });
  });

  it('finds the package of this project, whose sources have a digest', () => {
    expect(() => createRequire(import.meta.url).resolve('plif-native/package.json')).not.toThrow();
    expect(digestSources()).toMatch(/^[0-9a-f]{12}$/);
    expect(digestSources(fakeRequire())).toBeUndefined();
  });
});

describe('chooseInstructionSet', () => {
  const available = ['baseline', 'avx2'];

  it('takes the fastest, or the one of REPRO_ISA', () => {
    expect(chooseInstructionSet(available, {})).toBe('avx2');
    expect(chooseInstructionSet(available, { REPRO_ISA: '' })).toBe('avx2');
    expect(chooseInstructionSet(available, { REPRO_ISA: 'baseline' })).toBe('baseline');
  });

  it('rejects one that is not available, listing those that are', () => {
    for (const [REPRO_ISA, problem] of [
      ['avx512', 'this processor, or how the native engine was compiled, lacks this instruction set.'],
      ['AVX2', 'the native engine knows no instruction set of this name.'],
    ]) {
      expect(() => chooseInstructionSet(available, { REPRO_ISA })).toThrow(
        expect.objectContaining({
          code: 'engine-instruction-set',
          message: `REPRO_ISA=${REPRO_ISA}: ${problem}`,
          fix: 'It can use baseline and avx2.',
        }),
      );
    }
  });
});

describe('chooseThreads', () => {
  it('takes what it is told, then REPRO_THREADS, then all cores', () => {
    expect(chooseThreads(3, { REPRO_THREADS: '5' })).toBe(3);
    expect(chooseThreads(undefined, { REPRO_THREADS: '5' })).toBe(5);
    expect(chooseThreads(undefined, {})).toBe(Math.min(countCores(), 256));
    expect(chooseThreads(1000)).toBe(256); // the addon allows no more
  });

  it('rejects what is not a number of threads', () => {
    for (const REPRO_THREADS of ['0', '-1', '2.5', 'all', '257']) {
      expect(() => chooseThreads(undefined, { REPRO_THREADS })).toThrow(
        `REPRO_THREADS=${REPRO_THREADS} is not a number of threads.`,
      );
    }
  });
});

it('identifies a build by its compiler and, unless x64, its architecture too', () => {
  const addon = { compiler: 'Clang 15.0.0 (clang-1500.3.9.4) ' };
  const identify = (architecture: string) =>
    identifyBuild('0123456789ab', addon, { instructionSet: 'baseline', winogradTile: 2 }, architecture);
  expect(identify('x64')).toBe('0123456789ab baseline Clang 15.0.0 (clang-1500.3.9.4)');
  expect(identify('arm64')).toBe('0123456789ab baseline Clang 15.0.0 (clang-1500.3.9.4) arm64');
});

it('turns errors of the addon into those of other engines', () => {
  const withCode = (code: string) => Object.assign(new Error('what'), { code });
  expect(explainNativeError(withCode('PLIF_SHAPE'))).toMatchObject({ name: 'ShapeError', message: 'what' });
  expect(explainNativeError(withCode('PLIF_OUT_OF_MEMORY'))).toMatchObject({ code: 'out-of-memory' });
  const other = withCode('PLIF_ARGUMENT');
  expect(explainNativeError(other)).toBe(other);
});
