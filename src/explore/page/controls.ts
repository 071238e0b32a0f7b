import { formatPercent } from '../../text.ts';
import type { EmbeddedClip } from '../payload.ts';
import { type FrameOrder, NO_EDITS, type ViewState } from '../view-state.ts';
import { element } from './dom.ts';
import type { Page, Part } from './view.ts';

const ORDERS: Readonly<Record<FrameOrder, string>> = {
  'as-is': 'as recorded',
  reversed: 'backwards',
  shuffled: 'shuffled',
  frozen: 'frozen',
};

const NOTHING = 'none';

/** What there is to try first, which network sees which clip, in which order, and what runs beside it. */
export function makeControls(page: Page): Part {
  const { payload } = page;
  const introduction = makeIntroduction(page);
  const seeds = new Set(payload.models.map((one) => one.seed));
  const nameModel = (index: number) => {
    const { seed, test } = payload.models[index]!;
    const accuracy = page.models.isReplaced(index) ? '' : ` (${formatPercent(test.correct / test.clips)})`;
    return `${page.models.title(index)}${seeds.size > 1 ? `, seed ${seed}` : ''}${accuracy}`;
  };
  const models = payload.models.map((_, index) => element('option', { value: index }, nameModel(index)));
  const model = choose('network', 'Network (accuracy on test clips)', models, (value) =>
    page.change({ model: Number(value) }),
  );
  const own = element('optgroup', { label: 'Your own', hidden: true }, element('option', { value: 'own' }));
  const clip = choose(
    'clip',
    'Clip',
    [
      group(
        'One of each class',
        payload.clips.filter(({ role }) => role === 'example'),
      ),
      group(
        'The networks disagree',
        payload.clips.filter(({ role }) => role === 'disagreement'),
      ),
      own,
    ],
    (value) => page.change({ clip: value, step: 0 }),
  );
  const order = choose(
    'frames',
    'Frames',
    Object.entries(ORDERS).map(([value, text]) => element('option', { value }, text)),
    (value) => {
      const chosen = Object.keys(ORDERS).find((one): one is FrameOrder => one === value) ?? 'as-is';
      page.change({ order: chosen, frozenAt: chosen === 'frozen' ? page.state().step : 0 });
    },
  );
  const beside = choose(
    'beside',
    'Beside it, as trained',
    [element('option', { value: NOTHING }, 'nothing'), ...models.map((one) => one.cloneNode(true))],
    (value) => page.change({ beside: value === NOTHING ? null : Number(value) }),
  );

  function group(label: string, clips: readonly EmbeddedClip[]): HTMLElement | null {
    if (clips.length === 0) return null;
    const options = clips.map(({ id, class: index, answers, role }) => {
      const right = answers.filter((answer) => answer === index).length;
      const note = role === 'disagreement' ? ` (${right} of ${answers.length} are right)` : '';
      return element('option', { value: id }, `${payload.classes[index]}${note}`);
    });
    return element('optgroup', { label }, ...options);
  }

  return {
    root: element(
      'div',
      {},
      introduction,
      element('div', { class: 'controls' }, model.root, clip.root, order.root, beside.root),
    ),
    show({ state, isTraining }) {
      for (const button of introduction.querySelectorAll('button')) button.disabled = isTraining;
      const made = page.ownClip();
      own.hidden = made === null;
      own.firstElementChild!.textContent = made?.title ?? '';
      model.select.value = String(state.model);
      model.select.disabled = isTraining;
      for (const [index, option] of models.entries()) {
        const name = nameModel(index);
        if (option.textContent !== name) option.textContent = name;
      }
      clip.select.value = state.clip;
      order.select.value = state.order;
      order.select.querySelector('[value="frozen"]')!.textContent =
        state.order === 'frozen' ? `frozen at step ${state.frozenAt + 1}` : 'frozen at this step';
      beside.select.value = state.beside === null ? NOTHING : String(state.beside);
    },
  };
}

/** What one sees here, and what to try first. */
function makeIntroduction(page: Page): HTMLElement {
  const { payload } = page;
  const puzzle = payload.clips.find(({ role }) => role === 'disagreement');
  const attempt = (text: string, view: () => Partial<ViewState>) => {
    const act = () => page.present(view());
    return element('li', {}, element('button', { type: 'button', class: 'link', onclick: act }, text));
  };
  return element(
    'div',
    { class: 'introduction' },
    element(
      'p',
      {},
      `A trained spiking network watches a clip of ${payload.frames.steps} frames of events, and runs in your browser while you watch. Each of its neurons gathers input, leaks it with its time constant τ, and fires when it reaches the threshold. Three things to try:`,
    ),
    element(
      'ul',
      {},
      attempt('Show it the clip backwards', () => ({ order: 'reversed' })),
      attempt('Make every neuron remember twice as long', () => ({
        edits: { ...NO_EDITS, tau: [{ layer: null, neuron: null, factor: 2 }] },
      })),
      puzzle === undefined
        ? attempt('Let neurons fire at a threshold of 0.5', () => ({
            edits: { ...NO_EDITS, threshold: 0.5 },
          }))
        : attempt('Watch a clip that the networks disagree on', () => ({
            clip: puzzle.id,
            beside: findOther(page, puzzle),
          })),
    ),
  );
}

/** A network of the page that takes the clip for something else than the shown one. */
function findOther({ payload, state }: Page, { answers }: EmbeddedClip): number | null {
  const other = payload.models.findIndex(
    ({ tensors }, model) => tensors !== null && answers[model] !== answers[state().model],
  );
  return other === -1 ? null : other;
}

function choose(
  id: string,
  text: string,
  options: readonly (Node | null)[],
  chosen: (value: string) => void,
) {
  const select = element('select', { id, onchange: () => chosen(select.value) }, ...options);
  return { select, root: element('div', {}, element('label', { for: id }, text), select) };
}
