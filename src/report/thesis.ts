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
  /** Clips that the published runs trained, validated and tested on. */
  clips: { train: 900, validation: 156, test: 288 },
  frames: { steps: 20, splitBy: 'number', height: 128, width: 128 },
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
