import { escapeMarkup } from '../../text.ts';
import type { Panel } from './figure.ts';
import { colorVariable } from './palette.ts';

/** A box with a line or two of text. All lengths are px, from the left and from the top. */
interface DrawnBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly label: string;
  /** Below the label; empty for none. */
  readonly detail: string;
  /** How dark it is, from 0 to 1. */
  readonly shade: number;
  readonly stroke: 'ink' | 'grey';
}

export interface DrawingPoint {
  readonly x: number;
  readonly y: number;
}

interface BoxDrawing {
  readonly title?: string;
  readonly width: number;
  readonly height: number;
  readonly boxHeight: number;
  readonly boxes: readonly DrawnBox[];
  /** Each from its start to its head. */
  readonly arrows: readonly (readonly DrawingPoint[])[];
  /** Texts beside the arrows. */
  readonly notes?: readonly (DrawingPoint & { readonly text: string })[];
}

export function drawBoxes(drawing: BoxDrawing): Panel {
  const { title = '', width, height, boxHeight, boxes, arrows, notes = [] } = drawing;
  const grey = colorVariable('grey');
  const spec = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    write(title, { x: 4, y: 15 }, 'font-size="13px" font-weight="600"'),
    ...arrows.flatMap((way) => [
      `<path d="${traceWay(way)}" fill="none" stroke="${grey}" stroke-width="1.3"/>`,
      `<path d="${traceHead(way)}" fill="${grey}"/>`,
    ]),
    ...boxes.flatMap(({ left, top, width: across, label, detail, shade, stroke }) => {
      const [x, middle] = [left + across / 2, top + boxHeight / 2];
      const color = colorVariable(stroke);
      const centred = 'text-anchor="middle" font-size=';
      return [
        `<rect x="${left}" y="${top}" width="${across}" height="${boxHeight}" rx="5" fill="currentColor" fill-opacity="${shade}" stroke="${color}"/>`,
        write(label, { x, y: middle - (detail === '' ? 0 : 7) }, `${centred}"12px" font-weight="bold"`),
        write(detail, { x, y: middle + 8 }, `${centred}"11px" opacity="0.8"`),
      ];
    }),
    ...notes.map(({ text, x, y }) => write(text, { x: x + 8, y }, 'font-size="11px"')),
    '</svg>',
  ];
  return { title, width, height, spec: spec.join('') };
}

/** @param at where the middle of the line is; of ordinary letters at these sizes, it is about 4 px above their feet */
function write(text: string, { x, y }: DrawingPoint, attributes: string): string {
  if (text === '') return '';
  return `<text x="${x}" y="${y + 4}" ${attributes} fill="currentColor">${escapeMarkup(text)}</text>`;
}

/** From point to point, vertical at each: a straight line between two side by side or one below the other. */
function traceWay([start, ...others]: readonly DrawingPoint[]): string {
  let { x, y } = start ?? { x: 0, y: 0 };
  const parts = [`M${x},${y}`];
  for (const next of others) {
    const middle = (y + next.y) / 2;
    parts.push(`C${x},${middle} ${next.x},${middle} ${next.x},${next.y}`);
    ({ x, y } = next);
  }
  return parts.join('');
}

/** A triangle that points to the right at the end of a horizontal way, else down. */
function traceHead(way: readonly DrawingPoint[]): string {
  const { x, y } = way.at(-1) ?? { x: 0, y: 0 };
  return way.at(-2)?.y === y ? `M${x},${y}l-6,-3.5v7Z` : `M${x},${y}l-3.5,-6h7Z`;
}
