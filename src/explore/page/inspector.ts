import { type NeuronTrace, traceNeuron } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { formatCount } from '../../text.ts';
import { keepLast } from '../keep-last.ts';
import { countSpikes } from '../outcome.ts';
import { formatValue, linearScale, linearTicks, type Scale } from '../scales.ts';
import { describeNeuron, formatTau, type NeuronView, nameNeuron } from '../words.ts';
import { byId, setText } from './dom.ts';
import type { Run } from './runs.ts';
import type { Page, Part } from './view.ts';

/** The chosen neuron over time. */
export function makeInspector({ payload }: Page): Part {
  const figure = byId('div', 'neuron-figure');
  const [name, account] = [byId('p', 'neuron-name'), byId('p', 'neuron-account')];
  const [traceOwn, traceBeside] = [keepLast(traceIn), keepLast(traceIn)];
  return ({ state: { neuron, step }, result }) => {
    if (neuron === null || result === null) return;
    const { run, beside } = result;
    const trace = traceOwn(run, neuron.layer, neuron.index);
    if (trace === null) return;
    const layer = run.neurons[neuron.layer]!;
    const [learned, now] = [run.network.neurons[neuron.layer]!, layer].map(
      ({ leaks }) => 1 / leaks[neuron.index]!,
    ) as [number, number];
    const before = now === learned ? '' : `, learned ${formatTau(learned)}`;
    const place = nameNeuron(neuron.layer, neuron.index, layer.shape);
    setText(name, `${place}: τ = ${formatTau(now)} steps${before}`);
    const view = {
      ...{ trace, beside: beside && traceBeside(beside, neuron.layer, neuron.index) },
      ...{ threshold: layer.threshold, rest: restingPotential(layer), step },
    };
    const colorOf = ({ network }: Run) => `var(--${payload.models[network.model]!.color})`;
    const isOther = beside !== null && beside.network.model !== run.network.model;
    figure.innerHTML = drawNeuron(
      view,
      figure.clientWidth,
      colorOf(run),
      isOther ? colorOf(beside) : 'var(--grey)',
    );
    setText(account, describeNeuron(view));
  };
}

/** @returns null if that network has no such neuron */
function traceIn({ neurons, trace }: Run, layer: number, index: number): NeuronTrace | null {
  const own = neurons[layer];
  return own === undefined || index >= own.leaks.length
    ? null
    : traceNeuron(own, trace.layers[layer]!, index);
}

/** Heights in CSS px; a row of spikes for each model. */
const [SPIKES, POTENTIAL, CURRENT] = [12, 130, 46];
/** Above each part, for its title. */
const TITLE = 24;
const [LEFT, RIGHT] = [38, 8];
/** Room for the axis, and for a label of it. */
const [AXIS, STEP_LABEL] = [34, 34];

/**
 * Draws a neuron over time, as HTML: spikes above, the membrane potential in the middle (up to h, and back after a reset), and the input
 * current below. The step is marked.
 */
function drawNeuron(view: NeuronView, room: number, color: string, colorBeside: string): string {
  const { trace, beside, threshold, rest, step } = view;
  const width = Math.max(room, 240);
  const right = width - RIGHT;
  const steps = trace.spikes.length;
  // The second model lies behind, in thinner lines.
  const lines = [
    ...(beside === null ? [] : [{ ...beside, color: colorBeside, isMain: false }]),
    { ...trace, color, isMain: true },
  ];
  const potentialTop = TITLE + SPIKES * lines.length + TITLE;
  const currentTop = potentialTop + POTENTIAL + TITLE;
  const bottom = currentTop + CURRENT;
  const x = linearScale([0, steps + 0.5], [LEFT, right]);
  const stepWidth = x(1) - x(0);
  const potentials = lines.flatMap(({ charged, potential }) => [...charged, ...potential]);
  const potentialDomain = widen([...potentials, threshold, rest]);
  const potentialOf = linearScale(potentialDomain, [potentialTop + POTENTIAL, potentialTop]);
  const currentDomain = widen([...lines.flatMap(({ current }) => [...current]), 0]);
  const currentOf = linearScale(currentDomain, [bottom, currentTop]);

  const title = (text: string, y: number) => `<text x="0" y="${y - 7}" fill-opacity=".8">${text}</text>`;
  const grid = (domain: readonly [number, number], y: Scale, most: number) =>
    linearTicks(domain, most).map(
      (tick) =>
        `<path d="M${LEFT} ${y(tick)}H${right}" stroke="currentColor" stroke-opacity=".13" />` +
        `<text x="${LEFT - 6}" y="${y(tick) + 4}" text-anchor="end" fill-opacity=".8">${formatValue(tick)}</text>`,
    );
  const path = (points: readonly string[], stroke: string, thickness: number, more = '') =>
    `<path d="${points.join('')}" fill="none" stroke="${stroke}" stroke-width="${thickness}" stroke-linejoin="round" ${more} />`;
  const others = beside === null ? '' : `, model beside ${countSpikes(beside)}`;
  const key = `M${right - 26} ${potentialTop - 11}h26`;
  const parts = [
    `<rect x="${x(step + 0.5)}" y="${TITLE - 2}" width="${stepWidth}" height="${bottom - TITLE + 2}" fill="currentColor" fill-opacity=".08" />`,
    title(`spikes: ${countSpikes(trace)}${others}`, TITLE),
    title('membrane potential', potentialTop),
    title('input current', currentTop),
    `<text x="${right - 32}" y="${potentialTop - 7}" text-anchor="end" fill-opacity=".8">threshold ${formatValue(threshold)}</text>`,
    path([key, `M${LEFT} ${potentialOf(threshold)}H${right}`], 'currentColor', 1, 'stroke-dasharray="5 4"'),
    ...grid(potentialDomain, potentialOf, 5),
    ...grid(currentDomain, currentOf, 2),
    ...lines.flatMap(({ current, charged, potential, spikes, color, isMain }) => {
      const top = isMain ? TITLE : TITLE + SPIKES;
      const at = (t: number) => `M${x(t + 1)} `;
      const fired = [...spikes.keys()].filter((t) => spikes[t] === 1);
      // Up or down to h at each step; after a spike, a dotted line to the potential after the reset.
      const rises = [...charged].map((h, t) => {
        const start = potentialOf(potential[t - 1] ?? rest);
        return `${t === 0 || spikes[t - 1] === 1 ? `M${x(t)} ${start}` : ''}L${x(t + 1)} ${potentialOf(h)}`;
      });
      const resets = fired.map((t) => `${at(t)}${potentialOf(charged[t]!)}V${potentialOf(potential[t]!)}`);
      const bars = [...current].map((value, t) => `${at(t)}${currentOf(0)}V${currentOf(value)}`);
      // Of the model beside, only the ends of the bars.
      const ends = [...current].map((value, t) => `M${x(t + 0.6)} ${currentOf(value)}h${0.8 * stepWidth}`);
      return [
        path(
          fired.map((t) => `${at(t)}${top}v${SPIKES - 3}`),
          color,
          isMain ? 3 : 1.5,
        ),
        isMain ? path(bars, 'var(--grey)', stepWidth * 0.55) : path(ends, color, 1),
        path(rises, color, isMain ? 2 : 1.25),
        path(resets, color, isMain ? 1.5 : 1, 'stroke-dasharray="2 2"'),
      ];
    }),
    `<circle cx="${x(step + 1)}" cy="${potentialOf(trace.charged[step] ?? rest)}" r="4" fill="${color}" stroke="var(--surface)" stroke-width="1.5" />`,
    ...linearTicks([1, steps], Math.max(1, Math.floor((width - LEFT) / STEP_LABEL)))
      .filter(Number.isInteger)
      .map((tick) => `<text x="${x(tick)}" y="${bottom + 15}" text-anchor="middle">${tick}</text>`),
    `<text x="${right}" y="${bottom + 30}" text-anchor="end">time, steps</text>`,
  ];
  const label = `Potential, spikes and input current of the neuron over ${formatCount(steps, 'step')}`;
  return `<svg role="img" aria-label="${label}" width="${width}" height="${bottom + AXIS}" font-size="11" fill="currentColor">${parts.join('')}</svg>`;
}

function widen(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = Math.max((high - low) * 0.06, 0.05);
  return [low - air, high + air];
}
