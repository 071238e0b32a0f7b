/** What options and arguments of commands can be, as far as the networks' half knows it. Cheap to load: the help of every command needs it. */
export { type EngineChoice, engineChoices } from '../engines/engine.ts';
export { FORMATS as figureFormats, type Format as FigureFormat } from '../figure-export/formats.ts';
export { describeArguments, type Purpose } from '../original/argument-table.ts';
export { COMPAT_PRESET_NAMES, type CompatPresetName } from '../thesis/compat.ts';

import { type Argument, argumentTable } from '../original/argument-table.ts';

/** An argument of the original's command line. */
export interface OriginalArgument {
  /** With its dash: `-init_tau`. */
  readonly word: string;
  readonly meaning: string;
  readonly takesValue: boolean;
  /** What its value can be; empty if it can be anything. */
  readonly choices: readonly string[];
}

export function listOriginalArguments(): OriginalArgument[] {
  const table: readonly Argument[] = argumentTable;
  return table.map(({ name, value, meaning }) => ({
    word: `-${name}`,
    meaning,
    takesValue: value !== undefined,
    choices: value?.choices ?? [],
  }));
}

/** The data sets that `repro data` knows, with their titles. */
export async function listDatasetNames(): Promise<(readonly [name: string, title: string])[]> {
  const { DATASETS } = await import('../datasets/registry.ts');
  return DATASETS.map(({ name, title }) => [name, title]);
}
