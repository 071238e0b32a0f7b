// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  driverRequest,
  readClusterSettings,
  requestOf,
  settingsFile,
  staysLocal,
} from '../../src/runner/cluster/cluster-settings.ts';
import { renderScripts } from '../../src/runner/cluster/submitter.ts';
import { loadPlan } from '../../src/runner/plan/load.ts';
import { failureOf, makeProject, planOf } from '../runner/plan/project-fixture.ts';

const repository = path.resolve(import.meta.dirname, '../..');

const head = 'version: 1\nstages:\n  a:\n    run: stages/a.ts\n    outputs: [artifacts/a]\n';

/** Of a project with one stage, `a`. */
const settingsOf = async (text: string) => {
  const projectRoot = await makeProject({ [settingsFile]: text });
  return readClusterSettings({ ...(await planOf(head)), projectRoot });
};

const instanceOf = async (lines: string) => {
  const plan = await planOf(`${head}${lines}`);
  const instance = plan.instances.get('a');
  if (instance === undefined) throw new Error('no instance');
  return instance;
};

describe('configs/executors/slurm.yaml', () => {
  test('is not needed', async () => {
    const settings = await readClusterSettings(await planOf(head));
    expect(settings).toMatchObject({
      defaults: {},
      stages: {},
      prelude: [],
      pollSeconds: 15,
      patienceSeconds: 90,
      continuations: 20,
    });
  });

  test('of this project fits its pipeline', async () => {
    const plan = await loadPlan({ projectRoot: repository, profile: 'full' });
    expect((await readClusterSettings(plan)).stages).toHaveProperty('train');
  });

  test.each([
    ['poll: soon', 'poll "soon" is not a duration', ':1:7'],
    ['defaults: { memory: much }', 'memory "much" is not a size', ':1:21'],
    ['stages: { trian: {} }', 'the pipeline has no stage "trian"', ':1:11'],
    ['defaults: { partition: "a\\nb" }', 'partition', ':1:24'],
    ['defaults: { flags: ["--exclusive\\n#SBATCH --uid=0"] }', 'flags', ':1:21'],
    ['stages:\n  train: { partitoin: gpu }', 'unknown key "partitoin"', ':2:12'],
    ['stages:\n  train: { flags: [--array=1-2] }', 'none that the runner sets', ':2:20'],
    ['poll: 15', 'Write it as 90s, 30m, 48h or 2d', ':1:7'],
    ['defaults: { time: 24 }', 'time 24 is not a duration', ':1:19'],
    ['defaults: { flags: ["--gres=gpu:a100:1"] }', 'none that the runner sets', ':1:21'],
    ['continuations: many', 'continuations', ':1:16'],
    ['- a', 'must be a mapping, not a list', ':1:1'],
    ['defaults: {', '', ':1:'],
  ])('%j is refused with its place', async (text, message, place) => {
    const refusal = await failureOf(settingsOf(text));
    expect(refusal).toContain(message);
    expect(refusal).toContain(`${settingsFile}${place}`);
  });
});

describe('what a job asks for', () => {
  test('comes from the entry for its stage, then from the pipeline, then from the defaults', async () => {
    const settings =
      await settingsOf(`defaults: { account: lab, partition: cpu, qos: normal, memory: 8G, cpu: 4 }
stages: { a: { partition: gpu, gpu: 1, gpuType: a100 } }
`);
    const plain = await instanceOf('    resources: { cpu: share, time: 1h }\n');
    expect(requestOf(plain, settings)).toMatchObject({
      ...{
        account: 'lab',
        partition: 'gpu',
        qos: 'normal',
        cpu: 4,
        memoryBytes: 8 * 2 ** 30,
        gpu: 1,
        gpuType: 'a100',
      },
      // Ten minutes for storing what it made.
      ...{ timeSeconds: 4200, flags: [] },
    });
    const own = await instanceOf('    resources: { cpu: 2, memory: 3G }\n');
    expect(requestOf(own, settings)).toMatchObject({
      cpu: 2,
      memoryBytes: 3 * 2 ** 30 + 256 * 2 ** 20,
    });
  });

  test('includes a warning before its time is over only if it can be resumed', async () => {
    const settings = await settingsOf('stages: { a: { time: 24h } }\n');
    const more = '    resume: [artifacts/a.resume]\n    resources: { time: 48h }\n';
    expect(requestOf(await instanceOf(more), settings)).toMatchObject({
      timeSeconds: 86_400,
      warnSeconds: 120,
    });
    // The partition has a limit of its own.
    const unlimited = requestOf(
      await instanceOf('    resume: [artifacts/a.resume]\n'),
      await settingsOf('stages: {}\n'),
    );
    expect(unlimited).toEqual({ cpu: 1, flags: [], warnSeconds: 120 });
  });

  test.each([
    ['', '{}', false],
    ['    executor: local\n', '{}', true],
    ['    executor: local\n', 'stages: { a: { executor: slurm } }', false],
    ['', 'stages: { a: { executor: local } }', true],
    ['', 'defaults: { executor: local }', true],
  ])('or it stays here: %j with %j', async (pipeline, settings, isLocal) => {
    expect(staysLocal(await instanceOf(pipeline), await settingsOf(settings))).toBe(isLocal);
  });

  test('by the job of --detach is little, in the partition and account of the others', async () => {
    const settings = await settingsOf(
      'defaults: { account: 42, partition: cpu, memory: 8G }\ndriver: { partition: long, time: 1m }\n',
    );
    expect(driverRequest(settings)).toEqual({
      ...{ account: 42, partition: 'long', memoryBytes: 2 ** 30, timeSeconds: 60, warnSeconds: 30 },
    });
  });
});

test('a dry run makes a script for each stage, with its name in place of a token, and asks nobody', async () => {
  const plan = await loadPlan({ projectRoot: repository, profile: 'quick' });
  const settings = await readClusterSettings(plan);
  const ids = [...plan.instances.keys()];
  const scripts = renderScripts(plan, ids, { settings, runner: ['node', 'repro.js'] });
  expect(scripts.map(({ stage }) => stage)).toEqual(['simulate', 'verify', 'frames', 'train', 'evaluate']);
  const { script, ids: trainings } = scripts[3] ?? {};
  expect(script).toContain(`#SBATCH --job-name=train\n`);
  expect(trainings).toEqual(ids.filter((id) => id.startsWith('train@')));
});
