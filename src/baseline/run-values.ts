import { isDeepStrictEqual } from 'node:util';
import { nameLayer, type RunFacts } from './baseline.ts';

/** A number that a run gave, in the digits that a baseline keeps. */
interface RunValue {
  readonly kind: 'first batches' | 'learning rate' | 'loss' | 'spike rates' | 'τ' | 'σ(τ)';
  /** `loss of batch 4`, unique in a run. */
  readonly name: string;
  readonly value: number;
}

/** The numbers of a training in the order in which they arose, so that the first that differs is the nearest to the cause. */
export function listValues(run: RunFacts): RunValue[] {
  const values: RunValue[] = [];
  const add = (kind: RunValue['kind'], name: string, value: number) => values.push({ kind, name, value });
  for (const { batch, loss, spikeRates } of run.firstBatches) {
    for (const [layer, rate] of spikeRates.entries())
      add('first batches', `spike rate of ${nameLayer(layer)}, batch ${batch}`, rate);
    add('first batches', `loss of batch ${batch}`, loss);
  }
  for (const [at, loss] of run.trainLosses.entries()) {
    const epoch = at + 1;
    const kept = run.layers.find((one) => one.epoch === epoch);
    if (kept !== undefined) add('learning rate', `learning rate of epoch ${epoch}`, kept.learningRate);
    add('loss', `loss of epoch ${epoch}`, loss);
    for (const [layer, rate] of (kept?.spikeRates ?? []).entries())
      add('spike rates', `spike rate of ${nameLayer(layer)}, epoch ${epoch}`, rate);
    for (const [layer, mean] of (kept?.tauMeans ?? []).entries())
      add('τ', `mean τ of ${nameLayer(layer)}, epoch ${epoch}`, mean);
    for (const [layer, std] of (kept?.tauStds ?? []).entries())
      add('σ(τ)', `σ(τ) of ${nameLayer(layer)}, epoch ${epoch}`, std);
  }
  return values;
}

/** `training.learningRate: 0.005 → 0.01` for each that differs, by name. */
export function listSettingDifferences(
  before: { readonly [key: string]: unknown },
  now: { readonly [key: string]: unknown },
): string[] {
  const show = (value: unknown) => (value === undefined ? 'unset' : JSON.stringify(value));
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .sort()
    .filter((key) => !isDeepStrictEqual(before[key], now[key]))
    .map((key) => `${key}: ${show(before[key])} → ${show(now[key])}`);
}
