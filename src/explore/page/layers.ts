import type { Neurons } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { formatCount, formatPercent } from '../../text.ts';
import { keepLast } from '../keep-last.ts';
import { neighbourOf } from '../map-layout.ts';
import { countSpikes } from '../outcome.ts';
import { logDomain } from '../scales.ts';
import type { ViewState } from '../view-state.ts';
import { element } from './dom.ts';
import { drawMaps, drawScale, mapLayout, neuronAt } from './maps-view.ts';
import type { Palette } from './palette.ts';
import type { Run } from './runs.ts';
import { drawTau } from './tau-view.ts';
import type { Page, Part, View } from './view.ts';

const SHOWN: Readonly<Record<ViewState['show'], string>> = {
  spikes: 'spikes',
  potential: 'potential',
  tau: 'time constant τ',
};
const ARROWS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The spiking layers, each with maps of its channels and the distribution of its τ. */
export function makeLayers(page: Page): Part {
  const choices = Object.entries(SHOWN).map(([value, text]) => {
    const show = Object.keys(SHOWN).find((one): one is ViewState['show'] => one === value)!;
    const input = element('input', {
      type: 'radio',
      name: 'show',
      value,
      onchange: () => page.change({ show }),
    });
    return { input, label: element('label', {}, input, text) };
  });
  const scale = element('div', {});
  const list = element('div', {});
  let layers: readonly Neurons['shape'][] = [];
  let rows: readonly Row[] = [];
  const measure = keepLast((run: Run) => measureTaus(run.neurons, page.models.neurons(run.model, 'trained')));
  const explain = keepLast((run: Run, kind: ViewState['show'], palette: Palette) => {
    const [{ threshold, reset }] = run.neurons as [Neurons];
    drawScale(scale, {
      kind,
      threshold,
      rest: restingPotential({ reset }),
      range: measure(run).range,
      palette,
    });
  });

  return {
    root: element(
      'section',
      { class: 'layers', 'aria-labelledby': 'layers' },
      element('h2', { id: 'layers' }, 'What its neurons do'),
      element(
        'fieldset',
        { class: 'choice' },
        element('legend', {}, 'Each square is a neuron. Show'),
        ...choices.map(({ label }) => label),
      ),
      scale,
      list,
    ),
    show(view) {
      for (const { input } of choices) input.checked = input.value === view.state.show;
      if (view.result === null) return;
      const { run } = view.result;
      const shapes = run.neurons.map(({ shape }) => shape);
      if (shapes.join(';') !== layers.join(';')) {
        layers = shapes;
        rows = shapes.map((shape, layer) => makeRow(page, layer, shape));
        list.replaceChildren(...rows.map(({ root }) => root));
      }
      for (const row of rows) row.show(view, run, measure(run));
      explain(run, view.state.show, view.palette);
    },
  };
}

interface Row {
  readonly root: HTMLElement;
  readonly show: (view: View, run: Run, taus: Taus) => void;
}

function makeRow(page: Page, layer: number, shape: Neurons['shape']): Row {
  const [channels, height, width] = shape;
  const neurons = channels * height * width;
  const canvas = element('canvas', {
    tabindex: 0,
    role: 'application',
    'aria-roledescription': 'maps of neurons, arrow keys choose one',
    onclick: (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      if (!(event instanceof MouseEvent)) return;
      const index = neuronAt(canvas, shape, event.clientX - left, event.clientY - top);
      if (index !== null) page.change({ neuron: { layer, index } });
    },
    onkeydown: (event) => {
      const move = event instanceof KeyboardEvent ? ARROWS[event.key] : undefined;
      if (move === undefined) return;
      event.preventDefault();
      const { neuron } = page.state();
      const index =
        neuron?.layer === layer ? neighbourOf(mapLayout(canvas, shape), neuron.index, ...move) : 0;
      page.change({ neuron: { layer, index } });
    },
  });
  const rate = element('p', { class: 'rate' });
  const taus = element('div', { class: 'taus' });
  const size =
    height * width === 1
      ? formatCount(channels, 'neuron')
      : `${channels} maps of ${height} × ${width} neurons`;
  const showMaps = keepLast(
    (
      run: Run,
      { ofLayers, range }: Taus,
      kind: ViewState['show'],
      step: number,
      selected: number | null,
      palette: Palette,
    ) => {
      const { charged, spikes } = run.trace.layers[layer]!;
      const { threshold, reset } = run.neurons[layer]!;
      const values = kind === 'spikes' ? spikes : charged;
      drawMaps(canvas, {
        ...{ shape, kind, threshold, rest: restingPotential({ reset }), range, selected, palette },
        values: kind === 'tau' ? ofLayers[layer]! : values.subarray(step * neurons, (step + 1) * neurons),
      });
    },
  );
  const showTaus = keepLast(({ ofLayers, range }: Taus, selected: number | null, _palette: Palette) =>
    drawTau(taus, { taus: ofLayers[layer]!, selected, domain: range }),
  );

  return {
    root: element(
      'div',
      { class: 'layer' },
      element(
        'div',
        { class: 'title' },
        element('h3', {}, `Layer ${layer + 1}`),
        element('p', {}, size),
        rate,
      ),
      element('div', { class: 'maps' }, canvas),
      taus,
    ),
    show({ state: { show, step, neuron }, palette }, run, measured) {
      const selected = neuron?.layer === layer ? neuron.index : null;
      showMaps(run, measured, show, show === 'tau' ? 0 : step, selected, palette);
      showTaus(measured, selected, palette);
      const fired = countSpikes(run.trace.layers[layer]!, run.trace.steps, step);
      rate.textContent = `${formatPercent(fired / neurons)} fire`;
    },
  };
}

/** In time steps. */
interface Taus {
  readonly ofLayers: readonly Float32Array[];
  /** Of the axes, which all layers share: from the least to the largest, with edits and without. */
  readonly range: readonly [number, number];
}

function measureTaus(neurons: readonly Neurons[], trained: readonly Neurons[]): Taus {
  const ofLayers = neurons.map(({ leaks }) => leaks.map((leak) => 1 / leak));
  let [most, least] = [0, Infinity];
  for (const { leaks } of [...neurons, ...trained]) {
    for (const leak of leaks) {
      most = Math.max(most, leak);
      least = Math.min(least, leak);
    }
  }
  return { ofLayers, range: logDomain({ low: 1 / most, median: 1, high: 1 / least }) };
}
