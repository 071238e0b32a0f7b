import { ReproError } from '../../errors.ts';
import type { Engine, EngineChoice } from '../engine.ts';
import { type LoadedAddon, loadAddon } from '../native/addon.ts';
import { createNativeEngine, type NativeOptions } from '../native/engine.ts';
import { type CudaProbe, probeCuda } from '../tfjs/cuda.ts';
import { createCpuEngine, createCudaEngine } from '../tfjs/engine.ts';
import { referenceOperations } from '../tfjs/operations/reference-operations.ts';

export interface EngineOptions extends NativeOptions {
  readonly probe?: (() => Promise<CudaProbe>) | undefined;
  readonly load?: (() => LoadedAddon) | undefined;
}

/**
 * Opens the engine that computes training steps; its description says why it was chosen.
 *
 * @throws {ReproError} `engine-unavailable` if `choice` names an engine that is not available
 */
export async function chooseEngine(
  choice: EngineChoice = 'auto',
  { probe = probeCuda, load = loadAddon, ...native }: EngineOptions = {},
): Promise<Engine> {
  if (choice === 'tfjs-cpu') return createCpuEngine('requested as tfjs-cpu');
  if (choice === 'native') return openNative(load(), native);
  const cuda = await probe();
  if (cuda.usable) return createCudaEngine('CUDA is available and works');
  if (choice === 'tfjs') return createCpuEngine(`no CUDA: ${cuda.reason}`);
  const loaded = load();
  return loaded.ok
    ? openAddon(loaded, native)
    : createCpuEngine(`no CUDA: ${cuda.reason}; no native engine: ${loaded.reason}`);
}

/** The fastest engine of the CPU, without looking for a GPU. */
export function chooseCpuEngine(reason: string, { load = loadAddon, ...native }: EngineOptions = {}): Engine {
  const loaded = load();
  return loaded.ok
    ? openAddon(loaded, native)
    : createCpuEngine(`${reason}; no native engine: ${loaded.reason}`);
}

function openNative(loaded: LoadedAddon, options: NativeOptions): Engine {
  if (loaded.ok) return openAddon(loaded, options);
  throw new ReproError('engine-unavailable', `The native engine is not available: ${loaded.reason}.`, {
    fix: `${loaded.fix} Or choose another engine: \`auto\` takes the fastest there is.`,
  });
}

function openAddon(
  { addon, isEarlierBuild }: Extract<LoadedAddon, { ok: true }>,
  options: NativeOptions,
): Engine {
  return createNativeEngine(addon, { ...options, isEarlierBuild });
}

type Open = (options: EngineOptions) => Promise<Engine>;

/** The engines by the names used on the command line; each passes the parity suite. */
const engines: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['auto', (options) => chooseEngine('auto', options)],
  ['native', (options) => chooseEngine('native', options)],
  ['tfjs', () => chooseEngine('tfjs')],
  ['tfjs-cpu', () => chooseEngine('tfjs-cpu')],
  // Slow and simple: it checks the kernels.
  [
    'tfjs-composed',
    async () =>
      createCpuEngine("composed of TensorFlow.js' own operations, as requested", referenceOperations),
  ],
]);

export const engineNames: readonly string[] = [...engines.keys()];

/** @throws {ReproError} `engine-unknown`, listing the names */
export async function openNamedEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  const open = engines.get(name);
  if (open !== undefined) return open(options);
  throw new ReproError('engine-unknown', `this version has no engine "${name}".`, {
    fix: `It has ${engineNames.join(', ')}.`,
  });
}
