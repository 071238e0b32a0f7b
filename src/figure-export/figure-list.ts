import { ReproError } from '../errors.ts';
import { parseResult } from '../results/result-file.ts';
import { list, type Read, readShape, text, type Value } from '../results/shape.ts';

/** The name of a file beside the list, which may be from elsewhere: it must not lead to files in other folders. */
const fileName: Read<string> = (fields, kind) => {
  const name = fields.text(kind);
  if (!/^[\w.-]+$/.test(name) || !name.endsWith(`.${kind}`))
    fields.fail(kind, `is not the name of a file that ends in .${kind}`);
  return name;
};

const shape = { id: text, title: text, caption: text, alt: text, svg: fileName, csv: fileName };

/** A figure in `figures/index.json` of a report. */
export type ListedFigure = Value<typeof shape>;

/** @throws {ReproError} `figure-file`, naming the field */
export function readFigureList(file: string, content: string): readonly ListedFigure[] {
  const fix = 'Make the report again with this version: ./repro run report --force';
  const fields = parseResult({ file, text: content, fix }, 1, 'figure-file');
  return readShape(fields, { figures: list(shape) }).figures;
}

/** Marks figures of simulated data; it may be left out on the command line. */
const MARK = 'simulated-';

/**
 * The figures with these ids, with or without `simulated-`, in the order of the report; without ids, all figures.
 *
 * @throws {ReproError} `usage`, with the ids there are
 */
export function chooseFigures(list: readonly ListedFigure[], ids: readonly string[]): ListedFigure[] {
  if (ids.length === 0) return [...list];
  const isMeant = (figure: ListedFigure, id: string) => figure.id === id || figure.id === `${MARK}${id}`;
  for (const id of ids) {
    if (list.some((figure) => isMeant(figure, id))) continue;
    throw new ReproError('usage', `the report has no figure "${id}"`, {
      where: `--figure ${id}`,
      fix: `There are ${list.map((figure) => figure.id).join(', ')}.`,
    });
  }
  return list.filter((figure) => ids.some((id) => isMeant(figure, id)));
}
