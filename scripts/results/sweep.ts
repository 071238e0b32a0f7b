// Runs a profile at several values of one setting and keeps what came out: scripts/sweep.mjs compiles and runs it.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import Papa from 'papaparse';
import { renderFigure } from '../../src/report/drawing/render.ts';
import { colorVariable, modelColor } from '../../src/report/drawing/theme.ts';
import { drawDotPlot } from '../../src/report/figures/dot-plot.ts';
import { DIFFERENCE_TITLES } from '../../src/verdicts/verdicts.ts';
import { formatBarePoints, formatBareRange, formatShare } from '../../src/verdicts/words.ts';
import { formatMarkdownTable, readConfig, readEndpoints, titleOf } from './questions.ts';

/** The profiles, what each varies, and its values where none are given. */
const sweeps: Readonly<Record<string, { setting: string; name: string; values: string }>> = {
  dose: { setting: 'simulate.ratio', name: 'ratio', values: '1,2,3,4,6' },
  rates: { setting: 'train.learningRate', name: 'learning rate', values: '0.04,0.12,0.3' },
};
/** Both questions are answered: a network that guesses one of the two is right half of the time, and none is right more often than on either. */
const SOLVED = 0.75;

/** @param scratch an empty folder, which is removed at the end */
export async function main({ root, scratch }: { root: string; scratch: string }): Promise<void> {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      check: { type: 'boolean' },
      values: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const [profile = ''] = positionals;
  const sweep = sweeps[profile];
  if (sweep === undefined) {
    console.error(
      `usage: node scripts/sweep.mjs ${Object.keys(sweeps).join('|')} [--check] [--values LIST] [--set KEY=VALUE]`,
    );
    process.exitCode = 1;
    return;
  }
  for (const value of (options.values ?? sweep.values).split(',')) {
    const set = [`${sweep.setting}=${value}`, ...options.set].flatMap((one) => ['--set', one]);
    const words = ['bin/repro.js', 'run', '--profile', profile, ...set];
    execFileSync(process.execPath, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    const [from, to] = [path.join(root, 'artifacts/report'), path.join(scratch, value)];
    fs.mkdirSync(path.join(to, 'figures'), { recursive: true });
    fs.copyFileSync(path.join(from, 'answers.csv'), path.join(to, 'answers.csv'));
    fs.copyFileSync(path.join(from, 'figures/simulated-question.csv'), path.join(to, 'figures/question.csv'));
    const { question, simulated } = JSON.parse(fs.readFileSync(path.join(from, 'claims.json'), 'utf8'));
    const verdicts = `${JSON.stringify({ version: 1, simulated, question }, null, 2)}\n`;
    fs.writeFileSync(path.join(to, 'claims.json'), verdicts);
  }
  await writeSweep(root, scratch, profile);
  console.log(fs.readFileSync(path.join(scratch, `${profile}.csv`), 'utf8'));
  const isTrial = options.set.length > 0 || options.values !== undefined;
  const kept = path.join(root, isTrial ? 'artifacts' : 'results', profile);
  if (options.check) {
    const { status } = spawnSync('diff', ['-rq', kept, scratch], { stdio: 'inherit' });
    console.log(status === 0 ? 'all as kept' : `differs from ${kept}`);
    process.exitCode = status === 0 ? 0 : 1;
  } else {
    fs.rmSync(kept, { recursive: true, force: true });
    fs.cpSync(scratch, kept, { recursive: true });
  }
}

/** Writes what is made of the answers in a folder beside them. */
export async function writeSweep(root: string, folder: string, profile: string): Promise<void> {
  fs.mkdirSync(path.join(folder, 'figures'), { recursive: true });
  for (const [name, text] of await drawSweep(root, folder, profile))
    fs.writeFileSync(path.join(folder, name), text);
}

/** What is made of the answers in a folder: texts by the names of their files. */
export async function drawSweep(root: string, folder: string, profile: string): Promise<[string, string][]> {
  const { name = '' } = sweeps[profile] ?? {};
  const runs = readRuns(folder);
  return [
    [`${profile}.csv`, tabulate(name, runs)],
    [`figures/${profile}.svg`, await draw(root, profile, name, runs)],
    ['report.md', describe(root, profile, name, runs)],
  ];
}

type Runs = ReturnType<typeof readRuns>;

/** The answers at each value. */
function readRuns(folder: string) {
  const read = (value: string, name: string) => fs.readFileSync(path.join(folder, value, name), 'utf8');
  const values = fs
    .readdirSync(folder)
    .filter((name) => fs.existsSync(path.join(folder, name, 'claims.json')));
  return values
    .sort((a, b) => Number(a) - Number(b))
    .map((value) => ({
      value,
      arms: readEndpoints(read(value, 'claims.json'))[0]?.arms ?? [],
      models: measureAccuracies(read(value, 'answers.csv')),
    }));
}

/** Of each model, the accuracy of each seed's training, their mean, and how many answer both questions. */
function measureAccuracies(answers: string) {
  const options = { header: true, skipEmptyLines: true } as const;
  const { data: clips, meta } = Papa.parse<Record<string, string>>(answers, options);
  const seeds = new Map<string, number[]>();
  for (const column of meta.fields ?? []) {
    const [model = '', seed] = column.split('@');
    if (seed === undefined) continue;
    const accuracy = meanOf(clips.map((clip) => Number(clip[column])));
    seeds.set(model, [...(seeds.get(model) ?? []), accuracy]);
  }
  return [...seeds].map(([model, accuracies]) => ({
    ...{ model, accuracies, accuracy: meanOf(accuracies) },
    solved: accuracies.filter((accuracy) => accuracy > SOLVED).length,
  }));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function tabulate(name: string, runs: Runs): string {
  const lines = runs.flatMap(({ value, arms, models }) =>
    models.map(({ model, accuracy, solved }) => {
      const arm = arms.find((one) => one.model === model);
      const effect = arm && [arm.baseline, arm.difference, arm.low, arm.high, arm.verdict];
      return [value, model, accuracy, solved, ...(effect ?? ['', '', '', '', ''])].join(',');
    }),
  );
  const head = `${name.replace(' ', '_')},model,accuracy,solved,baseline,difference,low_95,high_95,verdict`;
  return `${[head, ...lines].join('\n')}\n`;
}

/** The accuracy of every training, and each model's mean, drawn as the report draws its figures. */
async function draw(root: string, id: string, name: string, runs: Runs): Promise<string> {
  const series = runs[0]?.models.map(({ model }) => model) ?? [];
  const nameOf = (value: string) => `${name} ${value}`;
  const panel = drawDotPlot({
    rows: runs.map(({ value }) => nameOf(value)),
    series: series.map((model) => ({ name: model, look: { shape: 'circle', filled: true, size: 40 } })),
    dots: runs.flatMap(({ value, models }) =>
      models.map(({ model, accuracy, accuracies }, at) => ({
        ...{ row: nameOf(value), series: model, color: colorVariable(modelColor(at)), seeds: accuracies },
        ...{ value: accuracy, low: accuracy, high: accuracy },
      })),
    ),
    ...{ rowHeight: 20 * series.length, domain: [0.2, 1] },
    level: { value: SOLVED, label: 'both questions' },
  });
  const legend = series.map((model, at) => ({
    ...{ label: titleOf(root, model), color: modelColor(at), mark: 'dot' as const },
  }));
  const figure = {
    ...{ id, title: `Test accuracy of each training, by ${name}`, caption: '', alt: tabulate(name, runs) },
    ...{ columns: 1, data: [], legend, panels: [panel] },
  };
  return (await renderFigure(figure, 'Simulated recordings: no camera, no people.')).sheet;
}

function describe(root: string, profile: string, name: string, runs: Runs): string {
  const { report, description } = readConfig(root, `profiles/${profile}`);
  const { arms = [], models = [] } = runs[0] ?? {};
  const accuracies = runs.map((run) => [
    run.value,
    ...run.models.map(({ accuracy, solved }) => `${formatShare(accuracy)} (${solved})`),
  ]);
  const differences = runs.map((run) => [
    run.value,
    ...run.arms.map(({ difference, low, high, verdict }) => {
      // One seed has no interval.
      const interval = low === null || high === null ? '' : ` (${formatBareRange({ low, high })})`;
      return `${formatBarePoints(difference)}${interval}, ${DIFFERENCE_TITLES[verdict]}`;
    }),
  ]);
  const comparisons = arms.map(
    ({ model, baseline }) => `${titleOf(root, model)} compared with ${titleOf(root, baseline)}`,
  );
  return `${[
    `# ${report.title}`,
    description.trim(),
    `Test accuracies, the mean of ${models[0]?.accuracies.length} seeds, and in parentheses how many of these trainings answer both questions (more than ${formatShare(SOLVED)} right).`,
    formatMarkdownTable([name, ...models.map(({ model }) => titleOf(root, model))], accuracies),
    `![Test accuracy of each training, by ${name}](figures/${profile}.svg)`,
    `Dots are means, ticks are seeds. The differences in points, with 95 % intervals for other seeds and other clips. Where some trainings of a model answer both questions and others do not, intervals are [only rough](../../docs/claims.md#the-question).`,
    formatMarkdownTable([name, ...comparisons], differences),
    `\`node scripts/sweep.mjs ${profile} --check\` runs all of it again and compares every answer.`,
  ].join('\n\n')}\n`.replaceAll('\u00a0', ' ');
}
