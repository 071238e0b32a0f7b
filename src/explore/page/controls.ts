import { formatPercent } from '../../text.ts';
import type { EmbeddedClip } from '../payload.ts';
import { NO_EDITS } from '../view-state.ts';
import { describeFileError } from '../words.ts';
import { byId, listOptions, setText } from './dom.ts';
import type { Page, Part } from './view.ts';

const NOTHING = 'none';

/** What there is to try first, which network sees which clip, in which order, and what runs beside it. */
export function makeControls(page: Page): Part {
  const { payload, models } = page;
  const [network, clip] = [byId('select', 'network'), byId('select', 'clip')];
  const [frames, beside] = [byId('select', 'frames'), byId('select', 'beside')];
  const trials = byId('button', 'try-clip').closest('ul')!.querySelectorAll('button');
  const nameModel = (model: number) => {
    const { seed, test } = payload.models[model]!;
    const isOneSeed = payload.models.every((one) => one.seed === seed);
    const accuracy = models.stepsHere(model) === 0 ? ` (${formatPercent(test.correct / test.clips)})` : '';
    return `${models.title(model)}${isOneSeed ? '' : `, seed ${seed}`}${accuracy}`;
  };
  const names = () => payload.models.map((_, model) => [model, nameModel(model)] as const);
  network.innerHTML = listOptions(names());
  beside.innerHTML = listOptions([[NOTHING, 'nothing'], ...names()]);
  const [examples, disagreements, own] = clip.querySelectorAll('optgroup');
  const listClips = (role: EmbeddedClip['role']) =>
    payload.clips
      .filter((one) => one.role === role)
      .map(({ id, class: label, answers }, i) => {
        const right = answers.filter((answer) => answer === label).length;
        const note =
          role === 'example' ? '' : `, clip ${i + 1} (${right} of ${answers.length} networks right)`;
        return [id, `${payload.classes[label]}${note}`] as const;
      });
  examples!.innerHTML = listOptions(listClips('example'));
  disagreements!.innerHTML = listOptions(listClips('disagreement'));

  network.onchange = () => page.change({ model: Number(network.value) });
  clip.onchange = () => page.change({ clip: clip.value, step: 0 });
  beside.onchange = () => page.change({ beside: beside.value === NOTHING ? null : Number(beside.value) });
  frames.onchange = () => {
    const order = (['as-is', 'reversed', 'shuffled'] as const).find((one) => one === frames.value);
    page.change({ order: order ?? page.state().step });
  };
  const puzzle = payload.clips.find(({ role }) => role === 'disagreement');
  disagreements!.hidden = puzzle === undefined;
  byId('button', 'try-clip').hidden = puzzle === undefined;
  byId('button', 'try-backwards').onclick = () => page.present({ order: 'reversed' });
  byId('button', 'try-tau').onclick = () => page.present({ edits: { ...NO_EDITS, tau: { all: 2 } } });
  byId('button', 'try-clip').onclick = () => {
    // Beside it, a network that takes the clip for something else.
    const { id, answers } = puzzle!;
    const other = answers.findIndex(
      (answer, model) => models.ofRun(model) !== null && answer !== answers[page.state().model],
    );
    page.present({ clip: id, beside: other === -1 ? null : other });
  };
  const showChooser = makeChooser(page);

  return (view) => {
    const { state, isTraining } = view;
    for (const button of trials) button.disabled = isTraining;
    own!.hidden = page.own === null;
    const ownOption = listOptions([['own', page.own?.title ?? '']]);
    if (own!.innerHTML !== ownOption) own!.innerHTML = ownOption;
    network.disabled = isTraining;
    for (const [model, name] of names()) setText(network.options[model]!, name);
    network.value = String(state.model);
    clip.value = state.clip;
    beside.value = state.beside === null ? NOTHING : String(state.beside);
    const isFrozen = typeof state.order === 'number';
    // To freeze another step, one chooses the other option of the two.
    const frozen = frames.querySelector<HTMLOptionElement>('[value=frozen]')!;
    frozen.hidden = !isFrozen;
    setText(frozen, isFrozen ? `frozen at step ${Number(state.order) + 1}` : '');
    frames.value = isFrozen ? 'frozen' : String(state.order);
    showChooser(view);
  };
}

/** Asks for the file of a network that is too large for the page. */
function makeChooser(page: Page): Part {
  const root = byId('section', 'chooser');
  const [question, problem] = root.querySelectorAll('p');
  const input = root.querySelector('input')!;
  let missing: number | null = null;
  input.onchange = async () => {
    const file = input.files?.[0];
    if (file === undefined || missing === null) return;
    problem!.textContent = '';
    await page.models.load(missing, file).catch((error: unknown) => {
      problem!.textContent = describeFileError(error, file.name);
    });
    input.value = '';
    page.change({});
  };
  return ({ state: { model, beside } }) => {
    missing = [model, beside].find((one) => one !== null && page.models.ofRun(one) === null) ?? null;
    root.hidden = missing === null;
    if (missing === null) return;
    const { id, title, seed } = page.payload.models[missing]!;
    question!.textContent = `${title} is too large for this page. Choose its file: artifacts/train/${id}/${seed}/best.safetensors. It stays on this computer.`;
  };
}
