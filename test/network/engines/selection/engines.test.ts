import { copyFile, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { beforeEach, describe, expect, it } from 'vitest';
import { chooseDevice } from '../../../../src/app/original/train-val.ts';
import { isLastResort } from '../../../../src/network/engines/engine.ts';
import {
  type LoadedAddon,
  loadAddon,
  nameDigests,
  stampFiles,
} from '../../../../src/network/engines/native/addon.ts';
import {
  chooseEngine,
  identifyEngine,
  probeEngines,
} from '../../../../src/network/engines/selection/engines.ts';
import { type CudaProbe, type ProbedSystem, probeCuda } from '../../../../src/network/engines/tfjs/cuda.ts';
import { loadWasm } from '../../../../src/network/engines/wasm/addon.ts';
import type { GpuSystem } from '../../../../src/network/engines/webgpu/adapters.ts';
import { kernelDigest } from '../../../../src/network/engines/webgpu/plan.ts';
import { buildNetwork } from '../../../../src/network/networks.ts';
import { digestFile } from '../../../../src/runner/store/digest.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { smallNetwork } from '../../../training/small-task.ts';
import { FakeAddon } from '../native/fake-addon.ts';
import { fakeGpus } from '../webgpu/fake-gpus.ts';

const here: ProbedSystem = { platform: 'linux-x64', isInstalled: () => true, load: async () => ({}) };

describe('probeCuda', () => {
  it.each<[string, Partial<ProbedSystem>, RegExp, RegExp | null]>([
    ['for another kind of machine', { platform: 'darwin-arm64' }, /does not exist for darwin-arm64$/, null],
    [
      'that is not installed',
      { isInstalled: () => false },
      /is not installed$/,
      /npm install .*CUDA 11\.2 and cuDNN 8\.1/,
    ],
    [
      'that does not load',
      { load: () => Promise.reject(new Error('libcudart.so.11.0: cannot open\nRequire stack: …')) },
      /does not load \(libcudart\.so\.11\.0: cannot open\)$/,
      /npm rebuild/,
    ],
    ['that registers no backend', {}, /does not load/, /npm rebuild/],
  ])('says why it cannot use the package %s, and how to get it', async (_, system, reason, fix) => {
    expect(await probeCuda({ ...here, ...system })).toEqual({
      usable: false,
      reason: expect.stringMatching(reason),
      fix: fix && expect.stringMatching(fix),
    });
  });
});

const noCuda = async (): Promise<CudaProbe> => ({ usable: false, reason: 'not today', fix: null });
const cuda = async (): Promise<CudaProbe> => ({ usable: true, version: '4.22.0' });
const native = (): LoadedAddon => ({ ok: true, addon: new FakeAddon(), isEarlierBuild: false });
const nativeOfOtherSources = (): LoadedAddon => ({ ok: true, addon: new FakeAddon(), isEarlierBuild: true });
/** What `FakeAddon` is on this architecture. */
const identity = (instructionSet: string): string =>
  `${nameDigests([])} ${instructionSet} GCC 12.4.0${process.arch === 'x64' ? '' : ` ${process.arch}`}`;
const noNative = (): LoadedAddon => ({ ok: false, reason: 'it is not compiled', fix: 'Compile it.' });
const noWasm = (): LoadedAddon => ({ ok: false, reason: 'it is damaged', fix: 'Restore it.' });
const notCalled = (): never => {
  throw new Error('not to be called');
};
const identitySources = {
  projectRoot: process.cwd(),
  cacheFolder: 'unused',
  digestFile: (file: string) => digestFile(file, null),
};
/** Without CUDA; whoever looks for a GPU fails. */
const noGpu = { probe: noCuda, gpuSystem: { ...fakeGpus([]), load: notCalled } };
const spec = buildNetwork({ ...smallNetwork, input: [2, 128, 128], channels: 128, layers: 5 });

describe('chooseEngine', () => {
  it('takes the GPU that the run has taken, or fails: what is recorded is what computed', async () => {
    const gpuSystem = fakeGpus([{ name: 'Fast 4090' }]);
    const fact = await identifyEngine('webgpu', { ...identitySources, gpuSystem, environment: {} });
    const options = { gpuSystem, environment: {}, fact };
    expect((await chooseEngine('auto', { ...options, load: notCalled })).description).toMatchObject({
      name: 'webgpu',
      reason: expect.stringContaining('tried here and right'),
    });
    const onCuda = await chooseEngine('auto', {
      probe: cuda,
      load: notCalled,
      fact: 'tfjs 4.22.0 cuda 4.22.0 T4',
    });
    expect(onCuda.description).toMatchObject({ name: 'tfjs', backend: 'cuda' });
    await expect(chooseEngine('auto', { ...options, gpuSystem: fakeGpus([]) })).rejects.toMatchObject({
      code: 'engine-unavailable',
    });
  });

  it.each<[string, string, Parameters<typeof chooseEngine>[1]]>([
    ['is away, so that another opens', `native ${identity('avx512')}`, { load: noNative }],
    ['has other bytes', `native ${identity('avx512').replace(nameDigests([]), '0123456789ab')}`, {}],
    ['computes otherwise', `native ${identity('avx512')}`, { environment: { REPRO_ISA: 'avx2' } }],
    ['is there again', 'wasm 0123456789ab Clang 19.1.7, or tfjs 4.22.0 cpu', {}],
  ])('fails if the engine of the fact %s', async (_, fact, changed) => {
    const here = { ...noGpu, load: native, environment: {}, ...changed };
    await expect(chooseEngine('auto', { ...here, fact })).rejects.toMatchObject({
      code: 'engine-changed',
      message: expect.stringContaining(`not "${fact}"`),
    });
  });

  it('opens the second engine of a fact that names two', async () => {
    const fact = await identifyEngine('auto', { ...identitySources, ...noGpu, load: noNative });
    expect(fact).toMatch(/^wasm .*, or tfjs 4\.22\.0 cpu$/);
    const here = { ...noGpu, load: noNative, fact };
    const workload = { spec, steps: 20, trainingBatch: 64, evaluationBatch: 0 };
    expect((await chooseEngine('auto', { ...here, workload })).description.name).toBe('tfjs');
    expect((await chooseEngine('auto', here)).description.name).toBe('wasm');
  });

  it('takes the native engine without looking for a GPU', async () => {
    const options = { ...noGpu, probe: notCalled, load: native, threads: 2, environment: {} };
    const engine = await chooseEngine('auto', options);
    expect(engine.description).toEqual({
      name: 'native',
      backend: 'cpu',
      version: identity('avx512'),
      reason: 'AVX-512, 2 threads',
    });
  });

  it.each([
    ['WebAssembly', undefined, /^[0-9a-f]{12} Clang [\d.]+$/, ''],
    ['TensorFlow.js on the CPU', noWasm, /^\d+\.\d+\.\d+$/, '; no WebAssembly engine: it is damaged'],
  ])('falls back to %s and says why', async (_, loadWasm, version, more) => {
    const { description } = await chooseEngine('auto', { ...noGpu, load: noNative, loadWasm });
    expect(description).toEqual({
      name: loadWasm === undefined ? 'wasm' : 'tfjs',
      backend: 'cpu',
      version: expect.stringMatching(version),
      reason: `no native engine: it is not compiled${more}`,
    });
  });

  it('passes over WebAssembly for a batch that needs more memory than it addresses, unless it is asked for', async () => {
    const choose = (choice: 'auto' | 'wasm', trainingBatch: number, evaluationBatch: number) =>
      chooseEngine(choice, {
        ...{ ...noGpu, load: noNative },
        workload: { spec, steps: 20, trainingBatch, evaluationBatch },
      });
    expect((await choose('auto', 8, 0)).description.name).toBe('wasm');
    const { description } = await choose('auto', 64, 0);
    expect(description.name).toBe('tfjs');
    expect(isLastResort('auto', description)).toBe(true);
    expect(description.reason).toMatch(
      /; no WebAssembly engine: a batch of 64 needs more memory than the 4\.2 GB that it addresses \(one of \d\d fits\), and TensorFlow.js on the CPU takes thousands of times as long$/,
    );
    expect((await choose('auto', 0, 1024)).description.reason).toContain('a batch of 1024 needs');
    expect((await choose('wasm', 64, 0)).description.name).toBe('wasm');
  });

  it('computes on a GPU that nobody has tried only if webgpu is asked for, whatever REPRO_GPU says', async () => {
    const options = { gpuSystem: fakeGpus([{ name: 'Fast 4090' }]), environment: { REPRO_GPU: '4090' } };
    const { description } = await chooseEngine('auto', { ...options, probe: notCalled, load: native });
    expect(description.name).toBe('native');
    expect((await chooseEngine('webgpu', options)).description).toEqual({
      name: 'webgpu',
      backend: 'gpu',
      version: `${kernelDigest()} 1.2.3 Fast 4090, driver of Fast 4090`,
      reason: 'requested as webgpu',
    });
  });

  it('computes on a software device only if REPRO_GPU names it', async () => {
    const gpuSystem = fakeGpus([{ name: 'llvmpipe', isSoftware: true }]);
    const choose = (REPRO_GPU: string) => chooseEngine('webgpu', { gpuSystem, environment: { REPRO_GPU } });
    expect((await choose('llvmpipe')).description.name).toBe('webgpu');
    await expect(choose('')).rejects.toMatchObject({
      message: 'There is no WebGPU engine: there is only llvmpipe, which is software.',
      fix: expect.stringContaining('REPRO_GPU=llvmpipe'),
    });
  });

  it('takes exactly what it is asked for, without looking for anything else', async () => {
    const tfjs = await chooseEngine('tfjs-cpu', { probe: notCalled, load: notCalled });
    expect(tfjs.description).toMatchObject({ name: 'tfjs', backend: 'cpu', reason: 'requested as tfjs-cpu' });
    const asked = await chooseEngine('native', { probe: notCalled, load: native });
    expect(asked.description).toMatchObject({ name: 'native', backend: 'cpu' });
    const either = await chooseEngine('tfjs', { probe: noCuda, load: notCalled });
    expect(either.description).toMatchObject({ name: 'tfjs', reason: 'no CUDA: not today' });
  });

  it('does not replace the native engine by another if it was asked for', async () => {
    await expect(chooseEngine('native', { load: noNative })).rejects.toMatchObject({
      code: 'engine-unavailable',
      message: 'There is no native engine: it is not compiled.',
      fix: 'Compile it. Or choose another engine: `auto` takes the fastest there is.',
    });
  });

  it('does not ignore an instruction set that is not available', async () => {
    const environment = { REPRO_ISA: 'avx1024' };
    const chosen = chooseEngine('auto', { ...noGpu, load: native, environment });
    await expect(chosen).rejects.toMatchObject({ code: 'engine-instruction-set' });
  });
});

describe('chooseDevice', () => {
  it('takes the fastest engine of the CPU for `-device cpu`, without looking for a GPU', async () => {
    const options = { probe: notCalled, threads: 1, environment: {} };
    const { engine, notes } = await chooseDevice('cpu', undefined, { ...options, load: native });
    expect(engine.description).toMatchObject({ name: 'native', reason: 'AVX-512, 1 thread' });
    expect(notes).toEqual([]);
    const fallback = await chooseDevice('cpu', undefined, { ...options, load: noNative });
    expect(fallback.engine.description).toMatchObject({
      name: 'wasm',
      reason: '-device cpu; no native engine: it is not compiled',
    });
  });

  it('takes CUDA if that was wanted and works', async () => {
    const { engine, notes } = await chooseDevice('cuda:0', undefined, { probe: cuda, load: notCalled });
    expect([engine.description.backend, notes]).toEqual(['cuda', []]);
  });

  it('notes that it trains on the CPU if CUDA was wanted', async () => {
    const { notes } = await chooseDevice('cuda:0', undefined, {
      ...noGpu,
      load: native,
      threads: 1,
      environment: {},
    });
    expect(notes).toEqual([
      '-device cuda:0 is not available here; training on the CPU instead. `./repro doctor` tells why.',
    ]);
  });
});

describe('probeEngines', () => {
  it('lists what is available and what is missing, with the remedy', async () => {
    const probe = async (): Promise<CudaProbe> => ({ usable: false, reason: 'none', fix: 'Get one.' });
    const gpuSystem = fakeGpus([]);
    expect(await probeEngines({ gpuSystem, probe, load: noNative })).toEqual([
      { name: 'tfjs, CPU', available: true, text: expect.stringContaining('TensorFlow.js'), fix: null },
      { name: 'wasm, CPU', available: true, text: expect.stringContaining('WebAssembly'), fix: null },
      { name: 'native, CPU', available: false, text: 'it is not compiled', fix: 'Compile it.' },
      {
        ...{ name: 'webgpu, GPU', available: false, text: 'WebGPU finds no GPU' },
        fix: expect.stringContaining('driver'),
      },
      { name: 'tfjs, CUDA', available: false, text: 'none', fix: 'Get one.' },
    ]);
  });

  it('names a missing package, and a software GPU that is there for those who ask, on a machine without a GPU', async () => {
    const find = async (gpuSystem: GpuSystem, REPRO_GPU = '') =>
      (await probeEngines({ probe: noCuda, gpuSystem, load: noNative, environment: { REPRO_GPU } }))[3];
    const missing = Object.assign(new Error("Cannot find module 'webgpu/package.json'"), {
      code: 'MODULE_NOT_FOUND',
    });
    expect(await find({ ...fakeGpus([]), load: () => Promise.reject(missing) })).toMatchObject({
      available: false,
      text: 'the package webgpu is not installed',
    });
    const software = fakeGpus([{ name: 'llvmpipe', isSoftware: true }]);
    expect(await find(software)).toMatchObject({
      available: false,
      text: 'there is only llvmpipe, which is software',
    });
    expect(await find(software, 'llvm')).toEqual({
      name: 'webgpu, GPU',
      available: true,
      text: 'llvmpipe, driver of llvmpipe',
      fix: null,
    });
  });

  it('describes the native engine, and warns if its sources have changed since', async () => {
    const find = async (load: () => LoadedAddon) => (await probeEngines({ ...noGpu, load }))[2];
    expect(await find(native)).toEqual({
      name: 'native, CPU',
      available: true,
      text: expect.stringMatching(/^C\+\+ kernels [0-9a-f]{12}, GCC 12\.4\.0, AVX-512, \d+ threads?$/),
      fix: null,
    });
    expect(await find(nativeOfOtherSources)).toEqual({
      name: 'native, CPU',
      available: true,
      text: expect.stringMatching(
        /threads?; not compiled from the current sources .*: the earlier build stays in use$/,
      ),
      fix: 'Run `npm run build:native`.',
    });
  });
});

describe('identifyEngine', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await install('@tensorflow/tfjs-core', '4.22.0');
  });

  async function install(name: string, version: string): Promise<string> {
    const file = path.join(folder, 'node_modules', name, 'package.json');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify({ name, version }));
    return file;
  }
  const options = (probe: () => Promise<CudaProbe> = notCalled, load = noNative) => ({
    projectRoot: folder,
    cacheFolder: path.join(folder, 'cache'),
    digestFile: identitySources.digestFile,
    environment: {},
    probe,
    load,
    gpuSystem: noGpu.gpuSystem,
  });

  it('names the CPU without a probe if the CUDA package is not installed', async () => {
    const wasm = await identifyEngine('wasm', options());
    expect(wasm).toMatch(/^wasm [0-9a-f]{12} Clang [\d.]+$/);
    // WebAssembly may decline a network.
    expect(await identifyEngine('auto', options())).toBe(`${wasm}, or tfjs 4.22.0 cpu`);
    expect(await identifyEngine('auto', { ...options(), loadWasm: noWasm })).toBe('tfjs 4.22.0 cpu');
  });

  it('names the native engine’s bytes and instruction set, but not its threads, where that is chosen', async () => {
    const here = options(notCalled, native);
    expect(await identifyEngine('auto', here)).toBe(`native ${identity('avx512')}`);
    expect(await identifyEngine('native', here)).toBe(`native ${identity('avx512')}`);
    expect(
      await identifyEngine('auto', { ...here, environment: { REPRO_ISA: 'avx2', REPRO_THREADS: '1' } }),
    ).toBe(`native ${identity('avx2')}`);
    expect(await identifyEngine('tfjs', here)).toBe('tfjs 4.22.0 cpu');
    expect(await identifyEngine('tfjs-cpu', here)).toBe('tfjs 4.22.0 cpu');
    expect(await identifyEngine('native', options())).toBe('native, unavailable');
  });

  it.each([
    ['wasm', loadWasm()],
    ['native', loadAddon()],
  ] as const)(
    'names %s by the bytes of each file that computes, not by what they say of themselves',
    async (choice, loaded) => {
      // Without a compiler there is no addon.
      if (!loaded.ok) return;
      const names = loaded.addon.files.map((file) => path.basename(file));
      expect(names).toEqual(
        choice === 'native' ? ['plif_native.node'] : ['plif.wasm', 'instance.mjs', 'worker.mjs'],
      );
      const files = names.map((name) => path.join(folder, name));
      for (const [i, file] of files.entries()) await copyFile(loaded.addon.files[i] ?? '', file);
      const addon = { ...loaded.addon, files, stamp: stampFiles(files) };
      const load = (): LoadedAddon => ({ ...loaded, addon });
      const here = { ...options(), load, loadWasm: load, threads: 1 };
      const before = await identifyEngine(choice, here);
      const { description } = await chooseEngine(choice, here);
      expect(`${choice} ${description.version}`).toBe(before);
      for (const file of files) {
        const bytes = await readFile(file);
        const middle = bytes.length >> 1;
        bytes[middle] = (bytes[middle] ?? 0) ^ 1;
        await writeFile(file, bytes);
        expect(await identifyEngine(choice, here), file).not.toBe(before);
        bytes[middle] = (bytes[middle] ?? 0) ^ 1;
        await writeFile(file, bytes);
      }
      expect(await identifyEngine(choice, here)).toBe(before);
      // What was loaded may be either.
      await expect(chooseEngine(choice, here)).rejects.toMatchObject({ code: 'engine-changed' });
    },
  );

  it('names CUDA where tfjs is chosen, and probes for it nowhere else', async () => {
    await install('@tensorflow/tfjs-node-gpu', '4.22.0');
    const here = options(cuda, native);
    expect(await identifyEngine('tfjs', here)).toMatch(/^tfjs 4\.22\.0 cuda 4\.22\.0 /);
    expect(await identifyEngine('auto', options(notCalled, native))).toBe(`native ${identity('avx512')}`);
    expect(await identifyEngine('native', here)).toBe(`native ${identity('avx512')}`);
    expect(await identifyEngine('tfjs-cpu', here)).toBe('tfjs 4.22.0 cpu');
  });

  it('names a GPU where webgpu is chosen, and looks for none elsewhere', async () => {
    const here = { ...options(notCalled, native), gpuSystem: fakeGpus([{ name: 'Fast 4090' }]) };
    const webgpu = `webgpu ${kernelDigest()} 1.2.3 Fast 4090, driver of Fast 4090`;
    expect(webgpu).toMatch(/^webgpu [0-9a-f]{12} 1\.2\.3 /);
    expect(await identifyEngine('auto', options(notCalled, native))).toBe(`native ${identity('avx512')}`);
    expect(await identifyEngine('webgpu', here)).toBe(webgpu);
    expect(await identifyEngine('webgpu', { ...here, environment: { REPRO_GPU: 'other' } })).toBe(
      'webgpu, unavailable',
    );
  });

  it('probes once, and again when the package changes', async () => {
    const file = await install('@tensorflow/tfjs-node-gpu', '4.22.0');
    let probes = 0;
    const probe = async () => {
      probes++;
      return { usable: true, version: '4.22.0' } as const;
    };
    const identity = await identifyEngine('tfjs', options(probe));
    expect(identity).toMatch(/^tfjs 4\.22\.0 cuda 4\.22\.0 /);
    expect(await identifyEngine('tfjs', options(probe))).toBe(identity);
    expect(probes).toBe(1);
    await utimes(file, 1, 1);
    await identifyEngine('tfjs', options(probe));
    expect(probes).toBe(2);
  });
});
