import type { Engine } from './engine.ts';
import { type CudaProbe, probeCuda } from './tfjs/cuda.ts';
import { createCpuEngine, createCudaEngine } from './tfjs/engine.ts';

/** `auto`: the fastest that works here. `tfjs`: TensorFlow.js, on CUDA where that works. While there is one engine, both are the same. */
export type EngineChoice = 'auto' | 'tfjs';

/** Picks what computes the training steps on this machine, and says why in the engine's description. */
export async function chooseEngine(
  _choice: EngineChoice = 'auto',
  probe: () => Promise<CudaProbe> = probeCuda,
): Promise<Engine> {
  const cuda = await probe();
  return cuda.usable
    ? createCudaEngine('a CUDA device is there and computes')
    : createCpuEngine(`no CUDA: ${cuda.reason}`);
}
