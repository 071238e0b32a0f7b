// Runs profile dose at each ratio of the two time scales (docs/simulation.md#the-dose), and keeps in results/dose/ a folder for each ratio with the
// answers and verdicts, which scripts/recompute.py recomputes, and the curve: figures/dose.svg, dose.csv and section.md for docs/results.md.
//   node scripts/dose.mjs             continues where it was interrupted
//   node scripts/dose.mjs --check     the same runs, compared with what is kept
//   node scripts/dose.mjs --ratios 1,6 --set seeds=[1] --set train.epochs=3    a trial, kept in artifacts/dose

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
/** One τ per layer: the others are compared with the better of them. */
const singles = ['baseline', 'plif-9-gain'];

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean' },
    ratios: { type: 'string', default: '1,2,3,4,5,6' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const kept = path.join(root, options.set.length > 0 ? 'artifacts/dose' : 'results/dose');
const differing = [];
const rows = options.ratios.split(',').map((ratio) => runRatio(Number(ratio)));
console.log(toCsv(rows));
keep('dose.csv', toCsv(rows));
keep('figures/dose.svg', await drawCurve());
keep('section.md', describeDose());
if (options.check)
  console.log(differing.length === 0 ? 'all as kept' : `differs from ${kept}: ${differing.join(', ')}`);
process.exitCode = differing.length === 0 ? 0 : 1;

/** One run for the trainings, and the report again if the better of the two with one τ per layer is not the profile's baseline. */
function runRatio(ratio) {
  run(ratio, 'baseline');
  const accuracies = readAccuracies();
  const [single] = [...singles].sort((a, b) => accuracies[b] - accuracies[a]);
  if (single !== 'baseline') run(ratio, single);
  const { question, simulated } = JSON.parse(read('claims.json'));
  keep(`${ratio}/answers.csv`, read('answers.csv'));
  keep(`${ratio}/claims.json`, `${JSON.stringify({ version: 1, simulated, question }, null, 2)}\n`);
  keep(`${ratio}/figures/question.csv`, read('figures/simulated-question.csv'));
  return { ratio, accuracies, single, arms: question.arms };
}

function run(ratio, baseline) {
  const set = [`simulate.ratio=${ratio}`, `report.question.baseline=${baseline}`, ...options.set];
  const words = ['bin/repro.js', 'run', '--profile', 'dose', ...set.flatMap((one) => ['--set', one])];
  execFileSync(process.execPath, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Of each model, the mean over seeds and clips. */
function readAccuracies() {
  const [head, ...clips] = read('answers.csv')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const right = {};
  for (const [at, name] of head.entries()) {
    const [model, seed] = name.split('@');
    if (seed === undefined) continue;
    right[model] ??= [];
    right[model].push(...clips.map((clip) => Number(clip[at])));
  }
  const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return Object.fromEntries(Object.entries(right).map(([model, values]) => [model, meanOf(values)]));
}

function toCsv(all) {
  const lines = all.flatMap(({ ratio, accuracies, single, arms }) =>
    arms.map(({ model, difference, low, high, verdict }) =>
      [ratio, model, accuracies[model], single, difference, low, high, verdict].join(','),
    ),
  );
  return `${['ratio,model,accuracy,single_tau,difference,low_95,high_95,verdict', ...lines].join('\n')}\n`;
}

/** The effect of `broad` and `broad-gain` at each ratio, drawn as the report draws its figures. */
async function drawCurve() {
  const outfile = path.join(root, 'artifacts/dose-drawing.mjs');
  const contents = `export * from './src/report/figures/dot-plot.ts'; export * from './src/report/drawing/render.ts'; export * from './src/report/drawing/theme.ts';`;
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
  const { drawDotPlot, renderFigure, colorVariable, modelColor, POINT_LABELS } = await import(
    pathToFileURL(outfile).href
  );
  const series = ['broad-gain', 'broad'];
  const nameOf = (ratio) => `ratio ${ratio}`;
  const dots = rows.flatMap(({ ratio, arms }) =>
    arms
      .filter(({ model }) => series.includes(model))
      .map(({ model, difference: value, low, high }) => {
        return {
          row: nameOf(ratio),
          series: model,
          value,
          low: low ?? value,
          high: high ?? value,
          color: colorVariable(modelColor(series.indexOf(model))),
        };
      }),
  );
  const ends = dots.flatMap(({ low, high }) => [low, high]);
  const figure = {
    ...{ id: 'dose', title: 'Different τ beside the better single τ, by the ratio of the two time scales' },
    ...{ caption: '', alt: toCsv(rows), columns: 1, data: [] },
    legend: series.map((model, at) => ({ label: titleOf(model), color: modelColor(at), mark: 'dot' })),
    panels: [
      drawDotPlot({
        rows: rows.map(({ ratio }) => nameOf(ratio)),
        series: series.map((name) => ({ name, look: { shape: 'circle', filled: true, size: 70 } })),
        dots,
        rowHeight: 44,
        domain: [Math.min(-0.05, ...ends), Math.max(0.05, ...ends)],
        axis: { title: 'points more accurate than the better single τ', labelExpr: POINT_LABELS },
        level: { value: 0, label: 'as accurate' },
        shade: [-0.02, 0.02],
      }),
    ],
  };
  return (await renderFigure(figure, 'Simulated recordings: no camera, no people.')).sheet;
}

function describeDose() {
  const { report, description, seeds } = parse(
    fs.readFileSync(path.join(root, 'configs/profiles/dose.yaml'), 'utf8'),
  );
  const models = Object.keys(rows[0].accuracies);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const points = (share) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
  const table = rows.map(({ ratio, accuracies, single, arms }) => {
    const { difference, low, high, verdict } = arms.find(({ model }) => model === 'broad-gain');
    // One seed has no interval.
    const effect = points(difference) + (low === null ? '' : ` (${points(low)} to ${points(high)})`);
    return [ratio, ...models.map((model) => percent(accuracies[model])), titleOf(single), effect, verdict];
  });
  const head = [
    'Ratio',
    ...models.map(titleOf),
    'Better single τ',
    `${titleOf('broad-gain')}, beside it`,
    'Verdict',
  ];
  const said = table.map((cells) => `ratio ${cells[0]}: ${cells.at(-2)} points`).join('; ');
  return `${[
    `## ${report.title}`,
    description.trim(),
    `${seeds.length} seeds each. Test accuracies, and the difference in points with its 95 % interval, for other seeds and other clips. The better single τ is chosen on the same clips, which favours it.`,
    [head, head.map(() => '---'), ...table].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    `![${titleOf('broad-gain')} beside the better single τ. ${said}.](../results/dose/figures/dose.svg)`,
    'Shaded: the margin of two points; bars show the 95 % interval. `node scripts/dose.mjs --check` runs all of it again and compares every answer.',
  ].join('\n\n')}\n`;
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
