import os from 'node:os';
import process from 'node:process';
import { formatCount } from '../../../base/text.ts';
import type { Engine } from '../engine.ts';
import { nameLoaded } from './addon.ts';
import { addonEngine } from './addon-engine.ts';
import type { NativeAddon } from './addon-types.ts';
import {
  chooseArithmetic,
  chooseThreads,
  describeArithmetic,
  identifyBuild,
  type NativeOptions,
} from './arithmetic.ts';
import { WASM_BYTES, WASM_SETTINGS } from './memory.ts';

/** The addon may be older than the sources: it stays in use until it is compiled again. */
const earlierBuild = 'not compiled from the current sources in native/: the earlier build stays in use';

/**
 * The engine of C++ kernels. Its results are the same for any number of threads, but differ between instruction sets in the last digits.
 *
 * @throws {ReproError} if `REPRO_ISA`, `REPRO_WINOGRAD` or `REPRO_THREADS` is set to something impossible
 */
export function createNativeEngine(addon: NativeAddon, options: NativeOptions = {}): Engine {
  const threads = chooseThreads(options.threads, options.environment);
  const arithmetic = chooseArithmetic(addon.instructionSets, options.environment);
  const available = options.available ?? availableMemory;
  const onThreads = `${describeArithmetic(arithmetic)}, ${formatCount(threads, 'thread')}`;
  return addonEngine(
    addon,
    {
      name: 'native',
      backend: 'cpu',
      // Everything that may change results: a training must not continue with another instruction set or another build.
      version: identifyBuild(nameLoaded(addon), addon, arithmetic),
      reason: options.isEarlierBuild === true ? `${onThreads}; ${earlierBuild}` : onThreads,
    },
    { threads, ...arithmetic },
    { available },
  );
}

/**
 * The memory that this process can still get, in bytes, not counting what the system could free for it. On macOS, which reports hardly
 * any memory as free, it is all that this process does not use yet.
 */
function availableMemory(): number {
  const used = process.memoryUsage.rss();
  // In a container this is its limit; elsewhere 0 or larger than any memory.
  const limit = process.constrainedMemory();
  const most = (limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()) - used;
  return process.platform === 'darwin' ? most : Math.min(most, os.freemem());
}

/** The same engine in WebAssembly, on one thread: the same bits on every processor. */
export function createWasmEngine(addon: NativeAddon, reason: string): Engine {
  const version = `${nameLoaded(addon)} ${addon.compiler}`;
  return addonEngine(addon, { name: 'wasm', backend: 'cpu', version, reason }, WASM_SETTINGS, {
    available: () => Math.min(availableMemory(), WASM_BYTES),
    most: WASM_BYTES,
  });
}
