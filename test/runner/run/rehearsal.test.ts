import { readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { factsOf } from '../../../src/apps/facts.ts';
import { loadSelectedPlan } from '../../../src/apps/load-plan.ts';
import { followTimeLeft } from '../../../src/cli/run/time-left.ts';
import { applyEvent, RunState } from '../../../src/cli/view/run-state.ts';
import { noTerminal, Terminal } from '../../support/terminal.ts';
import { CliProject, plainEnvironment, repro } from '../rig/cli-project.ts';

const pipeline = `version: 1
profiles: {folder: profiles, default: small}
stages:
  first: {cmd: [sh, -c, 'echo "$0" > "$REPRO_OUTPUT_0"', "\${word}"], outputs: [artifacts/first]}
  many:
    matrix: {n: "\${numbers}"}
    cmd: [sh, -c, 'cp artifacts/first "$REPRO_OUTPUT_0"']
    inputs: [artifacts/first]
    outputs: ["artifacts/many/\${n}"]
    resources: {cpu: 1, memory: 1M}
  last: {cmd: [sh, -c, 'ls artifacts/many > "$REPRO_OUTPUT_0"'], inputs: [artifacts/many], outputs: [artifacts/last]}
`;

/** Run once with profile small; then the records claim that `first` took a minute, each of `many` ten in three jobs, and `last` a second. */
async function createRun(): Promise<CliProject> {
  const project = await CliProject.create({
    'pipeline.yaml': pipeline,
    'profiles/small.yaml': 'word: hello\nnumbers: [1, 2, 3, 4]\n',
    'profiles/large.yaml': 'word: hallo\nnumbers: [1, 2, 3, 4]\n',
  });
  expect((await project.call(['run'])).exitCode).toBe(0);
  const times = {
    first: { seconds: 60 },
    many: { seconds: 200, totalSeconds: 600 },
    last: { seconds: 1 },
  };
  await editRecords(project, (record) => ({ ...record, ...times[record.stage as keyof typeof times] }));
  return project;
}

describe('repro run --dry-run', () => {
  test('expects what earlier runs took, as the scheduler would run them, more if some stages are unknown, and nothing for a profile that has not run here', async () => {
    const project = await createRun();
    const large = ['run', '--dry-run', '--profile', 'large'];
    const { stderr } = await project.call(large);
    expect(stderr).toContain('? first  would run: ');
    expect(stderr).toContain('expected time: unknown, since this profile has no comparable earlier run here');
    expect((await project.json(large)).expected.unknown).toBe(6);

    await project.edit('profiles/small.yaml', 'hello', 'hi');
    const two = await project.call(['run', '--dry-run', '--jobs', '2']);
    expect(two.stderr).toContain('? first  would run for about 60 seconds: command: ');
    expect(two.stderr).toContain('? many@4  would run for about 10 minutes: artifacts/first waits for first');
    // One minute, then twice ten, then a second.
    expect(two.stderr).toContain('6 to run in');
    expect(two.stderr).toContain('expected time: about 21 minutes');
    const one = await project.json(['run', '--dry-run', '--jobs', '1']);
    expect(one.expected).toEqual({ seconds: 60 + 4 * 600 + 1, unknown: 0 });
    expect(one.instances[1].expected).toEqual({ seconds: 600, from: 'own-run' });
    expect(one.instances[1].reasons).toEqual([{ cue: 'input', text: 'artifacts/first waits for first' }]);

    const other = `  other: {cmd: [sh, -c, 'true'], outputs: [artifacts/other]}\n  last:`;
    await project.edit('pipeline.yaml', '  last:', other);
    expect((await project.call(['run', '--dry-run', '--jobs', '1'])).stderr).toContain(
      'expected time: more than 41 minutes: one stage has no comparable earlier run',
    );
  });

  test('counts only what has to run, and takes another of its stage for an instance that has not run', async () => {
    const project = await createRun();
    await project.edit('profiles/small.yaml', '4]', '5]');
    expect((await project.call(['run', '--dry-run'])).stderr).toContain(
      '? many@5  would run for about 10 minutes, like others of its stage: has not run yet',
    );
    await project.edit('profiles/small.yaml', '5]', '4]');
    await project.remove('artifacts/.cache/store');
    await project.remove('artifacts/many/3');
    const { expected, instances } = await project.json(['run', '--dry-run', '--jobs', '2']);
    expect(instances.map((one: { state: string }) => one.state)).toEqual([
      'cached',
      'cached',
      'cached',
      'would-run',
      'cached',
      'would-run',
    ]);
    expect(expected).toEqual({ seconds: 601, unknown: 0 });
  });
});

const growing = `version: 1
profiles: {folder: profiles, default: small}
stages:
  clips: {cmd: [sh, -c, 'head -c "$0" /dev/zero > "$REPRO_OUTPUT_0"', "\${bytes}"], params: [bytes], outputs: [artifacts/clips]}
  train:
    matrix: {model: [a, b]}
    cmd: [sh, -c, 'echo x > "$REPRO_OUTPUT_0"']
    params: [train]
    inputs: [artifacts/clips, settings.txt]
    outputs: ["artifacts/train/\${model}"]
    facts: [engine, configuration]
    effort: [train.epochs, artifacts/clips]
`;

/** Run once; then the records claim that each training took ten minutes. */
async function createTraining(): Promise<CliProject> {
  const project = await CliProject.create({
    'pipeline.yaml': growing,
    'settings.txt': 'depth 3',
    'profiles/small.yaml': 'bytes: 1000\ntrain: {engine: tfjs-cpu, epochs: 10, rate: 1}\n',
  });
  // The engine's version is that of the installed package.
  symlinkSync(realpathSync('node_modules'), project.at('node_modules'), 'dir');
  expect((await project.call(['run'])).exitCode).toBe(0);
  await editRecords(project, (record) => (record.stage === 'train' ? { ...record, seconds: 600 } : record));
  return project;
}

// biome-ignore lint/suspicious/noExplicitAny: a record as it is in its file
async function editRecords(project: CliProject, edit: (record: any) => object): Promise<void> {
  for (const name of readdirSync(project.at('artifacts/.cache'), { recursive: true, encoding: 'utf8' })) {
    const file = `artifacts/.cache/${name}`;
    if (!/^(actions|records)\/.*\.json$/.test(name)) continue;
    await project.write(file, JSON.stringify(edit(JSON.parse(project.read(file)))));
  }
}

const expectedOf = async (project: CliProject, ...words: string[]) =>
  (await project.json(['run', '--dry-run', ...words])).instances.find(
    ({ id }: { id: string }) => id === 'train@a',
  ).expected;

describe('an expected time', () => {
  test('grows with what is under `effort:`, and with nothing else', async () => {
    const project = await createTraining();
    const { stderr } = await project.call(['run', '--dry-run', '--set', 'train.epochs=30']);
    expect(stderr).toContain('? train@a  would run for about 30 minutes, scaled by train.epochs: ');
    expect(await expectedOf(project, '--set', 'train.rate=2', '--set', 'train.epochs=1')).toEqual({
      seconds: 60,
      from: 'other-settings',
      scaledBy: ['train.epochs'],
    });
    // Of a trial and a run with the very settings, the latter counts.
    expect((await project.call(['run', '--set', 'train.epochs=1'])).exitCode).toBe(0);
    expect(await expectedOf(project, '--force')).toEqual({ seconds: 600, from: 'own-run' });
    await project.write('settings.txt', 'depth 30');
    expect((await expectedOf(project)).from).toBe('other-settings');
  });

  test('grows with the size of an input once that is known', async () => {
    const project = await createTraining();
    const many = ['--set', 'bytes=4000'];
    expect(await expectedOf(project, ...many)).toEqual({ seconds: 600, from: 'other-settings' });
    expect((await project.call(['run', 'clips', ...many])).exitCode).toBe(0);
    const scaledBy = ['artifacts/clips'];
    expect(await expectedOf(project, ...many)).toEqual({ seconds: 2400, from: 'own-run', scaledBy });
  });

  test('is unknown where earlier runs had another engine, also of what is left in a run, and refused an effort that the stage does not have', async () => {
    const project = await createTraining();
    const plan = await loadSelectedPlan({ project: project.root, set: [] });
    const findLeft = async () => {
      const state = new RunState();
      applyEvent(state, { kind: 'run-started', ids: ['train@a'], jobs: 1 }, 0);
      state.left = { seconds: 1, unknown: 0, atMs: -1 };
      followTimeLeft(plan, state, { facts: factsOf(project.root), jobs: 1 })(0);
      await vi.waitFor(() => expect(state.left?.atMs).not.toBe(-1));
      return state.left;
    };
    expect(await findLeft()).toEqual({ seconds: 600, unknown: 0, atMs: 0 });
    await editRecords(project, (record) => ({
      ...record,
      parts: { ...record.parts, facts: { engine: 'native 0123456789ab avx512 GCC 12.4.0' } },
    }));
    expect(await expectedOf(project, '--force')).toBeNull();
    expect(await findLeft()).toBeNull();
    await project.edit('pipeline.yaml', 'train.epochs, art', 'tran.epochs, art');
    await project.expectFailure(
      ['run', '--dry-run'],
      2,
      'pipeline.yaml:12:14  stage "train": effort "tran.epochs" is neither an input of this stage nor within its params.',
    );
  });
});

test.skipIf(noTerminal !== undefined)('a run on a terminal says how long all of it still takes', async () => {
  const project = await CliProject.create({
    'pipeline.yaml': `version: 1
stages:
  slow: {cmd: [sh, -c, 'until [ -e go ]; do sleep 0.05; done; touch "$REPRO_OUTPUT_0"'], outputs: [artifacts/slow]}
  after: {cmd: [sh, -c, 'touch "$REPRO_OUTPUT_0"'], inputs: [artifacts/slow], outputs: [artifacts/after]}
`,
    go: '',
  });
  expect((await project.call(['run'])).exitCode).toBe(0);
  await editRecords(project, (record) => ({ ...record, seconds: record.stage === 'slow' ? 7200 : 3600 }));
  await project.remove('go');
  const terminal = await Terminal.start([process.execPath, repro, 'run', '--force'], {
    columns: 80,
    rows: 24,
    cwd: project.root,
    env: { ...plainEnvironment, CI: undefined, TERM: 'xterm-256color' },
  });
  await terminal.waitFor((rows) =>
    rows.some((row) => /^about (3 h 00|2 h 59) min left in all · ○ 1 to go: after$/.test(row)),
  );
  await project.write('go', '');
  expect(await terminal.ended).toBe(0);
  expect(terminal.everything.join('\n')).not.toContain('left in all');
});

describe('without the native engine', () => {
  const none = { PLIF_NATIVE_BINARY: '/none.node' };

  test('a run that trains says once how much slower it is and how to get the engine, if nothing else was chosen', async () => {
    const project = await createTraining();
    const auto = ['--set', 'train.engine=auto'];
    const pattern =
      /^! train@\w {2}There is no native engine: .*takes 2.6 to 3.6 times as long on it\. .*takes thousands of times as long\.\n.*`npm run build:native`/gm;
    for (const words of [['--dry-run'], []]) {
      const { stderr } = await project.call(['run', ...auto, ...words], none);
      expect(stderr.match(pattern)).toHaveLength(1);
    }
    expect((await project.call(['run', ...auto], none)).stderr).not.toContain('native engine');
    expect((await project.call(['run', '--force'], none)).stderr).not.toContain('native engine');
  });
});
