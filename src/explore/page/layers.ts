import type { Neurons } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { formatPercent } from '../../text.ts';
import { keepLast } from '../keep-last.ts';
import { neighbourOf, neuronAtPoint } from '../map-layout.ts';
import { countSpikes } from '../outcome.ts';
import { countOnLogAxis, formatValue, logDomain, logScale, logTicks } from '../scales.ts';
import { describeTau, formatTau, nameMaps } from '../words.ts';
import { bringIntoView, byId, checkChoice, makeElement, onChoice, setText } from './dom.ts';
import { makeMaps, mapLayout, writeScale } from './mosaic.ts';
import type { Run } from './runs.ts';
import type { Page, Part, View } from './view.ts';

const SHOWN = ['spikes', 'potential', 'tau'] as const;
const ARROWS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The spiking layers, each with maps of its channels and the distribution of its τ. */
export function makeLayers(page: Page): Part {
  const choice = byId('fieldset', 'show');
  const [legend, list] = [byId('div', 'scale'), byId('div', 'layer-list')];
  let shapes = '';
  let rows: readonly ReturnType<typeof makeRow>[] = [];
  const measure = keepLast((run: Run) =>
    measureTaus(run.neurons, page.models.ofRun(run.network.model)!.neurons),
  );
  onChoice(choice, (value) => {
    const show = SHOWN.find((one) => one === value);
    if (show !== undefined) page.change({ show });
  });

  return (view) => {
    const { state, result, palette } = view;
    checkChoice(choice, state.show);
    if (result === null) return;
    const { neurons } = result.run;
    const wanted = neurons.map(({ shape }) => shape).join(';');
    if (wanted !== shapes) {
      shapes = wanted;
      rows = neurons.map(({ shape }, layer) => makeRow(page, layer, shape));
      list.replaceChildren(...rows.map(({ root }) => root));
    }
    const taus = measure(result.run);
    for (const { show } of rows) show(view, result.run, taus);
    legend.innerHTML = writeScale({ ...scaleOf(neurons[0]!, taus), kind: state.show, palette });
  };
}

const scaleOf = ({ threshold, reset }: Pick<Neurons, 'threshold' | 'reset'>, { range }: Taus) => ({
  ...{ threshold, rest: restingPotential({ reset }), range },
});

function makeRow(page: Page, layer: number, shape: Neurons['shape']) {
  const size = shape[0] * shape[1] * shape[2];
  const root = makeElement(
    `<div class="layer"><div class="title"><h3>Layer ${layer + 1}</h3><p>${nameMaps(shape)}</p><p class="rate"></p></div>
    <div class="maps"><canvas tabindex="0" role="application" aria-roledescription="maps of neurons, arrow keys choose one"></canvas></div>
    <div class="taus"><svg></svg><p class="account"></p></div></div>`,
  );
  const canvas = root.querySelector('canvas')!;
  canvas.onclick = ({ offsetX, offsetY }) => {
    const [x, y] = [offsetX * devicePixelRatio, offsetY * devicePixelRatio];
    const index = neuronAtPoint(mapLayout(canvas, shape), x, y);
    if (index === null) return;
    page.change({ neuron: { layer, index } });
    // In a narrow window it is below all layers.
    bringIntoView(byId('section', 'inspector'), 'nearest');
  };
  canvas.onkeydown = (event) => {
    const move = ARROWS[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const { neuron } = page.state();
    const index = neuron?.layer === layer ? neighbourOf(mapLayout(canvas, shape), neuron.index, ...move) : 0;
    page.change({ neuron: { layer, index } });
  };
  const draw = makeMaps(canvas, shape);
  const showTaus = keepLast(({ ofLayers, range }: Taus, selected: number | null, _redrawn: unknown) => {
    const [figure, account] = [root.querySelector('.taus')!, root.querySelector('.account')!];
    figure.firstElementChild!.outerHTML = drawTaus(ofLayers[layer]!, selected, range, figure.clientWidth);
    setText(account, describeTau(ofLayers[layer]!, selected));
  });
  const show = ({ state: { show: kind, step, neuron }, palette }: View, run: Run, taus: Taus): void => {
    const selected = neuron?.layer === layer ? neuron.index : null;
    const { charged, spikes } = run.trace.layers[layer]!;
    const atStep = (kind === 'spikes' ? spikes : charged).subarray(step * size, (step + 1) * size);
    const values = kind === 'tau' ? taus.ofLayers[layer]! : atStep;
    draw(values, { ...scaleOf(run.neurons[layer]!, taus), kind, palette }, selected);
    showTaus(taus, selected, palette);
    const fired = countSpikes({ spikes }, run.trace.steps, step);
    setText(root.querySelector('.rate')!, `${formatPercent(fired / size)} fire`);
  };
  return { root, show };
}

/** In time steps. */
interface Taus {
  readonly ofLayers: readonly Float32Array[];
  /** Of the axes, which all layers share: from the least to the largest, with edits and without, so that bars are seen to move. */
  readonly range: readonly [number, number];
}

function measureTaus(neurons: readonly Neurons[], trained: readonly Neurons[]): Taus {
  let [most, least] = [0, Infinity];
  for (const { leaks } of [...neurons, ...trained])
    for (const leak of leaks) [most, least] = [Math.max(most, leak), Math.min(least, leak)];
  const ofLayers = neurons.map(({ leaks }) => leaks.map((leak) => 1 / leak));
  return { ofLayers, range: logDomain(1 / most, 1 / least) };
}

/** In CSS px. */
const [HEIGHT, ABOVE, AXIS, SIDE, BAR] = [64, 20, 32, 8, 8];

/** The distribution of τ over a layer's neurons on a logarithmic axis, and the chosen neuron's, as SVG. */
function drawTaus(
  taus: Float32Array,
  selected: number | null,
  domain: readonly [number, number],
  room: number,
): string {
  const width = Math.max(room, 160);
  const x = logScale(domain, [SIDE, width - SIDE]);
  const bottom = ABOVE + HEIGHT;
  const bins = Math.floor((width - 2 * SIDE) / BAR);
  const binWidth = (width - 2 * SIDE) / bins;
  const counts = countOnLogAxis(taus, domain, bins);
  const most = Math.max(...counts);
  const bars = counts.map((count, i) => {
    // A bin with few neurons is still seen.
    const height = Math.max((count / most) * HEIGHT, 1.5);
    return count === 0 ? '' : `M${SIDE + i * binWidth + 0.5} ${bottom}v${-height}h${binWidth - 1}V${bottom}z`;
  });
  const ticks = logTicks(domain).map(
    (tick) =>
      `<path d="M${x(tick)} ${bottom}v4" stroke="currentColor" stroke-opacity=".5" />` +
      `<text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${formatValue(tick)}</text>`,
  );
  const parts = [
    `<path d="${bars.join('')}" fill="var(--cyan)" />`,
    `<path d="M${SIDE} ${bottom}H${width - SIDE}" stroke="currentColor" stroke-opacity=".5" />`,
    ...ticks,
    `<text x="${width - SIDE}" y="${bottom + 30}" text-anchor="end">τ, steps</text>`,
  ];
  if (selected !== null) {
    const place = x(taus[selected]!);
    // On the side that has room.
    const [shift, anchor] = place > width / 2 ? [-9, 'end'] : [9, 'start'];
    parts.push(
      `<path d="M${place} ${ABOVE}V${bottom}M${place} ${ABOVE + 1}l-5 -8h10z" stroke="var(--ink)" stroke-width="1.5" fill="var(--ink)" />`,
      `<text x="${place + shift}" y="${ABOVE - 4}" text-anchor="${anchor}">${formatTau(taus[selected]!)}</text>`,
    );
  }
  return `<svg role="img" aria-label="Distribution of τ" width="${width}" height="${bottom + AXIS}" font-size="11" fill="currentColor">${parts.join('')}</svg>`;
}
