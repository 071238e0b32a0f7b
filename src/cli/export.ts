import process from 'node:process';
import { type ExportFormat, exportCheckpoint } from '../checkpoints/export-checkpoint.ts';
import type { Which } from '../checkpoints/loaded-checkpoint.ts';
import { loadSource } from './checkpoint-source.ts';
import { type PipelineOptions, printJson } from './load.ts';
import { refuseRunnerFolder } from './runner-folder.ts';
import { formatBytes } from './view/format.ts';

interface ExportOptions extends PipelineOptions {
  readonly to: ExportFormat;
  readonly which?: Which;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `repro export SOURCE`: a state for other programs. */
export async function exportState(source: string, options: ExportOptions): Promise<void> {
  const { to, out, force = false } = options;
  refuseRunnerFolder(out ?? '.', 'Name another place with --out.');
  const checkpoint = await loadSource(source, options);
  const { file, sizeBytes, tensors } = await exportCheckpoint(checkpoint, { to, out, force });
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'export',
      source: checkpoint.source,
      format: to,
      file,
      sizeBytes,
      tensors,
    });
    return;
  }
  process.stdout.write(`${file}: ${tensors} tensors, ${formatBytes(sizeBytes)}; ${checkpoint.source}\n`);
}
