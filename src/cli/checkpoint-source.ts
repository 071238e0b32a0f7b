import { existsSync } from 'node:fs';
import path from 'node:path';
import { type LoadedCheckpoint, loadCheckpoint, type Which } from '../checkpoints/loaded-checkpoint.ts';
import { ReproError } from '../errors.ts';
import type { Plan } from '../runner/plan.ts';
import { matchInstances, selectInstances } from '../runner/selection.ts';
import { readStatus } from '../runner/status.ts';
import { factsOf } from './facts.ts';
import { printWarning } from './lines.ts';
import { loadSelectedPlan, type PipelineOptions } from './load.ts';

/** Loads what a command was given: a path, or a stage instance such as `train@baseline,2020`, whose output folder is taken. */
export async function loadSource(
  source: string,
  options: PipelineOptions & { readonly which?: Which },
): Promise<LoadedCheckpoint> {
  // A path of a file that is not there may have an @ in it, too; no instance has a folder or an ending.
  const isPath = /[\\/]|\.(?:pth?|safetensors|npz)$/i.test(source) || existsSync(source);
  const isInstance = source.includes('@') && !isPath;
  const checkpoint = await loadCheckpoint(
    isInstance ? await findOutput(source, options) : source,
    options.which,
  );
  for (const text of checkpoint.warnings) printWarning(text);
  return checkpoint;
}

/** Instances are those of the profile, and a training may have been of another profile or of other settings. */
function findInstances(plan: Plan, target: string): string[] {
  try {
    return matchInstances(plan, target);
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    const { code, message, where, fix } = error;
    const advice = `Profile "${plan.profile}" is meant. If it was run with other settings, give them here too (--profile, --set 'models=[…]'), or name its folder.`;
    throw new ReproError(code, message, { where, fix: fix === undefined ? advice : `${fix}\n${advice}` });
  }
}

async function findOutput(target: string, options: PipelineOptions): Promise<string> {
  const plan = await loadSelectedPlan(options);
  const [id, ...more] = findInstances(plan, target);
  const instance = id === undefined ? undefined : plan.instances.get(id);
  if (instance === undefined || more.length > 0) {
    throw new ReproError('usage', `"${target}" is more than one instance: ${[id, ...more].join(', ')}`, {
      fix: 'Name one of them.',
    });
  }
  const [output] = instance.outputs;
  const folder = output === undefined ? undefined : path.resolve(plan.projectRoot, output);
  if (folder === undefined || !existsSync(folder)) {
    throw new ReproError('checkpoint-missing', `"${instance.id}" has made nothing yet.`, {
      fix: `Run it: npx repro run ${instance.id}`,
    });
  }
  // What lies there may be of other settings, or of another profile.
  const { selected } = selectInstances(plan, { targets: [instance.id] });
  const statuses = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected });
  const status = statuses.find((one) => one.id === instance.id);
  if (status !== undefined && status.state !== 'fresh') {
    const reasons = status.reasons.map(({ text }) => text).join('; ');
    printWarning(
      `${instance.id} is not up to date (${reasons || status.state}): this is what its last run made.`,
    );
  }
  return folder;
}
