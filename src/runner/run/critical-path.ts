/** Without any record, a long chain counts more than a short one. */
const unknownSeconds = 1;

/** Differences of milliseconds are chance, and should not change the order from run to run. */
const leastSeconds = 1;

interface Graph {
  /** Each after those it depends on. */
  readonly ids: readonly string[];
  readonly dependenciesOf: (id: string) => readonly string[];
  /** How long it took last time; null if unknown. */
  readonly secondsOf: (id: string) => number | null;
}

/**
 * For each id, how long it and the longest chain of what waits for it are expected to take, in seconds: what delays the end of the run
 * most if it starts late. An instance without a record is expected to take as long as others of its stage, else as all, on average.
 */
export function measureCriticalPaths({ ids, dependenciesOf, secondsOf }: Graph): ReadonlyMap<string, number> {
  const known = new Map(ids.map((id) => [id, secondsOf(id)]));
  const timesOf = new Map<string, number[]>([['', []]]);
  for (const [id, seconds] of known) {
    if (seconds === null) continue;
    for (const key of [stageOf(id), '']) timesOf.set(key, [...(timesOf.get(key) ?? []), seconds]);
  }
  const averages = new Map([...timesOf].map(([key, times]) => [key, average(times)]));
  const expect = (id: string): number =>
    known.get(id) ?? averages.get(stageOf(id)) ?? averages.get('') ?? unknownSeconds;

  const paths = new Map<string, number>();
  const after = new Map<string, number>();
  for (const id of [...ids].reverse()) {
    const seconds = Math.max(Math.round(expect(id)), leastSeconds) + (after.get(id) ?? 0);
    paths.set(id, seconds);
    for (const one of dependenciesOf(id)) after.set(one, Math.max(after.get(one) ?? 0, seconds));
  }
  return paths;
}

function stageOf(id: string): string {
  return id.split('@', 1)[0] ?? id;
}

function average(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, one) => sum + one, 0) / values.length;
}
