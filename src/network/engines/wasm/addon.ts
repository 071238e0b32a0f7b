import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type CompiledModule, compile, instantiate } from 'plif-native/wasm';
import { messageOf } from '../../../base/errors.ts';
import { type LoadedAddon, refuseReplaced, stampFiles } from '../native/addon.ts';
import type { NativeAddon, NativeNetwork } from '../native/addon-types.ts';

let loaded: LoadedAddon | undefined;

/** Loads native/wasm/plif.wasm: the same functions as the compiled addon's, on any processor. Each network computes in a thread of its own. */
export function loadWasm(): LoadedAddon {
  loaded ??= load(createRequire(import.meta.url));
  return loaded;
}

function load(require: NodeJS.Require): LoadedAddon {
  let folder: string;
  try {
    folder = path.join(path.dirname(require.resolve('plif-native/package.json')), 'wasm');
  } catch {
    return { ok: false, reason: 'plif-native is not installed', fix: 'Run `npm ci`.' };
  }
  const files = ['plif.wasm', 'instance.mjs', 'worker.mjs'].map((name) => path.join(folder, name));
  const stamp = stampFiles(files);
  let module: CompiledModule;
  try {
    module = compile(readFileSync(path.join(folder, 'plif.wasm')));
  } catch (error) {
    return missing(error, 'Restore native/wasm/plif.wasm: `git checkout native/wasm`.');
  }
  try {
    const { sourceDigest, compiler, runNeurons } = instantiate(module);
    const addon: NativeAddon = {
      sourceDigest,
      ...{ files, stamp },
      compiler,
      instructionSets: ['wasm'],
      open: async (options) => {
        const network = new WasmNetwork(module, path.join(folder, 'worker.mjs'));
        try {
          await network.start(options);
          // The thread has loaded its files just now.
          refuseReplaced({ files, stamp });
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
    return missing(error, 'It needs some gigabytes of address space: see `ulimit -v`.');
  }
}

function missing(error: unknown, fix: string): LoadedAddon {
  return { ok: false, reason: `it does not load (${messageOf(error)})`, fix };
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
  /** Why the thread is gone. */
  #end: unknown;
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
    for (const event of ['error', 'messageerror'] as const)
      this.#worker.on(event, (error) => this.#stopWith(error));
    this.#worker.on('exit', (code) => this.#stopWith(new Error(`its thread ended with exit code ${code}`)));
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
    this.#stopWith(Object.assign(new Error('the step was aborted'), { code: 'PLIF_ABORTED' }));
    void this.#worker.terminate();
  }

  #call<T>(method: string, ...values: unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end;
      this.#worker.postMessage({ method, values });
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
    });
  }

  #stopWith(error: unknown): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#end);
  }
}
