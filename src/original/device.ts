import type { Engine, EngineChoice } from '../engines/engine.ts';
import { chooseCpuEngine, chooseEngine, type EngineOptions } from '../engines/selection/choose-engine.ts';

export interface ChosenEngine {
  readonly engine: Engine;
  readonly notes: readonly string[];
}

/**
 * The engine for a `-device`. `cuda` is a preference: if CUDA does not work, the CPU is used, with a note.
 *
 * @param choice our own `--engine`, which overrides the device
 */
export async function chooseDevice(
  device: string,
  choice: EngineChoice | undefined,
  options: EngineOptions = {},
): Promise<ChosenEngine> {
  if (choice === undefined && device === 'cpu') {
    return { engine: chooseCpuEngine('-device cpu', options), notes: [] };
  }
  const engine = await chooseEngine(choice ?? 'auto', options);
  const { backend } = engine.description;
  if (choice !== undefined || backend === 'cuda') return { engine, notes: [] };
  return {
    engine,
    notes: [
      `-device ${device} is not available here; training on the CPU instead. \`repro doctor\` tells why, and how to get CUDA.`,
    ],
  };
}
