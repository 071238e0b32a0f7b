import path from 'node:path';
import process from 'node:process';
import { type ExportFormat, exportCheckpoint } from '../../checkpoints/import-export.ts';
import type { Which } from '../../checkpoints/loaded-checkpoint.ts';
import { ReproError } from '../../errors.ts';
import { formatBytes } from '../../text.ts';
import { printWarning } from '../lines.ts';
import { type PipelineOptions, printJson } from '../load.ts';

import { refuseRunnerFolder } from './runner-folder.ts';
import { loadSource } from './source.ts';

interface ExportOptions extends PipelineOptions {
  readonly to: ExportFormat;
  readonly which?: Which;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `repro export SOURCE`: writes a state for other programs. */
export async function exportState(source: string, options: ExportOptions): Promise<void> {
  const { to, out, force = false } = options;
  if (out !== undefined) checkEnding(out, to);
  refuseRunnerFolder(out ?? '.', 'Choose another place with --out.');
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

/** File extensions of tensor formats. */
const tensorEndings = ['.safetensors', '.npz', '.npy', '.pt', '.pth'];

/** @throws {ReproError} `usage` for the extension of another tensor format */
function checkEnding(out: string, to: ExportFormat): void {
  const ending = path.extname(out).toLowerCase();
  if (ending === `.${to}`) return;
  if (tensorEndings.includes(ending)) {
    throw new ReproError('usage', `this is the extension of another format than ${to}.`, {
      where: out,
      fix: `Use a name that ends in .${to}, or choose another format with --to.`,
    });
  }
  printWarning(`${out} does not end in .${to}: repro evaluate and other programs may not recognise it.`);
}
