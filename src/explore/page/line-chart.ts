import { formatValue, linearScale, linearTicks } from '../scales.ts';

export interface LineChart {
  readonly title: string;
  /** The last step of the horizontal axis. */
  readonly steps: number;
  /** What the vertical axis holds besides the values. */
  readonly around: readonly number[];
  /** Values are whole numbers, some steps apart. */
  readonly isCount?: boolean;
  readonly lines: readonly Line[];
}

interface Line {
  /** At the end of the line. */
  readonly name: string;
  readonly points: readonly (readonly [step: number, value: number])[];
}

const [WIDTH, HEIGHT] = [300, 130];
const PLOT = { left: 40, right: 274, top: 8, bottom: 108 };
/** Between the names of lines that end close to each other, in px. */
const LINE_HEIGHT = 12;

/** Values over the steps of a training, as HTML; the text account is the first and the last value of each line. */
export function drawLineChart({ title, steps, around, isCount = false, lines }: LineChart): string {
  const values = [...around, ...lines.flatMap(({ points }) => points.map(([, value]) => value))];
  const domain = [Math.min(...values), Math.max(...values)] as const;
  const x = linearScale([0, steps], [PLOT.left, PLOT.right]);
  const y = linearScale(domain, [PLOT.bottom, PLOT.top]);
  const place = ([step, value]: readonly [number, number]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`;
  const text = (at: readonly [number, number], anchor: string, content: string) =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" text-anchor="${anchor}">${content}</text>`;
  const rows = linearTicks(domain, 5)
    .filter((tick) => !isCount || Number.isInteger(tick))
    .map(
      (tick) =>
        `<path class="grid" d="M${PLOT.left} ${y(tick).toFixed(1)}H${PLOT.right}"/>` +
        text([PLOT.left - 6, y(tick) + 4], 'end', formatValue(tick)),
    );
  const columns = linearTicks([0, steps], 4).map((tick) =>
    text([x(tick), PLOT.bottom + 18], 'middle', tick === 0 ? 'step 0' : formatValue(tick)),
  );
  const drawn = lines.map(
    ({ points }) =>
      `<polyline points="${points.map(place).join(' ')}"/>` +
      (isCount
        ? points
            .map((point) => `<circle cx="${x(point[0]).toFixed(1)}" cy="${y(point[1]).toFixed(1)}" r="3"/>`)
            .join('')
        : ''),
  );
  const ends = lines
    .flatMap(({ name, points }) => (points.length === 0 ? [] : [{ name, end: points.at(-1)! }]))
    .sort((a, b) => b.end[1] - a.end[1]);
  const heights = spreadOut(ends.map(({ end }) => y(end[1]) + 4));
  const names = ends.map(({ name, end }, i) => text([x(end[0]) + 10, heights[i]!], 'start', name));
  const account = lines
    .filter(({ points }) => points.length > 0)
    .map(({ name, points }) => {
      const [from, to] = [points[0]!, points.at(-1)!].map(([, value]) => formatValue(value));
      return `${name === '' ? '' : `${name}: `}${from} to ${to}`;
    });
  return (
    `<div><h3>${title}</h3>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}, over ${steps} steps: ${account.join('; ')}">` +
    `${[...rows, ...columns, ...drawn, ...names].join('')}</svg></div>`
  );
}

/** Moves names apart that would overlap, first down, then up from the bottom. @param places from top to bottom, in px */
function spreadOut(places: readonly number[]): number[] {
  let last = Number.NEGATIVE_INFINITY;
  const down = places.map((place) => (last = Math.max(place, last + LINE_HEIGHT)));
  let next = PLOT.bottom + 4 + LINE_HEIGHT;
  return down
    .reverse()
    .map((place) => (next = Math.min(place, next - LINE_HEIGHT)))
    .reverse();
}
