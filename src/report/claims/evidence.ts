import type { Fields } from '../../formats/fields.ts';

const KINDS = ['pdf', 'readme'] as const;

/** A document that something was published in, as the very file that was read. */
export interface Source {
  readonly id: string;
  /** A few words, for use beside a statement. */
  readonly title: string;
  /** Which file it is, and where it can be had. */
  readonly file: string;
  readonly kind: (typeof KINDS)[number];
  readonly sha256: string;
}

/** Where in a source something is stated. */
export interface Evidence {
  readonly source: Source;
  /** A number, or the heading of a section without one. */
  readonly section: string;
  /** Of the PDF, from 1; null in a source without pages. */
  readonly page: number | null;
  /** A table or a figure; null for the text itself. */
  readonly at: string | null;
  /** What to know before relying on the statement, or on a verdict about it: whole sentences. */
  readonly note: string | null;
}

/** @throws {ReproError} naming the file and the field */
export function readSources(fields: Fields): ReadonlyMap<string, Source> {
  return new Map(
    fields.objects('sources').map((source): [string, Source] => {
      const id = source.text('id');
      const sha256 = source.text('sha256');
      if (!/^[0-9a-f]{64}$/.test(sha256)) source.fail('sha256', 'is not 64 hexadecimal digits');
      const { title, file, kind } = {
        title: source.text('title'),
        file: source.text('file'),
        kind: source.choice('kind', KINDS),
      };
      return [id, { id, title, file, kind, sha256 }];
    }),
  );
}

/** @throws {ReproError} if it names no source, or a PDF without the page */
export function readEvidence(fields: Fields, sources: ReadonlyMap<string, Source>): Evidence {
  const id = fields.text('source');
  const source = sources.get(id);
  if (source === undefined) {
    return fields.fail('source', `is "${id}", which is not one of ${[...sources.keys()].join(', ')}`);
  }
  if (source.kind === 'pdf' && !fields.has('page')) fields.fail('page', 'is missing: a PDF has pages');
  return {
    source,
    section: fields.text('section'),
    page: fields.has('page') ? fields.count('page') : null,
    at: fields.has('at') ? fields.text('at') : null,
    note: fields.has('note') ? fields.text('note') : null,
  };
}

/** `Thesis, section 4.3, page 7, table 1`. */
export function nameEvidence({ source, section, page, at }: Evidence): string {
  return [
    source.title,
    `section ${/^\d/.test(section) ? section : `“${section}”`}`,
    ...(page === null ? [] : [`page ${page}`]),
    ...(at === null ? [] : [at]),
  ].join(', ');
}
