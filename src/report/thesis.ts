/**
 * What the thesis says of itself, as far as no configuration file holds it.
 *
 * @see Pazderka 2024, sec. 3 and table 1
 */
export const THESIS = {
  author: 'A. Pazderka',
  title:
    'The role of membrane time constant in the training of spiking neural networks: improving accuracy by per-neuron learning',
  where: 'BSc thesis, TU Delft, 2024',
  dataset: 'dvs128-gesture',
  /**
   * Clips that the paper counts. Its 1,056 are 12 of each of 88 recordings, as the published converter leaves out the last ten
   * of 98 where it works with 11 processes.
   */
  clips: { train: 900, validation: 156, test: 288 },
  /** Width of the hidden linear layer: a quarter of what reaches it, which the model files leave to that rule. */
  hidden: 512,
  frames: { steps: 20, splitBy: 'number', normalization: 'none', height: 128, width: 128 },
} as const;

const DATASET_TITLES: Readonly<Record<string, string>> = {
  'dvs128-gesture': 'DVS128 Gesture',
  nmnist: 'N-MNIST',
};

export function titleDataset(name: string): string {
  return DATASET_TITLES[name] ?? name;
}

/** Why figures may not be held against the thesis; null where they may. */
export type Incomparable = 'simulated' | 'other-dataset' | null;

export function judgeComparability(results: { dataset: string; simulated: boolean }): Incomparable {
  if (results.simulated) return 'simulated';
  return results.dataset === THESIS.dataset ? null : 'other-dataset';
}
