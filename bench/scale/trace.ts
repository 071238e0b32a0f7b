/** What bench:scale computes from the lines that the engine's pool writes to the file in REPRO_TRACE (native/src/threads/pool.cc). */

/** One run of a list of items on all threads; times in s of processor time. */
export interface Run {
  /** `conv_op runWinograd`: the file and function that started it. */
  readonly phase: string;
  /** What the calling thread did alone since the run before. */
  readonly serial: number;
  readonly items: Float64Array;
}

/** The runs of each training step: one begins with loading its frames. What came before the first is left out. */
export function readSteps(text: string): Run[][] {
  const steps: Run[][] = [];
  for (const line of text.split('\n')) {
    // A template's name has spaces.
    const [, source = '', name = '', serial, items] = /^(\S+) (.*?) \d+ (-?\d+)((?: \d+)*)$/.exec(line) ?? [];
    if (items === undefined) continue;
    const starts = name === 'loadFrames';
    if (starts) steps.push([]);
    const phase = `${/[^/\\]*(?=\.\w+$)/.exec(source)?.[0]} ${/^\w+/.exec(name)?.[0]}`;
    // Before a step, the caller was busy with other things.
    const run = {
      phase,
      serial: starts ? 0 : Number(serial) / 1e9,
      items: Float64Array.from(items.trim().split(' '), (ns) => Number(ns) / 1e9),
    };
    steps.at(-1)?.push(run);
  }
  return steps;
}

/** Of each item its shortest time in any of the steps, so that what disturbed one does not count; steps that are cut unlike the first are left out. */
export function fastestOf(steps: readonly Run[][]): Run[] {
  const [first = []] = steps;
  const cut = (step: readonly Run[]): string => step.map(({ items }) => items.length).join();
  const alike = steps.filter((step) => cut(step) === cut(first));
  return first.map((run, r) => ({
    ...run,
    serial: Math.min(...alike.map((step) => step[r]!.serial)),
    items: run.items.map((_, i) => Math.min(...alike.map((step) => step[r]!.items[i]!))),
  }));
}

/** When the last item ends if each thread takes the next item as soon as it has none. */
export function makespan(items: Float64Array, threads: number): number {
  const freeAt = new Float64Array(Math.min(threads, Math.max(1, items.length)));
  for (const item of items) {
    let first = 0;
    for (let i = 1; i < freeAt.length; i++) if (freeAt[i]! < freeAt[first]!) first = i;
    freeAt[first]! += item;
  }
  return Math.max(...freeAt);
}

const workOf = ({ items }: Run): number => items.reduce((sum, item) => sum + item, 0);

export const workOfStep = (step: readonly Run[]): number => step.reduce((sum, run) => sum + workOf(run), 0);

/** A step's time on so many cores, where starting and ending a run takes `overhead`. Memory is taken to be fast enough for all. */
export function predict(step: readonly Run[], threads: number, overhead: number): number {
  return step.reduce(
    (sum, run) => sum + run.serial + makespan(run.items, threads) + (threads > 1 ? overhead : 0),
    0,
  );
}

export interface Phase {
  readonly phase: string;
  readonly runs: number;
  readonly fewest: number;
  readonly most: number;
  readonly longest: number;
  readonly work: number;
  readonly serial: number;
  /** What the phase loses on so many cores against an even share of its work, in s. */
  readonly lost: number;
}

/** The phases of a step, the one that loses most first. */
export function listPhases(step: readonly Run[], threads: number): Phase[] {
  const names = [...new Set(step.map(({ phase }) => phase))];
  return names
    .map((phase) => {
      const runs = step.filter((run) => run.phase === phase);
      const counts = runs.map(({ items }) => items.length);
      const sum = (value: (run: Run) => number): number => runs.reduce((total, run) => total + value(run), 0);
      return {
        phase,
        runs: runs.length,
        fewest: Math.min(...counts),
        most: Math.max(...counts),
        longest: Math.max(...runs.map(({ items }) => items.reduce((most, item) => Math.max(most, item), 0))),
        work: sum(workOf),
        serial: sum(({ serial }) => serial),
        lost: sum((run) => run.serial + makespan(run.items, threads) - (run.serial + workOf(run)) / threads),
      };
    })
    .sort((a, b) => b.lost - a.lost);
}
