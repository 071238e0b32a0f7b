import process from 'node:process';
import type { CompatPresetName } from '../../apps/option-choices.ts';
import { configureAsOriginal } from '../../apps/train-val-settings.ts';
import { printJson, printWarning } from '../view/print.ts';

/** `repro config from-args`: prints the model file for the original's arguments to stdout, and notes to stderr. */
export function configFromArguments(
  words: readonly string[],
  options: { readonly compat: CompatPresetName; readonly json?: boolean },
): void {
  const { file, notes, document } = configureAsOriginal(words, options.compat);
  if (options.json === true) {
    printJson({ version: 1, command: 'config from-args', ...document });
    return;
  }
  for (const note of notes) printWarning(note);
  process.stdout.write(file);
}
