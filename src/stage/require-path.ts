import { ReproError } from '../errors.ts';

/**
 * One path of a stage's `inputs` or `outputs`.
 *
 * @param what what the path is for, such as `frames`
 * @throws {ReproError} `stage-paths` if pipeline.yaml lists fewer paths
 */
export function requirePath(paths: readonly string[], index: number, what: string): string {
  const path = paths[index];
  if (path !== undefined) return path;
  throw new ReproError(
    'stage-paths',
    `Path ${index + 1} (${what}) is missing: pipeline.yaml lists ${paths.length}.`,
    {
      fix: 'Correct `inputs:` or `outputs:` of this stage in pipeline.yaml.',
    },
  );
}
