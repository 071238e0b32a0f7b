import type { Figure } from '../drawing/figure.ts';

/** A run of text. Renderers escape plain strings. */
export type Inline =
  | string
  | { readonly strong: string }
  | { readonly code: string }
  | { readonly link: string; readonly text: string };

export type Text = readonly Inline[];

/** A text without its marks. */
export function toPlainText(text: Text): string {
  const plain = (one: Inline): string =>
    typeof one === 'string' ? one : 'strong' in one ? one.strong : 'code' in one ? one.code : one.text;
  return text.map(plain).join('');
}

export interface Column {
  readonly label: string;
  /** A heading shared with neighbouring columns of the same group. */
  readonly group?: string;
  readonly numeric?: boolean;
}

export interface Cell {
  readonly text: string;
  /** Small print below the value, one line each, such as an interval or an epoch. */
  readonly details?: readonly string[];
  /** `differs`: not the value of the thesis; `missing`: there is no value. */
  readonly tone?: 'differs' | 'missing';
}

/** Where a table has no value. */
const MISSING: Cell = { text: '–', tone: 'missing' };

export interface Table {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell is the row's heading. Each row has one cell per column. */
  readonly rows: readonly (readonly Cell[])[];
  readonly notes: readonly Text[];
}

/** A column with what its cells hold: a text or a cell; null where there is no value. */
type ColumnOf<Row> = Column & { readonly cell: (row: Row, index: number) => Cell | string | null };

type TableColumn = <Row>(label: string, cell: ColumnOf<Row>['cell'], group?: string) => ColumnOf<Row>;

export const textColumn: TableColumn = (label, cell, group) => ({
  label,
  cell,
  ...(group === undefined ? {} : { group }),
});

export const numberColumn: TableColumn = (label, cell, group) => ({
  ...textColumn(label, cell, group),
  numeric: true,
});

/** A table with one row for each item. The first column has the rows' headings; columns that are false are left out. */
export function makeTable<Row>(
  { id, caption, notes = [] }: Pick<Table, 'id' | 'caption'> & Partial<Pick<Table, 'notes'>>,
  items: readonly Row[],
  columns: readonly (ColumnOf<Row> | false | readonly (ColumnOf<Row> | false)[])[],
): Table {
  const shown = columns.flat().filter((column) => column !== false);
  return {
    id,
    caption,
    columns: shown.map(({ cell: _, ...column }) => column),
    rows: items.map((item, index) =>
      shown.map(({ cell }) => {
        const found = cell(item, index) ?? MISSING;
        return typeof found === 'string' ? { text: found } : found;
      }),
    ),
    notes,
  };
}

/** A bitmap on a page, and a file of its own. */
export interface GalleryPicture {
  /** File name without extension. */
  readonly id: string;
  readonly title: string;
  /** What is known about it, one line each. */
  readonly details: readonly string[];
  /** The picture in words, for readers who cannot see it. */
  readonly alt: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

export interface Gallery {
  /** The folder of the files. */
  readonly id: string;
  readonly legend: readonly { readonly label: string; readonly color: string }[];
  readonly pictures: readonly GalleryPicture[];
}

export type Block =
  | { readonly kind: 'paragraph'; readonly text: Text; readonly lead?: boolean }
  | { readonly kind: 'list'; readonly items: readonly Text[] }
  | { readonly kind: 'commands'; readonly lines: readonly Command[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'figure'; readonly figure: Figure }
  | { readonly kind: 'gallery'; readonly gallery: Gallery };

export interface Command {
  readonly command: string;
  readonly does: string;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  /** Whether a reader has to open it: what is looked up rather than read. */
  readonly folded?: boolean;
  readonly blocks: readonly Block[];
}

export interface Banner {
  readonly title: string;
  readonly text: string;
}

/** The entire content of the report, without markup: the page and the Markdown are two renderings of it. */
export interface Report {
  readonly title: string;
  readonly subtitle: Text;
  /** What leads to the explorable page, if there is one. */
  readonly explore?: Text;
  readonly banners: readonly Banner[];
  /** The profile's question and its answer; empty if it asks nothing. */
  readonly answer: readonly Block[];
  /** The run at a glance. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly sections: readonly Section[];
  readonly footer: Text;
}

export function blocksOf<Kind extends Block['kind']>(report: Report, kind: Kind) {
  return report.sections.flatMap(({ blocks }) =>
    blocks.filter((block): block is Extract<Block, { readonly kind: Kind }> => block.kind === kind),
  );
}
