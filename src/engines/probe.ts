import { digestSources, type LoadedAddon, loadAddon } from './native/addon.ts';
import { createNativeEngine } from './native/engine.ts';
import { type CudaProbe, probeCuda } from './tfjs/cuda.ts';

/** The status of an engine on this machine, for people. */
export interface EngineFinding {
  readonly name: string;
  readonly available: boolean;
  /** A description, or why it is not available. */
  readonly text: string;
  /** How to get it, or to mend it if it is available but not right; null if there is nothing to do. */
  readonly fix: string | null;
}

/** What a probe looks at, which tests replace. */
export interface ProbeSurroundings {
  readonly probe?: () => Promise<CudaProbe>;
  readonly load?: () => LoadedAddon;
  readonly digest?: () => string | undefined;
}

/** The engines for this machine, best last; `chooseEngine('auto')` takes the last available one. */
export async function probeEngines({
  probe = probeCuda,
  load = loadAddon,
  digest = digestSources,
}: ProbeSurroundings = {}): Promise<EngineFinding[]> {
  return [await describeCpu(), describeNative(load(), digest()), describeCuda(await probe())];
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

function describeNative(loaded: LoadedAddon, sources: string | undefined): EngineFinding {
  const name = 'native, CPU';
  if (!loaded.ok) return { name, available: false, text: loaded.reason, fix: loaded.fix };
  const { sourceDigest } = loaded.addon;
  const text = `C++ kernels ${sourceDigest}, ${createNativeEngine(loaded.addon).description.reason}`;
  return sources === undefined || sources === sourceDigest
    ? { name, available: true, text, fix: null }
    : {
        name,
        available: true,
        text: `${text}; it was compiled from other sources than those in native/`,
        fix: 'Run `npm run build:native`.',
      };
}

function describeCuda(cuda: CudaProbe): EngineFinding {
  return cuda.usable
    ? { name: 'tfjs, CUDA', available: true, text: `tfjs-node-gpu ${cuda.version}`, fix: null }
    : { name: 'tfjs, CUDA', available: false, text: cuda.reason, fix: cuda.fix };
}
