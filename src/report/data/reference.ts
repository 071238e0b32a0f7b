import { judgeComparability } from '../../results/thesis/published.ts';
import { groupDigits, joinWords } from '../../verdicts/words.ts';
import type { EpochPoint, ModelResult, ReferenceCurves, Results } from './results.ts';

/** The authors' curves to draw over a model's own; null if there are none, or if they would be misleading. */
export function referenceOf(results: Results, model: ModelResult): ReferenceCurves | null {
  if (judgeComparability(results) !== null) return null;
  return results.reference?.get(model.id) ?? null;
}

/** The authors' τ for each spiking layer; empty if this run's network has a different number of layers. */
export function tauReferenceOf(results: Results, model: ModelResult): readonly (readonly EpochPoint[])[] {
  const layers = model.runs[0]?.metrics.layers.length ?? 0;
  const tau = referenceOf(results, model)?.tau ?? [];
  return tau.length === layers ? tau : [];
}

export function hasReference(results: Results): boolean {
  return results.models.some((model) => referenceOf(results, model) !== null);
}

/** `authors’ logs (Baseline epochs 435 to 1 256), smoothed in the same way`, for captions. */
export function nameReference(results: Results, smoothed: boolean): string {
  return `authors’ logs (${describeCoverage(results)})${smoothed ? ', smoothed in the same way' : ''}`;
}

/** Which epochs the authors' logs cover: `Baseline epochs 435 to 1 256, λ = .1 epochs 1 to 655; none for No Reg.` */
export function describeCoverage(results: Results): string {
  const covered = results.models.flatMap((model) => {
    const curves = referenceOf(results, model);
    return curves === null ? [] : [`${model.title} ${nameSpan(curves.epochs)}`];
  });
  const without = results.models.filter((model) => referenceOf(results, model) === null);
  const none = without.length === 0 ? '' : `; none for ${joinWords(without.map(({ title }) => title))}`;
  return `${joinWords(covered)}${none}`;
}

function nameSpan([first, last]: readonly [number, number]): string {
  return first === last
    ? `epoch ${groupDigits(first)}`
    : `epochs ${groupDigits(first)} to ${groupDigits(last)}`;
}
