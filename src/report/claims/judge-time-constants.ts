import type { ModelResult, RunResult } from '../results.ts';
import type { Measure } from './claim.ts';
import { type Finding, judgeSeeds } from './judgement.ts';

/** σ(τ) of every layer is below the limit from some early epoch on, to the end. */
export function judgeSpread(
  model: ModelResult,
  { below, within }: Extract<Measure, { kind: 'spread' }>,
): Finding {
  const seeds = model.runs.map((run) => {
    const from = epochFrom(run, (i) =>
      run.metrics.layers.every(({ tauStd }) => (tauStd[i] ?? Number.POSITIVE_INFINITY) < below),
    );
    return {
      seed: run.seed,
      holds: from !== null && from <= within,
      measured:
        from === null
          ? `at the end, σ(τ) is up to ${Math.max(...run.metrics.layers.map(({ tauStd }) => tauStd.at(-1) ?? Number.NaN)).toFixed(3)}`
          : `below ${below} in all layers from epoch ${from} on`,
    };
  });
  return judgeSeeds(seeds, `The first epoch from which on σ(τ) of every layer stays below ${below}.`);
}

/** The first epoch from which on something holds to the end; null if it does not hold at the end. */
function epochFrom({ metrics }: RunResult, holds: (index: number) => boolean): number | null {
  let from: number | null = null;
  for (let i = metrics.epochs.length - 1; i >= 0 && holds(i); i--) from = metrics.epochs[i]!;
  return from;
}

/** The mean change of τ from epoch to epoch is larger than in the other models on average. */
export function judgeSpeed(model: ModelResult, others: readonly ModelResult[]): Finding {
  const seeds = model.runs.map((run, i) => {
    const own = speedOf(run);
    const theirs = others.map((other) => speedOf(other.runs[i]!));
    const mean = theirs.reduce((sum, speed) => sum + speed, 0) / theirs.length;
    return {
      seed: run.seed,
      holds: own > mean,
      measured: `${own.toPrecision(2)} against ${mean.toPrecision(2)} time steps per epoch`,
    };
  });
  return judgeSeeds(
    seeds,
    'The mean absolute change of a layer’s mean τ from one epoch to the next, averaged over layers.',
  );
}

function speedOf({ metrics }: RunResult): number {
  const changes = metrics.layers.flatMap(({ tauMean }) =>
    tauMean.slice(1).flatMap((tau, i) => {
      const before = tauMean[i];
      return tau === null || before === null || before === undefined ? [] : [Math.abs(tau - before)];
    }),
  );
  return changes.reduce((sum, change) => sum + change, 0) / changes.length;
}
