import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../../checkpoints/whole-output.ts';
import { kindOfPath } from '../../datasets/reading/file-tree.ts';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { animation } from '../../pictures/animation.ts';
import { contactSheet } from '../../pictures/contact-sheet.ts';
import { formatBytes } from '../../text.ts';
import { printLines } from '../lines.ts';
import { printJson } from '../load.ts';
import { type DrawOptions, drawFromDataset, drawRecording } from './drawn.ts';
import { withData } from './root.ts';

type PictureFormat = 'png' | 'gif';

interface ShowOptions extends DrawOptions {
  readonly out?: string;
  readonly delay: number;
  readonly force?: boolean;
}

/** The picture of simulated recordings says so, wherever it goes. */
const SIMULATED = 'SIMULATED';

/** `repro data show NAME CLIP`, or `repro data show FILE` */
export async function showClip(name: string, clip: string | undefined, options: ShowOptions): Promise<void> {
  const format = checkOptions(options);
  const isFile = clip === undefined && (await kindOfPath(name)) === 'file';
  if (!isFile && looksLikeFile(name)) {
    const found = await kindOfPath(name);
    const isClipOfFile = found === 'file' && clip !== undefined;
    throw new ReproError(
      'recording-missing',
      isClipOfFile
        ? 'the file of a recording has no clips to choose from.'
        : `${found === 'folder' ? 'this is a folder' : 'no such file'}.`,
      {
        where: name,
        fix: isClipOfFile
          ? `Show all of it: repro data show ${name}`
          : 'Name the file of a recording, or a data set and a clip: repro data show NAME CLIP.',
      },
    );
  }
  const shown = isFile
    ? await drawRecording(name, options)
    : await withData(() => drawFromDataset(name, clip, options));
  const { frames } = shown;
  const caption = shown.simulated ? { caption: SIMULATED } : {};
  const picture =
    format === 'gif'
      ? animation(frames, { delayMs: options.delay, ...caption })
      : contactSheet(frames, caption).png;
  const out = options.out ?? `${shown.name.replace(/[^A-Za-z0-9._-]+/g, '-')}.${format}`;
  await writePicture(out, picture, options.force === true);
  if (options.json === true) {
    printJson({ version: 1, command: 'data show', ...shown.values, picture: path.resolve(out) });
    return;
  }
  printLines([...shown.facts, ['picture', `${out} (${formatBytes(picture.length)})`]]);
}

/** Otherwise these would only be noticed after everything has been read. @returns what to write */
function checkOptions({ steps, delay, format: given, out }: ShowOptions): PictureFormat {
  const ending = out === undefined ? undefined : /\.(png|gif)$/i.exec(out)?.[1]?.toLowerCase();
  const format = given ?? (ending === 'gif' ? 'gif' : 'png');
  if (out !== undefined && ending !== format) {
    throw new ReproError('usage', `a ${format} picture needs a name that ends in .${format}.`, {
      where: `--out ${out}`,
      fix: 'Change the name, or the --format.',
    });
  }
  if (steps > 1000) throw new ReproError('usage', `--steps ${steps}: at most 1000.`);
  if (format === 'gif' && (delay < 20 || delay > 60_000)) {
    throw new ReproError('usage', `--delay ${delay}: expected 20 to 60000 ms.`);
  }
  return format;
}

/** Replaces pictures only: `--out` may name a recording by mistake. */
async function writePicture(file: string, picture: Uint8Array, force: boolean): Promise<void> {
  if (force && (await kindOfPath(file)) === 'file' && !(await isPicture(file))) {
    throw new ReproError('output-exists', 'this file is no picture, so it is not replaced.', {
      where: file,
      fix: 'Choose another name with --out.',
    });
  }
  await writeWholeFile(file, picture, force).catch((cause: unknown) => {
    if (!hasErrorCode(cause, 'ENOENT', 'EACCES', 'EPERM')) throw cause;
    const fix = 'Choose another place with --out.';
    throw new ReproError('output-nowhere', 'no file can be written here.', { where: file, fix, cause });
  });
}

/** By its first bytes. */
async function isPicture(file: string): Promise<boolean> {
  const start = (await readFile(file)).subarray(0, 4).toString('latin1');
  return start.endsWith('PNG') || start.startsWith('GIF8');
}

/** No data set has a dot or a separator in its name. */
function looksLikeFile(name: string): boolean {
  return /[./\\]/.test(name);
}
