import type { ModelResult, RunResult } from '../results.ts';
import type { Measure } from './claim.ts';
import { type Finding, judgeSeeds, notApplicable } from './judgement.ts';

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

/** At the end, the mean τ of every other model is far from this one's, both in time steps and in its own spread. */
export function judgeApart(
  model: ModelResult,
  others: readonly ModelResult[],
  { layer, distance }: Extract<Measure, { kind: 'apart' }>,
): Finding {
  const all = [model, ...others].flatMap(({ runs }) => runs);
  if (all.some(({ metrics }) => metrics.layers[layer] === undefined)) {
    return notApplicable(`The networks have no spiking layer ${layer}.`);
  }
  const seeds = model.runs.map((run, i) => {
    const own = run.metrics.layers[layer]!.tauMean.at(-1) ?? Number.NaN;
    const gaps = others.map((other) => {
      const { tauMean, tauStd } = other.runs[i]!.metrics.layers[layer]!;
      const gap = Math.abs((tauMean.at(-1) ?? Number.NaN) - own);
      return { title: other.title, gap, far: gap > Math.max(distance, 3 * (tauStd.at(-1) ?? Number.NaN)) };
    });
    return {
      seed: run.seed,
      holds: gaps.every(({ far }) => far),
      measured: `${model.title} ${own.toFixed(2)}; ${gaps.map(({ title, gap }) => `${title} ${gap.toFixed(2)} away`).join(', ')}`,
    };
  });
  return judgeSeeds(
    seeds,
    `Far means more than ${distance} time steps and more than three standard deviations of the layer’s τ, at the last epoch.`,
  );
}
