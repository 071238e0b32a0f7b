import type { TauDistribution } from '../results.ts';

/**
 * How far the neuron nearest to a τ is from it, as far as quantiles tell.
 *
 * The quantile of rank `(n − 1) · i / m` lies between two neurons where that is no whole number, so that no neuron may have it: half of
 * them at 1.5 and half at 5 have a median of 3.25. Yet as quantiles rise with rank, the neurons whose ranks lie between those of two
 * quantiles have a τ between them.
 *
 * @param tau in time steps
 * @param distribution n neurons, by the m + 1 quantiles 0, 1/m, …, 1
 * @returns bounds in time steps, equal where the nearest neuron is known
 */
export function boundNearest(
  tau: number,
  { count, taus }: TauDistribution,
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
