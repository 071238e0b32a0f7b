import { html, nothing } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { messageOf } from '../../../base/errors.ts';
import { formatBytes, formatCount } from '../../../base/text.ts';
import { CAMERA } from '../../../data/simulated/recording.ts';
import { encodeWav } from '../../../formats/wav.ts';
import { AUDIO_DEFAULTS } from '../../../results/audio-settings.ts';
import { filmPath, makeOwnClip, makeScene, type OwnClip, type PathPoint, sensorOf } from '../own-clip.ts';
import { describeFileError } from '../words.ts';
import { ARROWS, type EventAt, putPixels } from './elements.ts';
import { ask, hearsSound, payload, perceive, startThread, steps } from './networks.ts';
import { redraw, showOwn, stateNow } from './store.ts';

/** Gestures of the simulation last so long; those of DVS128 Gesture are longer. */
const USUAL_SECONDS = 1.5;
const { splitBy, durationUs = 0 } = payload.frames;
const CLIP_SECONDS = splitBy === 'duration' ? (steps * durationUs) / 1e6 : USUAL_SECONDS;
/** 3 GB do not fit into one array of Chromium; of 1 GB, the events take another 1.6 GB. */
const MOST_BYTES = 1e9;

/** What is told of making a clip, until the view has another clip. */
let note = { text: '', clip: '' };

function report(text: string): void {
  note = { text, clip: stateNow().clip };
  redraw();
}

function add(title: string, { frames, events, seconds, warnings }: OwnClip, sound = ''): void {
  showOwn({ title, label: null, frames, sound });
  const counts = `${formatCount(events, 'event')} in ${seconds} s, in ${formatCount(steps, 'frame')}`;
  report([`${title}: ${counts}. The networks ${perceive} this clip now.`, ...warnings].join(' '));
}

let reader: Worker | undefined;

async function load({ currentTarget }: EventAt<Element>): Promise<void> {
  const [recording, start, length] = currentTarget.querySelectorAll('input');
  const file = recording?.files?.[0];
  if (file === undefined || !start?.reportValidity() || !length?.reportValidity()) return;
  await read(file, start.valueAsNumber, length.valueAsNumber);
}

async function read(file: File, startSeconds: number, lengthSeconds: number): Promise<void> {
  report(`Reading ${file.name} …`);
  // Another file or part is wanted now.
  reader?.terminate();
  reader = startThread();
  try {
    if (file.size > MOST_BYTES)
      throw new Error(`too large: ${formatBytes(file.size)}; at most 1 GB can be read here.`);
    const { frames } = payload;
    const task = { file, frames, startSeconds, lengthSeconds };
    const clip = await ask<OwnClip>(reader, { kind: 'read', task });
    const part = `#t=${startSeconds},${startSeconds + lengthSeconds}`;
    add(file.name, clip, file.name.toLowerCase().endsWith('.wav') ? URL.createObjectURL(file) + part : '');
  } catch (error) {
    report(describeFileError(error, file.name));
  }
  reader.terminate();
}

let microphone: 'off' | 'asked' | 'on' = 'off';

function showMicrophone(state: typeof microphone): void {
  microphone = state;
  redraw();
}

/** What the microphone hears for as long as a clip lasts, as the browser encodes it. */
async function record(): Promise<ArrayBuffer> {
  // As recordings of data sets mostly are.
  const unfiltered = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...unfiltered } });
  try {
    const recorder = new MediaRecorder(stream);
    const recorded = new Promise<BlobEvent>((resolve) => recorder.addEventListener('dataavailable', resolve));
    recorder.onstart = () => setTimeout(() => recorder.stop(), 1000 * CLIP_SECONDS);
    recorder.start();
    showMicrophone('on');
    return await (await recorded).data.arrayBuffer();
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

/** Makes a clip of it: a WAV file, read as any other. */
async function listen(): Promise<void> {
  showMicrophone('asked');
  const bytes = await record().catch((error: unknown) =>
    report(`The microphone cannot be used (${messageOf(error)}): allow it for this page, or load a file.`),
  );
  showMicrophone('off');
  if (!bytes) return;
  const file = 'recording.wav';
  try {
    // The lowest usual rate that has all bands.
    const rateHz = 8000 * Math.ceil({ ...AUDIO_DEFAULTS, ...payload.frames.audio }.highHz / 4000);
    const sound = await new OfflineAudioContext(1, 1, rateHz).decodeAudioData(bytes);
    const wav = encodeWav(rateHz, sound.getChannelData(0).subarray(0, CLIP_SECONDS * rateHz));
    await read(new File([wav], file, { type: 'audio/wav' }), 0, CLIP_SECONDS);
  } catch (error) {
    report(describeFileError(error, file));
  }
}

const LONGEST_MS = 3000;
/** In less, a click for instance, nothing has moved. */
const SHORTEST_MS = 200;
/** Pixels for each arrow key, which the keyboard repeats about 30 times a second. */
const KEY_STEP = 4;

let disc = { x: 30, y: 60 };
/** While the reader moves the disc with the pointer pressed, or since an arrow key; at most 3 s. */
let recording: { readonly path: PathPoint[]; readonly startedMs: number; readonly timer: number } | null =
  null;

function moveTo(x: number, y: number): void {
  const limit = (place: number, size: number) => Math.min(size - 1, Math.max(0, place));
  disc = { x: limit(x, CAMERA.width), y: limit(y, CAMERA.height) };
  // Not the whole page, which takes longer.
  paint(document.getElementById('pad')!);
  if (recording === null) return;
  const tUs = Math.round((performance.now() - recording.startedMs) * 1000);
  // Clocks of browsers are coarse.
  if (tUs > recording.path.at(-1)!.tUs) recording.path.push({ tUs, ...disc });
}

function start(): void {
  const timer = window.setTimeout(stop, LONGEST_MS);
  recording = { path: [{ tUs: 0, ...disc }], startedMs: performance.now(), timer };
  report('Recording …');
}

/** Ends the recording, and takes it unless it is cancelled. */
function end(isCancelled: boolean): void {
  if (recording === null) return;
  moveTo(disc.x, disc.y);
  const { path, timer } = recording;
  clearTimeout(timer);
  recording = null;
  if (isCancelled) report('Cancelled: nothing was recorded.');
  else if (path.at(-1)!.tUs < 1000 * SHORTEST_MS) report('That was too short: keep pressing while you move.');
  else add('Your disc', makeOwnClip(filmPath(path), payload.frames));
}

const stop = () => end(false);

function follow({ clientX, clientY, currentTarget }: EventAt<Element> & PointerEvent): void {
  const { left, top, width, height } = currentTarget.getBoundingClientRect();
  moveTo(((clientX - left) / width) * CAMERA.width, ((clientY - top) / height) * CAMERA.height);
}

function press(event: EventAt<Element> & PointerEvent): void {
  if (event.button !== 0 || recording !== null) return;
  event.currentTarget.setPointerCapture(event.pointerId);
  follow(event);
  start();
}

function pressKey(event: KeyboardEvent): void {
  if (event.key === 'Enter') stop();
  if (event.key === 'Escape') end(true);
  const move = ARROWS[event.key];
  if (move === undefined) return;
  // Elsewhere on the page, arrow keys go to another step.
  event.preventDefault();
  if (recording === null && !event.repeat) start();
  moveTo(disc.x + KEY_STEP * move[0], disc.y + KEY_STEP * move[1]);
}

const drawScene = makeScene();
function paint(pad: Element | undefined): void {
  const bytes = new Uint8ClampedArray(4 * CAMERA.width * CAMERA.height).fill(255);
  for (const [i, level] of drawScene(disc.x, disc.y).entries())
    bytes.fill(150 + 85 * level, 4 * i, 4 * i + 3);
  putPixels(pad, CAMERA.width, new Uint32Array(bytes.buffer));
}

/** Makes a clip by hand, or from a recording's file; the page then shows it as clip `own`. */
export function drawOwnClip() {
  const { width, height } = sensorOf(payload.frames);
  const { clip } = stateNow();
  if (note.clip !== clip) note = { text: '', clip };
  const camera = html`<div>
    <h3>Move a disc before the simulated camera</h3>
    <p>Press and move, with the mouse or a finger: it records until you let go, at most 3 seconds. With the keyboard:
    arrow keys start it and move, Enter ends it, Escape cancels it.</p>
    <canvas id="pad" tabindex="0" role="application" @pointerdown=${press} @pointermove=${follow} @pointerup=${stop}
      @pointercancel=${stop} @keydown=${pressKey} ${ref(paint)}
      aria-label="Picture before the camera: arrow keys move the disc, Enter ends the recording, Escape cancels it">
    </canvas>
  </div>`;
  const voice = html`<div>
    <h3>Record a sound</h3>
    <p>Press, allow the microphone, and speak. The sound stays on this computer.</p>
    <button type="button" ?disabled=${microphone !== 'off'} @click=${listen}>
      ${microphone === 'on' ? 'Recording …' : `Record ${CLIP_SECONDS} s`}
    </button>
  </div>`;
  return html`<section class="own" aria-labelledby="own">
    <h2 id="own">Make a clip of your own</h2>
    <p role="status">${note.text}</p>
    ${clip === 'own' ? html`<a href="#controls">Look at it</a>` : nothing}
    <div class="ways">
      ${width === CAMERA.width && height === CAMERA.height ? camera : nothing}
      ${hearsSound && navigator.mediaDevices?.getUserMedia !== undefined ? voice : nothing}
      <div @change=${load}>
        <h3>Load a recording</h3>
        <p>Choose a file: AEDAT 2.0, 3.1 or 4.0, a sample of N-MNIST (.bin), events of Python (.npy, .npz), or sound (.wav). It stays on this computer.</p>
        <label>File <input type="file" accept=".aedat,.aedat4,.bin,.npy,.npz,.wav"></label>
        <label>From second <input type="number" min="0" step="any" value="0" required></label>
        <label>Seconds <input type="number" min="0.001" step="any" required value=${CLIP_SECONDS}></label>
      </div>
    </div>
  </section>`;
}
