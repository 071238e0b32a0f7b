import type { LayerTable } from './layer-table.ts';

/**
 * The epoch that a training had to choose, by the accuracies in its metrics.csv: of the best validation accuracy, the latest of ties; or of
 * the best test accuracy, the first of ties; or the last one. Found here once more, so that an error in choosing does not pass for a choice.
 *
 * @returns from 1; null if no epoch has such an accuracy
 */
export function findPreferred(
  selection: 'validation' | 'best-test' | 'last',
  epochs: LayerTable,
): number | null {
  if (selection === 'last') return epochs.length;
  const column = selection === 'validation' ? 'validation_accuracy' : 'test_accuracy';
  let best: { readonly epoch: number; readonly accuracy: number } | null = null;
  for (let row = 0; row < epochs.length; row++) {
    const accuracy = epochs.optional(row, column);
    if (accuracy === null) continue;
    const isBetter =
      best === null || (selection === 'validation' ? accuracy >= best.accuracy : accuracy > best.accuracy);
    if (isBetter) best = { epoch: row + 1, accuracy };
  }
  return best?.epoch ?? null;
}
