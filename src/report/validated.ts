import type { Results } from './results.ts';

/** Whether some model was validated on held-out clips, here or in the authors' logs: otherwise there is nothing to draw of it. */
export function isValidated({ models, reference }: Pick<Results, 'models' | 'reference'>): boolean {
  return (
    models.some(({ runs }) => runs.some(({ clips }) => clips.validation > 0)) ||
    [...(reference?.values() ?? [])].some(({ accuracy }) => accuracy.validation.length > 0)
  );
}
