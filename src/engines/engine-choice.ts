/**
 * The engines that a person can choose to train and evaluate with. `auto` is the fastest that works on this machine: `tfjs` if CUDA works,
 * else `native`, else `tfjs-cpu`. `native`: C++ on the CPU. `tfjs`: TensorFlow.js on CUDA if that works, otherwise on the CPU. `tfjs-cpu`
 * uses the CPU without looking for a GPU.
 */
export const engineChoices = ['auto', 'native', 'tfjs', 'tfjs-cpu'] as const;

export type EngineChoice = (typeof engineChoices)[number];
