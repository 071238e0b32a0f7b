/**
 * The engines that a person can choose to train and evaluate with. `auto` is the fastest that works on this machine, which is
 * `tfjs`: TensorFlow.js on CUDA if that works, otherwise on the CPU. `tfjs-cpu` uses the CPU without looking for a GPU.
 */
export const engineChoices = ['auto', 'tfjs', 'tfjs-cpu'] as const;

export type EngineChoice = (typeof engineChoices)[number];
