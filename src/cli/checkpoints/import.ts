import path from 'node:path';
import type { ImportAnswers } from '../../checkpoints/answers.ts';
import { describeImport } from '../../checkpoints/describe.ts';
import { importIntoFolder } from '../../checkpoints/import-export.ts';
import { printLines } from '../lines.ts';
import { printJson } from '../load.ts';
import { refuseRunnerFolder } from './runner-folder.ts';

interface ImportOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly pooling?: 'max' | 'average';
  readonly tau?: number;
  readonly reset?: 'hard' | 'soft';
  readonly input?: readonly [number, number];
  readonly steps?: number;
}

/** `repro import FILE`: converts a PyTorch checkpoint to a folder that can be evaluated. */
export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { out, force = false, pooling, tau, reset, input: size, steps } = options;
  refuseRunnerFolder(out ?? path.dirname(file), 'Choose another place with --out.');
  const answers: ImportAnswers = { pooling, tau, reset, size, steps };
  const outcome = await importIntoFolder(file, { answers, out, force });
  if (options.json === true) {
    const { folder, files, description, checkpoint } = outcome;
    printJson({
      version: 1,
      command: 'import',
      folder,
      files,
      ...description,
      warnings: checkpoint.warnings,
    });
    return;
  }
  printLines(describeImport(outcome));
}
