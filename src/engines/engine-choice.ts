/**
 * The engines that a person can choose to train and evaluate with. `auto` is the fastest that works on this machine: `tfjs` if CUDA works,
 * else `native`, else `tfjs-cpu`. `native`: C++ on the CPU. `tfjs`: TensorFlow.js on CUDA if that works, otherwise on the CPU. `tfjs-cpu`
 * uses the CPU without looking for a GPU.
 */
export const engineChoices = ['auto', 'native', 'tfjs', 'tfjs-cpu'] as const;

export type EngineChoice = (typeof engineChoices)[number];

/**
 * How many times as long as the native engine TensorFlow.js takes on a CPU: for profile quick's network, and for the thesis'. Measured in
 * bench/README.md, which a test holds.
 */
export const TFJS_SLOWDOWN = { least: 26, most: 77 };

/** How long an engine takes, by its identity (`identifyEngine`), relative to the native one; at least; null if that was never measured. */
export function slownessOf(identity: string): number | null {
  if (/^native \w/.test(identity)) return 1;
  return /^tfjs \S+ cpu$/.test(identity) ? TFJS_SLOWDOWN.least : null;
}
