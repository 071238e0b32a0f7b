// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RequestKey } from '../../src/executors/slurm/submission-errors.ts';
import { renderScripts } from '../../src/runner/cluster/batch-script.ts';
import {
  findUnknownStages,
  readClusterSettings,
  settingsFile,
} from '../../src/runner/cluster/cluster-settings.ts';
import {
  findPlaces,
  findSubmissionWarnings,
  requestOf,
  staysLocal,
} from '../../src/runner/cluster/instance-request.ts';
import { makeScratch } from '../../src/runner/cluster/scratch.ts';
import { jobEnvironment } from '../../src/runner/cluster/submitter.ts';
import { loadPlan } from '../../src/runner/plan/load.ts';
import { failureOf, makeProject, planOf } from '../runner/plan/project-fixture.ts';

const repository = path.resolve(import.meta.dirname, '../..');

const settingsOf = async (text: string) => readClusterSettings(await makeProject({ [settingsFile]: text }));

const instanceOf = async (lines: string) => {
  const plan = await planOf(
    `version: 1\nstages:\n  a:\n    run: stages/a.ts\n    outputs: [artifacts/a]\n${lines}`,
  );
  const instance = plan.instances.get('a');
  if (instance === undefined) throw new Error('no instance');
  return instance;
};

describe('configs/executors/slurm.yaml', () => {
  test('is not needed', async () => {
    const settings = await readClusterSettings(await makeProject({}));
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
    const settings = await readClusterSettings(repository);
    const plan = await loadPlan({ projectRoot: repository, profile: 'full' });
    expect(
      findUnknownStages(
        settings,
        [...plan.instances.values()].map(({ stage }) => stage),
      ),
    ).toEqual([]);
    expect(findUnknownStages(settings, ['train'])).toEqual(['report']);
  });

  test.each([
    ['poll: soon', 'poll "soon" is not a duration', ':1:7'],
    ['defaults: { memory: much }', 'memory "much" is not a size', ':1:21'],
    ['stages:\n  train: { partitoin: gpu }', 'unknown key "partitoin"', ':2:12'],
    ['stages:\n  train: { flags: [--array=1-2] }', 'flag --array is set by the runner itself', ':2:20'],
    ['poll: 15', 'Its unit is missing: 15h for hours, 15m for minutes, 15s for seconds', ':1:7'],
    ['defaults: { time: 24 }', 'Its unit is missing: 24h for hours', ':1:19'],
    ['warning: 0s', 'warning has to be longer than "0s"', ':1:10'],
    ['defaults: { flags: [--time=1] }', 'flag --time is set by the runner itself, from a key', ':1:21'],
    ['defaults: { flags: [--part=gpu] }', 'Write `partition:` instead', ':1:21'],
    ['defaults: { flags: ["--gres=gpu:a100:1"] }', 'Write `gpu:` instead', ':1:21'],
    ['continuations: many', 'continuations', ':1:16'],
    ['- a', 'expected a mapping', ':1:1'],
    ['defaults: {', '', ':1:'],
  ])('%j is refused with its place', async (text, message, place) => {
    const refusal = await failureOf(settingsOf(text));
    expect(refusal).toContain(message);
    expect(refusal).toContain(`${settingsFile}${place}`);
  });
});

test('a job may have no time beyond that of its stage', async () => {
  expect((await settingsOf('overhead: 0s\n')).overheadSeconds).toBe(0);
});

describe('what a job asks for', () => {
  test('comes from the entry for its stage, then from the pipeline, then from the defaults', async () => {
    const settings =
      await settingsOf(`defaults: { account: lab, partition: cpu, qos: normal, memory: 8G, cpu: 4 }
stages: { a: { partition: gpu, gpu: 1, gpuType: a100 } }
`);
    const plain = await instanceOf('    resources: { cpu: share, partition: big, qos: long, time: 1h }\n');
    expect(requestOf(plain, settings)).toMatchObject({
      ...{
        account: 'lab',
        partition: 'gpu',
        qos: 'long',
        cpus: 4,
        memoryBytes: 8 * 2 ** 30,
        gpus: 1,
        gpuType: 'a100',
      },
      // Ten minutes for storing what it made.
      ...{ timeSeconds: 4200, warnSeconds: null, arrayLimit: null, flags: [] },
    });
    const own = await instanceOf('    resources: { cpu: 2, memory: 3G }\n');
    expect(requestOf(own, settings)).toMatchObject({
      cpus: 2,
      memoryBytes: 3 * 2 ** 30 + 256 * 2 ** 20,
      timeSeconds: null,
    });
  });

  test('includes a warning before its time is over only if it can be resumed', async () => {
    const settings = await settingsOf('stages: { a: { time: 24h } }\nwarning: 3m\n');
    const more = '    resume: [artifacts/a.resume]\n    resources: { time: 48h }\n';
    expect(requestOf(await instanceOf(more), settings)).toMatchObject({
      timeSeconds: 86_400,
      warnSeconds: 180,
    });
    // The partition has a limit of its own.
    const unlimited = requestOf(
      await instanceOf('    resume: [artifacts/a.resume]\n'),
      await settingsOf('stages: {}\n'),
    );
    expect(unlimited).toMatchObject({ timeSeconds: null, warnSeconds: 120 });
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

  test('is seen in its environment: what stages see, less what belongs to the node', async () => {
    const instance = await instanceOf('    variables: [MOOD]\n');
    const environment = {
      PATH: '/bin',
      MOOD: 'x',
      SECRET: 'y',
      LAB: 'z',
      TMPDIR: '/t',
      CUDA_VISIBLE_DEVICES: '3',
      USER: 'me',
    };
    expect(jobEnvironment([instance], {}, ['LAB'], environment)).toEqual({
      ...{ PATH: '/bin', MOOD: 'x', LAB: 'z', USER: 'me' },
    });
  });
});

test('a dry run names stages where jobs would have ids, and asks nobody', async () => {
  const plan = await loadPlan({ projectRoot: repository, profile: 'quick' });
  const settings = await settingsOf('stages: { report: { executor: local } }\n');
  const scripts = renderScripts(plan, [...plan.instances.keys()], { settings, runner: ['node', 'repro.js'] });
  expect(scripts.map(({ stage }) => stage)).toEqual(['simulate', 'verify', 'frames', 'train', 'evaluate']);
  const [, , , train, evaluate] = scripts.map(({ script }) => script);
  expect(train).toContain('#SBATCH --array=0-3\n#SBATCH --dependency="afterok:<frames>"\n');
  expect(evaluate).toContain('#SBATCH --dependency="afterok:<frames>,aftercorr:<train>"\n');
});

test('data that is not here and a warning that takes half of the time are told before the queue, once', async () => {
  const plan = await planOf(`version: 1
stages:
  a:
    matrix: { n: [1, 2] }
    run: stages/a.ts
    inputs: [{ path: /nothing/here, external: true }, { path: /usr, external: true }]
    outputs: ["artifacts/a/\${n}"]
    resume: ["artifacts/a.resume/\${n}"]
`);
  const warningsWith = async (text: string) =>
    findSubmissionWarnings(plan, [...plan.instances.keys()], await settingsOf(text)).map(
      ({ text: said }) => said,
    );
  expect(await warningsWith('defaults: { time: 6m }\nwarning: 5m\n')).toEqual([
    '/nothing/here does not exist here: unless the nodes have it, the job fails\npipeline.yaml:6:22',
    'stage "a" is warned 180 s before the end of its time rather than 300 s: `warning` is more than half of its 00:06:00',
  ]);
  expect(await warningsWith('stages: { a: { executor: local } }')).toEqual([]);
});

test('what Slurm refuses is written where the value comes from', async () => {
  const settings = await settingsOf(
    'defaults: { account: lab, partition: cpu, memory: 8G, flags: [--exclusive] }\nstages:\n  a: { time: 24h, flags: [--nice] }\n',
  );
  const instance = await instanceOf('    resources: { cpu: 2, partition: big, time: 1h }\n');
  const placesOf = (...keys: RequestKey[]) => findPlaces(instance, settings, keys);
  expect(placesOf('account')).toEqual([`${settingsFile}:1:22`]);
  expect(placesOf('partition')).toEqual(['pipeline.yaml:3:3']);
  expect(placesOf('time')).toEqual([`${settingsFile}:3:14`]);
  expect(placesOf('cpu', 'memory', 'gpu')).toEqual(['pipeline.yaml:3:3', `${settingsFile}:1:51`]);
  expect(placesOf('flags')).toEqual([`${settingsFile}:3:26`, `${settingsFile}:1:62`]);
  expect(placesOf('qos')).toEqual([]);
});

test('jobs of one mutex have one name, which is another in another project', async () => {
  const settings = await settingsOf('defaults: {}');
  const namesIn = async (): Promise<string[]> => {
    const plan = await planOf(`version: 1
stages:
  a: { run: stages/a.ts, outputs: [artifacts/a], resources: { mutex: disk } }
  b: { run: stages/a.ts, outputs: [artifacts/b], resources: { mutex: disk } }
`);
    const scripts = renderScripts(plan, ['a', 'b'], { settings, runner: ['node', 'repro.js'] });
    return scripts.map(({ script }) => /--job-name=(.*)/.exec(script)?.[1] ?? '');
  };
  const [first, second] = await namesIn();
  expect(first).toMatch(/^mutex\.disk\.[0-9a-f]{8}$/);
  expect(second).toBe(first);
  expect(await namesIn()).not.toContain(first);
});

describe('a scratch folder', () => {
  test('is new, where variables of the node say, and takes copies of inputs', async () => {
    const root = await makeProject({ 'data/x.txt': 'content' });
    const settings = await settingsOf('scratch: "$BASE/${WHO}"\ncopyInputs: true\n');
    const scratch = await makeScratch(settings, { BASE: root, WHO: 'me' });
    expect(scratch?.folder).toBe(`${root}/me/repro-0`);
    const [copy, missing] = (await scratch?.copyIn?.([`${root}/data`, `${root}/none`])) ?? [];
    expect(copy).toBe(`${scratch?.folder}/input-0/data`);
    const { readFileSync, existsSync } = await import('node:fs');
    expect(readFileSync(`${copy}/x.txt`, 'utf8')).toBe('content');
    expect(existsSync(missing ?? '')).toBe(false);
  });

  test('of a job that was killed on this node is replaced by that of its next attempt', async () => {
    const root = await makeProject({ 'scratch/repro-12_3/output-0/part': '', 'scratch/repro-12_4/part': '' });
    const settings = await settingsOf(`scratch: "${root}/scratch"\n`);
    const scratch = await makeScratch(settings, { SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3' });
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(scratch?.folder ?? '')).toEqual([]);
    expect(readdirSync(`${root}/scratch/repro-12_4`)).toEqual(['part']);
  });

  test('that needs a variable which is not set is refused', async () => {
    const refusal = await failureOf(makeScratch(await settingsOf('scratch: "$NOWHERE/x"\n'), {}));
    expect(refusal).toContain('needs $NOWHERE, which is not set on this node');
  });
});
