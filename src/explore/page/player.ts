import { byId, setText } from './dom.ts';
import type { Page, Part } from './view.ts';

/** Slow enough to follow, fast enough to look like a movement. */
const STEP_MS = 180;
/** The last step stays longer: it shows the decision. */
const END_MS = 1200;

/** Plays the clip again and again, and goes to a step: by its slider, or by keys anywhere on the page. */
export function makePlayer(page: Page) {
  const last = page.payload.frames.steps - 1;
  const [button, slider] = [byId('button', 'play'), byId('input', 'step')];
  const text = byId('output', 'step-text');
  let isPlaying = false;
  let shownAtMs = 0;

  function play(on: boolean): void {
    if (on === isPlaying) return;
    isPlaying = on;
    shownAtMs = performance.now();
    if (on) requestAnimationFrame(advance);
    // Also shows that it plays, or no longer does.
    page.change({}, false);
  }

  function advance(nowMs: number): void {
    if (!isPlaying) return;
    const { step } = page.state();
    if (nowMs - shownAtMs >= (step === last ? END_MS : STEP_MS)) {
      shownAtMs = nowMs;
      page.change({ step: step === last ? 0 : step + 1 });
    }
    requestAnimationFrame(advance);
  }

  function goTo(step: number): void {
    isPlaying = false;
    page.change({ step: Math.min(last, Math.max(0, step)) });
  }

  button.onclick = () => play(!isPlaying);
  slider.oninput = () => goTo(slider.valueAsNumber - 1);
  addEventListener('keydown', (event) => {
    const { key, target, defaultPrevented, ctrlKey, metaKey, altKey } = event;
    if (defaultPrevented || ctrlKey || metaKey || altKey || !(target instanceof Element)) return;
    const ownKeys =
      key === ' ' ? 'button, select, summary, a, input:not([type=range])' : 'select, input, textarea';
    if (target.closest(ownKeys) !== null) return;
    if (key === ' ') play(!isPlaying);
    else if (key === 'ArrowRight') goTo(page.state().step + 1);
    else if (key === 'ArrowLeft') goTo(page.state().step - 1);
    else return;
    event.preventDefault();
  });

  const show: Part = ({ state: { step } }) => {
    setText(button, isPlaying ? 'Pause' : 'Play');
    slider.value = String(step + 1);
    setText(text, `step ${step + 1} of ${last + 1}`);
    slider.setAttribute('aria-valuetext', `step ${step + 1} of ${last + 1}`);
  };
  return { show, play, isPlaying: () => isPlaying };
}
