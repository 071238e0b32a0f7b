/** What options and arguments of commands can be, as far as the networks' half knows it. Cheap to load: the help of every command needs it. */

export { describeArguments } from '../../exchange/original/argument-table.ts';
export { type EngineChoice, engineChoices } from '../../network/engines/engine.ts';
export { COMPAT_PRESET_NAMES, type CompatPresetName } from '../../results/thesis/compat.ts';

export const figureFormats = ['svg', 'pdf'] as const;
