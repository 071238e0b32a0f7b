import process from 'node:process';
import { parseArguments } from '../../original/arguments.ts';
import { describeConfiguration, formatModelFile } from '../../original/model-config.ts';
import { nameFolders } from '../../original/preparation.ts';
import type { CompatPresetName } from '../../thesis/compat.ts';
import { printWarning } from '../lines.ts';
import { printJson } from '../load.ts';

interface FromArgumentsOptions {
  readonly compat: CompatPresetName;
  readonly json?: boolean;
}

/** `repro config from-args`: prints the model file for the original's arguments to stdout, and notes to stderr. */
export function configFromArguments(words: readonly string[], options: FromArgumentsOptions): void {
  const parsed = parseArguments(words, 'configuration');
  const configuration = describeConfiguration(parsed, options.compat);
  const notes = [...parsed.notes, ...configuration.notes];
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'config from-args',
      model: configuration.model,
      profile: configuration.profile,
      folders: nameFolders(parsed),
      notes,
    });
    return;
  }
  for (const note of notes) printWarning(note);
  process.stdout.write(formatModelFile(configuration, words, parsed.values.device));
}
