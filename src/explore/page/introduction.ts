import { NO_EDITS } from '../view-state.ts';
import { element } from './dom.ts';
import type { Page, Part } from './view.ts';

/** What one sees here, and what to try first. */
export function makeIntroduction(page: Page): Part {
  const { payload } = page;
  const puzzle = payload.clips.find(({ role }) => role === 'disagreement');
  const attempt = (text: string, act: () => void) =>
    element('li', {}, element('button', { type: 'button', class: 'link', onclick: act }, text));
  return {
    root: element(
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
        attempt('Play the clip backwards', () => page.change({ order: 'reversed', step: 0 })),
        attempt('Make every neuron remember twice as long', () =>
          page.change({ edits: { ...NO_EDITS, tau: [{ layer: null, neuron: null, factor: 2 }] } }),
        ),
        puzzle === undefined
          ? attempt('Let neurons fire at half the threshold', () =>
              page.change({ edits: { ...NO_EDITS, threshold: 0.5 } }),
            )
          : attempt('Watch a clip that the networks disagree on', () =>
              page.change({ clip: puzzle.id, step: 0 }),
            ),
      ),
    ),
    show: () => undefined,
  };
}
