import { CAMERA } from '../../datasets/simulated/recording.ts';
import type { Events } from '../../events/events.ts';
import { formatBytes, formatCount } from '../../text.ts';
import {
  cutRecording,
  filmPath,
  framesOf,
  makeScene,
  type PathPoint,
  readRecording,
  sensorOf,
} from '../own-clip.ts';
import { describeFileError } from '../words.ts';
import { ARROWS, byId, setText } from './dom.ts';
import type { Page } from './view.ts';

/** Gestures of the simulation last so long; those of DVS128 Gesture are longer. */
const USUAL_SECONDS = 1.5;
/** 3 GB do not fit into one array of Chromium; of 1 GB, the events take another 1.6 GB. */
const MOST_BYTES = 1e9;

/** Makes a clip by hand, or from a recording's file; the page then shows it as clip `own`. */
export function makeOwnClip({ payload, showOwn }: Page): void {
  const { splitBy, durationUs = 0, steps } = payload.frames;
  const report = (text: string, isMade = false) => {
    setText(byId('p', 'own-text'), text);
    byId('a', 'look').hidden = !isMade;
  };
  const add = (title: string, events: Events, warnings: readonly string[] = []) => {
    const seconds = Number(((events.tUs.at(-1)! - events.tUs[0]!) / 1e6).toPrecision(2));
    showOwn({ title, label: null, frames: framesOf(events, payload.frames) });
    const counts = `${formatCount(events.tUs.length, 'event')} in ${seconds} s, in ${formatCount(steps, 'frame')}`;
    report([`${title}: ${counts}. The networks see this clip now.`, ...warnings].join(' '), true);
  };
  const { width, height } = sensorOf(payload.frames);
  if (width === CAMERA.width && height === CAMERA.height)
    makePad((path) => add('Your disc', filmPath(path)), report);
  else byId('div', 'camera').hidden = true;

  const [file, start, length] = [
    byId('input', 'recording'),
    byId('input', 'cut-start'),
    byId('input', 'cut-length'),
  ];
  length.value = String(splitBy === 'duration' ? (steps * durationUs) / 1e6 : USUAL_SECONDS);
  const load = async (): Promise<void> => {
    const chosen = file.files?.[0];
    if (chosen === undefined || !start.reportValidity() || !length.reportValidity()) return;
    report(`Reading ${chosen.name} …`);
    try {
      if (chosen.size > MOST_BYTES)
        throw new Error(`too large: ${formatBytes(chosen.size)}; at most 1 GB can be read here.`);
      const bytes = new Uint8Array(await chosen.arrayBuffer());
      const { events, warnings } = await readRecording(bytes, chosen.name, payload);
      add(chosen.name, cutRecording(events, start.valueAsNumber, length.valueAsNumber), warnings);
    } catch (error) {
      report(describeFileError(error, chosen.name));
    }
  };
  for (const input of [file, start, length]) input.onchange = load;
}

const LONGEST_MS = 3000;
/** In less, a click for instance, nothing has moved. */
const SHORTEST_MS = 200;
/** Pixels for each arrow key, which the keyboard repeats about 30 times a second. */
const KEY_STEP = 4;

/** The picture before the simulated camera, in which the reader moves a disc: recorded while the pointer is pressed, at most 3 s. */
function makePad(record: (path: readonly PathPoint[]) => void, report: (text: string) => void): void {
  const canvas = byId('canvas', 'pad');
  [canvas.width, canvas.height] = [CAMERA.width, CAMERA.height];
  const render = makeScene();
  let [x, y] = [30, 60];
  let recording: { readonly path: PathPoint[]; readonly startedMs: number; readonly timer: number } | null =
    null;

  function moveTo(newX: number, newY: number): void {
    x = Math.min(CAMERA.width - 1, Math.max(0, newX));
    y = Math.min(CAMERA.height - 1, Math.max(0, newY));
    addPoint();
    const image = new ImageData(CAMERA.width, CAMERA.height);
    image.data.fill(255);
    for (const [i, level] of render(x, y).entries()) image.data.fill(150 + 85 * level, 4 * i, 4 * i + 3);
    canvas.getContext('2d')!.putImageData(image, 0, 0);
  }

  function addPoint(): void {
    if (recording === null) return;
    const tUs = Math.round((performance.now() - recording.startedMs) * 1000);
    // Clocks of browsers are coarse.
    if (tUs > recording.path.at(-1)!.tUs) recording.path.push({ tUs, x, y });
  }

  function start(): void {
    const timer = setTimeout(stop, LONGEST_MS);
    recording = { path: [{ tUs: 0, x, y }], startedMs: performance.now(), timer };
    report('Recording …');
  }

  function stop(): void {
    if (recording === null) return;
    addPoint();
    const { path, timer } = recording;
    clearTimeout(timer);
    recording = null;
    if (path.at(-1)!.tUs < 1000 * SHORTEST_MS) report('That was too short: keep pressing while you move.');
    else record(path);
  }

  function cancel(): void {
    if (recording === null) return;
    clearTimeout(recording.timer);
    recording = null;
    report('Cancelled: nothing was recorded.');
  }

  function follow({ clientX, clientY }: PointerEvent): void {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    moveTo(((clientX - left) / width) * CAMERA.width, ((clientY - top) / height) * CAMERA.height);
  }

  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || recording !== null) return;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
    start();
  };
  canvas.onpointermove = follow;
  canvas.onpointerup = stop;
  canvas.onpointercancel = stop;
  canvas.onkeydown = (event) => {
    if (event.key === 'Enter') stop();
    if (event.key === 'Escape') cancel();
    const move = ARROWS[event.key];
    if (move === undefined) return;
    // Elsewhere on the page, arrow keys go to another step.
    event.preventDefault();
    if (recording === null && !event.repeat) start();
    moveTo(x + KEY_STEP * move[0], y + KEY_STEP * move[1]);
  };
  moveTo(x, y);
}
