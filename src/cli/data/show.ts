import path from 'node:path';
import { drawClip, type ShowOptions } from '../../apps/clip-picture.ts';
import { formatBytes } from '../../text.ts';
import { printJson, printLines, printWarning } from '../view/print.ts';

/** `repro data show NAME CLIP`, or `repro data show FILE` */
export async function showClip(
  name: string,
  clip: string | undefined,
  options: ShowOptions & { readonly json?: boolean },
): Promise<void> {
  const { facts, values, file, sizeBytes } = await drawClip(name, clip, options, printWarning);
  if (options.json === true) {
    printJson({ version: 1, command: 'data show', ...values, picture: path.resolve(file) });
  } else printLines([...facts, ['picture', `${file} (${formatBytes(sizeBytes)})`]]);
}
