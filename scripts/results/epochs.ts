// What it would add to choose each training's epoch on the clips that it is tested on: a section of docs/results.md, and its figure,
// docs/images/epochs.svg.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { renderFigure } from '../../src/report/drawing/render.ts';
import { colorVariable, POINT_LABELS } from '../../src/report/drawing/theme.ts';
import { drawDotPlot } from '../../src/report/figures/dot-plot.ts';
import { formatBarePoints, joinWords } from '../../src/verdicts/words.ts';
import { readConfig, readEndpoints } from './questions.ts';

/** The profile whose question is asked again, and one with fewer test clips; both test every epoch. */
const PROFILE = 'words';
const SMALLER = 'spoken-digits';

interface Choice {
  readonly model: string;
  /** Means of the trainings' test accuracies. */
  readonly last: number;
  readonly best: number;
}

/** Accuracy after the last epoch, and after that with the best test accuracy, by model. */
function readChoices(root: string, profile = PROFILE): Choice[] {
  const text = readFileSync(path.join(root, `configs/baselines/${profile}.json`), 'utf8');
  const { runs }: { runs: { model: string; accuracies: { test: number[] } }[] } = JSON.parse(text);
  return [...new Set(runs.map(({ model }) => model))].map((model) => {
    const of = runs.filter((run) => run.model === model);
    const meanOf = (choose: (tests: readonly number[]) => number) =>
      of.reduce((sum, { accuracies: { test } }) => sum + choose(test), 0) / of.length;
    return { model, last: meanOf((tests) => tests.at(-1)!), best: meanOf((tests) => Math.max(...tests)) };
  });
}

/** Each arm's differences from the baseline, by last and by best epochs, and the interval of the first. */
function compareChoices(root: string) {
  const [baseline, ...arms] = readChoices(root);
  const claims = readFileSync(path.join(root, `results/${PROFILE}/claims.json`), 'utf8');
  const judged = readEndpoints(claims)[0]!.arms;
  return arms.map((arm) => {
    const { difference, low, high } = judged.find(({ model }) => model === arm.model)!;
    const moved = arm.best - arm.last - (baseline!.best - baseline!.last);
    return {
      model: arm.model,
      last: difference,
      best: difference + moved,
      moved,
      low: low!,
      high: high!,
    };
  });
}

function rangeAdded(choices: readonly Choice[]): string {
  const added = choices.map(({ last, best }) => best - last);
  return `${formatBarePoints(Math.min(...added))} to ${formatBarePoints(Math.max(...added))}`;
}

/** The section of docs/results.md. */
export function describeEpochs(root: string): string {
  const choices = readChoices(root);
  const compared = compareChoices(root);
  const moved = Math.max(...compared.map((arm) => Math.abs(arm.moved)));
  const outside = compared.filter(({ best, low, high }) => best < low || best > high);
  const { seeds, train } = readConfig(root, `profiles/${PROFILE}`);
  return [
    '## Epochs chosen on the tested people',
    `Table 1 of the thesis has each training's best test epoch, as other papers do. In profile \`${PROFILE}\`, all of ${train.epochs} epochs ` +
      `were tested and the last one counts, so the ${seeds.length} trainings of each arm show what such a choice would add: ${rangeAdded(choices)} ` +
      `points of accuracy, and at most ${(100 * moved).toFixed(1)} points to a difference from \`baseline\`. ` +
      (outside.length === 0
        ? 'All differences stay within their intervals.'
        : `Outside of their intervals: ${joinWords(outside.map(({ model }) => model))}.`) +
      ` On the 300 test clips of \`${SMALLER}\`, it adds ${rangeAdded(readChoices(root, SMALLER))} points.`,
    '![Differences from baseline by last and by best epochs](images/epochs.svg)',
  ].join('\n\n');
}

export async function drawEpochs(root: string): Promise<string> {
  const arms = compareChoices(root);
  const series = [
    { name: 'last epoch', color: 'blue', mark: 'dot' as const, look: { filled: true, size: 60 } },
    {
      name: 'best epoch of the tested people',
      color: 'vermilion',
      mark: 'ring' as const,
      look: { filled: false, size: 60 },
    },
  ] as const;
  const dots = arms.flatMap(({ model, last, best, low, high }) => [
    { row: model, series: series[0].name, value: last, low, high, color: colorVariable(series[0].color) },
    {
      row: model,
      series: series[1].name,
      value: best,
      low: best,
      high: best,
      color: colorVariable(series[1].color),
    },
  ]);
  const ends = dots.flatMap(({ low, high }) => [low, high]);
  const panel = drawDotPlot({
    ...{ rows: arms.map(({ model }) => model), series, dots, rowHeight: 30 },
    domain: [Math.min(...ends) - 0.005, Math.max(...ends) + 0.005],
    axis: { title: 'points more accurate than baseline', labelExpr: POINT_LABELS },
    level: { value: 0, label: '' },
  });
  const title = 'Differences from baseline by last and by best epochs';
  const figure = {
    ...{ id: 'epochs', title, caption: '', columns: 1, data: [] },
    alt: arms
      .map(
        ({ model, last, best }) =>
          `${model}: ${formatBarePoints(last)}, by best epochs ${formatBarePoints(best)}.`,
      )
      .join(' '),
    legend: series.map(({ name, color, mark }) => ({ label: name, color, mark })),
    panels: [panel],
  };
  return (await renderFigure(figure, null)).sheet;
}
