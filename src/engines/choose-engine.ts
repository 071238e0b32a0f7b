import type { Engine } from './engine.ts';
import { type CudaProbe, probeCuda } from './tfjs/cuda.ts';
import { createCpuEngine, createCudaEngine } from './tfjs/engine.ts';

/**
 * `auto` picks the fastest engine that works on this machine, which is `tfjs`: TensorFlow.js on CUDA if that works, otherwise on the CPU.
 * `tfjs-cpu` uses the CPU without looking for a GPU.
 */
export type EngineChoice = 'auto' | 'tfjs' | 'tfjs-cpu';

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
