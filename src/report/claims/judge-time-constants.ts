import { isObject } from '../../base/files/shape.ts';
import type { TauQuantiles } from '../../results/tau-file.ts';
import { type Finding, notApplicable } from '../../verdicts/findings.ts';
import { formatShare, spellCount } from '../../verdicts/words.ts';
import type { ModelResult, RunResult, Series } from '../data/results.ts';
import type { Bounds, MeasureOf } from './claim.ts';
import { judgeSeeds } from './judgement.ts';

/** σ(τ) of every layer stays below the limit from an early epoch on, and meanwhile validation accuracy has risen. */
export function judgeSpread(model: ModelResult, { below, within }: MeasureOf<'spread'>): Finding {
  const half = Math.floor(within / 2);
  const validate = ({ metrics: { accuracy } }: RunResult) =>
    [accuracy.validation.slice(0, half), accuracy.validation.slice(half, within)].map(meanOf) as [
      number,
      number,
    ];
  if (model.runs.some((run) => validate(run).some(Number.isNaN)))
    return notApplicable('There is no validation accuracy in the first or the second half of these epochs.');
  const seeds = model.runs.map((run) => {
    const from = epochFrom(run, (i) =>
      run.metrics.layers.every(({ tauStd }) => (tauStd[i] ?? Number.POSITIVE_INFINITY) < below),
    );
    const [before, after] = validate(run);
    const spread =
      from === null
        ? `at the end, σ(τ) is up to ${Math.max(...run.metrics.layers.map(({ tauStd }) => tauStd.at(-1) ?? Number.NaN)).toFixed(3)}`
        : `below ${below} in all layers from epoch ${from} on`;
    return {
      seed: run.seed,
      holds: from !== null && from <= within && after > before,
      measured: `${spread}; validation accuracy ${formatShare(before)}, then ${formatShare(after)}`,
    };
  });
  return judgeSeeds(
    seeds,
    `The first epoch from which on σ(τ) of every layer stays below ${below}, and the mean validation accuracy in the first and in the second half of ${within} epochs.`,
  );
}

/** The first epoch from which something holds until the end; null if it does not hold at the end. */
function epochFrom({ metrics }: RunResult, holds: (index: number) => boolean): number | null {
  let from: number | null = null;
  for (let i = metrics.epochs.length - 1; i >= 0 && holds(i); i--) from = metrics.epochs[i]!;
  return from;
}

/**
 * In every layer, τ of the model moves more per epoch than τ of the others on average. For the others, the movement of the mean counts, or
 * that of each neuron: their mean τ may stand still while the neurons move apart.
 */
export function judgeSpeed(
  model: ModelResult,
  others: readonly ModelResult[],
  of: MeasureOf<'speed'>['of'],
): Finding {
  const speedsOf = ({ metrics }: RunResult) =>
    metrics.layers.map(({ tauOfMean, tauChange }) =>
      meanOf(of === 'mean' ? movementsOf(tauOfMean) : tauChange),
    );
  const seeds = model.runs.map((run, i) => {
    const own = speedsOf(run);
    const all = others.map((other) => speedsOf(other.runs[i]!));
    const theirs = own.map((_, layer) => meanOf(all.map((speeds) => speeds[layer] ?? Number.NaN)));
    const faster = own.filter((speed, layer) => speed > theirs[layer]!).length;
    return {
      seed: run.seed,
      holds: faster === own.length,
      measured: `faster in ${faster} of ${own.length} layers; over all layers ${meanOf(own).toPrecision(2)} against ${meanOf(theirs).toPrecision(2)} time steps per epoch`,
    };
  });
  return judgeSeeds(
    seeds,
    of === 'mean'
      ? 'How far τ at the mean of w of a layer moves from epoch to epoch, on average.'
      : 'How far τ moves in an epoch: the mean over the neurons of a layer, then over epochs.',
  );
}

/** How far a value moves from each epoch to the next. */
function movementsOf(course: Series): Series {
  return course.slice(1).map((value, i) => {
    const before = course[i] ?? null;
    return value === null || before === null ? null : Math.abs(value - before);
  });
}

/** τ of the others, at their mean w as in the thesis, are closer to each other than to τ of the model. */
export function judgeAlike(model: ModelResult, others: readonly ModelResult[]): Finding {
  const seeds = model.runs.map((run, i) => {
    const courses = others.map((other) => other.runs[i]!);
    const among = courses.flatMap((one, j) => courses.slice(j + 1).map((two) => distanceOf(one, two)));
    const apart = courses.map((one) => distanceOf(run, one));
    const [widest, nearest] = [Math.max(...among), Math.min(...apart)];
    return {
      seed: run.seed,
      holds: widest < nearest,
      measured: `up to ${widest.toPrecision(2)} time steps from each other, at least ${nearest.toPrecision(2)} from ${model.title}`,
    };
  });
  return judgeSeeds(
    seeds,
    `The distance of τ, at the mean of w, between two models, averaged over layers and epochs. This holds if ${spellCount(others.length)} models are all closer to each other than any of them is to ${model.title}.`,
  );
}

/** Over the epochs that both have, then over layers. */
function distanceOf(one: RunResult, two: RunResult): number {
  return meanOf(
    one.metrics.layers.map(({ tauOfMean }, layer) => {
      const other = two.metrics.layers[layer]?.tauOfMean ?? [];
      return meanOf(
        tauOfMean.slice(0, other.length).flatMap((tau, epoch) => {
          const there = other[epoch] ?? null;
          return tau === null || there === null ? [] : [Math.abs(tau - there)];
        }),
      );
    }),
  );
}

/**
 * τ of a layer is farthest from its start at an early epoch, and has partly come back at the end: farther than τ of any other layer of the
 * model.
 */
export function judgeOvershoot(model: ModelResult, { layer, within, by }: MeasureOf<'overshoot'>): Finding {
  const name = `layer ${layer + 1}`;
  const seeds = model.runs.map((run) => {
    const { start, peak, epoch, end, back } = turnOf(run, layer);
    const others = run.metrics.layers.flatMap((_, one) => (one === layer ? [] : [turnOf(run, one).back]));
    const most =
      others.length === 0 ? '' : `; other layers come back by up to ${Math.max(...others).toFixed(2)}`;
    return {
      seed: run.seed,
      holds: epoch <= within && back >= by && others.every((other) => other < back),
      measured: `from ${start.toFixed(2)} to ${peak.toFixed(2)} at epoch ${epoch}, then ${end.toFixed(2)} at epoch ${run.metrics.epochs.at(-1)}${most}`,
    };
  });
  return judgeSeeds(
    seeds,
    `τ of ${name} must be farthest from its start by epoch ${within}, at least ${by} time steps closer to it at the end, and come back farther than that of any other layer.`,
  );
}

/** In a layer, τ of each of the others comes back less far from where it was farthest than τ of the model. */
export function judgeSteady(model: ModelResult, others: readonly ModelResult[], layer: number): Finding {
  const name = `layer ${layer + 1}`;
  const all = [model, ...others];
  const seeds = model.runs.map(({ seed }, i) => {
    const [own = Number.NaN, ...backs] = all.map(({ runs }) => turnOf(runs[i]!, layer).back);
    return {
      seed,
      holds: backs.every((back) => back < own),
      measured: [own, ...backs].map((back, j) => `${all[j]!.title} ${back.toFixed(2)}`).join(', '),
    };
  });
  return judgeSeeds(
    seeds,
    `How many time steps closer to its start τ of ${name}, at the mean of w, ends than it was when it was farthest.`,
  );
}

/** Where the course of a layer's τ, at the mean of w, is farthest from its start, and how far it comes back until the end, in time steps. */
function turnOf({ metrics, network }: RunResult, layer: number) {
  const course = (metrics.layers[layer]?.tauOfMean ?? []).map((tau) => tau ?? Number.NaN);
  const start = startOf(network, course);
  const turn = course.reduce(
    (far, tau, at) => (Math.abs(tau - start) > Math.abs(course[far]! - start) ? at : far),
    0,
  );
  const [peak, end] = [course[turn]!, course.at(-1)!];
  return {
    start,
    peak,
    epoch: metrics.epochs[turn]!,
    end,
    back: Math.abs(peak - start) - Math.abs(end - start),
  };
}

/** τ before the first epoch, as configured: the first recorded one is after it. */
function startOf(network: RunResult['network'], course: readonly number[]): number {
  const { tau } = network;
  return isObject(tau) && typeof tau.mean === 'number' ? tau.mean : course[0]!;
}

/** After the last epoch, the smallest and the largest τ of a layer are within published bounds. */
export function judgeRange(models: readonly ModelResult[], { layer, ranges }: MeasureOf<'range'>): Finding {
  const name = `layer ${layer + 1}`;
  const [first] = models;
  const seeds = first!.runs.map(({ seed }, i) => {
    const found = models.map(({ title, runs }, j) => {
      // Hundredths from the smallest to the largest: these two are neurons' own.
      const taus = runs[i]!.layers[layer]!.taus.taus;
      const [smallest, largest] = [taus[0]!, taus.at(-1)!];
      const { smallest: low, largest: high } = ranges[j]!;
      return {
        holds: isWithin(smallest, low) && isWithin(largest, high),
        text: `${title} ${taus.length === 1 ? smallest.toFixed(2) : `${smallest.toFixed(2)} to ${largest.toFixed(2)}`}`,
      };
    });
    return {
      seed,
      holds: found.every(({ holds }) => holds),
      measured: found.map(({ text }) => text).join(', '),
    };
  });
  const bounds = ranges.flatMap(({ smallest, largest }, j) => {
    const parts = [
      ...(smallest === undefined ? [] : [`the smallest ${smallest.join(' to ')}`]),
      ...(largest === undefined ? [] : [`the largest ${largest.join(' to ')}`]),
    ];
    return parts.length === 0 ? [] : [`${models[j]!.title} ${parts.join(', ')}`];
  });
  return judgeSeeds(
    seeds,
    `τ in ${name} after the last epoch, in time steps. Allowed: ${bounds.join('; ')}.`,
  );
}

function isWithin(tau: number, bounds: Bounds | undefined): boolean {
  return bounds === undefined || (tau >= bounds[0] && tau <= bounds[1]);
}

function meanOf(values: Series): number {
  const known = values.flatMap((value) => (value === null ? [] : [value]));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** After the last epoch, no neuron of the other models has a τ near this one's. */
export function judgeApart(
  model: ModelResult,
  others: readonly ModelResult[],
  { layer, distance }: MeasureOf<'apart'>,
): Finding {
  // People count layers from 1, as the figures do.
  const name = `layer ${layer + 1}`;
  if (model.runs.some((run) => run.layers[layer]!.taus.count > 1)) {
    return notApplicable(`In ${name}, ${model.title} has more than one τ.`);
  }
  const seeds = model.runs.map((run, i) => {
    const own = run.layers[layer]!.taus.taus[0]!;
    const gaps = others.map((other) => ({
      title: other.title,
      ...boundNearest(own, other.runs[i]!.layers[layer]!.taus),
    }));
    const isNear = gaps.some(({ atMost }) => atMost <= distance);
    const isApart = gaps.every(({ atLeast }) => atLeast > distance);
    return {
      seed: run.seed,
      holds: isNear ? false : isApart ? true : null,
      measured: `${model.title} ${own.toFixed(2)}; the nearest τ of ${gaps.map((gap) => `${gap.title} is ${describeGap(gap)} away`).join(', of ')}`,
    };
  });
  const unclear = seeds.some(({ holds }) => holds === null)
    ? ' Only the percentiles of the neurons’ τ are stored; between two of them a neuron may be nearer.'
    : '';
  return judgeSeeds(seeds, `“Near” means within ${distance} time steps, after the last epoch.${unclear}`);
}

function describeGap({ atLeast, atMost }: { readonly atLeast: number; readonly atMost: number }): string {
  const [low, high] = [atLeast.toFixed(2), atMost.toFixed(2)];
  return low === high ? low : `${low} to ${high}`;
}

/**
 * Bounds on the distance from a τ to the nearest neuron, from quantiles.
 *
 * If `(n − 1) · i / m` is not a whole number, the quantile of this rank lies between two neurons, and perhaps no neuron has it: with half of
 * them at 1.5 and half at 5, the median is 3.25. But quantiles rise with rank, so neurons with ranks between two quantiles have a τ between
 * these quantiles.
 *
 * @param tau in time steps
 * @param distribution n neurons, by the m + 1 quantiles 0, 1/m, …, 1
 * @returns bounds in time steps, equal where the nearest neuron is known
 */
function boundNearest(
  tau: number,
  { count, taus }: TauQuantiles,
): { readonly atLeast: number; readonly atMost: number } {
  const steps = Math.max(1, taus.length - 1);
  let atLeast = Number.POSITIVE_INFINITY;
  let atMost = Number.POSITIVE_INFINITY;
  for (const [i, low] of taus.entries()) {
    const isNeuron = ((count - 1) * i) % steps === 0;
    if (isNeuron) {
      atLeast = Math.min(atLeast, Math.abs(low - tau));
      atMost = Math.min(atMost, Math.abs(low - tau));
    }
    const high = taus[i + 1];
    if (high === undefined) continue;
    // The ranks strictly between those of both quantiles.
    const first = Math.floor(((count - 1) * i) / steps) + 1;
    const last = Math.ceil(((count - 1) * (i + 1)) / steps) - 1;
    if (last < first) continue;
    atLeast = Math.min(atLeast, Math.max(0, low - tau, tau - high));
    atMost = Math.min(atMost, Math.max(Math.abs(low - tau), Math.abs(high - tau)));
  }
  return { atLeast, atMost };
}
