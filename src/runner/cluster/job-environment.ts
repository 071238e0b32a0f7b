import { type Facts, variablesOf } from '../freshness/fingerprint.ts';
import { stageEnvironment } from '../freshness/stage-environment.ts';
import type { StageInstance } from '../plan/plan.ts';

/** What programs on a node expect of a login. */
const ofLogin: readonly string[] = ['USER', 'LOGNAME', 'SHELL'];

/** The node has its own: a folder of the job, and the GPUs that it was given. */
const ofNode: ReadonlySet<string> = new Set(['TMPDIR', 'CUDA_VISIBLE_DEVICES']);

/**
 * The environment that jobs are submitted with: what their stages see, as on this machine, and what the site adds.
 *
 * @param more names of further variables
 */
export function jobEnvironment(
  instances: readonly StageInstance[],
  facts: Facts,
  more: readonly string[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const declared = instances.flatMap((instance) => variablesOf(instance, facts));
  const all = stageEnvironment([...declared, ...more, ...ofLogin], environment);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !ofNode.has(name) || more.includes(name)));
}
