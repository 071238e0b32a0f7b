import { describeFileError } from '../words.ts';
import { element } from './dom.ts';
import type { Page, Part } from './view.ts';

/** Asks for the file of a network that is too large for the page. */
export function makeFileChooser(page: Page): Part {
  const question = element('p', {});
  const problem = element('p', { role: 'alert' });
  const input = element('input', {
    type: 'file',
    accept: '.safetensors',
    'aria-label': 'File of the network',
    onchange: load,
  });
  const root = element('section', { class: 'chooser' }, question, input, problem);

  async function load(): Promise<void> {
    const model = page.missingModel();
    const file = input.files?.[0];
    if (file === undefined || model === null) return;
    problem.textContent = '';
    try {
      await page.models.load(model, file);
    } catch (error) {
      problem.textContent = describeFileError(error, file.name);
    }
    input.value = '';
    page.change({});
  }

  return {
    root,
    show() {
      const model = page.missingModel();
      root.hidden = model === null;
      if (model === null) return;
      const { id, title, seed } = page.payload.models[model]!;
      question.textContent = `${title} is too large for this page. Choose its file: artifacts/train/${id}/${seed}/best.safetensors. It stays on this computer.`;
    },
  };
}
