import { countOnLogAxis, formatValue, logScale, logTicks } from '../scales.ts';
import { describeTau, formatTau, isOneTau } from '../words.ts';
import { element } from './dom.ts';

interface TauView {
  /** Of each neuron, with all edits. */
  readonly taus: Float32Array;
  readonly selected: number | null;
  /** Of the axis: the same before and after an edit, so that the bars are seen to move. */
  readonly domain: readonly [number, number];
}

/** In CSS px. */
const HEIGHT = 64;
const ABOVE = 20;
const AXIS = 32;
const SIDE = 8;
const BAR = 8;

/** Draws the distribution of τ over a layer's neurons on a logarithmic axis, as wide as the root, and describes it in words. */
export function drawTau(root: HTMLElement, { taus, selected, domain }: TauView): void {
  const width = Math.max(root.clientWidth, 160);
  const xOf = logScale(domain, [SIDE, width - SIDE]);
  const bottom = ABOVE + HEIGHT;
  const bins = Math.floor((width - 2 * SIDE) / BAR);
  const binWidth = (width - 2 * SIDE) / bins;
  const counts = countOnLogAxis(taus, domain, bins);
  const most = Math.max(...counts);
  // A bin with few neurons is still seen.
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max((count / most) * HEIGHT, 1.5));
  const bars = counts.flatMap((count, i) =>
    count === 0
      ? []
      : `M${SIDE + i * binWidth + 0.5} ${bottom}v${-heightOf(count)}h${binWidth - 1}V${bottom}z`,
  );
  const x = selected === null ? 0 : Math.min(Math.max(xOf(taus[selected]!), SIDE), width - SIDE);
  const marker =
    selected === null || isOneTau(taus)
      ? ''
      : `<path d="M${x} ${ABOVE}V${bottom}" stroke="var(--ink)" stroke-width="1.5" /><path d="M${x} ${ABOVE + 1}l-5 -8h10z" fill="var(--ink)" />${beside(formatTau(taus[selected]!), x, width)}`;
  const ticks = logTicks(domain).map(
    (tick) =>
      `<path d="M${xOf(tick)} ${bottom}v4" stroke="currentColor" stroke-opacity=".5" /><text x="${xOf(tick)}" y="${bottom + 16}" text-anchor="middle">${formatValue(tick)}</text>`,
  );
  root.innerHTML = `<svg role="img" aria-label="Distribution of τ" width="${width}" height="${bottom + AXIS}" font-size="11" fill="currentColor"><path d="${bars.join('')}" fill="var(--cyan)" /><path d="M${SIDE} ${bottom}H${width - SIDE}" stroke="currentColor" stroke-opacity=".5" />${ticks.join('')}<text x="${width - SIDE}" y="${bottom + 30}" text-anchor="end">τ, steps</text>${marker}</svg>`;
  root.append(element('p', { class: 'account' }, describeTau(taus, selected)));
}

/** A label beside the marker, on the side that has room. */
function beside(text: string, x: number, width: number): string {
  const left = x > width / 2;
  return `<text x="${x + (left ? -9 : 9)}" y="${ABOVE - 4}" text-anchor="${left ? 'end' : 'start'}">${text}</text>`;
}
