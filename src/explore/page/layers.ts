import type { Neurons } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { formatPercent } from '../../text.ts';
import { drawTaus, logDomain } from '../charts.ts';
import { keepLast } from '../keep-last.ts';
import { layOutMaps, type MapShape, neighbourOf } from '../map-table.ts';
import { sumAtStep } from '../outcome.ts';
import { SHOWN, type ViewState } from '../view-state.ts';
import { describeMaps, describeTau, formatTau, formatValue, nameMaps } from '../words.ts';
import { ARROWS, byId, checkChoice, makeElement, onChoice, setText } from './dom.ts';
import type { Run } from './networks.ts';
import { drawPixels, gradientOf, LEVELS, type Palette } from './pixels.ts';
import type { Page, Part, View } from './view.ts';

/** The spiking layers, each with maps of its channels and the distribution of its τ. */
export function makeLayers(page: Page): Part {
  const choice = byId('fieldset', 'show');
  const listRows = keepLast((model: number) => {
    const { neurons } = page.models.inUse(model)!.forward;
    const rows = neurons.map(({ shape }, layer) => makeRow(page, layer, shape));
    byId('div', 'layer-list').replaceChildren(...rows.map(({ root }) => root));
    return rows;
  });
  const measure = keepLast(measureTaus);
  onChoice(choice, (value) => {
    page.change({ show: SHOWN.find((one) => one === value)! });
  });

  return (view) => {
    const { state, result } = view;
    checkChoice(choice, state.show);
    if (result === null) return;
    const { run } = result;
    const taus = measure(run);
    for (const { show } of listRows(run.network.model)) show(view, run, taus);
    byId('div', 'scale').innerHTML = writeScale(state.show, endsOf(state.show, run.neurons[0]!, taus));
  };
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
function endsOf(kind: ViewState['show'], neurons: Neurons, { range }: Taus): readonly [number, number] {
  if (kind === 'tau') return range;
  const { threshold } = neurons;
  return kind === 'spikes' ? [0, 1] : [2 * restingPotential(neurons) - threshold, threshold];
}

/** Explains the colours of maps, as HTML. */
function writeScale(kind: ViewState['show'], [low, high]: readonly [number, number]): string {
  const strip = (start: string, end: string) =>
    `<span>${start}<i style="background: ${gradientOf(kind)}"></i>${end}</span>`;
  const spike = '<span><i class="one" style="background: var(--ink)"></i>spike</span>';
  if (kind === 'spikes')
    return `${spike}<span><i class="one" style="background: var(--tint)"></i>no spike</span>`;
  if (kind === 'tau') return `${strip(formatTau(low), formatTau(high))}τ in steps, logarithmic scale`;
  const rest = formatValue((low + high) / 2);
  return `${strip(`≤ ${formatValue(low)}`, `threshold ${formatValue(high)}`)}${spike}rest (${rest}) in the middle`;
}

/** A colour for each neuron: potentials are on a diverging scale around rest, τ on a logarithmic one. */
function colorNeurons(
  values: Float32Array | Uint8Array,
  kind: ViewState['show'],
  ends: readonly [number, number],
  palette: Palette,
): Uint32Array {
  const scale = (value: number) => (kind === 'tau' ? Math.log(value) : value);
  const [low, high] = [scale(ends[0]), scale(ends[1])];
  const colors = new Uint32Array(values.length);
  for (let i = 0; i < colors.length; i++) {
    const share = (scale(values[i]!) - low) / (high - low);
    colors[i] = palette[kind][share >= 1 ? LEVELS : Math.round(Math.max(0, share) * (LEVELS - 1))]!;
  }
  return colors;
}

function makeRow(page: Page, layer: number, shape: MapShape) {
  const size = shape[0] * shape[1] * shape[2];
  const table = layOutMaps(shape);
  const root = makeElement(
    `<div class="layer"><div class="title"><h3>Layer ${layer + 1}</h3><p>${nameMaps(shape)}</p><p class="rate"></p></div>
    <div class="maps"><canvas tabindex="0" role="application" aria-roledescription="maps of neurons, arrow keys choose one"></canvas><i class="chosen"></i></div>
    <div class="taus"><div></div><p class="account"></p></div></div>`,
  );
  const canvas = root.querySelector('canvas')!;
  canvas.style.width = `${2 * table.width}px`;
  // Where a pixel of the screen has several neurons, it shows their mean.
  if (table.width > 600) canvas.style.imageRendering = 'auto';
  canvas.onclick = ({ offsetX, offsetY }) => {
    const scale = table.width / canvas.clientWidth;
    const index =
      table.neurons[Math.floor(offsetY * scale) * table.width + Math.floor(offsetX * scale)] ?? -1;
    if (index === -1) return;
    page.change({ neuron: { layer, index } });
    // In a narrow window it is below all layers.
    byId('section', 'inspector').scrollIntoView({ block: 'nearest' });
  };
  canvas.onkeydown = (event) => {
    const move = ARROWS[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const { neuron } = page.state();
    const index = neuron?.layer === layer ? neighbourOf(table, neuron.index, ...move) : 0;
    page.change({ neuron: { layer, index } });
  };
  const [figure, account] = [root.querySelector('.taus div')!, root.querySelector('.account')!];
  const showTaus = keepLast(({ ofLayers, range }: Taus, selected: number | null) => {
    figure.innerHTML = drawTaus(ofLayers[layer]!, selected, range);
    setText(account, describeTau(ofLayers[layer]!, selected));
  });
  const mark = root.querySelector<HTMLElement>('.chosen')!;
  const showMark = keepLast((selected: number | null) => {
    mark.hidden = selected === null;
    const at = table.neurons.indexOf(selected ?? 0);
    const percent = (px: number, of: number) => `${(100 * px) / of}%`;
    mark.style.left = percent((at % table.width) + table.cell / 2, table.width);
    mark.style.top = percent(Math.floor(at / table.width) + table.cell / 2, table.height);
    mark.style.width = percent(table.cell, table.width);
  });
  const show = ({ state: { show: kind, step, neuron }, palette }: View, run: Run, taus: Taus): void => {
    const selected = neuron?.layer === layer ? neuron.index : null;
    const { charged, spikes } = run.trace.layers[layer]!;
    const atStep = (kind === 'spikes' ? spikes : charged).subarray(step * size, (step + 1) * size);
    const values = kind === 'tau' ? taus.ofLayers[layer]! : atStep;
    const colors = colorNeurons(values, kind, endsOf(kind, run.neurons[layer]!, taus), palette);
    const pixels = new Uint32Array(table.neurons.length);
    for (let i = 0; i < pixels.length; i++)
      if (table.neurons[i] !== -1) pixels[i] = colors[table.neurons[i]!]!;
    drawPixels(canvas, table.width, pixels);
    const fired = sumAtStep(spikes, run.trace.steps, step);
    canvas.setAttribute('aria-label', describeMaps(shape, kind, fired));
    setText(root.querySelector('.rate')!, `${formatPercent(fired / size)} fire`);
    showTaus(taus, selected);
    showMark(selected);
  };
  return { root, show };
}
