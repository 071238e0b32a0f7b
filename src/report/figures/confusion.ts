import { sentences } from '../../verdicts/words.ts';
import { nameEpoch } from '../data/epochs.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure, Panel, PanelSpec } from '../drawing/figure.ts';
import { bands, breakTitle, colorVariable, nominal, OWN_COLOR } from '../drawing/theme.ts';
import { tabulateRuns } from './run-table.ts';

const CELL = 24;
/** Room for the longest class name at 11 px. */
const NAMED_LEFT = 172;
const SHORT_LEFT = 52;
const TOP = 64;

/** Confusion matrix of each model on the test clips: counts, coloured by the share of the true class. */
export function drawConfusion(results: Results): Figure {
  const labels = labelClasses(results.classes);
  return {
    id: 'confusion',
    title: 'Confusion matrices',
    caption: sentences(
      `Test clips by true class (rows) and predicted class (columns), at the ${nameEpoch(results.models)}.`,
      'Numbers are clips, colours their share of the row; the diagonal is correct.',
      results.seeds.length > 1 && `Clips are summed over ${results.seeds.length} seeds.`,
    ),
    alt: `Confusion matrices on the test clips, one per model. ${results.models.map((model) => describeMistake(model, results.classes)).join(' ')}`,
    legend: [],
    columns: 2,
    panels: results.models.map((model) => drawPanel(model, labels)),
    data: tabulateRuns(results, ['true_class', 'predicted_class', 'clips'], ({ confusion }) =>
      confusion.flatMap((counts, truth) =>
        counts.map((count, answer) => [results.classes[truth] ?? '', results.classes[answer] ?? '', count]),
      ),
    ),
  };
}

/** Clips summed over all seeds: [true class][predicted class]. */
function sumConfusion(model: ModelResult): number[][] {
  const size = model.runs[0]?.confusion.length ?? 0;
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) =>
      model.runs.reduce((sum, run) => sum + (run.confusion[row]?.[column] ?? 0), 0),
    ),
  );
}

interface Labels {
  /** Row labels; if names are long, with the number of their column. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly left: number;
}

function labelClasses(classes: readonly string[]): Labels {
  if (classes.every((name) => name.length <= 2)) return { rows: classes, columns: classes, left: SHORT_LEFT };
  return {
    rows: classes.map((name, index) => `${name} ${index + 1}`),
    columns: classes.map((_, index) => String(index + 1)),
    left: NAMED_LEFT,
  };
}

/** Opacity of the text colour below every cell; it outlines empty cells. */
const CELL_OUTLINE = 0.05;

/**
 * The name in the palette of the text colour of a cell. Texts in cells are black or white, never the softer colour of other texts: at these two
 * shares, cells on light pages have become too dark for black, and cells on dark pages too light for white. There, both have a contrast of
 * 4.58, just enough for small text at level AA.
 *
 * @see WCAG 2.2, success criterion 1.4.3
 */
function cellTextColor(share: number): 'on-pale' | 'on-middle' | 'on-heat' {
  if (share < 0.534) return 'on-pale';
  return share < 0.739 ? 'on-middle' : 'on-heat';
}

function drawPanel(model: ModelResult, labels: Labels): Panel {
  const confusion = sumConfusion(model);
  const cells = confusion.flatMap((row, truth) => {
    const clips = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, answer) => {
      const share = clips === 0 ? 0 : count / clips;
      return {
        row: labels.rows[truth] ?? '',
        column: labels.columns[answer] ?? '',
        count: count === 0 ? '' : String(count),
        share,
        color: colorVariable(cellTextColor(share)),
      };
    });
  });
  const side = confusion.length * CELL;
  const width = labels.left + side + 8;
  const title = breakTitle(model.title, width);
  const padding = { left: labels.left, right: 8, top: TOP + title.extraHeight, bottom: 8 };
  const axis = { labelFontSize: 11, labelPadding: 5, titleFontSize: 11 };
  const x = bands('column', labels.columns, [0.06, 0], {
    ...axis,
    title: 'predicted class',
    orient: 'top' as const,
    labelAngle: 0,
    maxExtent: 18,
  });
  const y = bands('row', labels.rows, [0.06, 0], axis);
  const spec: PanelSpec = {
    width: side,
    height: side,
    padding,
    autosize: 'none',
    title: { text: title.lines, dx: -labels.left + 4 },
    data: { values: cells },
    layer: [
      { mark: { type: 'rect', color: 'currentColor', opacity: CELL_OUTLINE }, encoding: { x, y } },
      {
        mark: { type: 'rect', color: colorVariable('heat') },
        encoding: {
          x,
          y,
          fillOpacity: {
            field: 'share',
            type: 'quantitative',
            scale: { domain: [0, 1], range: [0, 1] },
            legend: null,
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 11 },
        encoding: { x, y, text: nominal('count'), color: OWN_COLOR },
      },
    ],
  };
  return { title: model.title, spec, width, height: padding.top + side + padding.bottom };
}

function describeMistake(model: ModelResult, classes: readonly string[]): string {
  let worst = { count: 0, row: 0, column: 0 };
  let right = 0;
  let clips = 0;
  sumConfusion(model).forEach((counts, row) => {
    counts.forEach((count, column) => {
      clips += count;
      if (row === column) right += count;
      else if (count > worst.count) worst = { count, row, column };
    });
  });
  const most =
    worst.count === 0
      ? 'no mistakes'
      : `most frequent mistake: ${classes[worst.row]} classified as ${classes[worst.column]}, ${worst.count === 1 ? 'once' : `${worst.count} times`}`;
  return `${model.title}: ${right} of ${clips} clips correct, ${most}.`;
}
