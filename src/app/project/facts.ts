import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { getAt, type Json } from '../../base/schema/json.ts';
import { formatPlace } from '../../base/schema/problems.ts';
import { type EngineChoice, engineChoices, WASM_SLOWDOWN } from '../../network/engines/engine.ts';
import { type ListedAdapters, mayHaveGpu } from '../../network/engines/webgpu/adapters.ts';
import type { Facts } from '../../runner/freshness/fingerprint.ts';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import { engineVariables, listGpusApart, probeCudaApart } from './gpu-probes.ts';
import { stageNames } from './stages.ts';

/**
 * The facts about this machine that pipeline.yaml may list under `facts:`. The runner does not know them;
 * each is determined only when a stage asks for it.
 *
 * @param plan without instances, `auto` takes no GPU
 * @param trials what ends trials of engines; `recalled`: `auto` is what earlier ones found; `none`: only results decide what it is
 */
export function factsOf(
  plan: Plan | Pick<Plan, 'projectRoot'>,
  trials: AbortSignal | 'recalled' | 'none' = 'recalled',
): Facts {
  let gpus: Promise<ListedAdapters> | undefined;
  let decided: Promise<{ readonly choice: EngineChoice }> | undefined;
  const engine: Facts[string] = async (params, digestFile) => {
    const { identifyEngine } = await import('../../network/engines/selection/engines.ts');
    const cacheFolder = path.join(plan.projectRoot, 'artifacts', '.cache');
    let choice = engineOf(params);
    // An evaluation takes seconds, and a GPU does not count its operations.
    if (choice === 'auto' && 'train' in params && 'instances' in plan && mayHaveGpu()) {
      const { decideEngine, tryingApart } = await import('./engine-trial.ts');
      // One for all trainings, to the end of a run, whoever asks first.
      decided ??= decideEngine(plan, { engine }, typeof trials === 'string' ? trials : tryingApart(trials));
      ({ choice } = await decided);
    }
    return identifyEngine(choice, {
      ...{ projectRoot: plan.projectRoot, cacheFolder, digestFile },
      ...{ probe: probeCudaApart, listGpus: () => (gpus ??= listGpusApart()) },
    });
  };
  return { engine: Object.assign(engine, { variables: engineVariables }) };
}

/** Where it only matters which engine there is. */
const undigested = async (): Promise<string> => '';

/** The engine that a stage is told to use. */
export function engineOf(params: { readonly [key: string]: Json }): EngineChoice {
  const name = getAt(params, ['train', 'engine']) ?? getAt(params, ['evaluate', 'engine']);
  return engineChoices.find((choice) => choice === name) ?? 'auto';
}

/**
 * Refuses a run that would fail only after its other stages: an instance that names an engine has to run if that is not available.
 *
 * @throws {ReproError} `engine-unavailable`, as the stage, and with the setting that names the engine
 */
export async function refuseMissingEngines(
  { places }: Pick<Plan, 'places'>,
  facts: Facts,
  instances: readonly StageInstance[],
): Promise<void> {
  const named = instances.filter(({ facts: names }) => names.includes('engine'));
  for (const [choice, params] of new Map(named.map(({ params }) => [engineOf(params), params]))) {
    if (choice === 'auto' || (await facts.engine?.(params, undigested)) !== `${choice}, unavailable`)
      continue;
    const { chooseEngine } = await import('../../network/engines/selection/engines.ts');
    await chooseEngine(choice, { probe: probeCudaApart, listGpus: listGpusApart }).catch((error: unknown) => {
      if (!(error instanceof ReproError)) throw error;
      const { code, message, fix } = error;
      const stage = getAt(params, ['train', 'engine']) === undefined ? 'evaluate' : 'train';
      const where = formatPlace(places.place([stage, 'engine']));
      throw new ReproError(code, `"${stage}.engine": ${message}`, { where, fix, cause: error });
    });
  }
}

/** Whether a GPU computes an instance. */
export async function usesGpu(facts: Facts, instance: StageInstance | undefined): Promise<boolean> {
  if (!mayHaveGpu()) return false;
  const { gpuOf } = await import('../../network/engines/selection/engines.ts');
  return gpuOf(instance && (await facts.engine?.(instance.params, undigested))) !== undefined;
}

/** A warning if a training will be slow only because there is no native engine; else null. */
export async function describeSlowEngine(
  facts: Facts,
  { stage, params }: StageInstance,
): Promise<string | null> {
  if (stage !== stageNames.train || engineOf(params) !== 'auto') return null;
  const { loadAddon } = await import('../../network/engines/native/addon.ts');
  const native = loadAddon();
  if (native.ok || !(await facts.engine?.(params, undigested))?.startsWith('wasm ')) return null;
  const { least, most } = WASM_SLOWDOWN;
  return (
    `There is no native engine: ${native.reason}. WebAssembly computes instead: each training uses one core, and takes ${least} to ${most} times as long on it. ` +
    `If a batch needs more than the 4 GB that WebAssembly addresses, TensorFlow.js takes thousands of times as long.\n${native.fix}`
  );
}
