import { existsSync } from 'node:fs';
import path from 'node:path';
import { type LoadedCheckpoint, loadCheckpoint, type Which } from '../../checkpoints/loaded-checkpoint.ts';
import { ReproError } from '../../errors.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { matchInstances, selectInstances } from '../../runner/plan/selection.ts';
import { readStatus } from '../../runner/run/status.ts';
import { factsOf } from '../doctor/facts.ts';
import { printWarning } from '../lines.ts';
import { loadSelectedPlan, type PipelineOptions } from '../load.ts';

/** Loads the checkpoint that a command names: by path, or by stage instance, such as `train@baseline,2020`. */
export async function loadSource(
  source: string,
  options: PipelineOptions & { readonly which?: Which },
): Promise<LoadedCheckpoint> {
  // The path of a missing file may contain an @ as well, but no instance has a folder or a file extension.
  const isPath = /[\\/]|\.(?:pth?|safetensors|npz)$/i.test(source) || existsSync(source);
  const isInstance = source.includes('@') && !isPath;
  const checkpoint = await loadCheckpoint(
    isInstance ? await findOutput(source, options) : source,
    options.which,
  );
  for (const text of checkpoint.warnings) printWarning(text);
  return checkpoint;
}

/** As `matchInstances`; its errors point out that the training may belong to another profile, or to other settings. */
function findInstances(plan: Plan, target: string): string[] {
  try {
    return matchInstances(plan, target);
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    const { code, message, where, fix } = error;
    const advice =
      `This looks in profile "${plan.profile}". If the training was run with other settings, repeat them here ` +
      "(--profile, --set 'models=[…]'), or name its folder.";
    throw new ReproError(code, message, { where, fix: fix === undefined ? advice : `${fix}\n${advice}` });
  }
}

async function findOutput(target: string, options: PipelineOptions): Promise<string> {
  const plan = await loadSelectedPlan(options);
  const [id, ...more] = findInstances(plan, target);
  const instance = id === undefined ? undefined : plan.instances.get(id);
  if (instance === undefined || more.length > 0) {
    throw new ReproError('usage', `"${target}" matches several instances: ${[id, ...more].join(', ')}`, {
      fix: 'Name one of them.',
    });
  }
  const [output] = instance.outputs;
  const folder = output === undefined ? undefined : path.resolve(plan.projectRoot, output);
  if (folder === undefined || !existsSync(folder)) {
    throw new ReproError('checkpoint-missing', `"${instance.id}" has no output yet.`, {
      fix: `Run it: ./repro run ${instance.id}`,
    });
  }
  // The output may come from other settings, or from another profile.
  const { selected } = selectInstances(plan, { targets: [instance.id] });
  const statuses = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected });
  const status = statuses.find((one) => one.id === instance.id);
  if (status !== undefined && status.state !== 'fresh') {
    const reasons = status.reasons.map(({ text }) => text).join('; ');
    printWarning(
      `${instance.id} is not up to date (${reasons || status.state}): using the output of its last run.`,
    );
  }
  return folder;
}
