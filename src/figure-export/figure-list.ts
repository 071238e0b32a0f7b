import { ReproError } from '../errors.ts';
import { parseFields } from '../formats/fields.ts';

/** A figure in `figures/index.json` of a report. */
export interface ListedFigure {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly alt: string;
  /** Names of files beside the list. */
  readonly svg: string;
  readonly csv: string;
}

/** @throws {ReproError} `figure-file`, naming the field */
export function readFigureList(file: string, text: string): ListedFigure[] {
  const fix = 'Make the report again with this version: ./repro run report --force';
  const fields = parseFields(text, { file, code: 'figure-file', fix });
  if (fields.number('version') !== 1) fields.fail('version', 'is not 1');
  return fields.objects('figures').map((figure) => {
    const name = (field: string, ending: string): string => {
      const value = figure.text(field);
      // A list from elsewhere must not lead to files in other folders.
      if (!/^[\w.-]+$/.test(value) || !value.endsWith(ending)) {
        figure.fail(field, `is not the name of a file that ends in ${ending}`);
      }
      return value;
    };
    return {
      id: figure.text('id'),
      title: figure.text('title'),
      caption: figure.text('caption'),
      alt: figure.text('alt'),
      svg: name('svg', '.svg'),
      csv: name('csv', '.csv'),
    };
  });
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
