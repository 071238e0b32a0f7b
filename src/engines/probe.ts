import { type CudaProbe, probeCuda } from './tfjs/cuda.ts';

/** One engine on this machine, for people. */
export interface EngineFinding {
  readonly name: string;
  readonly available: boolean;
  /** What is there, or why it is not. */
  readonly text: string;
  /** How to get it; null where it is there or cannot be had. */
  readonly fix: string | null;
}

/** What this machine has to train with, best last; `chooseEngine('auto')` takes the last that is available. */
export async function probeEngines(
  cudaProbe: () => Promise<CudaProbe> = probeCuda,
): Promise<EngineFinding[]> {
  return [await describeCpu(), describeCuda(await cudaProbe())];
}

async function describeCpu(): Promise<EngineFinding> {
  const { version_core } = await import('@tensorflow/tfjs-core');
  return {
    name: 'tfjs, CPU',
    available: true,
    text: `TensorFlow.js ${version_core} with typed-array kernels, one thread`,
    fix: null,
  };
}

function describeCuda(cuda: CudaProbe): EngineFinding {
  return cuda.usable
    ? { name: 'tfjs, CUDA', available: true, text: `tfjs-node-gpu ${cuda.version}`, fix: null }
    : { name: 'tfjs, CUDA', available: false, text: cuda.reason, fix: cuda.fix };
}
