import { chooseEngine } from '../engines/choose-engine.ts';
import type { Engine } from '../engines/engine.ts';
import type { EngineChoice } from '../engines/engine-choice.ts';

export interface ChosenEngine {
  readonly engine: Engine;
  readonly notes: readonly string[];
}

/**
 * The engine for a `-device`. `cuda` is a preference: if CUDA does not work, the CPU is used, with a note.
 *
 * @param choice our own `--engine`, which overrides the device
 */
export async function chooseDevice(device: string, choice: EngineChoice | undefined): Promise<ChosenEngine> {
  if (choice === undefined && device === 'cpu') {
    // Opened directly, so that nothing looks for a GPU.
    const { createCpuEngine } = await import('../engines/tfjs/engine.ts');
    return { engine: createCpuEngine('-device cpu'), notes: [] };
  }
  const engine = await chooseEngine(choice ?? 'auto');
  const { backend, reason } = engine.description;
  if (choice !== undefined || backend === 'cuda') return { engine, notes: [] };
  return {
    engine,
    notes: [
      `-device ${device} is not available here (${reason}); training on the CPU instead. \`repro doctor\` tells how to get CUDA.`,
    ],
  };
}
