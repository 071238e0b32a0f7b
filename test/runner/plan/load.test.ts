// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { profileFiles, profileHead } from './profiles.ts';
import { makeProject, planOf } from './project-fixture.ts';

const repository = path.resolve(import.meta.dirname, '../../..');

describe("the project's own pipeline", () => {
  test('loads with the quick profile, each stage after what it reads', async () => {
    const plan = await loadPlan({ projectRoot: repository, profile: 'quick' });
    expect([...plan.instances.keys()]).toEqual([
      'simulate',
      'verify',
      'frames',
      'train@baseline,2020',
      'train@no-reg,2020',
      'train@lambda-0.01,2020',
      'train@lambda-0.1,2020',
      'evaluate@baseline,2020',
      'evaluate@no-reg,2020',
      'evaluate@lambda-0.01,2020',
      'evaluate@lambda-0.1,2020',
      'report',
    ]);
    expect(plan.dependencies.get('evaluate@no-reg,2020')).toEqual(['frames', 'train@no-reg,2020']);
    expect(plan.dependencies.get('frames')).toEqual(['simulate', 'verify']);
    expect(plan.dependencies.get('report')).toHaveLength(10);
    expect(plan.inactive).toEqual([]);
    expect(plan.instances.get('train@lambda-0.1,2020')).toMatchObject({
      stage: 'train',
      matrix: { model: 'lambda-0.1', seed: 2020 },
      command: { kind: 'module', path: 'stages/train.ts' },
      outputs: ['artifacts/train/lambda-0.1/2020'],
      resume: ['artifacts/train/lambda-0.1/2020.resume'],
      facts: ['engine'],
      resources: { cpu: 'share', memoryBytes: 2 ** 30, gpu: 0, timeSeconds: 14 * 24 * 3600 },
    });
    expect(plan.instances.get('verify')?.params).toEqual({
      dataset: { simulated: true },
    });
  });

  test('accepts recordings from anywhere, and then simulates none', async () => {
    const plan = await loadPlan({
      projectRoot: repository,
      profile: 'quick',
      set: ['dataset.simulated=false', 'dataset.root=../recordings'],
    });
    expect(plan.inactive).toEqual(['simulate']);
    expect(plan.instances.get('verify')?.inputs.map(({ path, external }) => ({ path, external }))).toEqual([
      { path: 'configs/datasets/dvs128-gesture.yaml', external: false },
      { path: path.resolve(repository, '../recordings'), external: true },
    ]);
    expect(plan.dependencies.get('verify')).toEqual([]);
  });

  test('hands folds of users to trainings alone, so that frames do not depend on them', async () => {
    const load = (set: string[]) => loadPlan({ projectRoot: repository, profile: 'quick', set });
    const [without, folds] = [await load([]), await load(['dataset.folds=[[1, 2], [3]]'])];
    const changed = [...folds.instances].filter(
      ([id, { params }]) => JSON.stringify(params) !== JSON.stringify(without.instances.get(id)?.params),
    );
    expect(new Set(changed.map(([, { stage }]) => stage))).toEqual(new Set(['train']));
    expect(changed[0]?.[1].params.dataset).toEqual({ folds: [[1, 2], [3]] });
    await expect(load(['dataset.folds=1'])).rejects.toThrow('must be at least 2, not 1');
  });

  test('suggests the model that was meant', async () => {
    const root = await makeProject({});
    for (const name of ['pipeline.yaml', 'configs', 'dist/explore.js', 'schemas', 'stages']) {
      await cp(path.join(repository, name), path.join(root, name), { recursive: true });
    }
    const failure = loadPlan({ projectRoot: root, profile: 'quick', set: ['models=[basline, no-reg]'] });
    await expect(failure).rejects.toMatchObject({
      message: 'stage "train": input "configs/models/basline.yaml" is made by no stage and is not on disk.',
      fix: 'Closest: "configs/models/baseline.yaml".\n${model} is "basline" (--set models=[basline, no-reg]).',
    });
  });
});

describe('a pipeline', () => {
  test('expands a matrix in the order of the file, the last variable fastest', async () => {
    const plan = await planOf(
      `${profileHead}  a:
    matrix: {model: "\${models}", seed: [7, "\${data.size}"], fast: [true]}
    run: stages/a.ts
    outputs: ["artifacts/\${model}/\${seed}-\${fast}"]
`,
      profileFiles,
      { set: ['data.size=9'] },
    );
    expect([...plan.instances.keys()]).toEqual([
      'a@one,7,true',
      'a@one,9,true',
      'a@two,7,true',
      'a@two,9,true',
    ]);
    expect(plan.instances.get('a@two,9,true')).toMatchObject({
      matrix: { model: 'two', seed: 9, fast: true },
      outputs: ['artifacts/two/9-true'],
    });
  });

  test('lets a matrix variable shadow a profile value only within its stage', async () => {
    const plan = await planOf(
      `${profileHead}  a: {matrix: {title: [x]}, run: stages/a.ts, outputs: ["artifacts/a/\${title}"]}
  b: {run: stages/b.ts, outputs: ["artifacts/b/\${title}"]}
`,
      profileFiles,
      { set: ['title=profile'] },
    );
    expect([...plan.instances.values()].map(({ outputs }) => outputs[0])).toEqual([
      'artifacts/a/x',
      'artifacts/b/profile',
    ]);
  });

  test('gives a stage only the parts of the profile it names', async () => {
    const plan = await planOf(
      `${profileHead}  a: {run: stages/a.ts, params: [train.epochs, data.root, train, extra], outputs: [artifacts/a]}\n`,
      profileFiles,
      { set: ['train.rate=0.5'] },
    );
    expect(plan.instances.get('a')?.params).toEqual({
      train: { epochs: 3, rate: 0.5 },
      data: { root: 'artifacts/data' },
    });
  });

  test('gives an instance only what its matrix names of a mapping', async () => {
    const rates = 'learningRates={lambda-0.1: 0.1, no-reg: 0.01}';
    const { instances } = await loadPlan({ projectRoot: repository, profile: 'quick', set: [rates] });
    const ratesOf = (model: string) => instances.get(`train@${model},2020`)?.params.learningRates;
    expect(['no-reg', 'lambda-0.1', 'baseline'].map(ratesOf)).toEqual([
      { 'no-reg': 0.01 },
      { 'lambda-0.1': 0.1 },
      undefined,
    ]);
  });

  test('runs commands as lists of words, with references in them', async () => {
    const plan = await planOf(
      `${profileHead}  a: {cmd: [python3, -c, "print(\${train.epochs})", 4], outputs: [artifacts/a]}\n`,
      profileFiles,
    );
    expect(plan.instances.get('a')?.command).toEqual({
      kind: 'command',
      argv: ['python3', '-c', 'print(3)', '4'],
    });
  });

  test('reads resources, with defaults for those not given', async () => {
    const plan = await planOf(
      `${profileHead}  a: {run: stages/a.ts, outputs: [artifacts/a], resources: {cpu: 4, memory: 512M, gpu: 1, time: 1h30m}}
  b: {run: stages/a.ts, outputs: [artifacts/b], resources: {memory: 1.5 GiB, time: 90s, cpu: "\${train.epochs}"}}
  c: {run: stages/a.ts, outputs: [artifacts/c], variables: [HOME], facts: [engine]}
`,
      profileFiles,
    );
    expect(plan.instances.get('a')?.resources).toEqual({
      cpu: 4,
      memoryBytes: 536870912,
      gpu: 1,
      timeSeconds: 5400,
    });
    expect(plan.instances.get('b')?.resources).toEqual({
      cpu: 3,
      memoryBytes: 1610612736,
      gpu: 0,
      timeSeconds: 90,
    });
    expect(plan.instances.get('c')).toMatchObject({
      resources: { cpu: 1, memoryBytes: 1073741824, gpu: 0, timeSeconds: null },
      variables: ['HOME'],
      facts: ['engine'],
    });
  });

  test('reads a share of the cores, which need not be a part of any fingerprint', async () => {
    const threads = async (value: string | undefined) => {
      const plan = await loadPlan({
        projectRoot: repository,
        profile: 'quick',
        set: value === undefined ? [] : [`threads=${value}`],
      });
      const { resources, params } = plan.instances.get('train@baseline,2020')!;
      return { cpu: resources.cpu, params };
    };
    const { cpu, params } = await threads(undefined);
    expect(cpu).toBe('share');
    expect(await threads('share')).toEqual({ cpu: 'share', params });
    expect(await threads('3')).toEqual({ cpu: 3, params });
    await expect(threads('0')).rejects.toThrow('threads: must be at least 1, not 0.');
  });

  test('normalises paths', async () => {
    const plan = await planOf(
      'version: 1\nstages:\n  a: {run: ./stages/a.ts, inputs: [./stages//b.ts, stages/../stages/c.ts], outputs: [artifacts/a/]}\n',
    );
    expect(plan.instances.get('a')).toMatchObject({
      command: { path: 'stages/a.ts' },
      inputs: [{ path: 'stages/b.ts' }, { path: 'stages/c.ts' }],
      outputs: ['artifacts/a'],
    });
  });

  test('has external inputs relative to the project if they are inside it', async () => {
    const root = await makeProject({});
    const plan = await planOf(
      `version: 1\nstages:\n  a:\n    run: stages/a.ts\n    inputs: [{path: /data/x, external: true}, {path: missing, external: true}, {path: ../${path.basename(root)}, external: true}]\n    outputs: [artifacts/a]\n`,
    );
    expect(plan.instances.get('a')?.inputs.map((input) => input.path)).toEqual(['/data/x', 'missing', root]);
  });

  test('leaves out stages that a profile excludes, with their outputs', async () => {
    const text = `${profileHead}  make: {when: "\${data.simulated}", run: stages/a.ts, outputs: ["\${data.root}"]}
  read: {run: stages/b.ts, inputs: ["\${data.root}"], outputs: [artifacts/b]}
  other: {when: "!\${data.simulated}", run: stages/c.ts, outputs: [artifacts/c]}
  extra: {when: "\${extra}", run: stages/c.ts, outputs: [artifacts/d]}
  never: {when: false, run: stages/c.ts, outputs: [artifacts/e]}
`;
    const small = await planOf(text, profileFiles);
    expect([...small.instances.keys()]).toEqual(['make', 'read']);
    expect(small.inactive).toEqual(['other', 'extra', 'never']);
    expect(small.dependencies.get('read')).toEqual(['make']);

    const large = await planOf(text, profileFiles, { profile: 'large' });
    expect([...large.instances.keys()]).toEqual(['read', 'other']);
    expect(large.dependencies.get('read')).toEqual([]);
    expect(large.profile).toBe('large');
  });

  test('may use anchors, with a place for them that no stage sees', async () => {
    const plan = await planOf(
      `version: 1
x-defaults: &defaults {run: stages/a.ts, resources: {cpu: 2}}
stages:
  a: {<<: *defaults, outputs: [artifacts/a]}
  b: {<<: *defaults, run: stages/b.ts, outputs: [artifacts/b]}
`,
    );
    expect(plan.instances.get('a')).toMatchObject({
      command: { path: 'stages/a.ts' },
      resources: { cpu: 2 },
    });
    expect(plan.instances.get('b')).toMatchObject({
      command: { path: 'stages/b.ts' },
      resources: { cpu: 2 },
    });
  });

  test('accepts links that stay inside the project', async () => {
    const root = await makeProject({
      'pipeline.yaml':
        'version: 1\nstages:\n  a: {run: stages/a.ts, inputs: [linked/x], outputs: [artifacts/a]}\n',
      'real/x': '',
    });
    await symlink('real', path.join(root, 'linked'));
    await expect(loadPlan({ projectRoot: root })).resolves.toBeDefined();
  });

  test('may be reached through a linked folder', async () => {
    const root = await makeProject({
      'pipeline.yaml': 'version: 1\nstages:\n  a: {run: stages/a.ts, outputs: [artifacts/a]}\n',
    });
    const elsewhere = await makeProject({});
    await mkdir(path.join(elsewhere, 'links'));
    await symlink(root, path.join(elsewhere, 'links/project'));
    const plan = await loadPlan({ projectRoot: path.join(elsewhere, 'links/project') });
    expect([...plan.instances.keys()]).toEqual(['a']);
  });

  test('reports the same the second time, when passed checks are remembered', async () => {
    const root = await makeProject({
      ...profileFiles,
      'pipeline.yaml': `${profileHead}  a: {run: stages/a.ts, params: [train], outputs: [artifacts/a]}\n`,
    });
    const first = await loadPlan({ projectRoot: root });
    expect(await loadPlan({ projectRoot: root })).toEqual(first);
    await expect(loadPlan({ projectRoot: root, set: ['train.epochs=0'] })).rejects.toThrow(
      'must be at least 1',
    );
  });
});
