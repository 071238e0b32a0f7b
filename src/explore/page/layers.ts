import type { Neurons } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { formatCount, formatPercent } from '../../text.ts';
import { neighbourOf } from '../map-layout.ts';
import { countSpikes } from '../outcome.ts';
import { logDomain } from '../scales.ts';
import type { ViewState } from '../view-state.ts';
import { element } from './dom.ts';
import { drawMaps, drawScale, mapLayout, neuronAt } from './maps-view.ts';
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
  let explained: readonly unknown[] = [];
  let measured: { readonly run: Run; readonly taus: Taus } | undefined;

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
      if (measured?.run !== run)
        measured = { run, taus: measureTaus(run.neurons, page.models.neurons(run.model, 'trained')) };
      for (const row of rows) row.show(view, run, measured.taus);
      const shown = [run, view.state.show, view.palette];
      if (shown.some((one, i) => one !== explained[i])) {
        explained = shown;
        const [first] = run.neurons;
        drawScale(scale, {
          kind: view.state.show,
          threshold: first!.threshold,
          rest: restingPotential(first!),
          range: measured.taus.range,
          palette: view.palette,
        });
      }
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
  let drawnMaps: readonly unknown[] = [];
  let drawnTaus: readonly unknown[] = [];

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
    show({ state: { show, step, neuron }, palette }, run, { ofLayers, range }) {
      const trace = run.trace.layers[layer]!;
      const selected = neuron?.layer === layer ? neuron.index : null;
      const maps = [run, show, show === 'tau' || step, selected, palette];
      if (maps.some((one, i) => one !== drawnMaps[i])) {
        drawnMaps = maps;
        const [start, end] = [step * neurons, (step + 1) * neurons];
        const { threshold, ...rest } = run.neurons[layer]!;
        drawMaps(canvas, {
          values:
            show === 'tau'
              ? ofLayers[layer]!
              : (show === 'spikes' ? trace.spikes : trace.charged).subarray(start, end),
          shape,
          kind: show,
          threshold,
          rest: restingPotential(rest),
          range,
          selected,
          palette,
        });
      }
      rate.textContent = `${formatPercent(countSpikes(trace, run.trace.steps, step) / neurons)} fire`;
      const distribution = [run, selected, palette];
      if (distribution.some((one, i) => one !== drawnTaus[i])) {
        drawnTaus = distribution;
        drawTau(taus, { taus: ofLayers[layer]!, selected, domain: range });
      }
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
