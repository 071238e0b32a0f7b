import { formatValue, linearScale, linearTicks } from '../scales.ts';

interface Line {
  /** At the end of the line. */
  readonly name: string;
  readonly points: readonly (readonly [step: number, value: number])[];
}

const [WIDTH, HEIGHT] = [300, 130];
const PLOT = { left: 40, right: 274, top: 8, bottom: 108 };
/** Between the names of lines that end close to each other, in px. */
const LINE_HEIGHT = 12;

/**
 * Values over the steps of a training, as HTML; the text account is the first and the last value of each line.
 *
 * @param steps the last one of the horizontal axis
 * @param around what the vertical axis holds besides the values
 * @param isCount values are whole numbers, some steps apart
 */
export function drawLineChart(
  title: string,
  steps: number,
  around: readonly number[],
  lines: readonly Line[],
  isCount = false,
): string {
  const drawn = lines.filter(({ points }) => points.length > 0);
  const values = [...around, ...drawn.flatMap(({ points }) => points.map(([, value]) => value))];
  const domain = [Math.min(...values), Math.max(...values)] as const;
  const x = linearScale([0, steps], [PLOT.left, PLOT.right]);
  const y = linearScale(domain, [PLOT.bottom, PLOT.top]);
  const text = (left: number, top: number, anchor: string, content: string) =>
    `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" text-anchor="${anchor}">${content}</text>`;
  const rows = linearTicks(domain, 5)
    .filter((tick) => !isCount || Number.isInteger(tick))
    .map(
      (tick) =>
        `<path class="grid" d="M${PLOT.left} ${y(tick).toFixed(1)}H${PLOT.right}"/>` +
        text(PLOT.left - 6, y(tick) + 4, 'end', formatValue(tick)),
    );
  const columns = linearTicks([0, steps], 4).map((tick) =>
    text(x(tick), PLOT.bottom + 18, 'middle', tick === 0 ? 'step 0' : formatValue(tick)),
  );
  const paths = drawn.map(({ points }) => {
    const places = points.map(([step, value]) => [x(step).toFixed(1), y(value).toFixed(1)] as const);
    const dots = isCount ? places.map(([left, top]) => `<circle cx="${left}" cy="${top}" r="3"/>`) : [];
    return `<polyline points="${places.join(' ')}"/>${dots.join('')}`;
  });
  const ends = drawn
    .map(({ name, points }) => ({ name, step: points.at(-1)![0], top: y(points.at(-1)![1]) + 4 }))
    .sort((a, b) => a.top - b.top);
  const tops = spreadOut(ends.map(({ top }) => top));
  const names = ends.map(({ name, step }, i) => text(x(step) + 10, tops[i]!, 'start', name));
  const account = drawn.map(({ name, points }) => {
    const [from, to] = [points[0]!, points.at(-1)!].map(([, value]) => formatValue(value));
    return `${name === '' ? '' : `${name}: `}${from} to ${to}`;
  });
  return (
    `<div><h3>${title}</h3>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}, over ${steps} steps: ${account.join('; ')}">` +
    `${[...rows, ...columns, ...paths, ...names].join('')}</svg></div>`
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
