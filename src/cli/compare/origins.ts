import { type Difference, findDifferences } from '../../runner/freshness/differences.ts';
import { describeDifference } from '../../runner/freshness/reasons.ts';
import type { Store } from '../../runner/store/store.ts';
import type { RecordedNetwork, SomeRecord } from './recorded-networks.ts';

/** In what the runs of one stage differ, in one line each. */
export interface OriginDifference {
  readonly stage: string;
  readonly texts: readonly string[];
}

/** Names of models and seeds are what is compared; outputs are named after them. */
const EXPECTED = new Set(['model', 'seed']);

/**
 * In what the stages behind two networks differ: code, packages, parameters, inputs from outside, engine, machine. What a stage has from
 * another is left to that one.
 */
export async function compareOrigins(
  a: RecordedNetwork,
  b: RecordedNetwork,
  store: Store,
): Promise<OriginDifference[]> {
  const found: OriginDifference[] = [];
  const stages = [...new Set([...a.lineage.keys(), ...b.lineage.keys()])].reverse();
  for (const stage of stages) {
    const [first, second] = [a.lineage.get(stage), b.lineage.get(stage)];
    if (first === undefined || second === undefined) {
      found.push({ stage, texts: [`only ${first === undefined ? 'B' : 'A'} has a record of it`] });
      continue;
    }
    if (first.fingerprint === second.fingerprint) continue;
    const texts = await compareStage(first, second, [a, b], store);
    if (texts.length > 0) found.push({ stage, texts });
  }
  return found;
}

async function compareStage(
  first: SomeRecord,
  second: SomeRecord,
  networks: readonly RecordedNetwork[],
  store: Store,
): Promise<string[]> {
  const made = new Set(
    networks.flatMap(({ lineage }) =>
      [...lineage.values()].flatMap(({ outputs }) => outputs.map(({ path }) => path)),
    ),
  );
  const differences = await findDifferences(first.parts, second.parts, {
    before: (digest) => store.findTree(digest),
    now: async ({ digest }) => {
      const tree = digest === null ? null : await store.findTree(digest);
      if (digest === null || tree === null) return null;
      const sizeBytes = tree.entries.reduce((sum, { size }) => sum + size, 0);
      return { kind: 'folder', digest, sizeBytes, files: tree.entries.length, tree };
    },
  });
  return differences
    .filter((one) => !(one.kind === 'input' && made.has(one.path)))
    .filter((one) => !(one.kind === 'param' && EXPECTED.has(one.name)) && one.kind !== 'outputs')
    .map(describeBetween);
}

/** Between two runs side by side nothing is new or gone: one reads what the other does not. */
function describeBetween(difference: Difference): string {
  if (difference.kind === 'input' && difference.change === 'new') return `only B reads ${difference.path}`;
  if (difference.kind === 'input' && difference.change === 'not-read')
    return `only A reads ${difference.path}`;
  return describeDifference(difference).text;
}
