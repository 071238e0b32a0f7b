import { COMPAT_DEFAULTS, type Compat } from '../training/compat.ts';

export const compatPresetNames = ['intent', 'runs', 'code'] as const;
export type CompatPresetName = (typeof compatPresetNames)[number];

/** What holds of the published runs and of the published script alike. */
const published: Compat = {
  ...COMPAT_DEFAULTS,
  trials: 'first-88',
  base_tau: 'always-2',
  validation: 'shuffled-drop-last',
  file_order: 'shuffled',
};

/**
 * Whole sets of the compatibility switches. `intent`: what the thesis means, the default. `runs`: what the logs of the published runs show.
 * `code`: the published script as it stands, which forgets to tell the network of a τ per neuron.
 */
export const compatPresets: Readonly<Record<CompatPresetName, Compat>> = {
  intent: COMPAT_DEFAULTS,
  runs: { ...published, batch_size: 'logged' },
  code: { ...published, tau_per_neuron: 'dropped' },
};

/** The switches that are not at their default, in the order of the interface. */
export function pickChangedSwitches(compat: Compat): Partial<Compat> {
  const defaults: Readonly<Record<string, string>> = { ...COMPAT_DEFAULTS };
  return Object.fromEntries(Object.entries(compat).filter(([name, value]) => defaults[name] !== value));
}
