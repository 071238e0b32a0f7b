import { CAMERA } from '../../datasets/simulated/recording.ts';
import type { Events } from '../../events/events.ts';
import { formatCount } from '../../text.ts';
import { cutRecording, framesOf, readOwnRecording, sensorOf } from '../own-recording.ts';
import { filmImages, filmPath } from '../own-scene.ts';
import type { Payload } from '../payload.ts';
import { describeFileError } from '../words.ts';
import { element } from './dom.ts';
import { makePad } from './own-pad.ts';
import { makeWebcam } from './own-webcam.ts';
import type { Page } from './view.ts';

/** Gestures of the simulation last so long; those of DVS128 Gesture are longer. */
const USUAL_SECONDS = 1.5;

/** Says what happens, or what is wrong; `isMade`: that there is a clip now. */
type Report = (text: string, isMade?: boolean) => void;

/** Makes a clip by hand, from a recording's file, or from a webcam; the page then shows it as clip `own`. */
export function makeOwnClipPanel({ payload, addClip }: Page): HTMLElement {
  const { frames } = payload;
  const add = (title: string, events: Events, report: Report) => {
    const seconds = Number(((events.tUs.at(-1)! - events.tUs[0]!) / 1e6).toPrecision(2));
    addClip({ title, frames: framesOf(events, frames) });
    const counts = `${formatCount(events.tUs.length, 'event')} in ${seconds} s, in ${formatCount(frames.steps, 'frame')}`;
    report(`${title}: ${counts}. The networks see this clip now.`, true);
  };
  const { width, height } = sensorOf(frames);
  const isCamera = width === CAMERA.width && height === CAMERA.height;
  const ways = [
    makeWay(
      'Load a recording',
      'Choose a file, or drop it here: AEDAT 2.0, 3.1 or 4.0, or a sample of N-MNIST (.bin). It stays on this computer.',
      (report) => makeFileInput(payload, (title, events) => add(title, events, report), report),
    ),
  ];
  if (isCamera) {
    ways.unshift(
      makeWay(
        'Move something before the simulated camera',
        'Press and move, with the mouse or a finger: it records until you let go, at most 3 seconds. With the keyboard: arrow keys ' +
          'start it and move, Enter ends it.',
        (report) => makePad((path, moved) => add(`Your ${moved}`, filmPath(path, moved), report), report),
      ),
    );
    ways.push(
      makeWay(
        'Turn your webcam into events (a toy)',
        'It films for 2 seconds, 1 second after you allow it, and is off again. Nothing leaves this page, and nothing is kept but the ' +
          'events. A webcam takes few pictures a second, so they are only roughly those of an event camera.',
        (report) => makeWebcam((images) => add('Your webcam', filmImages(images), report), report),
      ),
    );
  }
  return element(
    'section',
    { class: 'own', 'aria-labelledby': 'own' },
    element('h2', { id: 'own' }, 'Make a clip of your own'),
    element('div', { class: 'ways' }, ...ways),
    isCamera
      ? null
      : element(
          'p',
          {},
          `Nothing can be filmed here: the simulated camera has 128 x 128 pixels, not ${width} x ${height}.`,
        ),
  );
}

function makeWay(title: string, help: string, make: (report: Report) => HTMLElement): HTMLElement {
  const status = element('p', { role: 'status' });
  const look = () => document.querySelector('.controls')?.scrollIntoView();
  const button = element(
    'button',
    { type: 'button', class: 'look', hidden: true, onclick: look },
    'Look at it',
  );
  const form = make((text, isMade = false) => {
    // What another way said is over.
    for (const other of document.querySelectorAll('.own .ways [role=status]')) other.textContent = '';
    for (const other of document.querySelectorAll<HTMLElement>('.own .ways .look')) other.hidden = true;
    status.textContent = text;
    button.hidden = !isMade;
  });
  return element('div', {}, element('h3', {}, title), element('p', {}, help), form, status, button);
}

function makeFileInput(
  payload: Payload,
  add: (title: string, events: Events) => void,
  report: Report,
): HTMLElement {
  const { splitBy, durationUs = 0, steps } = payload.frames;
  const usual = splitBy === 'duration' ? (steps * durationUs) / 1e6 : USUAL_SECONDS;
  const file = element('input', {
    ...{ type: 'file', accept: '.aedat,.aedat4,.bin', onchange: () => void load(file.files?.[0]) },
  });
  const makeSeconds = (min: number, value: number) =>
    element('input', { type: 'number', min, step: 'any', value, required: true, onchange: () => void cut() });
  const [start, length] = [makeSeconds(0, 0), makeSeconds(0.001, usual)];
  const contents = element('p', {});
  let loaded: { readonly name: string; readonly events: Events } | null = null;

  async function load(chosen: File | undefined): Promise<void> {
    if (chosen === undefined) return;
    const { name } = chosen;
    loaded = null;
    contents.textContent = '';
    report(`Reading ${name} …`);
    await attempt(name, async () => {
      const read = await readOwnRecording(new Uint8Array(await chosen.arrayBuffer()), name, payload);
      const count = formatCount(read.events.tUs.length, 'event');
      contents.textContent = [`${name} is ${read.format} and has ${count}.`, ...read.warnings].join(' ');
      loaded = { name, events: read.events };
    });
    await cut();
  }

  async function cut(): Promise<void> {
    if (loaded === null) return;
    if (!start.reportValidity() || !length.reportValidity()) {
      report('');
      return;
    }
    const { name, events } = loaded;
    await attempt(name, () => add(name, cutRecording(events, start.valueAsNumber, length.valueAsNumber)));
  }

  async function attempt(name: string, action: () => void | Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      report(describeFileError(error, name));
    }
  }

  const drop = (event: Event) => {
    event.preventDefault();
    if (event instanceof DragEvent) void load(event.dataTransfer?.files[0]);
  };
  return element(
    'div',
    { ondragover: (event) => event.preventDefault(), ondrop: drop },
    element('label', {}, 'File ', file),
    element('label', {}, 'From second ', start),
    element('label', {}, 'Seconds ', length),
    contents,
  );
}
