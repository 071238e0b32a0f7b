// Runs a profile at several values of one setting, and keeps in results/<profile>/ a folder for each value with the answers and verdicts, which
// scripts/recompute.py recomputes, and over all of them: <profile>.csv, figures/<profile>.svg and section.md for docs/results.md.
//   node scripts/sweep.mjs rates            at each learning rate; continues where it was interrupted
//   node scripts/sweep.mjs dose --check     the same runs, compared with what is kept
//   node scripts/sweep.mjs dose --values 1,6 --set seeds=[1] --set train.epochs=3    a trial, kept in artifacts/dose

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '..');
const made = path.join(root, 'artifacts/report');
/** The profiles, what each varies, and its values where none are given. */
const sweeps = {
  dose: { setting: 'simulate.ratio', name: 'ratio', values: '1,2,3,4,6' },
  rates: { setting: 'train.learningRate', name: 'learning rate', values: '0.04,0.12,0.3' },
};
/** Both questions are answered: a network that guesses one of the two is right half of the time, and none is right more often than on either. */
const SOLVED = 0.75;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean' },
    values: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const [profile] = positionals;
const sweep = sweeps[profile];
if (sweep === undefined) throw new Error(`expected one of ${Object.keys(sweeps).join(', ')}, got ${profile}`);
const kept = path.join(
  root,
  options.set.length > 0 || options.values !== undefined ? 'artifacts' : 'results',
  profile,
);
const differing = [];
const runs = (options.values ?? sweep.values).split(',').map(runAt);
console.log(tabulate());
keep(`${profile}.csv`, tabulate());
keep(`figures/${profile}.svg`, await draw());
keep('section.md', describe());
if (options.check)
  console.log(differing.length === 0 ? 'all as kept' : `differs from ${kept}: ${differing.join(', ')}`);
process.exitCode = differing.length === 0 ? 0 : 1;

function runAt(value) {
  const set = [`${sweep.setting}=${value}`, ...options.set].flatMap((one) => ['--set', one]);
  const words = ['bin/repro.js', 'run', '--profile', profile, ...set];
  execFileSync(process.execPath, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const { question, simulated } = JSON.parse(read('claims.json'));
  keep(`${value}/answers.csv`, read('answers.csv'));
  keep(`${value}/claims.json`, `${JSON.stringify({ version: 1, simulated, question }, null, 2)}\n`);
  keep(`${value}/figures/question.csv`, read('figures/simulated-question.csv'));
  return { value, question, models: measureAccuracies() };
}

/** Of each model, the accuracy of each seed's training, their mean, and how many answer both questions. */
function measureAccuracies() {
  const [head, ...clips] = read('answers.csv')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const seeds = {};
  for (const [at, name] of head.entries()) {
    const [model, seed] = name.split('@');
    if (seed === undefined) continue;
    seeds[model] ??= [];
    seeds[model].push(meanOf(clips.map((clip) => Number(clip[at]))));
  }
  return Object.entries(seeds).map(([model, accuracies]) => ({
    ...{ model, accuracies, accuracy: meanOf(accuracies) },
    solved: accuracies.filter((accuracy) => accuracy > SOLVED).length,
  }));
}

function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** With which model an arm of a question is compared. */
function againstOf({ baseline }, arm) {
  return arm.baseline ?? baseline;
}

function tabulate() {
  const lines = runs.flatMap(({ value, question, models }) =>
    models.map(({ model, accuracy, solved }) => {
      const arm = question.arms.find((one) => one.model === model);
      const effect = arm && [againstOf(question, arm), arm.difference, arm.low, arm.high, arm.verdict];
      return [value, model, accuracy, solved, ...(effect ?? ['', '', '', '', ''])].join(',');
    }),
  );
  const head = `${sweep.name.replace(' ', '_')},model,accuracy,solved,against,difference,low_95,high_95,verdict`;
  return `${[head, ...lines].join('\n')}\n`;
}

/** The accuracy of every training, and each model's mean, drawn as the report draws its figures. */
async function draw() {
  const outfile = path.join(root, 'artifacts/sweep-drawing.mjs');
  const contents = `export * from './src/report/figures/dot-plot.ts'; export * from './src/report/drawing/render.ts'; export * from './src/report/drawing/theme.ts';`;
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
  const { drawDotPlot, renderFigure, colorVariable, modelColor } = await import(pathToFileURL(outfile).href);
  const series = runs[0].models.map(({ model }) => model);
  const nameOf = (value) => `${sweep.name} ${value}`;
  const dots = runs.flatMap(({ value, models }) =>
    models.map(({ model, accuracy, accuracies }, at) => ({
      ...{ row: nameOf(value), series: model, color: colorVariable(modelColor(at)), seeds: accuracies },
      ...{ value: accuracy, low: accuracy, high: accuracy },
    })),
  );
  const figure = {
    ...{ id: profile, title: `Test accuracy of each training, by ${sweep.name}` },
    ...{ caption: '', alt: tabulate(), columns: 1, data: [] },
    legend: series.map((model, at) => ({ label: titleOf(model), color: modelColor(at), mark: 'dot' })),
    panels: [
      drawDotPlot({
        rows: runs.map(({ value }) => nameOf(value)),
        series: series.map((name) => ({ name, look: { shape: 'circle', filled: true, size: 40 } })),
        ...{ dots, rowHeight: 20 * series.length, domain: [0.2, 1] },
        level: { value: SOLVED, label: 'both questions' },
      }),
    ],
  };
  return (await renderFigure(figure, 'Simulated recordings: no camera, no people.')).sheet;
}

function describe() {
  const { report, description } = parse(
    fs.readFileSync(path.join(root, `configs/profiles/${profile}.yaml`), 'utf8'),
  );
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const points = (share) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
  const [{ question, models }] = runs;
  const accuracies = runs.map((run) => [
    run.value,
    ...run.models.map(({ accuracy, solved }) => `${percent(accuracy)} (${solved})`),
  ]);
  const differences = runs.map((run) => [
    run.value,
    ...run.question.arms.map(({ difference, low, high, verdict }) => {
      // One seed has no interval.
      const interval = low === null ? '' : ` (${points(low)} to ${points(high)})`;
      return `${points(difference)}${interval}, ${verdict}`;
    }),
  ]);
  const comparisons = question.arms.map(
    (arm) => `${titleOf(arm.model)}, beside ${titleOf(againstOf(question, arm))}`,
  );
  return `${[
    `## ${report.title}`,
    description.trim(),
    `Test accuracies, the mean of ${models[0].accuracies.length} seeds, and in parentheses how many of these trainings answer both questions (more than ${percent(SOLVED)} right).`,
    formatTable([sweep.name, ...models.map(({ model }) => titleOf(model))], accuracies),
    `![Test accuracy of each training, by ${sweep.name}](../results/${profile}/figures/${profile}.svg)`,
    `Dots are means, ticks are seeds. The differences in points, with 95 % intervals for other seeds and other clips. Where some trainings of a model answer both questions and others do not, intervals are [only rough](claims.md#the-question).`,
    formatTable([sweep.name, ...comparisons], differences),
    `\`node scripts/sweep.mjs ${profile} --check\` runs all of it again and compares every answer.`,
  ].join('\n\n')}\n`;
}

function formatTable(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function titleOf(model) {
  return parse(fs.readFileSync(path.join(root, `configs/models/${model}.yaml`), 'utf8')).title;
}

function read(name) {
  return fs.readFileSync(path.join(made, name), 'utf8');
}

/** Writes a result, or with --check compares it with the one that is kept. */
function keep(name, text) {
  const file = path.join(kept, name);
  if (options.check) {
    if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) differing.push(name);
    return;
  }
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
