/** What options and arguments of commands can be, as far as the networks' half knows it. Cheap to load: the help of every command needs it. */
export { type EngineChoice, engineChoices } from '../engines/engine.ts';
export { describeArguments } from '../original/argument-table.ts';
export { COMPAT_PRESET_NAMES, type CompatPresetName } from '../thesis/compat.ts';

export const figureFormats = ['svg', 'pdf'] as const;
