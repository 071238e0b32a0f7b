import type { NeuronTrace } from '../../snn/forward.ts';
import { formatCount } from '../../text.ts';
import { countSpikes } from '../outcome.ts';
import { formatValue, linearScale, linearTicks, type Scale } from '../scales.ts';
import { describeNeuron, type NeuronView } from '../words.ts';
import { element } from './dom.ts';

interface NeuronDrawing extends NeuronView {
  /** CSS colours of the model and of the one beside it. */
  readonly colors: readonly [string, string];
}

/** In CSS px; a row of spikes for each model. */
const SPIKES = 12;
const POTENTIAL = 130;
const CURRENT = 46;
/** Above each part, for its title. */
const TITLE = 20;
const LEFT = 38;
const RIGHT = 8;
const AXIS = 34;
/** Room for a label of the axis of steps. */
const STEP_LABEL = 34;

const GRID = 'stroke="currentColor" stroke-opacity=".13"';

/**
 * Draws a neuron over time, as wide as the figure: spikes above, the membrane potential in the middle (up to h, and back after a reset), and
 * the input current below. The step is marked, and described in words.
 */
export function drawNeuron(figure: HTMLElement, view: NeuronDrawing): void {
  const { trace, beside, threshold, rest, step, colors } = view;
  const width = Math.max(figure.clientWidth, 240);
  const traces = beside === undefined ? [trace] : [beside, trace];
  const colorOf = (one: NeuronTrace) => (one === trace ? colors[0] : colors[1]);
  const steps = trace.spikes.length;
  const xOf = linearScale([0, steps + 0.5], [LEFT, width - RIGHT]);

  const spikesTop = TITLE;
  const potentialTop = spikesTop + SPIKES * traces.length + TITLE + 4;
  const currentTop = potentialTop + POTENTIAL + TITLE + 4;
  const bottom = currentTop + CURRENT;
  const potentials = traces.flatMap(({ charged, potential }) => [...charged, ...potential]);
  const potentialDomain = widen([...potentials, threshold, rest]);
  const potentialOf = linearScale(potentialDomain, [potentialTop + POTENTIAL, potentialTop]);
  const currentDomain = widen([...traces.flatMap(({ current }) => [...current]), 0]);
  const currentOf = linearScale(currentDomain, [bottom, currentTop]);

  const stepWidth = xOf(1) - xOf(0);
  const counts =
    beside === undefined
      ? `${countSpikes(trace)}`
      : `${countSpikes(trace)}, model beside ${countSpikes(beside)}`;
  const parts = [
    `<rect x="${xOf(step + 0.5)}" y="${spikesTop - 2}" width="${stepWidth}" height="${bottom - spikesTop + 2}" fill="currentColor" fill-opacity=".08" />`,
    title(`spikes: ${counts}`, spikesTop),
    title('membrane potential', potentialTop),
    title('input current', currentTop),
    gridLines(potentialDomain, potentialOf, 5, width),
    gridLines(currentDomain, currentOf, 2, width),
    ...traces.map((one, i) => {
      const top = spikesTop + SPIKES * (traces.length - 1 - i);
      return drawSpikes(one, xOf, top, colorOf(one), one === trace);
    }),
    ...traces.map((one) => drawCurrent(one, xOf, currentOf, colorOf(one), one === trace)),
    `<line x1="${LEFT}" x2="${width - RIGHT}" y1="${potentialOf(threshold)}" y2="${potentialOf(threshold)}" stroke="currentColor" stroke-dasharray="5 4" />`,
    thresholdKey(threshold, width - RIGHT, potentialTop - 7),
    ...traces.map((one) => drawPotential(one, rest, xOf, potentialOf, colorOf(one), one === trace)),
    `<circle cx="${xOf(step + 1)}" cy="${potentialOf(trace.charged[step] ?? rest)}" r="4" fill="${colors[0]}" stroke="var(--surface)" stroke-width="1.5" />`,
    ...linearTicks([1, steps], Math.max(1, Math.floor((width - LEFT) / STEP_LABEL)))
      .filter(Number.isInteger)
      .map((tick) => `<text x="${xOf(tick)}" y="${bottom + 15}" text-anchor="middle">${tick}</text>`),
    `<text x="${width - RIGHT}" y="${bottom + 30}" text-anchor="end">time, steps</text>`,
  ];
  const label = `Potential, spikes and input current of the neuron over ${formatCount(steps, 'step')}`;
  const drawing = `<svg role="img" aria-label="${label}" width="${width}" height="${bottom + AXIS}" font-size="11" fill="currentColor">${parts.join('')}</svg>`;
  figure.innerHTML = drawing;
  figure.append(element('p', { class: 'account' }, describeNeuron(view)));
}

function widen(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = Math.max((high - low) * 0.06, 0.05);
  return [low - air, high + air];
}

function title(text: string, top: number): string {
  return `<text x="0" y="${top - 7}" fill-opacity=".8">${text}</text>`;
}

/** What the dashed line is, at the right of the title: beside the line, it would cover the potential. */
function thresholdKey(threshold: number, right: number, y: number): string {
  const text = `threshold ${formatValue(threshold)}`;
  const dashes = `<path d="M${right - 26} ${y - 4}h26" stroke="currentColor" stroke-dasharray="5 4" />`;
  return `<text x="${right - 32}" y="${y}" text-anchor="end" fill-opacity=".8">${text}</text>${dashes}`;
}

function gridLines(domain: readonly [number, number], scale: Scale, most: number, width: number): string {
  return linearTicks(domain, most)
    .map((tick) => {
      const y = scale(tick);
      return `<line x1="${LEFT}" x2="${width - RIGHT}" y1="${y}" y2="${y}" ${GRID} /><text x="${LEFT - 6}" y="${y + 4}" text-anchor="end" fill-opacity=".8">${formatValue(tick)}</text>`;
    })
    .join('');
}

function drawSpikes({ spikes }: NeuronTrace, xOf: Scale, top: number, color: string, main: boolean): string {
  const ticks = [...spikes].flatMap((spike, t) => (spike === 1 ? `M${xOf(t + 1)} ${top}v${SPIKES - 3}` : []));
  return `<path d="${ticks.join('')}" stroke="${color}" stroke-width="${main ? 3 : 1.5}" />`;
}

/** Up or down to h at each step; after a spike, a dotted line to the potential after the reset. */
function drawPotential(
  { charged, potential, spikes }: NeuronTrace,
  rest: number,
  xOf: Scale,
  yOf: Scale,
  color: string,
  main: boolean,
): string {
  const rises = [...charged].map((h, t) => {
    const start =
      t === 0 || spikes[t - 1] === 1 ? `M${xOf(t)} ${yOf(t === 0 ? rest : potential[t - 1]!)}` : '';
    return `${start}L${xOf(t + 1)} ${yOf(h)}`;
  });
  const resets = [...charged].flatMap((h, t) =>
    spikes[t] === 1 ? `M${xOf(t + 1)} ${yOf(h)}V${yOf(potential[t]!)}` : [],
  );
  const stroke = `fill="none" stroke="${color}" stroke-linejoin="round"`;
  return `<path d="${rises.join('')}" ${stroke} stroke-width="${main ? 2 : 1.25}" /><path d="${resets.join('')}" ${stroke} stroke-width="${main ? 1.5 : 1}" stroke-dasharray="2 2" />`;
}

/** Bars from zero; of the model beside, only their ends. */
function drawCurrent({ current }: NeuronTrace, xOf: Scale, yOf: Scale, color: string, main: boolean): string {
  const width = xOf(1) - xOf(0);
  if (main) {
    const bars = [...current].map((x, t) => `M${xOf(t + 1)} ${yOf(0)}V${yOf(x)}`);
    return `<path d="${bars.join('')}" stroke="var(--grey)" stroke-width="${width * 0.55}" />`;
  }
  const ends = [...current].map((x, t) => `M${xOf(t + 1) - 0.4 * width} ${yOf(x)}h${0.8 * width}`);
  return `<path d="${ends.join('')}" stroke="${color}" />`;
}
