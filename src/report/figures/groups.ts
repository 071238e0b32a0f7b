import { summarise } from '../../stats/means.ts';
import { type Interval, wilsonInterval } from '../../stats/proportions.ts';
import { nameEpoch } from '../data/epochs.ts';
import { formatShare, groupDigits } from '../data/format.ts';
import type { ClipAnswer, ModelResult, Results } from '../data/results.ts';
import type { Figure, LegendEntry } from '../drawing/figure.ts';
import { colorVariable, modelColor } from '../drawing/palette.ts';
import { drawDotPlot } from './dot-plot.ts';
import { tabulateRuns } from './run-table.ts';

/** With fewer, Wilson's 95 % interval of an accuracy of 90 % is wider than 12 points. */
const FEW_CLIPS = 100;

/** A way to divide the test clips, for instance by class. */
interface Grouping {
  readonly id: string;
  readonly title: string;
  /** `class`, `user`: the name in the CSV, and in words. */
  readonly name: string;
  /** In the order in which they are drawn. */
  readonly groups: readonly string[];
  readonly groupOf: (answer: ClipAnswer) => string | null;
}

export function drawClasses(results: Results): Figure {
  const { classes } = results;
  return drawGroups(results, {
    id: 'classes',
    title: 'Test accuracy by class',
    name: 'class',
    groups: classes,
    groupOf: (answer) => classes[answer.class] ?? null,
  });
}

export function drawUsers(results: Results): Figure | null {
  const answers = results.models.flatMap(({ runs }) => runs.flatMap((run) => run.answers));
  const users = [...new Set(answers.flatMap(({ user }) => user ?? []))].sort((a, b) => a - b);
  if (users.length === 0) return null;
  return drawGroups(results, {
    id: 'users',
    title: `Test accuracy by ${results.simulated ? 'simulated ' : ''}user`,
    name: 'user',
    groups: users.map((user) => `user ${user}`),
    groupOf: ({ user }) => `user ${user}`,
  });
}

interface GroupAccuracy {
  readonly group: string;
  readonly clips: number;
  readonly mean: number;
  /** Wilson's; the seeds see the same clips, which count once. */
  readonly interval: Interval;
}

function measureGroups({ runs }: ModelResult, { groups, groupOf }: Grouping): GroupAccuracy[] {
  return groups.flatMap((group): GroupAccuracy[] => {
    const shares = runs.flatMap(({ answers }) => {
      const own = answers.filter((answer) => groupOf(answer) === group);
      return own.length === 0 ? [] : [{ clips: own.length, share: countRight(own) / own.length }];
    });
    const clips = shares[0]?.clips ?? 0;
    if (clips === 0) return [];
    const { mean } = summarise(shares.map(({ share }) => share));
    return [{ group, clips, mean, interval: wilsonInterval(mean * clips, clips) }];
  });
}

function countRight(answers: readonly ClipAnswer[]): number {
  return answers.filter(({ right }) => right).length;
}

function drawGroups(results: Results, grouping: Grouping): Figure {
  const measured = results.models.map((model, index) => ({
    model,
    color: modelColor(index),
    accuracies: measureGroups(model, grouping),
  }));
  const counts = measured.flatMap(({ accuracies }) => accuracies.map(({ clips }) => clips));
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const { groups } = grouping;
  return {
    id: grouping.id,
    title: grouping.title,
    caption: [
      `Share of a ${grouping.name}’s test clips that were classified correctly, at the ${nameEpoch(results.models)}; bars show the 95 % interval (Wilson).`,
      `There are ${fewest === most ? groupDigits(fewest) : `${groupDigits(fewest)} to ${groupDigits(most)}`} test clips of each ${grouping.name}${fewest < FEW_CLIPS ? ', so only large differences mean anything' : ''}.`,
      ...(results.seeds.length > 1 ? [`Dots are means over ${results.seeds.length} seeds.`] : []),
    ].join(' '),
    alt: [
      `Dot plot of the test accuracy by ${grouping.name}, with one dot per model.`,
      ...measured.map(({ model, accuracies }) => describeExtremes(model, accuracies)),
    ].join(' '),
    legend: measured.map(({ model, color }): LegendEntry => ({ label: model.title, color, mark: 'dot' })),
    columns: 1,
    panels: [
      drawDotPlot({
        rows: groups,
        series: measured.map(({ model }) => ({ name: model.id, look: { filled: true, size: 38 } })),
        dots: measured.flatMap(({ model, color, accuracies }) =>
          accuracies.map(({ group, mean, interval: { low, high } }) => ({
            ...{ row: group, series: model.id, value: mean, low, high, color: colorVariable(color) },
          })),
        ),
        rowHeight: results.models.length * 11 + 16,
        domain: [0, 1],
      }),
    ],
    data: tabulateRuns(
      results,
      [grouping.name, 'clips', 'correct', 'accuracy', 'wilson_low', 'wilson_high'],
      ({ answers }) =>
        groups.flatMap((group) => {
          const own = answers.filter((answer) => grouping.groupOf(answer) === group);
          if (own.length === 0) return [];
          const right = countRight(own);
          const { low, high } = wilsonInterval(right, own.length);
          return [[group, own.length, right, right / own.length, low, high]];
        }),
    ),
  };
}

function describeExtremes({ title }: ModelResult, accuracies: readonly GroupAccuracy[]): string {
  const sorted = [...accuracies].sort((a, b) => a.mean - b.mean);
  const [worst] = sorted;
  const best = sorted.at(-1);
  if (worst === undefined || best === undefined) return `${title}: no test clips.`;
  return `${title}: lowest ${worst.group} with ${formatShare(worst.mean)}, highest ${best.group} with ${formatShare(best.mean)}.`;
}
