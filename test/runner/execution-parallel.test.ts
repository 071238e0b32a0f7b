import { describe, expect, test } from 'vitest';
import { createProject, eventOf } from './rig/project.ts';

/** Ends only when its partner has started, so two of them must run at once. */
const meet = (me: string, other: string) => [
  'sh',
  '-c',
  `touch counts/${me}; while ! test -e counts/${other}; do sleep 0.01; done; : > "$REPRO_OUTPUT_0"`,
];

/** Records which others run while it runs. */
const alone = (me: string) => [
  'sh',
  '-c',
  `mkdir -p running; touch running/${me}; ls running > counts/${me}; sleep 0.05; ls running >> counts/${me}; rm running/${me}; : > "$REPRO_OUTPUT_0"`,
];

describe('a run', () => {
  test('runs independent stages at the same time', async () => {
    const project = await createProject([
      { id: 'a', run: meet('a', 'b'), outputs: ['artifacts/a'] },
      { id: 'b', run: meet('b', 'a'), outputs: ['artifacts/b'] },
    ]);
    expect((await project.run({ jobs: 2 })).outcome).toBe('ok');
  });

  test.each([
    ['one job', { jobs: 1 }, {}],
    ['one core', { machine: { cpu: 1, memoryBytes: 2 ** 40, gpus: [] } }, {}],
    [
      'memory for one',
      { machine: { cpu: 8, memoryBytes: 3 * 2 ** 30, gpus: [] } },
      { memoryBytes: 2 * 2 ** 30 },
    ],
    ['a GPU for one', { machine: { cpu: 8, memoryBytes: 2 ** 40, gpus: ['0'] } }, { gpu: 1 }],
  ])('runs one after another what has %s', async (_, options, resources) => {
    const project = await createProject(
      ['a', 'b', 'c'].map((id) => ({ id, run: alone(id), outputs: [`artifacts/${id}`], resources })),
    );
    expect(await project.run({ jobs: 4, ...options })).toMatchObject({ outcome: 'ok', ran: ['a', 'b', 'c'] });
    for (const id of ['a', 'b', 'c']) expect(project.read(`counts/${id}`)).toBe(`${id}\n${id}\n`);
  });

  test('takes the last values of a matrix one after another, each with what follows from it', async () => {
    const project = await createProject([
      { id: 'frames', sh: 'touch "$REPRO_OUTPUT_0"' },
      ...['train', 'evaluate'].flatMap((stage) =>
        ['a', 'b'].flatMap((model) =>
          [1, 2].map((seed) => ({
            id: `${stage}@${model},${seed}`,
            matrix: { model, seed },
            sh: 'touch "$REPRO_OUTPUT_0"',
            inputs: [stage === 'train' ? 'artifacts/frames' : `artifacts/train@${model},${seed}`],
          })),
        ),
      ),
    ]);
    expect((await project.run({ jobs: 1 })).ran).toEqual([
      'frames',
      ...['train@a,1', 'train@b,1', 'evaluate@a,1', 'evaluate@b,1'],
      ...['train@a,2', 'train@b,2', 'evaluate@a,2', 'evaluate@b,2'],
    ]);
  });

  test('tells stages that share the cores how many each may use, and another number makes none stale', async () => {
    const project = await createProject();
    const define = (cpu: number | 'share') =>
      project.define(
        ['a', 'b'].map((id) => ({
          id,
          sh: 'echo "$REPRO_CPUS" > "$REPRO_OUTPUT_0"',
          resources: { cpu },
        })),
      );
    define('share');
    await project.run({ jobs: 4, machine: { cpu: 6, memoryBytes: 2 ** 40, gpus: [] } });
    for (const id of ['a', 'b']) expect(project.read(`artifacts/${id}`)).toBe('3\n');
    define(2);
    expect((await project.run({ jobs: 4 })).ran).toEqual([]);
  });

  test('tells a stage that asks for GPUs which ones it has, and others what the runner was told', async () => {
    const project = await createProject();
    const show = ['sh', '-c', 'echo "$CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER" > "$REPRO_OUTPUT_0"'];
    const define = (gpus: Record<string, number>) =>
      project.define(
        Object.entries(gpus).map(([id, gpu]) => ({
          id,
          run: show,
          outputs: [`artifacts/${id}`],
          resources: { gpu },
        })),
      );
    define({ one: 1, two: 2, none: 0 });
    await project.run({ jobs: 1, machine: { cpu: 4, memoryBytes: 2 ** 40, gpus: ['5', '7'] } });
    expect(project.read('artifacts/one')).toBe('5 PCI_BUS_ID\n');
    expect(project.read('artifacts/two')).toBe('5,7 PCI_BUS_ID\n');
    expect(project.read('artifacts/none')).toBe(' \n');

    // Which ones it had makes nothing stale.
    define({ one: 2, two: 1, none: 0 });
    expect((await project.run()).ran).toEqual([]);
  });

  test('runs a stage alone, with a warning, if it asks for more than the machine has', async () => {
    const project = await createProject([
      { id: 'big', run: alone('big'), outputs: ['artifacts/big'], resources: { cpu: 9, gpu: 1 } },
      { id: 'small', run: alone('small'), outputs: ['artifacts/small'] },
    ]);
    const { outcome, events } = await project.run({
      jobs: 4,
      machine: { cpu: 4, memoryBytes: 2 ** 40, gpus: [] },
    });
    expect(outcome).toBe('ok');
    expect(eventOf(events, 'note', 'big')).toMatchObject({
      level: 'warning',
      text: 'asks for more than this machine has (9 CPUs of 4), so it runs alone; asks for a GPU, but the runner found none, so it runs without any',
    });
    expect(project.read('counts/big')).toBe('big\nbig\n');
  });
});
