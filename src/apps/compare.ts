import type { RunResults } from '../comparison/compare.ts';
import { compareRuns, type RunComparison } from '../comparison/compare.ts';
import { readStatus } from '../runner/run/status.ts';
import { cacheFolderOf } from '../runner/store/cache-folder.ts';
import { describeConfiguration, openRecords, type RunRecord } from '../runner/store/records.ts';
import { Store } from '../runner/store/store.ts';
import { factsOf } from './facts.ts';
import { loadSelectedPlan, type PipelineOptions, type Warn } from './load-plan.ts';
import { type RecordedNetwork, RecordedNetworks, readResults } from './recorded-networks.ts';

export type {
  ClipComparison,
  MetricRow,
  PairComparison,
  RunResults,
  SeedComparison,
} from '../comparison/compare.ts';
export { stateP } from '../stats/p-values.ts';

/** Everything that is shown. */
export interface ComparedRuns {
  /** As given. */
  readonly a: string;
  readonly b: string;
  readonly comparison: RunComparison;
  readonly networkOf: (results: RunResults) => RecordedNetwork;
}

/** A network on record with its results. */
interface ReadNetwork {
  readonly recorded: RecordedNetwork;
  readonly results: RunResults;
}

/** @throws {ReproError} `no-record` if nothing matches `a` or `b` */
export async function compareRecorded(
  a: string,
  b: string,
  options: PipelineOptions & { readonly only?: string },
  warn: Warn,
): Promise<ComparedRuns> {
  const plan = await loadSelectedPlan(options);
  const [records, store] = [openRecords(plan), new Store(cacheFolderOf(plan).store)];
  const present = new Map<string, RunRecord>();
  for (const { id, record, isPresent } of await readStatus(plan, { facts: factsOf(plan.projectRoot) })) {
    if (isPresent && record !== null) present.set(id, record);
  }
  const networks = new RecordedNetworks(plan, records, present);
  const read = async (wanted: string): Promise<ReadNetwork[]> => {
    const found: ReadNetwork[] = [];
    for (const recorded of networks.find(wanted, options.only)) {
      const results = await readResults(recorded, store);
      found.push({ recorded, results });
      const { evaluation } = recorded;
      // A model's name means its present result. A fingerprint or a time may name any run, without a warning.
      if (networks.isPresent(evaluation) || !isModel(results, wanted)) continue;
      const why = plan.instances.has(evaluation.id)
        ? 'has no result of the present settings, code and data'
        : `is not in profile ${plan.profile}`;
      warn(`${nameNetwork(results)} ${why}; this is its last run: ${describeConfiguration(evaluation)}`);
    }
    return found;
  };
  const [first, second] = [await read(a), await read(b)];
  const byResults = new Map([...first, ...second].map(({ recorded, results }) => [results, recorded]));
  const networkOf = (results: RunResults): RecordedNetwork => {
    const network = byResults.get(results);
    if (network === undefined) throw new Error('results without a record');
    return network;
  };
  const comparison = compareRuns(
    first.map(({ results }) => results),
    second.map(({ results }) => results),
  );
  return { a, b, comparison, networkOf };
}

/** `baseline,2020`, or `baseline,2020 → no-reg,2020` if they are not the same. */
export function nameNetworks(a: RunResults, b: RunResults): string {
  const [first, second] = [nameNetwork(a), nameNetwork(b)];
  return first === second ? first : `${first} → ${second}`;
}

export function nameNetwork({ model, seed }: RunResults): string {
  return seed === '' ? model : `${model},${seed}`;
}

/** Whether words such as `baseline`, `baseline,2020` or `evaluate@baseline,2020` name a network by what it is. */
function isModel({ model, seed }: RunResults, wanted: string): boolean {
  return wanted
    .replace(/^(evaluate|train)@/, '')
    .split(',')
    .every((word) => word === model || word === seed);
}

/** What `--json` prints. */
export function documentOf({ a, b, comparison, networkOf }: ComparedRuns): object {
  const describe = (results: RunResults): object => ({
    model: results.model,
    seed: results.seed,
    stages: Object.fromEntries(
      [...networkOf(results).lineage].map(([stage, record]) => [
        stage,
        {
          id: record.id,
          fingerprint: record.fingerprint,
          profile: record.profile,
          overrides: record.overrides ?? [],
          startedAt: record.startedAt ?? null,
          seconds: record.seconds ?? null,
          totalSeconds: record.totalSeconds ?? record.seconds ?? null,
          peakMemoryBytes: record.peakMemoryBytes ?? null,
          commit: record.commit ?? null,
          dirty: record.dirty ?? null,
          host: record.host ?? null,
          node: record.node ?? null,
          facts: record.parts.facts,
        },
      ]),
    ),
  });
  return {
    runs: { a, b },
    pairs: comparison.pairs.map((pair) => ({ ...pair, a: describe(pair.a), b: describe(pair.b) })),
    seeds: comparison.seeds,
    onlyA: comparison.onlyA.map(describe),
    onlyB: comparison.onlyB.map(describe),
  };
}
