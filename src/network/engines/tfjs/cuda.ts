import { createRequire } from 'node:module';
import process from 'node:process';
import util from 'node:util';
import { firstLineOf } from '../../../base/errors.ts';

export const cudaPackage = '@tensorflow/tfjs-node-gpu';

/** Whether tfjs works on a GPU of this machine, and if not, why and how to fix it. */
export type CudaProbe =
  | { readonly usable: true; readonly version: string }
  | {
      readonly usable: false;
      /** One sentence without a full stop. */
      readonly reason: string;
      /** Null if nothing helps. */
      readonly fix: string | null;
    };

/** The environment of a probe, which tests replace. */
export interface ProbedSystem {
  readonly platform: string;
  /** Whether the package is on disk. */
  readonly isInstalled: () => boolean;
  /** Imports the package, which registers the backend `tensorflow`. */
  readonly load: () => Promise<unknown>;
}

// The requirements in the README of @tensorflow/tfjs-node 4.22.0, to which the GPU package's README refers; others are untested.
const needs =
  'It needs Linux on x64, an NVIDIA driver newer than 450, CUDA 11.2 and cuDNN 8.1, ' +
  'with their libraries on LD_LIBRARY_PATH.';
const installation =
  `Run \`npm install --no-save ${cudaPackage}@4.22.0\`; ` +
  'it downloads its TensorFlow library from storage.googleapis.com.';

const thisSystem: ProbedSystem = {
  platform: `${process.platform}-${process.arch}`,
  isInstalled: () => {
    try {
      createRequire(import.meta.url).resolve(`${cudaPackage}/package.json`);
      return true;
    } catch {
      return false;
    }
  },
  load: () => import(cudaPackage as string),
};

/** Loads the CUDA backend and computes a product on it. It never throws: a machine without a GPU is a result, not an error. */
export async function probeCuda(system: ProbedSystem = thisSystem): Promise<CudaProbe> {
  if (system.platform !== 'linux-x64') {
    return { usable: false, reason: `${cudaPackage} does not exist for ${system.platform}`, fix: null };
  }
  if (!system.isInstalled()) {
    return { usable: false, reason: `${cudaPackage} is not installed`, fix: `${installation} ${needs}` };
  }
  restoreRemovedChecks();
  // By default, TensorFlow prints pages to stderr and takes all of the GPU's memory.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  try {
    await system.load();
    return await computeOnce();
  } catch (error) {
    return {
      usable: false,
      reason: `${cudaPackage} does not load (${firstLineOf(error)})`,
      fix: `${needs} If its library is missing: \`npm rebuild ${cudaPackage}\`.`,
    };
  }
}

/** Restores functions of `util` that tfjs-node 4.22 calls and Node 23 removed. */
function restoreRemovedChecks(): void {
  const removed = {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: (value: unknown) => Array.isArray(value),
  };
  for (const [name, check] of Object.entries(removed)) {
    if (!(name in util))
      Object.defineProperty(util, name, { value: check, configurable: true, writable: true });
  }
}

async function computeOnce(): Promise<CudaProbe> {
  const tf = await import('@tensorflow/tfjs-core');
  const before = tf.getBackend();
  if (!(await tf.setBackend('tensorflow'))) throw new Error('its backend cannot be initialised');
  try {
    const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()[0]);
    if (product !== 11) throw new Error(`it computes [1 2] · [3 4] = ${product}`);
    // It is false if TensorFlow found no GPU and fell back to its own CPU code.
    if (Reflect.get(tf.backend(), 'isUsingGpuDevice') !== true) {
      return { usable: false, reason: `${cudaPackage} loads but finds no CUDA device`, fix: needs };
    }
    return { usable: true, version: tf.version_core };
  } finally {
    if (before) await tf.setBackend(before); // null before the first use, despite its type
  }
}
