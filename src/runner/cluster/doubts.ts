import { existsSync } from 'node:fs';
import path from 'node:path';
import { formatTimeLimit } from '../../executors/slurm/job-options.ts';
import { formatPlace } from '../../schema/source-position.ts';
import { listMakers, makersOf } from '../plan/makers.ts';
import type { Plan } from '../plan/plan.ts';
import { requestOf, staysLocal } from './instance-request.ts';
import type { ClusterSettings } from './settings.ts';

/** What is probably not meant, and would be seen only after the queue. */
export interface Doubt {
  readonly id: string;
  readonly text: string;
}

/**
 * Looks for what is probably wrong with instances that are to be submitted: each thing is told once. Nothing of it is refused, since nodes may
 * see more file systems than the machine that submits.
 */
export function findDoubts(plan: Plan, ids: readonly string[], settings: ClusterSettings): Doubt[] {
  const doubts = new Map<string, Doubt>();
  for (const instance of ids.flatMap((id) => plan.instances.get(id) ?? [])) {
    if (staysLocal(instance, settings)) continue;
    const { id } = instance;
    const add = (text: string): void => {
      if (!doubts.has(text)) doubts.set(text, { id, text });
    };
    for (const input of instance.inputs) {
      if (!input.external || listMakers(makersOf(plan, instance, input.path)).length > 0) continue;
      const absolute = path.resolve(plan.projectRoot, input.path);
      if (existsSync(absolute)) continue;
      add(
        `${absolute} does not exist here: unless the nodes have it, the job fails\n${formatPlace(input.at)}`,
      );
    }
    const { warnSeconds, timeSeconds } = requestOf(instance, settings);
    if (warnSeconds === null || timeSeconds === null || warnSeconds >= settings.warningSeconds) continue;
    const [told, limit] = [Math.round(warnSeconds), formatTimeLimit(timeSeconds)];
    add(
      `stage "${instance.stage}" is warned ${told} s before the end of its time rather than ${settings.warningSeconds} s: \`warning\` is more than half of its ${limit}`,
    );
  }
  return [...doubts.values()];
}
