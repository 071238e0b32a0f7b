import { html } from 'lit-html';
import { formatPercent } from '../../../base/text.ts';
import type { Neurons } from '../../../network/forward.ts';
import type { Shape } from '../../../network/maps.ts';
import { drawTaus, layOutMaps, logDomain, neighbourOf } from '../charts.ts';
import { keepLast } from '../keep-last.ts';
import { SHOWN, type ViewState } from '../view-state.ts';
import { describeMaps, describeTau, formatTau, formatValue, nameMaps, sumAtStep } from '../words.ts';
import {
  ARROWS,
  drawChoice,
  type EventAt,
  fillPixels,
  gradientOf,
  LEVELS,
  type Palette,
} from './elements.ts';
import { networkInUse, type Result, type Run } from './networks.ts';
import { change, stateNow, type View } from './store.ts';

const listRows = keepLast((model: number) =>
  networkInUse(model)!.forward.neurons.map(({ shape }, layer) => makeRow(layer, shape)),
);
const measure = keepLast(measureTaus);

/** The spiking layers, each with maps of its channels and the distribution of its τ. */
export function drawLayers(view: View, { run }: Result) {
  const { show } = view.state;
  const taus = measure(run);
  return html`<section class="layers" aria-labelledby="layers">
    <h2 id="layers">What its neurons do</h2>
    ${drawChoice('Each square is a neuron. Show', [show, (shown) => change({ show: shown })], SHOWN)}
    <div class="scale">${drawScale(show, endsOf(show, run.neurons[0]!, taus))}</div>
    <div>${listRows(run.network.model).map((drawRow) => drawRow(view, run, taus))}</div>
  </section>`;
}

/** In time steps. */
interface Taus {
  readonly ofLayers: readonly Float32Array[];
  /** Of the axes, which all layers share: from the least to the largest, with edits and without, so that bars are seen to move. */
  readonly range: readonly [number, number];
}

function measureTaus({ neurons, network }: Run): Taus {
  let [most, least] = [0, Infinity];
  for (const { leaks } of [...neurons, ...network.forward.neurons])
    for (const leak of leaks) [most, least] = [Math.max(most, leak), Math.min(least, leak)];
  const ofLayers = neurons.map(({ leaks }) => leaks.map((leak) => 1 / leak));
  return { ofLayers, range: logDomain(1 / most, 1 / least) };
}

/** The values at the ends of the scale: spikes and potentials have a spike, or the threshold, at the upper one. */
function endsOf(kind: ViewState['show'], { rest, threshold }: Neurons, { range }: Taus) {
  const ends = { tau: range, spikes: [0, 1], potential: [2 * rest - threshold, threshold] } as const;
  return ends[kind];
}

/** Explains the colours of maps. */
function drawScale(kind: ViewState['show'], [low, high]: readonly [number, number]) {
  const strip = (start: string, end: string) =>
    html`<span>${start}<i style="background: ${gradientOf(kind)}"></i>${end}</span>`;
  const spike = html`<span><i class="one" style="background: var(--ink)"></i>spike</span>`;
  if (kind === 'spikes')
    return html`${spike}<span><i class="one" style="background: var(--tint)"></i>no spike</span>`;
  if (kind === 'tau') return html`${strip(formatTau(low), formatTau(high))}τ in steps, logarithmic scale`;
  const rest = formatValue((low + high) / 2);
  const ends = strip(`≤ ${formatValue(low)}`, `threshold ${formatValue(high)}`);
  return html`${ends}${spike}rest (${rest}) in the middle`;
}

function makeRow(layer: number, shape: Shape) {
  const size = shape[0] * shape[1] * shape[2];
  const table = layOutMaps(shape);
  const choose = (index: number) => change({ neuron: { layer, index } });
  const click = ({ offsetX, offsetY, currentTarget: { clientWidth } }: EventAt<Element> & MouseEvent) => {
    const scale = table.width / clientWidth;
    const index =
      table.neurons[Math.floor(offsetY * scale) * table.width + Math.floor(offsetX * scale)] ?? -1;
    if (index === -1) return;
    choose(index);
    // In a narrow window it is below all layers.
    document.getElementById('inspector')?.scrollIntoView({ block: 'nearest' });
  };
  const press = (event: KeyboardEvent) => {
    const move = ARROWS[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const { neuron } = stateNow();
    choose(neuron?.layer === layer ? neighbourOf(table, neuron.index, ...move) : 0);
  };
  // Potentials are on a diverging scale around rest, τ on a logarithmic one.
  const paint = keepLast((kind: ViewState['show'], step: number, run: Run, taus: Taus, palette: Palette) => {
    const { charged, spikes } = run.trace.layers[layer]!;
    const atStep = (kind === 'spikes' ? spikes : charged).subarray(step * size, (step + 1) * size);
    const values = kind === 'tau' ? taus.ofLayers[layer]! : atStep;
    const scale = (value: number) => (kind === 'tau' ? Math.log(value) : value);
    const [low, high] = endsOf(kind, run.neurons[layer]!, taus).map(scale) as [number, number];
    const colors = new Uint32Array(size).map((_, neuron) => {
      const share = (scale(values[neuron]!) - low) / (high - low);
      return palette[kind][share >= 1 ? LEVELS : Math.round(Math.max(0, share) * (LEVELS - 1))]!;
    });
    const pixels = new Uint32Array(table.neurons.length);
    for (let i = 0; i < pixels.length; i++)
      if (table.neurons[i] !== -1) pixels[i] = colors[table.neurons[i]!]!;
    return { picture: fillPixels(table.width, pixels), fired: sumAtStep(spikes, run.trace.steps, step) };
  });
  const drawChart = keepLast(({ ofLayers, range }: Taus, selected: number | null) => ({
    figure: drawTaus(ofLayers[layer]!, selected, range),
    account: describeTau(ofLayers[layer]!, selected),
  }));
  const placeMark = keepLast((selected: number | null) => {
    const at = table.neurons.indexOf(selected ?? 0);
    const percent = (px: number, of: number) => `${(100 * px) / of}%`;
    const left = percent((at % table.width) + table.cell / 2, table.width);
    const top = percent(Math.floor(at / table.width) + table.cell / 2, table.height);
    return `left: ${left}; top: ${top}; width: ${percent(table.cell, table.width)}`;
  });
  // Where a pixel of the screen has several neurons, it shows their mean.
  const rendering = table.width > 600 ? 'auto' : 'pixelated';

  return ({ state: { show, step, neuron }, palette }: View, run: Run, taus: Taus) => {
    const selected = neuron?.layer === layer ? neuron.index : null;
    const { picture, fired } = paint(show, step, run, taus, palette);
    const { figure, account } = drawChart(taus, selected);
    return html`<div class="layer">
      <div class="title">
        <h3>Layer ${layer + 1}</h3>
        <p>${nameMaps(shape)}</p>
        <p class="rate">${formatPercent(fired / size)} fire</p>
      </div>
      <div class="maps">
        <canvas style="width: ${2 * table.width}px; image-rendering: ${rendering}" tabindex="0" role="application"
          aria-roledescription="maps of neurons, arrow keys choose one" aria-label=${describeMaps(shape, show, fired)}
          @click=${click} @keydown=${press} ${picture}>
        </canvas>
        <i class="chosen" style=${placeMark(selected)} ?hidden=${selected === null}></i>
      </div>
      <div class="taus"><div .innerHTML=${figure}></div><p class="account">${account}</p></div>
    </div>`;
  };
}
