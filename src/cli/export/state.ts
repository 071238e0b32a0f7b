import process from 'node:process';
import { type ExportFormat, exportSource, type Which } from '../../apps/checkpoints.ts';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { formatBytes } from '../../text.ts';
import { printJson, printWarning } from '../view/print.ts';

interface ExportOptions extends PipelineOptions {
  readonly to: ExportFormat;
  readonly which?: Which;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `repro export SOURCE`: writes a state for other programs. */
export async function exportState(named: string, options: ExportOptions): Promise<void> {
  const { source, file, sizeBytes, tensors } = await exportSource(named, options, printWarning);
  if (options.json === true) {
    printJson({ version: 1, command: 'export', source, format: options.to, file, sizeBytes, tensors });
  } else process.stdout.write(`${file}: ${tensors} tensors, ${formatBytes(sizeBytes)}; ${source}\n`);
}
