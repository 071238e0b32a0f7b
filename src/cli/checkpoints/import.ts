import { importCheckpoint } from '../../apps/checkpoints.ts';
import { printJson, printLines } from '../view/print.ts';

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
  const answers = { pooling, tau, reset, size, steps };
  const { lines, document } = await importCheckpoint(file, { answers, out, force });
  if (options.json === true) printJson({ version: 1, command: 'import', ...document });
  else printLines(lines);
}
