import type { Engine } from './engine.ts';
import type { EngineChoice } from './engine-choice.ts';
import { type CudaProbe, probeCuda } from './tfjs/cuda.ts';
import { createCpuEngine, createCudaEngine } from './tfjs/engine.ts';

/** Opens the engine that computes training steps; its description says why it was chosen. */
export async function chooseEngine(
  choice: EngineChoice = 'auto',
  probe: () => Promise<CudaProbe> = probeCuda,
): Promise<Engine> {
  if (choice === 'tfjs-cpu') return createCpuEngine('requested as tfjs-cpu');
  const cuda = await probe();
  return cuda.usable
    ? createCudaEngine('CUDA is available and works')
    : createCpuEngine(`no CUDA: ${cuda.reason}`);
}
