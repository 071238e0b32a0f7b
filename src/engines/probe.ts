import { type CudaProbe, probeCuda } from './tfjs/cuda.ts';

/** The status of an engine on this machine, for people. */
export interface EngineFinding {
  readonly name: string;
  readonly available: boolean;
  /** A description, or why it is not available. */
  readonly text: string;
  /** How to get it; null if it is available or cannot be. */
  readonly fix: string | null;
}

/** The engines for this machine, best last; `chooseEngine('auto')` takes the last available one. */
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
