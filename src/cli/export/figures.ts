import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { convertFigure, type FigureSize, type Format } from '../../figure-export/formats.ts';
import { type FileToWrite, writeFilesAtomic } from '../../files/atomic-file.ts';
import { formatBytes } from '../../text.ts';
import { refuseRunnerFolder } from '../checkpoints/runner-folder.ts';
import { printJson } from '../load.ts';
import { toOneLine } from '../view/safe-text.ts';
import { warnOfSizes } from './figure-sizes.ts';
import { type FigureSource, openFigures, type SourceOptions } from './figure-source.ts';

interface FiguresOptions extends SourceOptions {
  readonly format: readonly Format[];
  readonly out: string;
  /** mm */
  readonly width?: number;
  readonly dpi: number;
  readonly title?: boolean;
  readonly embedFonts?: boolean;
  readonly captions?: boolean;
  readonly csv?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface Exported {
  readonly files: readonly FileToWrite[];
  /** By the figure's id. */
  readonly sizes: ReadonlyMap<string, FigureSize>;
}

/** `repro export figures`: the figures of a report for papers. Nothing is written unless everything can be. */
export async function exportFigures(options: FiguresOptions): Promise<void> {
  refuseRunnerFolder(options.out, 'Choose another place with --out.');
  const source = await openFigures(options);
  const { files, sizes } = await convertAll(source, options);
  const written = await writeFiles(files, options.force === true);
  for (const warning of warnOfSizes(sizes)) process.stderr.write(`${warning}\n`);
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'export figures',
      source: source.name,
      figures: source.figures.map(({ id, title, caption }) => ({ id, title, caption, ...sizes.get(id) })),
      files: files.map(({ file, content }) => ({ file, sizeBytes: Buffer.byteLength(content) })),
      written: written.length,
    });
    return;
  }
  for (const { file, content } of files) {
    const same = written.includes(file) ? '' : ', as it was';
    process.stdout.write(`${toOneLine(file)}  ${formatBytes(Buffer.byteLength(content))}${same}\n`);
  }
  process.stdout.write(`from ${toOneLine(source.name)}\n`);
}

async function convertAll(source: FigureSource, options: FiguresOptions): Promise<Exported> {
  const { out, width, dpi, title = false, embedFonts = false } = options;
  const files: FileToWrite[] = [];
  const sizes = new Map<string, FigureSize>();
  for (const listed of source.figures) {
    const { id, caption, alt, svg } = listed;
    const stored = {
      id,
      title: listed.title,
      caption,
      alt,
      file: source.placeOf(svg),
      svg: (await source.read(svg)).toString('utf8'),
    };
    const name = svg.slice(0, -'.svg'.length);
    for (const format of new Set(options.format)) {
      const { content, size } = await convertFigure(stored, format, {
        title,
        dpi,
        embedFonts,
        date: source.date,
        ...(width === undefined ? {} : { widthMm: width }),
      });
      sizes.set(id, size);
      files.push({ file: path.join(out, `${name}.${format}`), content });
    }
    if (options.csv === true)
      files.push({ file: path.join(out, listed.csv), content: await source.read(listed.csv) });
  }
  if (options.captions === true) {
    const texts = source.figures.map(({ id, title: head, caption }) => `${id}\n${head}. ${caption}\n`);
    files.push({ file: path.join(out, 'captions.txt'), content: texts.join('\n') });
  }
  return { files, sizes };
}

/**
 * Writes each file whole or not at all; those that hold the same already are left as they are.
 *
 * @returns which were written
 * @throws {ReproError} `output-exists` for a file with another content, before anything is written
 */
async function writeFiles(files: readonly FileToWrite[], force: boolean): Promise<string[]> {
  const changed: FileToWrite[] = [];
  for (const one of files) {
    const present = await readFile(one.file).catch((cause: unknown) => {
      if (hasErrorCode(cause, 'ENOENT')) return null;
      const problem = hasErrorCode(cause, 'ENOTDIR')
        ? 'a file is where a folder is needed'
        : hasErrorCode(cause, 'EISDIR')
          ? 'a folder has this name'
          : String(cause);
      throw new ReproError('output-exists', `${problem}; nothing was written`, {
        where: one.file,
        fix: 'Choose another folder with --out.',
        cause,
      });
    });
    if (present?.equals(Buffer.from(one.content)) === true) continue;
    if (present !== null && !force) {
      throw new ReproError(
        'output-exists',
        'this file already exists, with another content; nothing was written',
        {
          where: one.file,
          fix: 'Choose another folder with --out, or replace it with --force.',
        },
      );
    }
    changed.push(one);
  }
  await writeFilesAtomic(changed);
  return changed.map(({ file }) => file);
}
