import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import util from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseEngine } from '../../src/engines/choose-engine.ts';
import { identifyEngine } from '../../src/engines/identity.ts';
import { openNamedEngine } from '../../src/engines/named-engines.ts';
import { probeEngines } from '../../src/engines/probe.ts';
import { type CudaSurroundings, probeCuda } from '../../src/engines/tfjs/cuda.ts';

const here: CudaSurroundings = { platform: 'linux-x64', isInstalled: () => true, load: async () => ({}) };

describe('probeCuda', () => {
  it('reports that the package does not exist for this kind of machine', async () => {
    expect(await probeCuda({ ...here, platform: 'darwin-arm64' })).toEqual({
      usable: false,
      reason: '@tensorflow/tfjs-node-gpu does not exist for darwin-arm64',
      fix: null,
    });
  });

  it('says how to get the package if it is not installed', async () => {
    const probe = await probeCuda({ ...here, isInstalled: () => false });
    expect(probe).toMatchObject({ usable: false, reason: expect.stringContaining('not installed') });
    expect(probe).toMatchObject({ fix: expect.stringMatching(/npm install .*CUDA 11\.2 and cuDNN 8\.1/) });
  });

  it('treats a package that does not load like a missing one, with its reason', async () => {
    const load = async () => {
      throw new Error('libcudart.so.11.0: cannot open shared object file\nRequire stack: …');
    };
    expect(await probeCuda({ ...here, load })).toMatchObject({
      usable: false,
      reason: '@tensorflow/tfjs-node-gpu does not load (libcudart.so.11.0: cannot open shared object file)',
      fix: expect.stringContaining('npm rebuild'),
    });
  });

  it('rejects a package that registers no backend', async () => {
    expect(await probeCuda(here)).toMatchObject({
      usable: false,
      reason: expect.stringContaining('does not load'),
    });
  });

  it('restores the functions of util that newer Node versions lack', async () => {
    let seen: unknown;
    const load = async () => {
      seen = (util as unknown as { isNullOrUndefined(value: unknown): boolean }).isNullOrUndefined(null);
    };
    await probeCuda({ ...here, load });
    expect(seen).toBe(true);
  });
});

describe('chooseEngine', () => {
  it('takes the CPU if asked to, without looking for a GPU', async () => {
    const probe = () => Promise.reject(new Error('not to be called'));
    const { description } = await chooseEngine('tfjs-cpu', probe);
    expect(description).toMatchObject({ name: 'tfjs', backend: 'cpu', reason: 'requested as tfjs-cpu' });
  });

  it('falls back to the CPU and says why', async () => {
    const engine = await chooseEngine('auto', async () => ({
      usable: false,
      reason: 'not today',
      fix: null,
    }));
    expect(engine.description).toMatchObject({ name: 'tfjs', backend: 'cpu', reason: 'no CUDA: not today' });
    expect(engine.description.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('takes CUDA if it works', async () => {
    const engine = await chooseEngine('auto', async () => ({ usable: true, version: '4.22.0' }));
    expect(engine.description).toMatchObject({ name: 'tfjs', backend: 'cuda' });
  });
});

describe('openNamedEngine', () => {
  it('opens tfjs-cpu and tfjs-composed on the CPU', async () => {
    for (const name of ['tfjs-cpu', 'tfjs-composed']) {
      expect((await openNamedEngine(name)).description.backend, name).toBe('cpu');
    }
  });

  it('rejects an engine that does not exist, listing those that do', async () => {
    await expect(openNamedEngine('native')).rejects.toMatchObject({
      code: 'engine-unknown',
      message: 'this version has no engine "native".',
      fix: 'It has auto, tfjs, tfjs-cpu, tfjs-composed.',
    });
  });
});

describe('probeEngines', () => {
  it('lists what is available and what is missing, with the remedy', async () => {
    const findings = await probeEngines(async () => ({ usable: false, reason: 'none', fix: 'Get one.' }));
    expect(findings).toEqual([
      { name: 'tfjs, CPU', available: true, text: expect.stringContaining('TensorFlow.js'), fix: null },
      { name: 'tfjs, CUDA', available: false, text: 'none', fix: 'Get one.' },
    ]);
  });
});

describe('identifyEngine', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'identity-'));
    await install('@tensorflow/tfjs-core', '4.22.0');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function install(name: string, version: string): Promise<string> {
    const file = path.join(folder, 'node_modules', name, 'package.json');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify({ name, version }));
    return file;
  }
  const options = () => ({ projectRoot: folder, cacheFolder: path.join(folder, 'cache') });

  it('names the CPU without a probe if the CUDA package is not installed', async () => {
    const probe = () => Promise.reject(new Error('not to be called'));
    expect(await identifyEngine(options(), probe)).toBe('tfjs 4.22.0 cpu');
  });

  it('probes once, and again when the package changes', async () => {
    const file = await install('@tensorflow/tfjs-node-gpu', '4.22.0');
    let probes = 0;
    const probe = async () => {
      probes++;
      return { usable: true, version: '4.22.0' } as const;
    };
    const identity = await identifyEngine(options(), probe);
    expect(identity).toMatch(/^tfjs 4\.22\.0 cuda /);
    expect(await identifyEngine(options(), probe)).toBe(identity);
    expect(probes).toBe(1);
    await utimes(file, 1, 1);
    await identifyEngine(options(), probe);
    expect(probes).toBe(2);
  });

  it('probes again when its cache is damaged', async () => {
    await install('@tensorflow/tfjs-node-gpu', '4.22.0');
    const probe = async () => ({ usable: false, reason: 'none', fix: null }) as const;
    expect(await identifyEngine(options(), probe)).toBe('tfjs 4.22.0 cpu');
    const file = path.join(folder, 'cache', 'engine.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ identity: 'tfjs 4.22.0 cpu' });
    await writeFile(file, '{"key"');
    expect(await identifyEngine(options(), probe)).toBe('tfjs 4.22.0 cpu');
  });
});
