import { chooseEngine, type EngineChoice } from '../engines/choose-engine.ts';
import type { Engine } from '../engines/engine.ts';

export interface ChosenEngine {
  readonly engine: Engine;
  readonly notes: readonly string[];
}

/**
 * What computes the training that asks for `-device`: `cpu` is had everywhere; `cuda` is a wish, and where it cannot be fulfilled the CPU
 * takes its place, which is said.
 *
 * @param choice our own `--engine`, which goes over the device
 */
export async function chooseDevice(device: string, choice: EngineChoice | undefined): Promise<ChosenEngine> {
  if (choice === undefined && device === 'cpu') {
    // Loaded here so that no GPU is looked for.
    const { createCpuEngine } = await import('../engines/tfjs/engine.ts');
    return { engine: createCpuEngine('-device cpu'), notes: [] };
  }
  const engine = await chooseEngine(choice ?? 'auto');
  const { backend, reason } = engine.description;
  if (choice !== undefined || backend === 'cuda') return { engine, notes: [] };
  return {
    engine,
    notes: [
      `-device ${device} is not to be had here (${reason}): training goes on on the CPU. \`repro doctor\` says how to get CUDA.`,
    ],
  };
}
