import { describe, expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';

/** Two stages of which the second has no parameters of its own. */
async function createProject(): Promise<CliProject> {
  return CliProject.create({
    'pipeline.yaml': `version: 1
profiles: {folder: profiles, default: quick}
machine: [data.root, train.engine]
stages:
  train:
    run: stages/train.mjs
    params: [data, train]
    inputs: [{path: "\${data.root}", external: true}]
    outputs: [artifacts/train]
  report: {run: stages/report.mjs, inputs: [artifacts/train], outputs: [artifacts/report]}
`,
    'profiles/quick.yaml': 'data: {root: data}\ntrain: {epochs: 32, engine: auto}\n',
    'profiles/other.yaml': 'data: {root: data}\ntrain: {epochs: 8, engine: auto}\n',
    'data/clip': 'clip',
    'stages/train.mjs': `import fs from 'node:fs';
export default { summary: 'trains', async run({ params, outputs, metrics }) {
  fs.mkdirSync(outputs[0]);
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(outputs[0] + '/' + name, 'epochs ' + params.train.epochs);
  console.log('trained for ' + params.train.epochs);
  metrics({ epochs: params.train.epochs });
} };
`,
    'stages/report.mjs': `import fs from 'node:fs';
export default { summary: 'reports', async run({ inputs, outputs, metrics }) {
  fs.copyFileSync(inputs[0] + '/a', outputs[0]);
  metrics({ length: fs.readFileSync(outputs[0], 'utf8').length });
} };
`,
  });
}

const trial = ['--set', 'train.epochs=3'];

async function run(project: CliProject, ...words: readonly string[]): Promise<string[]> {
  const { instances } = await project.json(['run', ...words]);
  return instances.map(({ state }: { state: string }) => state);
}

describe('after a trial', () => {
  test('export figures says that the report is that of a trial', async () => {
    const project = await createProject();
    const saidAfter = async (...words: readonly string[]) => {
      await run(project, ...words);
      return (await project.call(['export', 'figures', '--format', 'svg'])).stderr;
    };
    expect(await saidAfter(...trial)).toContain('! this report is of profile quick with train.epochs=3\n');
    expect(await saidAfter()).not.toContain('this report is of');
  });

  test('gc keeps the last results of every profile, and lists what goes with its settings', async () => {
    const project = await createProject();
    for (const words of [[], ['--profile', 'other'], trial, ['--set', 'train.epochs=4']]) {
      expect(await run(project, ...words)).toEqual(['finished', 'finished']);
    }
    const { stdout } = await project.call(['gc', '--dry-run']);
    expect(stdout).toMatch(
      /^train +\d{4}-\d\d-\d\d \d\d:\d\d UTC +24 B {2}profile quick with train\.epochs=3$/m,
    );
    expect(stdout).toMatch(/^report .* {2}profile quick with train\.epochs=3$/m);
    expect(stdout).not.toMatch(/^train.*epochs=4|profile other/m);
    expect((await project.call(['gc'])).exitCode).toBe(0);
    expect(await run(project)).toEqual(['cached', 'cached']);
    expect(await run(project, '--profile', 'other')).toEqual(['cached', 'cached']);
    expect(await run(project, ...trial)).toEqual(['finished', 'finished']);
  });

  test('status says which run the outputs are of, in one line; explain --list shows the overrides of each', async () => {
    const project = await createProject();
    await run(project);
    await run(project, ...trial);
    const { stdout } = await project.call(['status']);
    expect(stdout).toBe(
      'train   to restore  holds the run with train.epochs=3; 3 files to restore\n' +
        'report  to restore  holds the run with train.epochs=3; 1 file to restore',
    );
    const list = await project.call(['explain', 'report', '--list']);
    const [, latest, first] = list.stdout.split('\n');
    expect(latest).toContain('train.epochs=3');
    expect(first).not.toContain('train.epochs');
    await project.write('artifacts/train/a', 'mine');
    expect((await project.call(['status', 'train'])).stdout).toContain('artifacts/train was altered');
    await run(project, '--profile', 'other');
    expect((await project.call(['status', 'train'])).stdout).toContain(
      'holds the run of profile other; 3 files',
    );
  });

  test('reasons are those of the profile, not what the trial did otherwise', async () => {
    const project = await createProject();
    await run(project);
    await run(project, ...trial);
    await project.edit('stages/train.mjs', "'epochs '", "'EPOCHS '");
    expect((await project.call(['status', 'train'])).stdout).toBe(
      'train  stale       stages/train.mjs changed',
    );
    expect((await project.call(['status', 'train', '--profile', 'other'])).stdout).toContain(
      'has not run with profile other yet',
    );
  });

  test('metrics shows what the profile has, and marks what is not of its settings', async () => {
    const project = await createProject();
    await run(project, ...trial);
    const marked = (await project.call(['metrics'])).stdout;
    expect(marked).toMatch(
      /^ {2}not up to date with the present settings, code and data: run with train\.epochs=3; .*3 → 32/m,
    );
    expect((await project.call(['metrics', ...trial])).stdout).not.toContain(
      'not up to date with the present',
    );
    await run(project);
    await run(project, ...trial);
    const { instances } = await project.json(['metrics']);
    expect(instances).toMatchObject([
      { id: 'train', state: 'restorable', overrides: [], metrics: { epochs: 32 } },
      { id: 'report', state: 'restorable', overrides: [], metrics: { length: 9 } },
    ]);
    expect((await project.call(['metrics', '--profile', 'other'])).stdout).toContain('run of profile quick');
  });

  test('logs shows the log of the result in place', async () => {
    const project = await createProject();
    await run(project);
    await run(project, ...trial);
    expect((await project.call(['logs', 'train'])).stdout).toMatch(/trained for 3$/);
    await run(project);
    expect((await project.call(['logs', 'train'])).stdout).toContain('trained for 32');
    await project.call(['gc']);
    expect((await project.call(['logs', 'train'])).stdout).toContain('trained for 32');
    await project.edit('stages/train.mjs', 'console.log(', 'throw new Error(');
    await project.call(['run']);
    expect((await project.call(['logs', 'train'])).stdout).toContain('Error: trained for 32');
  });

  test('its settings may become those of the profile, and its results the profile’s', async () => {
    const project = await createProject();
    await run(project, ...trial);
    await project.edit('profiles/quick.yaml', 'epochs: 32', 'epochs: 3');
    expect(await run(project)).toEqual(['cached', 'cached']);
    const { instances } = await project.json(['metrics']);
    expect(instances.map(({ overrides }: { overrides: string[] }) => overrides)).toEqual([[], []]);
    expect((await project.call(['explain', 'train', '--list'])).stdout).not.toContain('epochs=3');
  });
});

describe('settings under machine:', () => {
  test('make no trial, and nothing stale', async () => {
    const project = await createProject();
    expect(await run(project)).toEqual(['finished', 'finished']);
    await project.write('elsewhere/clip', 'clip');
    const words = ['--set', 'data.root=elsewhere', '--set', 'train.engine=tfjs', '--set', 'train.epochs=32'];
    expect(await run(project, ...words)).toEqual(['cached', 'cached']);
  });
});
