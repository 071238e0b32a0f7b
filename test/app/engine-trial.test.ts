import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { decideEngine, type tryEngine, tryEngines, tryingApart } from '../../src/app/project/engine-trial.ts';
import { factsOf, usesGpu } from '../../src/app/project/facts.ts';
import { loadSelectedPlan } from '../../src/app/project/load-plan.ts';
import { acquireLock } from '../../src/base/files/lock.ts';
import type { EngineChoice } from '../../src/network/engines/engine.ts';
import { mayHaveGpu } from '../../src/network/engines/webgpu/adapters.ts';
import type { Facts } from '../../src/runner/freshness/fingerprint.ts';
import type { Plan } from '../../src/runner/plan/plan.ts';
import { cacheFolderOf } from '../../src/runner/store/cache-folder.ts';
import { digestFile } from '../../src/runner/store/digest.ts';
import { hashParts } from '../../src/runner/store/fingerprint-parts.ts';
import { openRecords } from '../../src/runner/store/records.ts';
import { CliProject } from '../runner/rig/cli-project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let project: CliProject;
let plan: Plan;
beforeAll(async () => {
  project = await CliProject.copyConfiguration();
  project.linkSources();
  plan = await loadSelectedPlan({ project: project.root, profile: 'arms', set: [] });
});
afterAll(() => project.remove('.'));
beforeEach(async () => {
  vi.stubEnv('REPRO_GPU', 'the fake one');
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await project.remove('artifacts/.cache/engines');
  return () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  };
});

const trials = () => project.at('artifacts/.cache/engines');

/**
 * A machine with this GPU, where each clip takes so many seconds.
 *
 * @param seconds or why an engine fails: `wrong` is for ever
 */
function machine(
  seconds: Readonly<Partial<Record<EngineChoice, number | string>>>,
  { gpu = 'Fast 4090', cpu = 'native 1 avx512', gradient = 1 } = {},
) {
  const asked: string[] = [];
  const identified: string[] = [];
  const identities: Partial<Record<string, string>> = {
    ...{ auto: cpu, webgpu: `webgpu 0123 1.2.3 ${gpu}, driver of ${gpu}`, tfjs: 'tfjs 4.22.0 cpu' },
  };
  const facts: Facts = {
    engine: async ({ evaluate }) => {
      const { engine } = evaluate as { engine: string };
      identified.push(engine);
      return identities[engine] ?? '';
    },
  };
  const tryOne = async (choice: EngineChoice) => {
    asked.push(choice);
    const found = seconds[choice] ?? 'not tried';
    if (typeof found === 'string')
      return { isRight: found === 'wrong' ? false : null, speed: null, problem: found };
    const speed = { training: found, evaluation: found, samples: 4 };
    return { isRight: true, speed: { ...speed, gradient: choice === 'auto' ? 1 : gradient }, problem: null };
  };
  return { asked, identified, facts, tryOne };
}

/** What `auto` takes where nothing was trained, and no engine tried. */
async function takenOn(...given: Parameters<typeof machine>): Promise<EngineChoice> {
  const { facts, tryOne } = machine(...given);
  await project.remove('artifacts/.cache/engines');
  return (await decideEngine(plan, facts, tryOne)).choice;
}

const planWith = (profile: string, ...set: readonly string[]) =>
  loadSelectedPlan({ project: project.root, profile, set });

describe('trying the engines of a machine', () => {
  test('takes the fastest that is right', async () => {
    expect(await takenOn({ auto: 1, webgpu: 0.01 })).toBe('webgpu');
    expect(await takenOn({ auto: 1, webgpu: 2 })).toBe('auto');
    expect(await takenOn({ auto: 1, webgpu: 'wrong' })).toBe('auto');
  });

  test('finds out that a GPU computes other gradients than the CPU in the batch of the training', async () => {
    const takenWith = (gradient: number) => takenOn({ auto: 1, webgpu: 0.01 }, { gradient });
    expect(await takenWith(1.01)).toBe('webgpu');
    expect(await takenWith(0.95)).toBe('auto');
    expect(await takenWith(NaN)).toBe('auto');
  });

  test('tries CUDA, too, where it works', async () => {
    const { facts, tryOne, asked } = machine({ auto: 1, webgpu: 0.02, tfjs: 0.01 });
    const withCuda: Facts = {
      engine: async (params, ...rest) => {
        const found = (await facts.engine?.(params, ...rest)) ?? '';
        return found.replace('4.22.0 cpu', '4.22.0 cuda 4.22.0 T4');
      },
    };
    expect((await decideEngine(plan, withCuda, tryOne)).choice).toBe('tfjs');
    expect(asked).toEqual(['auto', 'webgpu', 'tfjs']);
  });

  test('tries an engine once for a network, and again another device', async () => {
    const first = machine({ auto: 1, webgpu: 0.01 });
    const found = await tryEngines(plan, first.facts, first.tryOne);
    expect(first.asked).toEqual(['auto', 'webgpu']);
    const again = machine({});
    expect(await tryEngines(plan, again.facts, again.tryOne)).toEqual(found);
    expect(again.asked).toEqual([]);
    const other = machine({ webgpu: 2 }, { gpu: 'Slow 730' });
    // Until it is tried, nothing is known of it.
    expect((await decideEngine(plan, other.facts)).choice).toBe('auto');
    await tryEngines(plan, other.facts, other.tryOne);
    expect(other.asked).toEqual(['webgpu']);
    const kept = readdirSync(trials()).map((name) => readFileSync(path.join(trials(), name), 'utf8'));
    expect(kept).toHaveLength(3);
    for (const part of ['native 1 avx512', 'Slow 730', 'driver of Slow 730', '1.2.3', 'spec'])
      expect(kept.join()).toContain(part);
  });

  test('knows the answer wherever the project lies, and by whatever name its machine goes', async () => {
    const here = machine({ auto: 1, webgpu: 0.01 });
    await tryEngines(plan, here.facts, here.tryOne);
    const copy = await CliProject.copyConfiguration();
    copy.linkSources();
    cpSync(trials(), copy.at('artifacts/.cache/engines'), { recursive: true });
    const moved = await loadSelectedPlan({ project: copy.root, profile: 'arms', set: [] });
    expect((await decideEngine(moved, machine({}).facts)).choice).toBe('webgpu');
    await copy.remove('.');
    const kept = readdirSync(trials()).map((name) => readFileSync(path.join(trials(), name), 'utf8'));
    expect(kept.join()).not.toContain(os.hostname());
  });

  test('tries again what failed for reasons of the moment, but not what computed wrong numbers', async () => {
    const busy = machine({ auto: 1, webgpu: 'out of memory' });
    expect((await decideEngine(plan, busy.facts, busy.tryOne)).choice).toBe('auto');
    const free = machine({ webgpu: 'wrong' });
    await tryEngines(plan, free.facts, free.tryOne);
    expect(free.asked).toEqual(['webgpu']);
    const later = machine({ webgpu: 0.01 });
    await tryEngines(plan, later.facts, later.tryOne);
    expect(later.asked).toEqual([]);
  });

  test('stays on a CPU that could not be measured, without asking for a GPU', async () => {
    const { asked, identified, facts, tryOne } = machine({ auto: 'no answer', webgpu: 0.01 });
    expect((await decideEngine(plan, facts, tryOne)).choice).toBe('auto');
    expect(asked).toEqual(['auto']);
    expect(identified).not.toContain('webgpu');
  });

  test('asks no driver about trainings that take minutes on the CPU', async () => {
    const taken = async (training: number, ...words: Parameters<typeof planWith>) => {
      const { asked, facts, tryOne } = machine({ auto: training, webgpu: training / 10 });
      await project.remove('artifacts/.cache/engines');
      expect((await decideEngine(await planWith(...words), facts, tryOne)).tried.length).toBe(asked.length);
      return asked;
    };
    // 4 trainings of 32 epochs with 23 people, two lights and 12 clips of each: 70,656 clips.
    expect(await taken(590 / 70_656, 'quick')).toEqual(['auto']);
    expect(await taken(610 / 70_656, 'quick')).toEqual(['auto', 'webgpu']);
    // 90 trainings of 30 epochs with 2,000 clips.
    expect(await taken(590 / 5_400_000, 'control', 'train.engine=auto')).toEqual(['auto']);
    expect(await taken(610 / 5_400_000, 'control', 'train.engine=auto')).toEqual(['auto', 'webgpu']);
    // 4 trainings of 1,256 epochs, with one clip of each of 11 classes: 55,264 clips.
    expect(await taken(590 / 55_264, 'full', 'frames.limit.train=1')).toEqual(['auto']);
    expect(await taken(590 / 55_264, 'full')).toEqual(['auto', 'webgpu']);
    const { identified, facts, tryOne } = machine({ auto: 1e-6 });
    await tryEngines(plan, facts, tryOne);
    expect((await decideEngine(plan, facts)).choice).toBe('auto');
    expect(new Set(identified)).toEqual(new Set(['auto']));
  });

  test('tries nothing for other commands than a run, or while a run holds the lock', async () => {
    const { asked, facts, tryOne } = machine({ auto: 1, webgpu: 0.01 });
    expect((await decideEngine(plan, facts)).choice).toBe('auto');
    const lock = await acquireLock(cacheFolderOf(plan).lock);
    expect((await decideEngine(plan, facts, tryOne)).choice).toBe('auto');
    expect(asked).toEqual([]);
    await lock.release();
    expect((await decideEngine(plan, facts, tryOne)).choice).toBe('webgpu');
    // What is known counts then, too.
    const again = await acquireLock(cacheFolderOf(plan).lock);
    expect((await decideEngine(plan, facts)).choice).toBe('webgpu');
    await again.release();
  });

  test('keeps nothing of an engine whose trial is interrupted', async () => {
    const stop = new AbortController();
    const { facts, tryOne } = machine({ auto: 1 });
    const interrupted = (choice: EngineChoice, of: Parameters<typeof tryEngine>[1]) => {
      if (choice === 'auto') return tryOne(choice);
      stop.abort();
      return tryingApart(stop.signal)(choice, of);
    };
    const { choice, tried } = await decideEngine(plan, facts, interrupted);
    expect(choice).toBe('auto');
    expect(tried[1]).toMatchObject({ isRight: null, problem: expect.stringContaining('aborted') });
    expect(readdirSync(trials())).toHaveLength(1);
  });

  test('keeps whole files if two runs try at once', async () => {
    const both = [machine({ auto: 1, webgpu: 0.01 }), machine({ auto: 1, webgpu: 0.02 })];
    const found = await Promise.all(both.map(({ facts, tryOne }) => tryEngines(plan, facts, tryOne)));
    expect(found).toContainEqual(await tryEngines(plan, machine({}).facts));
    expect(readdirSync(trials())).toHaveLength(2);
  });
});

describe('the engine that `auto` takes', () => {
  const small = {
    ...{ models: '[baseline]', seeds: '[2020, 2021]', 'frames.steps': 4, 'frames.downsample': 8 },
    ...{ 'simulate.trainUsers': 3, 'simulate.testUsers': 1, 'simulate.lights': '[led]' },
    ...{ 'train.batchSize': 8, 'train.epochs': 1, 'train.validationShare': 0 },
    'train.network': '{channels: 4, layers: 1, hidden: 8}',
  };
  const words = Object.entries(small).map(([key, value]) => `${key}=${value}`);
  const options = words.flatMap((word) => ['--set', word]);
  const gpu = 'webgpu 0123 1.2.3 Fast 4090, driver of Fast 4090';
  let trained: Plan;
  let cpu: string;
  beforeAll(async () => {
    const ran = await project.call(['run', 'train', '--profile', 'quick', ...options], { REPRO_GPU: '' });
    expect(ran.exitCode, ran.stderr).toBe(0);
    trained = await planWith('quick', ...words);
    const facts = factsOf({ projectRoot: project.root });
    cpu = (await facts.engine?.({ train: {} }, (file) => digestFile(file, null))) ?? '';
  });
  const decide = async (of = trained, engines = {}) => {
    const tried = machine({ auto: 1e3, webgpu: 1 }, { cpu, ...engines });
    const { choice } = await decideEngine(of, tried.facts, tried.tryOne);
    return { choice, ...tried };
  };
  /** As if a GPU had computed a training, too. @returns the record of the CPU */
  const computeOnGpu = async (seed: number) => {
    const records = openRecords(trained);
    const record = records.findLast(`train@baseline,${seed}`);
    if (record === null) throw new Error('it was not trained');
    const { fingerprint } = record;
    const parts = { ...record.parts, facts: { ...record.parts.facts, engine: gpu } };
    await records.write({ ...record, parts, fingerprint: hashParts(parts) });
    return `artifacts/.cache/actions/${fingerprint.slice(0, 2)}/${fingerprint}.json`;
  };

  test('stays that of the CPU where it has trained with the present code and settings, and nothing is tried', async () => {
    const { choice, asked, identified } = await decide();
    expect([choice, asked, identified]).toEqual(['auto', [], ['auto']]);
    expect((await decide(await planWith('quick', ...words, 'train.epochs=7'))).choice).toBe('webgpu');
  });

  test('stays valid results where frames must be restored, or made again and may be the same', async () => {
    await project.remove('artifacts/frames');
    expect((await decide()).choice).toBe('auto');
    const restored = await project.call(['run', 'frames', '--profile', 'quick', ...options], {
      REPRO_GPU: '',
    });
    expect(restored.exitCode, restored.stderr).toBe(0);
    const stage = project.read('stages/frames.ts');
    await project.write('stages/frames.ts', `${stage}\nexport const isChanged = true;\n`);
    expect((await decide()).choice).toBe('auto');
    await project.write('stages/frames.ts', stage);
  });

  test('stays that of the CPU for a training that was interrupted, so that it resumes', async () => {
    const more = ['--set', 'train.epochs=100000', '--set', 'seeds=[2020]'];
    const running = project.call(['run', 'train', '--profile', 'quick', ...options, ...more], {
      REPRO_GPU: '',
    });
    const log = 'artifacts/.cache/logs/train@baseline,2020.log';
    await vi.waitFor(() => expect(project.read(log)).toMatch(/^epoch 2\//m), {
      timeout: 30_000,
      interval: 50,
    });
    running.kill('SIGINT');
    expect((await running).stderr).toContain('interrupted: train');
    const interrupted = await planWith('quick', ...words, 'train.epochs=100000', 'seeds=[2020]');
    expect(await decide(interrupted)).toMatchObject({ choice: 'auto', asked: [] });
  });

  test('is the GPU where that was right and has trained most, however slow; the CPU if both have trained as many', async () => {
    const first = await computeOnGpu(2020);
    // No driver is asked where the CPU has all.
    expect(await decide()).toMatchObject({ choice: 'auto', identified: ['auto'] });
    await project.remove(first);
    await project.remove(await computeOnGpu(2021));
    // A run that named it does not show that it is right, nor does a trial in which it was wrong.
    const wrong = machine({ auto: 1e3, webgpu: 'wrong' }, { cpu });
    expect((await decideEngine(trained, wrong.facts, wrong.tryOne)).choice).toBe('auto');
    expect(wrong.asked).toEqual(['auto', 'webgpu']);
    await project.remove('artifacts/.cache/engines');
    const slow = machine({ auto: 1e3, webgpu: 2e3 }, { cpu });
    await tryEngines(trained, slow.facts, slow.tryOne);
    expect(await decide()).toMatchObject({ choice: 'webgpu', asked: [] });
    // Also where results are fetched, and beside another processor, or with another instruction set.
    expect((await decideEngine(trained, slow.facts, 'none')).choice).toBe('webgpu');
    expect((await decide(trained, { cpu: 'native 1 baseline' })).choice).toBe('webgpu');
    // Its results must not be computed again because its driver is away for a moment.
    const away = machine({}, { cpu, gpu: 'Slow 730' });
    await expect(decideEngine(trained, away.facts, away.tryOne)).rejects.toMatchObject({
      code: 'engine-gone',
      message: expect.stringContaining(gpu),
    });
    expect((await decideEngine(trained, away.facts)).choice).toBe('auto');
  });

  test('is the CPU where results are fetched and there are none, whatever was measured', async () => {
    const { facts, tryOne } = machine({ auto: 1, webgpu: 0.01 });
    expect((await decideEngine(plan, facts, tryOne)).choice).toBe('webgpu');
    expect((await decideEngine(plan, facts, 'none')).choice).toBe('auto');
  });

  test('is known to be a GPU by its fact', async () => {
    const training = [...plan.instances.values()].find(({ stage }) => stage === 'train');
    const uses = (engine: string, instance = training) => usesGpu({ engine: async () => engine }, instance);
    expect(await uses('webgpu 0123 1.2.3 Fast 4090')).toBe(true);
    expect(await uses('tfjs 4.22.0 cuda 4.22.0 T4')).toBe(true);
    expect(await uses('native 1 avx512')).toBe(false);
    expect(await usesGpu({ engine: async () => 'webgpu 0123' }, undefined)).toBe(false);
  });

  test('is tried for by a run, but not by a rehearsal, nor where results are fetched', async () => {
    const call = async (...more: readonly string[]) => {
      const all = ['run', 'train', '--profile', 'quick', ...options, '--set', 'train.epochs=2', ...more];
      const { exitCode, stderr } = await project.call(all, { REPRO_GPU: 'the fake one' });
      expect(exitCode, stderr).toBe(0);
      return /^Trying .*/m.exec(stderr)?.[0];
    };
    expect(await call('--dry-run')).toBeUndefined();
    await project.write('remote/readme', '');
    expect(await call('--pull', '--remote', project.at('remote'))).toBeUndefined();
    expect(await call('--set', 'train.epochs=3', '--gpus', '0')).toBe(`Trying ${cpu} …`);
    // It has trained, so nothing is tried any more.
    expect(await call('--set', 'train.epochs=3', '--force')).toBeUndefined();
  });

  test('is asked for only where there may be a GPU', async () => {
    vi.unstubAllEnvs();
    if (mayHaveGpu()) return;
    const never = () => Promise.reject(new Error('not to be called'));
    const [training] = [...trained.instances.values()].filter(({ stage }) => stage === 'train');
    expect(await usesGpu({ engine: never }, training)).toBe(false);
  });
});

test('a GPU is looked for only where a driver shows that there may be one', async () => {
  const devices = await temporaryFolder();
  const may = (environment: NodeJS.ProcessEnv = {}, platform = 'linux') =>
    mayHaveGpu(environment, platform, devices);
  mkdirSync(path.join(devices, 'dri'));
  // A screen without a GPU, as virtual machines have.
  writeFileSync(path.join(devices, 'dri/card0'), '');
  expect([may(), may({ REPRO_GPU: '' }), may({ REPRO_GPU: 'llvmpipe' }), may({}, 'darwin')]).toEqual([
    ...[false, false, true, true],
  ]);
  writeFileSync(path.join(devices, 'dri/renderD128'), '');
  expect(may()).toBe(true);
});
