import { formatPercent } from '../../text.ts';
import type { EmbeddedClip } from '../payload.ts';
import { ORDERS } from '../view-state.ts';
import { describeFileError } from '../words.ts';
import { byId, listOptions, setText } from './dom.ts';
import type { Page, Part } from './view.ts';

const NOTHING = 'none';

/** Which network sees which clip, in which order, and what runs beside it. */
export function makeControls(page: Page): Part {
  const { payload, models, clipOf, change } = page;
  const [network, clip] = [byId('select', 'network'), byId('select', 'clip')];
  const [frames, beside] = [byId('select', 'frames'), byId('select', 'beside')];
  const names = () =>
    payload.models.map(({ test }, model) => {
      const accuracy = models.isTrainedHere(model) ? '' : ` (${formatPercent(test.correct / test.clips)})`;
      return [model, `${models.title(model)}${accuracy}`] as const;
    });
  network.innerHTML = listOptions(names());
  beside.innerHTML = listOptions([[NOTHING, 'nothing'], ...names()]);
  const [examples, disagreements, own] = clip.querySelectorAll('optgroup');
  const listClips = (role: EmbeddedClip['role'], describe: (clip: EmbeddedClip, i: number) => string) =>
    listOptions(
      payload.clips
        .filter((one) => one.role === role)
        .map((one, i) => [one.id, `${payload.classes[one.class]}${describe(one, i)}`]),
    );
  examples!.innerHTML = listClips('example', () => '');
  disagreements!.innerHTML = listClips('disagreement', ({ answers, class: label }, i) => {
    const right = answers.filter((answer) => answer === label).length;
    return `, clip ${i + 1} (${right} of ${answers.length} networks right)`;
  });
  disagreements!.hidden = disagreements!.childElementCount === 0;
  frames.lastElementChild!.innerHTML = listOptions(
    Array.from({ length: payload.frames.steps }, (_, step) => [step, `frozen at step ${step + 1}`]),
  );

  network.onchange = () => change({ model: Number(network.value) });
  clip.onchange = () => change({ clip: clip.value, step: 0 });
  beside.onchange = () => change({ beside: beside.value === NOTHING ? null : Number(beside.value) });
  frames.onchange = () =>
    change({ order: ORDERS.find((one) => one === frames.value) ?? Number(frames.value) });
  const showChooser = makeChooser(page);

  return (view) => {
    const { state } = view;
    const made = clipOf('own');
    own!.hidden = made === null;
    const ownOption = listOptions([['own', made?.title ?? '']]);
    if (own!.innerHTML !== ownOption) own!.innerHTML = ownOption;
    for (const [model, name] of names()) setText(network.options[model]!, name);
    network.value = String(state.model);
    clip.value = state.clip;
    beside.value = String(state.beside ?? NOTHING);
    frames.value = String(state.order);
    showChooser(view);
  };
}

/** Asks for the file of a network that is too large for the page. */
function makeChooser({ payload, models, change }: Page): Part {
  const root = byId('section', 'chooser');
  const [question, problem] = root.querySelectorAll('p');
  const input = root.querySelector('input')!;
  let missing: number | undefined;
  input.onchange = async () => {
    const file = input.files?.[0];
    if (file === undefined || missing === undefined) return;
    problem!.textContent = '';
    await models.load(missing, file).catch((error: unknown) => {
      problem!.textContent = describeFileError(error, file.name);
    });
    input.value = '';
    change({});
  };
  return ({ state: { model, beside } }) => {
    missing = [model, beside ?? model].find((one) => models.ofRun(one) === null);
    root.hidden = missing === undefined;
    if (missing === undefined) return;
    const { id, title, seed } = payload.models[missing]!;
    question!.textContent = `${title} is too large for this page. Choose its file: artifacts/train/${id}/${seed}/best.safetensors. It stays on this computer.`;
  };
}

/** Slow enough to follow, fast enough to look like a movement. */
const STEP_MS = 180;
/** The last step stays longer: it shows the decision. */
const END_MS = 1200;

/** Plays the clip again and again, and goes to a step: by its slider, or by keys anywhere on the page. */
export function makePlayer({ payload, state, change }: Page) {
  const last = payload.frames.steps - 1;
  const [button, slider, text] = [byId('button', 'play'), byId('input', 'step'), byId('output', 'step-text')];
  let timer = 0;

  /** Also shows that it plays, or no longer does. */
  function play(on: boolean): void {
    clearTimeout(timer);
    timer = on ? setTimeout(advance, state().step === last ? END_MS : STEP_MS) : 0;
    change({});
  }

  function advance(): void {
    change({ step: (state().step + 1) % (last + 1) });
    play(true);
  }

  function goTo(step: number): void {
    play(false);
    change({ step: Math.min(last, Math.max(0, step)) });
  }

  button.onclick = () => play(timer === 0);
  slider.oninput = () => goTo(slider.valueAsNumber - 1);
  addEventListener('keydown', (event) => {
    const { key, target, defaultPrevented, ctrlKey, metaKey, altKey } = event;
    if (defaultPrevented || ctrlKey || metaKey || altKey || !(target instanceof Element)) return;
    const ownKeys =
      key === ' ' ? 'button, select, summary, a, input:not([type=range])' : 'select, input, textarea';
    if (target.closest(ownKeys) !== null) return;
    if (key === ' ') play(timer === 0);
    else if (key === 'ArrowRight') goTo(state().step + 1);
    else if (key === 'ArrowLeft') goTo(state().step - 1);
    else return;
    event.preventDefault();
  });

  const show: Part = ({ state: { step } }) => {
    setText(button, timer === 0 ? 'Play' : 'Pause');
    slider.value = String(step + 1);
    setText(text, `step ${step + 1} of ${last + 1}`);
    slider.setAttribute('aria-valuetext', `step ${step + 1} of ${last + 1}`);
  };
  return { show, play, isPlaying: () => timer !== 0 };
}
