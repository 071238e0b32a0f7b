import { summarise } from '../../stats/means.ts';
import { type Interval, wilsonInterval } from '../../stats/proportions.ts';
import { nameEpoch } from '../data/epochs.ts';
import { formatCount, formatPercent, formatPercentRange } from '../data/format.ts';
import type { ClipAnswer, ModelResult, Results } from '../data/results.ts';
import type { CsvValue, Figure, LegendEntry, PanelSpec } from '../drawing/figure.ts';
import { colorVariable, modelColor } from '../drawing/palette.ts';
import { PERCENT_LABELS } from '../drawing/theme.ts';

const WIDTH = 440;
const PADDING = { right: 20, top: 8, bottom: 42 };
/** Height of a model's row, and of the gap between two groups, in px. */
const ROW = 11;
const GAP = 12;
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
  readonly caption: string;
}

/** Test accuracy of each model by class. */
export function drawClasses(results: Results): Figure {
  const { classes } = results;
  return drawGroups(results, {
    id: 'classes',
    title: 'Test accuracy by class',
    name: 'class',
    groups: classes,
    groupOf: (answer) => classes[answer.class] ?? null,
    caption: 'Share of a class’s test clips that were classified correctly',
  });
}

/** Test accuracy of each model by user; null if the data set has no users. */
export function drawUsers(results: Results): Figure | null {
  const users = new Set(
    results.models.flatMap(({ runs }) => runs.flatMap(({ answers }) => answers.map(({ user }) => user))),
  );
  users.delete(null);
  if (users.size === 0) return null;
  const named = [...users].filter((user) => user !== null);
  return drawGroups(results, {
    id: 'users',
    title: `Test accuracy by ${results.simulated ? 'simulated ' : ''}user`,
    name: 'user',
    groups: named.sort(compareUsers).map(nameUser),
    groupOf: ({ user }) => (user === null ? null : nameUser(user)),
    caption: 'Share of a user’s test clips that were classified correctly',
  });
}

/** Users are numbered in the data. */
function nameUser(user: string): string {
  return /^\d+$/.test(user) ? `user ${user}` : user;
}

/** Numbers by size, before names by code unit. */
function compareUsers(a: string, b: string): number {
  const [first, second] = [Number(a), Number(b)];
  if (Number.isNaN(first) && Number.isNaN(second)) return a < b ? -1 : a > b ? 1 : 0;
  if (Number.isNaN(first) || Number.isNaN(second)) return Number.isNaN(first) ? 1 : -1;
  return first - second;
}

/** The accuracy of a model on one group of clips. */
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
  const height = PADDING.top + PADDING.bottom + grouping.groups.length * (results.models.length * ROW + GAP);
  return {
    id: grouping.id,
    title: grouping.title,
    caption: [
      `${grouping.caption}, at the ${nameEpoch(results.models)}; bars show the 95 % interval (Wilson).`,
      `There are ${fewest === most ? formatCount(fewest) : `${formatCount(fewest)} to ${formatCount(most)}`} test clips of each ${grouping.name}${fewest < FEW_CLIPS ? ', so only large differences mean anything' : ''}.`,
      ...(results.seeds.length > 1 ? [`Dots are means over ${results.seeds.length} seeds.`] : []),
    ].join(' '),
    alt: [
      `Dot plot of the test accuracy by ${grouping.name}, with one dot per model.`,
      ...measured.map(({ model, accuracies }) => describeExtremes(model, accuracies)),
    ].join(' '),
    legend: measured.map(({ model, color }): LegendEntry => ({ label: model.title, color, mark: 'dot' })),
    columns: 1,
    panels: [{ title: '', spec: drawSpec(measured, grouping, height), width: WIDTH, height }],
    data: tabulate(results, grouping),
  };
}

function drawSpec(
  measured: readonly { model: ModelResult; color: string; accuracies: readonly GroupAccuracy[] }[],
  { groups }: Grouping,
  height: number,
): PanelSpec {
  const longest = Math.max(...groups.map((group) => group.length));
  const left = Math.min(WIDTH / 2, 16 + 7 * longest);
  const values = measured.flatMap(({ model, color, accuracies }) =>
    accuracies.map(({ group, clips, mean, interval }) => ({
      group,
      model: model.id,
      color: colorVariable(color),
      mean,
      low: interval.low,
      high: interval.high,
      tip: `${model.title}, ${group}\n${formatPercent(mean)} of ${clips} clips (${formatPercentRange(interval.low, interval.high)})`,
    })),
  );
  const x = {
    field: 'mean',
    type: 'quantitative' as const,
    scale: { domain: [0, 1], nice: false, zero: false },
    axis: { title: 'test accuracy', labelExpr: PERCENT_LABELS, tickCount: 6 },
  };
  const y = {
    field: 'group',
    type: 'nominal' as const,
    sort: null,
    scale: { domain: [...groups], paddingInner: 0.22, paddingOuter: 0.11 },
    axis: { title: null, grid: false, labelLimit: 0, minExtent: 0 },
  };
  const yOffset = {
    field: 'model',
    type: 'nominal' as const,
    sort: null,
    scale: { domain: measured.map(({ model }) => model.id) },
  };
  const color = { field: 'color', type: 'nominal' as const, scale: null };
  return {
    width: WIDTH - left - PADDING.right,
    height: height - PADDING.top - PADDING.bottom,
    padding: { left, ...PADDING },
    autosize: 'none',
    layer: [
      {
        data: { values },
        mark: { type: 'rule', strokeWidth: 1.3, opacity: 0.5 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y, yOffset, color },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 38, opacity: 1 },
        encoding: { x, y, yOffset, color, tooltip: { field: 'tip', type: 'nominal' } },
      },
    ],
  };
}

function describeExtremes({ title }: ModelResult, accuracies: readonly GroupAccuracy[]): string {
  const sorted = [...accuracies].sort((a, b) => a.mean - b.mean);
  const [worst] = sorted;
  const best = sorted.at(-1);
  if (worst === undefined || best === undefined) return `${title}: no test clips.`;
  return `${title}: lowest ${worst.group} with ${formatPercent(worst.mean)}, highest ${best.group} with ${formatPercent(best.mean)}.`;
}

/** One row per model, seed and group. */
function tabulate(results: Results, { name, groups, groupOf }: Grouping): CsvValue[][] {
  const rows: CsvValue[][] = [
    ['model', 'seed', name, 'clips', 'correct', 'accuracy', 'wilson_low', 'wilson_high'],
  ];
  for (const { id, runs } of results.models) {
    for (const { seed, answers } of runs) {
      for (const group of groups) {
        const own = answers.filter((answer) => groupOf(answer) === group);
        if (own.length === 0) continue;
        const right = countRight(own);
        const { low, high } = wilsonInterval(right, own.length);
        rows.push([id, seed, group, own.length, right, right / own.length, low, high]);
      }
    }
  }
  return rows;
}
