import process from 'node:process';
import { formatBytes } from '../../base/text.ts';
import {
  type AccuracyDifference,
  compareRuns,
  type MetricRow,
  nameAnswers,
  type PairComparison,
  type RunResults,
  settingsOf,
} from '../../report/comparison/compare.ts';
import { readTestAnswers } from '../../results/predictions.ts';
import { fixOf, type ResultFile } from '../../results/result-file.ts';
import { readStatus } from '../../runner/run/status.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { describeConfiguration, type RunRecord } from '../../runner/store/records.ts';
import { Store } from '../../runner/store/store.ts';
import { stateP } from '../../verdicts/stats/p-values.ts';
import { factsOf } from '../project/facts.ts';
import { loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { stageNames } from '../project/stages.ts';
import { formatFigure, formatSeconds } from '../view/format.ts';
import { type Colors, colorsFor, printResult, printWarning, toOneLine } from '../view/print.ts';
import { alignTable } from '../view/table.ts';
import { type RecordedNetwork, RecordedNetworks } from './recorded-networks.ts';

interface CompareOptions extends PipelineOptions {
  readonly only?: string;
}

/** `repro compare A B`. @throws {ReproError} `no-record` if nothing matches one of them */
export async function compareNamed(a: string, b: string, options: CompareOptions): Promise<void> {
  const compared = await compareRecorded(a, b, options);
  printResult(options, 'compare', documentOf(compared), () =>
    describeComparison(compared, colorsFor(process.stdout)),
  );
}

async function compareRecorded(a: string, b: string, options: CompareOptions) {
  const plan = await loadSelectedPlan(options);
  const store = new Store(cacheFolderOf(plan).store);
  const present = new Map<string, RunRecord>();
  for (const { id, record, isPresent } of await readStatus(plan, { facts: factsOf(plan) })) {
    if (isPresent && record !== null) present.set(id, record);
  }
  const networks = new RecordedNetworks(plan, present);
  const recordOf = new Map<RunResults, RecordedNetwork>();
  const read = async (wanted: string): Promise<RunResults[]> => {
    const found: RunResults[] = [];
    for (const recorded of networks.find(wanted, options.only)) {
      const results = await readResults(recorded, store);
      found.push(results);
      recordOf.set(results, recorded);
      const { evaluation } = recorded;
      // A model's name means its present result. A fingerprint or a time may name any run, without a warning.
      if (networks.isPresent(evaluation) || !isModel(results, wanted)) continue;
      const why = plan.instances.has(evaluation.id)
        ? 'has no result of the present settings, code and data'
        : `is not in profile ${plan.profile}`;
      const last = describeConfiguration(evaluation);
      printWarning(`${nameNetwork(results)} ${why}; this is its last run: ${last}`);
    }
    return found;
  };
  return { a, b, comparison: compareRuns(await read(a), await read(b)), recordOf };
}

type ComparedRuns = Awaited<ReturnType<typeof compareRecorded>>;

/** Hundreds of times those of the thesis. */
const BYTES_AT_MOST = 64 * 1024 * 1024;

/** Reads what a network's stages left; what is no longer kept is null. */
async function readResults(
  { evaluation, lineage, data }: RecordedNetwork,
  store: Store,
): Promise<RunResults> {
  const training = lineage.get(stageNames.train);
  const [run, predictions] = [
    await readText(training, 'run.json', store),
    await readText(evaluation, 'predictions.csv', store),
  ];
  const { model, seed } = evaluation.parts.matrix;
  return {
    model: String(model ?? evaluation.id),
    seed: String(seed ?? ''),
    settings: run === null ? null : settingsOf(run),
    answers: predictions === null ? null : nameAnswers(readTestAnswers(predictions)),
    metrics: { ...numbersOf(evaluation), ...(training === undefined ? {} : numbersOf(training)) },
    run: evaluation.fingerprint,
    data,
  };
}

async function readText(
  record: RunRecord | undefined,
  name: string,
  store: Store,
): Promise<ResultFile | null> {
  const output = record?.outputs[0];
  const bytes = output === undefined ? null : await store.readOutputFile(output, name, BYTES_AT_MOST);
  if (record === undefined || output === undefined || bytes === null) return null;
  return { file: `${output.path}/${name}`, text: bytes.toString('utf8'), fix: fixOf(record.id) };
}

/** Metrics of a stage, such as `evaluate.testAccuracy`; texts among them are settings. */
function numbersOf({ stage, metrics }: RunRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]) =>
      typeof value === 'number' ? [[`${stage}.${name}`, value]] : [],
    ),
  );
}

/** Whether words such as `baseline`, `baseline,2020` or `evaluate@baseline,2020` name a network by what it is. */
function isModel({ model, seed }: RunResults, wanted: string): boolean {
  return wanted
    .replace(/^(evaluate|train)@/, '')
    .split(',')
    .every((word) => word === model || word === seed);
}

/** What `--json` prints. */
function documentOf({ a, b, comparison, recordOf }: ComparedRuns): object {
  const describe = (results: RunResults): object => ({
    model: results.model,
    seed: results.seed,
    stages: Object.fromEntries(
      [...(recordOf.get(results)?.lineage ?? [])].map(([stage, { parts, outputs: _, ...told }]) => {
        return [stage, { overrides: [], ...told, facts: parts.facts }];
      }),
    ),
  });
  return {
    runs: { a, b },
    pairs: comparison.pairs.map((pair) => ({ ...pair, a: describe(pair.a), b: describe(pair.b) })),
    differences: comparison.differences.map(({ pairs, ...one }) => ({
      ...one,
      networks: pairs.map((pair) => namePair(pair.a, pair.b)),
    })),
    onlyA: comparison.onlyA.map(describe),
    onlyB: comparison.onlyB.map(describe),
  };
}

/** A comparison for people: what differs in settings, what they were made from and where, then results and tests. */
function describeComparison(compared: ComparedRuns, colors: Colors): string[] {
  const { a, b, comparison } = compared;
  const { pairs, onlyA, onlyB } = comparison;
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
    if (runs.length > 0) lines.push(`only in ${side}: ${runs.map(nameNetwork).join(' ')}`);
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
    const { differences } = comparison;
    add(
      'Test accuracy',
      differences.flatMap((one) => describeDifference(one, differences.length)),
    );
    if (differences.some(({ pairs: { length }, measured }) => length === 1 && measured !== null)) {
      const limits =
        '  One training of each side says nothing of others with the same settings: that takes several seeds.';
      lines.push(colors.dim(limits));
    }
  }
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
    lines.push(`unknown for ${unknown.join(', ')}: run.json of a training is no longer kept`);
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

function describePlaces({ a, b }: PairComparison, { recordOf }: ComparedRuns, several: boolean): string[] {
  const rows = ['train', 'evaluate'].flatMap((stage) => {
    const records = [a, b].map((results) => recordOf.get(results)?.lineage.get(stage));
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
  if (shown.length === 0) return [`${namePair(a, b)}: all numbers are the same`];
  const rows = shown.map(({ name, a: first, b: second }: MetricRow) => [
    toOneLine(name),
    show(first),
    show(second),
    first === null || second === null ? '' : signed(second - first, formatFigure),
  ]);
  return alignTable([[several ? namePair(a, b) : '', 'A', 'B', 'B - A'], ...rows], { numbers: true });
}

function describeDifference({ pairs, measured, problem }: AccuracyDifference, count: number): string[] {
  const [{ a, b }] = pairs as readonly [PairComparison];
  const who =
    pairs.length > 1 ? toOneLine(a.model === b.model ? a.model : `${a.model} → ${b.model}`) : namePair(a, b);
  if (measured === null) return [`${who}: ${toOneLine(problem)}`];
  const { difference, certainty, pHolm, design } = measured;
  if (certainty === null)
    return [
      `${who}: B - A ${points(difference)} points over ${design}, which does not say how far others may be`,
    ];
  const { interval, p } = certainty;
  const corrected = count > 1 ? `, ${stateP(pHolm ?? 1)} for ${count} differences (Holm)` : '';
  return [
    `${who}: B - A ${points(difference)} points (95 % interval ${points(interval.low)} to ${points(interval.high)}, ${stateP(p)}${corrected})`,
    `  over ${design}`,
  ];
}

/** Percentage points with a sign. */
function points(share: number): string {
  return signed(100 * share, (value) => value.toFixed(1));
}

function signed(value: number, format: (size: number) => string): string {
  const size = format(Math.abs(value));
  return Number(size) === 0 ? size : `${value < 0 ? '−' : '+'}${size}`;
}

/** `baseline,2020`, or `baseline,2020 → no-reg,2020` if they are not the same. */
function namePair(a: RunResults, b: RunResults): string {
  const [first, second] = [nameNetwork(a), nameNetwork(b)];
  return first === second ? first : `${first} → ${second}`;
}

/** Names come from records, which may be of others. */
function nameNetwork({ model, seed }: RunResults): string {
  return toOneLine(seed === '' ? model : `${model},${seed}`);
}
