import { COMPAT_DEFAULTS, type Compat } from '../training/compat.ts';

export const compatPresetNames = ['intent', 'runs', 'code'] as const;
export type CompatPresetName = (typeof compatPresetNames)[number];

/** The paper's batch size for models with one τ per neuron (sec. 4.2), which their logs show, too; the script's default is 16. */
export const PER_NEURON_BATCH_SIZE = 32;

/** What the published runs and the published script have in common. */
const published: Compat = {
  ...COMPAT_DEFAULTS,
  trials: 'first-88',
  base_tau: 'always-2',
  validation: 'shuffled-drop-last',
  file_order: 'shuffled',
  ties: 'rounding',
};

/**
 * Named sets of compatibility switches. `intent`, the default: what the thesis means. `runs`: what the logs of the published runs show.
 * `code`: the published script as it stands, which forgets to pass τ per neuron on to the network.
 */
export const compatPresets: Readonly<Record<CompatPresetName, Compat>> = {
  intent: COMPAT_DEFAULTS,
  runs: published,
  code: { ...published, tau_per_neuron: 'dropped' },
};

/** The switches that are not at their defaults, in the order of the interface. */
export function pickChangedSwitches(compat: Compat): Partial<Compat> {
  const defaults: Readonly<Record<string, string>> = { ...COMPAT_DEFAULTS };
  return Object.fromEntries(Object.entries(compat).filter(([name, value]) => defaults[name] !== value));
}
