import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type CompiledModule, compile, instantiate } from 'plif-native/wasm';
import type { LoadedAddon } from '../native/addon.ts';
import type { NativeAddon, NativeNetwork } from '../native/addon-types.ts';

/** Loads native/wasm/plif.wasm: the same functions as the compiled addon's, on any processor. Each network computes in a thread of its own. */
export function loadWasm(require: NodeJS.Require = createRequire(import.meta.url)): LoadedAddon {
  let folder: string;
  try {
    folder = path.join(path.dirname(require.resolve('plif-native/package.json')), 'wasm');
  } catch {
    return { ok: false, reason: 'plif-native is not installed', fix: 'Run `npm ci`.' };
  }
  try {
    const module = compile(readFileSync(path.join(folder, 'plif.wasm')));
    const { sourceDigest, compiler, runNeurons } = instantiate(module);
    const addon: NativeAddon = {
      sourceDigest,
      compiler,
      instructionSets: ['wasm'],
      open: async (options) => {
        const network = new WasmNetwork(module, path.join(folder, 'worker.mjs'));
        try {
          await network.start(options);
        } catch (error) {
          network.dispose();
          throw error;
        }
        return network;
      },
      runNeurons: async (options) => runNeurons(options),
    };
    return { ok: true, addon, isEarlierBuild: false };
  } catch (error) {
    const reason = `it does not load (${error instanceof Error ? error.message : String(error)})`;
    return { ok: false, reason, fix: 'Restore native/wasm/plif.wasm: `git checkout native/wasm`.' };
  }
}

interface Answer {
  readonly value?: unknown;
  readonly problem?: { readonly message: string; readonly code?: string; readonly bytes?: number };
}

/** A network in a thread; calls are answered in their order. */
class WasmNetwork implements NativeNetwork {
  /** Not 0: the step in progress is to end. */
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #waiting: { resolve: (value: never) => void; reject: (error: unknown) => void }[] = [];

  constructor(module: CompiledModule, workerFile: string) {
    this.#worker = new Worker(workerFile, { workerData: { module, stop: this.#stop.buffer } });
    // A session that nobody disposed of does not keep the program alive.
    this.#worker.unref();
    this.#worker.on('message', ({ value, problem }: Answer) => {
      const call = this.#waiting.shift();
      if (this.#waiting.length === 0) this.#worker.unref();
      if (problem === undefined) call?.resolve(value as never);
      else {
        const { message, ...fields } = problem;
        call?.reject(Object.assign(new Error(message), fields));
      }
    });
    this.#worker.on('error', (error) => this.#rejectAll(error));
  }

  start(options: Parameters<NativeAddon['open']>[0]): Promise<void> {
    return this.#call('open', options);
  }

  setTensor(...values: Parameters<NativeNetwork['setTensor']>): Promise<void> {
    return this.#call('setTensor', ...values);
  }

  getTensor(...values: Parameters<NativeNetwork['getTensor']>): Promise<Float32Array> {
    return this.#call('getTensor', ...values);
  }

  bytesFor(...values: Parameters<NativeNetwork['bytesFor']>): Promise<number> {
    return this.#call('bytesFor', ...values);
  }

  trainStep(...values: Parameters<NativeNetwork['trainStep']>): ReturnType<NativeNetwork['trainStep']> {
    Atomics.store(this.#stop, 0, 0);
    return this.#call('trainStep', ...values);
  }

  evaluate(...values: Parameters<NativeNetwork['evaluate']>): ReturnType<NativeNetwork['evaluate']> {
    Atomics.store(this.#stop, 0, 0);
    return this.#call('evaluate', ...values);
  }

  abort(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  dispose(): void {
    void this.#worker.terminate();
    this.#rejectAll(Object.assign(new Error('the step was aborted'), { code: 'PLIF_ABORTED' }));
  }

  #call<T>(method: string, ...values: unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ method, values });
    });
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
