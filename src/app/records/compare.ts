import process from 'node:process';
import { formatBytes } from '../../base/text.ts';
import type { RunRecord } from '../../runner/store/records.ts';
import { describeConfiguration } from '../../runner/store/records.ts';
import type { PipelineOptions } from '../project/load-plan.ts';
import { formatFigure, formatSeconds } from '../view/format.ts';
import { type Colors, colorsFor, printResult, printWarning, toOneLine } from '../view/print.ts';
import { alignTable } from '../view/table.ts';
import {
  type ClipComparison,
  type ComparedRuns,
  compareRecorded,
  documentOf,
  type MetricRow,
  nameNetwork,
  nameNetworks,
  type PairComparison,
  type RunResults,
  type SeedComparison,
  stateP,
} from './comparing.ts';

/** `repro compare A B`. */
export async function printComparison(
  a: string,
  b: string,
  options: PipelineOptions & { readonly only?: string },
): Promise<void> {
  const compared = await compareRecorded(a, b, options, printWarning);
  printResult(options, 'compare', documentOf(compared), () =>
    describeComparison(compared, colorsFor(process.stdout)),
  );
}

/** A comparison for people: what differs in settings, what they were made from and where, then results and tests. */
function describeComparison(compared: ComparedRuns, colors: Colors): string[] {
  const { a, b, comparison } = compared;
  const { pairs, seeds, onlyA, onlyB } = comparison;
  const lines = [`A  ${toOneLine(a)}`, `B  ${toOneLine(b)}`];
  const add = (heading: string, some: readonly string[]): void =>
    void lines.push('', colors.bold(heading), ...some.map((line) => `  ${line}`.trimEnd()));
  const isSimulated = pairs.some((pair) =>
    [pair.a, pair.b].some(({ settings }) => settings?.get('simulated') === 'true'),
  );
  if (isSimulated) lines.push(colors.yellow('Simulated data: these results say nothing about the thesis.'));
  if (pairs.length === 0) lines.push('', 'No network of A has a counterpart in B: nothing to compare.');
  for (const [side, runs] of [
    ['A', onlyA],
    ['B', onlyB],
  ] as const) {
    if (runs.length > 0) lines.push(`only in ${side}: ${runs.map(nameOf).join(' ')}`);
  }
  if (pairs.length > 0) {
    const several = pairs.length > 1;
    const places = pairs.flatMap((pair) => describePlaces(pair, compared, several));
    add('Settings that differ', describeSettings(pairs));
    add('Where and when', places.length > 0 ? places : ['the same runs']);
    add(
      'Measured',
      pairs.flatMap((pair) => describeMetrics(pair, several)),
    );
    add(
      'Test clips',
      pairs.flatMap((pair) => describeClips(pair, pairs.length)),
    );
    if (seeds.length === 0 && pairs.some(({ clips }) => clips?.p != null)) {
      const limits =
        '  p says whether these networks differ on these clips; whether their settings do takes several seeds.';
      lines.push(colors.dim(limits));
    }
  }
  if (seeds.length > 0) add('Over seeds', seeds.map(describeSeeds));
  return lines;
}

/** Each setting once, with the pairs that it holds for unless these are all. */
function describeSettings(pairs: readonly PairComparison[]): string[] {
  const rows = new Map<string, { row: readonly [string, string, string]; pairs: string[] }>();
  for (const { a, b, settings } of pairs) {
    for (const { name, a: before, b: now } of settings ?? []) {
      const row = [name, before ?? 'unset', now ?? 'unset'] as const;
      const known = rows.get(JSON.stringify(row)) ?? { row, pairs: [] };
      known.pairs.push(namePair(a, b));
      rows.set(JSON.stringify(row), known);
    }
  }
  const unknown = pairs.filter(({ settings }) => settings === null).map(({ a, b }) => namePair(a, b));
  const table = [...rows.values()].map(({ row, pairs: those }) => [
    ...row,
    those.length === pairs.length ? '' : those.join(', '),
  ]);
  const lines = table.length > 0 ? alignTable([['', 'A', 'B', ''], ...table]) : [];
  if (unknown.length > 0) {
    lines.push(`not known of ${unknown.join(', ')}: run.json of a training is no longer kept`);
  }
  return lines.length > 0 ? lines : ['none'];
}

/** What is shown of a run: `train host`, `train took`. */
const placeRows: readonly (readonly [
  name: string,
  show: (record: RunRecord) => string | null | undefined,
])[] = [
  ['run', ({ fingerprint }) => fingerprint.slice(0, 12)],
  ['settings', describeConfiguration],
  ['began', ({ startedAt }) => startedAt.slice(0, 19).replace('T', ' ')],
  ['commit', ({ commit, dirty }) => commit && `${commit.slice(0, 7)}${dirty ? '+' : ''}`],
  ['host', ({ host, node }) => `${host}, Node ${node}`],
  ['engine', ({ parts }) => parts.facts.engine],
  [
    'took',
    ({ seconds, totalSeconds = seconds, peakMemoryBytes }) =>
      `${formatSeconds(totalSeconds)}${peakMemoryBytes === null ? '' : `, ${formatBytes(peakMemoryBytes)}`}`,
  ],
];

function describePlaces({ a, b }: PairComparison, { networkOf }: ComparedRuns, several: boolean): string[] {
  const rows = ['train', 'evaluate'].flatMap((stage) => {
    const records = [a, b].map((results) => networkOf(results).lineage.get(stage));
    return placeRows.map(([name, show]) => [
      `${stage} ${name}`,
      ...records.map((record) => (record && show(record)) ?? 'not known'),
    ]);
  });
  const shown = several ? rows.filter(([, first, second]) => first !== second) : rows;
  return shown.length === 0 ? [] : alignTable([[several ? namePair(a, b) : '', 'A', 'B'], ...shown]);
}

function describeMetrics({ a, b, metrics }: PairComparison, several: boolean): string[] {
  const show = (value: number | null): string => (value === null ? '–' : formatFigure(value));
  // With several pairs, only rows that differ.
  const shown = several ? metrics.filter((row) => row.a !== row.b) : metrics;
  if (shown.length === 0) return [`${namePair(a, b)}: the same in every number`];
  const rows = shown.map(({ name, a: first, b: second }: MetricRow) => [
    toOneLine(name),
    show(first),
    show(second),
    first === null || second === null ? '' : signed(second - first, formatFigure),
  ]);
  return alignTable([[several ? namePair(a, b) : '', 'A', 'B', 'B - A'], ...rows], { numbers: true });
}

function describeClips({ a, b, sameRun, clips }: PairComparison, pairs: number): string[] {
  const name = pairs > 1 ? `${namePair(a, b)}: ` : '';
  if (sameRun) return [`${name}A and B are the same run`];
  if (clips === null) return [`${name}the answers of one are no longer kept, so there is no test`];
  return [`${name}${describeRight(clips)}`, `  ${describeTest(clips, pairs)}`];
}

function describeTest({ sameData, common, onlyA, onlyB, p, pHolm }: ClipComparison, pairs: number): string {
  if (sameData === false) return 'other recordings, so no test clip by clip';
  if (sameData === null) return 'not known to be of the same recordings, so no test clip by clip';
  if (p === null) return 'no clip in common, so no test clip by clip';
  const corrected = pairs > 1 && pHolm !== null ? `, ${stateP(pHolm)} for ${pairs} pairs (Holm)` : '';
  return `${common} in common: only A right ${onlyA}, only B right ${onlyB}; McNemar’s exact ${stateP(p)}${corrected}`;
}

function describeRight(clips: ClipComparison): string {
  const { rightA, clipsA, rightB, clipsB, difference, low, high, interval } = clips;
  const how = interval === 'paired' ? '' : ', for other clips (Newcombe)';
  return `A ${rightA} of ${clipsA} right, B ${rightB} of ${clipsB}; B - A ${points(difference)} points (95 % interval ${points(low)} to ${points(high)}${how})`;
}

function describeSeeds({ modelA, modelB, seeds, differing, accuracy }: SeedComparison): string {
  const who = toOneLine(modelA === modelB ? modelA : `${modelA} → ${modelB}`);
  if (accuracy === null) {
    return `${who}: seeds ${seeds.join(', ')} were trained with different settings (${toOneLine(differing.join(', '))}), so they are not taken together`;
  }
  const { mean, low, high, p } = accuracy;
  const spread =
    low === null || high === null || p === null
      ? ' (all differ by the same, so there is neither interval nor test)'
      : ` (95 % interval ${points(low)} to ${points(high)}; paired t test, ${stateP(p)})`;
  return `${who}, test accuracy, ${seeds.length} seeds: B - A ${points(mean)} points${spread}`;
}

/** Percentage points with a sign. */
function points(share: number): string {
  return signed(100 * share, (value) => value.toFixed(1));
}

function signed(value: number, format: (size: number) => string): string {
  const size = format(Math.abs(value));
  return Number(size) === 0 ? size : `${value < 0 ? '−' : '+'}${size}`;
}

/** Names come from records, which may be of others. */
function nameOf(results: RunResults): string {
  return toOneLine(nameNetwork(results));
}

function namePair(a: RunResults, b: RunResults): string {
  return toOneLine(nameNetworks(a, b));
}
