import type { ModelResult, RunResult, TauDistribution } from '../results.ts';
import { type Finding, judgeSeeds, notApplicable } from './judgement.ts';
import type { MeasureOf } from './measure.ts';
import { boundNearest } from './nearest-tau.ts';

/** After the last epoch, no neuron of the other models has a τ near this one's. */
export function judgeApart(
  model: ModelResult,
  others: readonly ModelResult[],
  { layer, distance }: MeasureOf<'apart'>,
): Finding {
  const all = [model, ...others].flatMap(({ runs }) => runs);
  // People count layers from 1, as the figures do.
  const name = `layer ${layer + 1}`;
  if (all.some(({ layers }) => layers[layer] === undefined)) {
    return notApplicable(`The networks have no spiking ${name}.`);
  }
  if (model.runs.some((run) => tausOf(run, layer).count > 1)) {
    return notApplicable(`In ${name}, ${model.title} has more than one τ.`);
  }
  const seeds = model.runs.map((run, i) => {
    const own = tausOf(run, layer).taus[0] ?? Number.NaN;
    const gaps = others.map((other) => ({
      title: other.title,
      ...boundNearest(own, tausOf(other.runs[i]!, layer)),
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
    ? ' Of the neurons’ τ, hundredths from the smallest to the largest are kept; between two of them a neuron may be nearer.'
    : '';
  return judgeSeeds(seeds, `“Near” means within ${distance} time steps, after the last epoch.${unclear}`);
}

function describeGap({ atLeast, atMost }: { readonly atLeast: number; readonly atMost: number }): string {
  const [low, high] = [atLeast.toFixed(2), atMost.toFixed(2)];
  return low === high ? low : `${low} to ${high}`;
}

/** The τ of a layer after the last epoch, in time steps. */
function tausOf({ layers }: RunResult, layer: number): TauDistribution {
  return layers[layer]?.taus.last ?? { count: 0, taus: [] };
}
