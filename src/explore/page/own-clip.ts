import { CAMERA } from '../../datasets/simulated/recording.ts';
import { describeError } from '../../errors.ts';
import type { Events } from '../../events/events.ts';
import { formatCount } from '../../text.ts';
import { cutRecording, framesOf, readOwnRecording, sensorOf } from '../own-recording.ts';
import { filmImages, filmPath } from '../own-scene.ts';
import { describeFileError } from '../words.ts';
import { bringIntoView, byId, setText } from './dom.ts';
import { makePad } from './own-pad.ts';
import { filmWebcam } from './own-webcam.ts';
import type { Page } from './view.ts';

/** Gestures of the simulation last so long; those of DVS128 Gesture are longer. */
const USUAL_SECONDS = 1.5;

/** Makes a clip by hand, from a recording's file, or from a webcam; the page then shows it as clip `own`. */
export function makeOwnClip({ payload, addClip }: Page): void {
  const { splitBy, durationUs = 0, steps } = payload.frames;
  const look = byId('button', 'look');
  const report = (text: string, isMade = false) => {
    setText(byId('p', 'own-text'), text);
    look.hidden = !isMade;
  };
  const add = (title: string, events: Events) => {
    const seconds = Number(((events.tUs.at(-1)! - events.tUs[0]!) / 1e6).toPrecision(2));
    addClip({ title, frames: framesOf(events, payload.frames) });
    const counts = `${formatCount(events.tUs.length, 'event')} in ${seconds} s, in ${formatCount(steps, 'frame')}`;
    report(`${title}: ${counts}. The networks see this clip now.`, true);
  };
  look.onclick = () => bringIntoView(byId('div', 'controls'), 'start');

  const { width, height } = sensorOf(payload.frames);
  if (width === CAMERA.width && height === CAMERA.height) {
    makePad((path, moved) => add(`Your ${moved}`, filmPath(path, moved)), report);
    const button = byId('button', 'webcam');
    button.onclick = async () => {
      button.disabled = true;
      try {
        add('Your webcam', filmImages(await filmWebcam(report)));
      } catch (error) {
        report(describeError(error));
      } finally {
        button.disabled = false;
      }
    };
  } else for (const way of document.querySelectorAll<HTMLElement>('.own .camera')) way.hidden = true;

  const [file, contents] = [byId('input', 'recording'), byId('p', 'recording-text')];
  const [start, length] = [byId('input', 'cut-start'), byId('input', 'cut-length')];
  length.value = String(splitBy === 'duration' ? (steps * durationUs) / 1e6 : USUAL_SECONDS);
  let loaded: { readonly name: string; readonly events: Events } | null = null;

  async function load(): Promise<void> {
    const chosen = file.files?.[0];
    if (chosen === undefined) return;
    const { name } = chosen;
    loaded = null;
    contents.textContent = '';
    report(`Reading ${name} …`);
    try {
      const read = await readOwnRecording(new Uint8Array(await chosen.arrayBuffer()), name, payload);
      const count = formatCount(read.events.tUs.length, 'event');
      contents.textContent = [`${name} is ${read.format} and has ${count}.`, ...read.warnings].join(' ');
      loaded = { name, events: read.events };
      cut();
    } catch (error) {
      report(describeFileError(error, name));
    }
  }

  function cut(): void {
    if (loaded === null || !start.reportValidity() || !length.reportValidity()) return;
    const { name, events } = loaded;
    try {
      add(name, cutRecording(events, start.valueAsNumber, length.valueAsNumber));
    } catch (error) {
      report(describeFileError(error, name));
    }
  }

  file.onchange = load;
  start.onchange = cut;
  length.onchange = cut;
}
