import { type LoadedAddon, loadAddon } from '../native/addon.ts';
import { createNativeEngine } from '../native/engine.ts';
import { type CudaProbe, probeCuda } from '../tfjs/cuda.ts';

/** The status of an engine on this machine, for people. */
export interface EngineFinding {
  readonly name: string;
  readonly available: boolean;
  /** A description, or why it is not available. */
  readonly text: string;
  /** How to get it, or how to repair it; null if there is nothing to do. */
  readonly fix: string | null;
}

/** Tests replace these. */
interface ProbeOptions {
  readonly probe?: () => Promise<CudaProbe>;
  readonly load?: () => LoadedAddon;
}

/** The engines for this machine, best last; `chooseEngine('auto')` takes the last available one. */
export async function probeEngines({
  probe = probeCuda,
  load = loadAddon,
}: ProbeOptions = {}): Promise<EngineFinding[]> {
  return [await describeCpu(), describeNative(load()), describeCuda(await probe())];
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

function describeNative(loaded: LoadedAddon): EngineFinding {
  const name = 'native, CPU';
  if (!loaded.ok) return { name, available: false, text: loaded.reason, fix: loaded.fix };
  const { addon, isEarlierBuild } = loaded;
  const { reason } = createNativeEngine(addon, { isEarlierBuild }).description;
  return {
    name,
    available: true,
    text: `C++ kernels ${addon.sourceDigest}, ${addon.compiler.trim()}, ${reason}`,
    fix: isEarlierBuild ? 'Run `npm run build:native`.' : null,
  };
}

function describeCuda(cuda: CudaProbe): EngineFinding {
  return cuda.usable
    ? { name: 'tfjs, CUDA', available: true, text: `tfjs-node-gpu ${cuda.version}`, fix: null }
    : { name: 'tfjs, CUDA', available: false, text: cuda.reason, fix: cuda.fix };
}
