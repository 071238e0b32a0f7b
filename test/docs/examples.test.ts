import { symlink } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';
import { createStagesProject } from '../runner/rig/stages-project.ts';
import { hasPython } from '../support/python.ts';
import { blocks, commandsIn, findExample, readPage, repository } from './pages.ts';
import { copyThis, projects } from './projects.ts';

/** Blocks without a language that are no output, and outputs that take a training or a certain machine, by how they begin. */
const unchecked: readonly string[] = [
  // Drawings, lists and formats, some with tests of their own.
  ...['val_0.15_', 'every step', 'once  '],
  // What a terminal shows while something runs: test/app/live-view.test.ts, test/app/run-output.test.ts.
  '✔ simulate',
  // Takes many trainings: test/app/evidence.test.ts.
  '137 of 323 done',
  // Takes a training with other frames: test/app/checkpoints.test.ts.
  'artifacts/train/baseline/2020  these frames differ',
];

/** Dates, durations, digests and rounding errors are different each time, and columns as wide as these. */
function settle(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d(?: \d\d:\d\d)?/g, 'DATE')
    .replace(/\b[0-9a-f]{12}\b/g, 'DIGEST')
    .replace(/\b(?:\d+(?:\.\d+)?|a) (?:seconds?|minutes?|hours?|s|min|h)\b(?: \d\d (?:s|min)\b)?/g, 'TIME')
    .replace(/\b\d\.\de-\d+\b/g, '1.0e-7')
    .replace(/(?<=\S) {2,}/g, ' ')
    .trimEnd();
}

/** In an example, a line `…` stands for any lines, and `…` at the end of a line for its rest. */
function toPattern(example: string): RegExp {
  const lines = example
    .split('\n')
    .map((line) => (line === '…' ? '(?:.*\\n)*?' : `${escapeRegExp(line).replace(/ …$/, '.*')}\\n`));
  return new RegExp(`^${lines.join('')}$`);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

const examples = blocks.flatMap(({ example }) => example ?? []);

/** Whether this machine can run an example: it may need Python, or a run of profile quick. */
const canRun = (name: string): boolean =>
  name === 'failing-command' ? hasPython : quickRun !== undefined || !name.startsWith('quick-');

/** A project whose profile `quick` has run: `npm run docs` does that. */
const quickRun = process.env.REPRO_QUICK_RUN;

/** The figures of a training differ a little between processors. */
function withoutFigures(text: string): string {
  return text.replace(/\d[\d.,]*/g, '1');
}

describe('the examples in the pages', () => {
  test('are all checked, but those that are listed here', () => {
    const other = blocks.filter(({ language, example }) => language === '' && example === undefined);
    const begins = ({ text }: { readonly text: string }) => unchecked.find((start) => text.startsWith(start));
    expect(other.filter((block) => begins(block) === undefined).map(({ at }) => at)).toEqual([]);
    expect(new Set(other.map(begins))).toEqual(new Set(unchecked));
    const ofProjects = examples.filter((name) => !name.startsWith('quick-'));
    expect(ofProjects.sort()).toEqual(Object.keys(projects).sort());
  });

  test.each(examples.filter(canRun))('print what the page shows: %s', async (name) => {
    const isOfRun = name.startsWith('quick-');
    const block = findExample(name);
    const [first = '', ...rest] = block.text.split('\n');
    const [command] = commandsIn({ ...block, text: first });
    const project = isOfRun ? new CliProject(quickRun ?? '') : await projects[name]?.();
    if (command === undefined || project === undefined) throw new Error(`${block.at} begins with no command`);
    const { stdout, stderr } = await project.call(command.words);
    const clean = (text: string) => (isOfRun ? withoutFigures(settle(text)) : settle(text));
    const said = `${clean([stderr, stdout].filter((one) => one !== '').join('\n'))}\n`;
    const shown = clean(rest.join('\n'));
    if (!toPattern(shown).test(said)) expect(said, block.at).toBe(`${shown}\n`);
  });
});

describe('the model in docs/networks.md', () => {
  const model =
    blocks.find(({ at, language }) => at.startsWith('docs/networks.md') && language === 'yaml')?.text ?? '';

  test('runs beside the baseline, under the quick profile and the full one', async () => {
    const project = await copyThis();
    await project.write('configs/models/mine.yaml', model);
    const words = ['run', '--dry-run', '--set', 'models=[baseline, mine]'];
    for (const profile of ['quick', 'full']) {
      const { exitCode, stderr } = await project.call([...words, '--profile', profile]);
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toContain('? train@mine,2020  would run: has not run yet');
      expect(stderr).not.toContain('no-reg');
    }
  });

  test('trains for an epoch of the quick profile, on fewer people, and so does each variation of it in the text', async () => {
    const lif = ['neuron: lif', 'tau: { per: layer, mean: 16, std: 0 }'] as const;
    const lambdas = '[0.1, 0.1, 0.1, 0.1, 0.1, 0, 0]';
    for (const part of [...lif, lambdas]) expect(readPage('docs/networks.md')).toContain(`\`${part}\``);
    const project = await copyThis();
    const files = {
      mine: model,
      'mine-lif': model.replace('neuron: plif', lif[0]).replace(/tau: \{.*\}/, lif[1]),
      'mine-lambdas': model.replace('regulariseTau: 0', `regulariseTau: ${lambdas}`),
    };
    for (const [id, text] of Object.entries(files)) await project.write(`configs/models/${id}.yaml`, text);
    const settings = ['train.epochs=1', 'simulate.trainUsers=3', 'simulate.testUsers=1'];
    for (const own of [['models=[mine, mine-lif]'], ['models=[mine-lambdas]', 'train.network.layers=5']]) {
      const sets = [...own, ...settings].flatMap((one) => ['--set', one]);
      const { exitCode, stderr } = await project.call(['run', 'train', ...sets]);
      expect(exitCode, stderr).toBe(0);
    }
  });
});

describe('docs/stages.md', () => {
  const blockOf = (language: string) =>
    blocks.find(({ at, ...block }) => at.startsWith('docs/stages.md') && block.language === language)?.text ??
    '';

  test('has a module that runs', async () => {
    const project = await CliProject.create({
      'pipeline.yaml': `version: 1\nprofiles: {folder: profiles, default: only}\nstages:\n  frames: {run: stages/frames.ts, params: [frames], inputs: {recordings: recordings}, outputs: [artifacts/frames]}\n`,
      'profiles/only.yaml': 'frames: {steps: 8}\n',
      'stages/frames.ts': blockOf('ts'),
      recordings: '',
    });
    await symlink(path.join(repository, 'src'), path.join(project.root, 'src'));
    const { exitCode, stderr } = await project.call(['run']);
    expect(exitCode, stderr).toBe(0);
    expect(project.read('artifacts/frames')).toMatch(/recordings in 8 steps$/);
    expect((await project.call(['metrics', '--json'])).stdout).toContain('"clips": 100');
  });

  test.skipIf(!hasPython)('has a Python command whose reports arrive', async () => {
    const project = await createStagesProject('s:\n  cmd: [python3, plot.py]\n  outputs: [artifacts/s]\n');
    await project.write(
      'plot.py',
      `${blockOf('python')}\nopen(os.environ["REPRO_OUTPUT_0"], "w").write("")\n`,
    );
    const { exitCode, stderr } = await project.call(['run']);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('2 files are empty');
    expect((await project.call(['logs', 's'])).stdout).toContain('30 % (3 of 10 files)  c.txt');
    const metrics = (await project.call(['metrics', '--json'])).stdout;
    expect(metrics).toContain('"accuracy": 0.95');
    expect(metrics).toContain('"method": "SVM"');
  });
});
