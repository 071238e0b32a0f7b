import FFT from 'fft.js';
import { ReproError } from '../../base/errors.ts';
import { cosineOfTurns, exponential, naturalLog, sineOfTurns } from '../../base/portable-math.ts';
import { decodeWav, type Sound } from '../../formats/wav.ts';
import { AUDIO_DEFAULTS, type AudioSettings } from '../../results/audio-settings.ts';
import { makeEvents, type Sensor } from './events.ts';
import { ReaderNotes } from './reader-warnings.ts';

const PRE_EMPHASIS = 0.97;

/**
 * Encodes sound as events of a sensor with one row, whose columns are mel bands: docs/formats.md has the definition.
 *
 * @param file name for messages
 * @returns the events by time, then column, then polarity; and a sentence for each accepted irregularity
 * @throws {ReproError} `audio-bands` if the sample rate or the window does not have the bands
 */
export function encodeSound(sound: Sound, file: string, audio: Partial<AudioSettings> = {}) {
  const settings = { ...AUDIO_DEFAULTS, ...audio };
  const events = eventsOfLevels(measureLevels(sound, settings, file), settings);
  const notes = new ReaderNotes(file);
  if (events.tUs.length === 0) notes.addBlank();
  const sensor: Sensor = { height: 1, width: settings.bands };
  return { events, sensor, warnings: notes.sentences() };
}

/** The same of a WAV file. @throws {ReproError} as `encodeSound` and `decodeWav` */
export function decodeSound(bytes: Uint8Array, file: string, audio?: Partial<AudioSettings>) {
  return encodeSound(decodeWav(bytes, file), file, audio);
}

/**
 * The level of each mel band, `10 · log10(1 + P / floor)` in dB, at 0, hopMs, 2 · hopMs … to the end of the sound. P is the weighted mean of
 * the power spectrum in the band; before and after the sound there is silence.
 *
 * @returns [steps, bands]
 */
function measureLevels({ rateHz, samples }: Sound, settings: AudioSettings, file: string): Float64Array {
  const { bands, hopMs, floorDb, floorBelow } = settings;
  const key = JSON.stringify([rateHz, settings]);
  if (last?.key !== key) last = { key, ...makeAnalyser(rateHz, settings, file) };
  const { window, fft, filters } = last;
  const margin = window.length;
  const padded = new Float64Array(samples.length + 2 * margin);
  padded.set(samples, margin);
  for (let i = margin + samples.length - 1; i > margin; i--) padded[i]! -= PRE_EMPHASIS * padded[i - 1]!;
  const wave = new Float64Array(fft.size);
  const spectrum = new Float64Array(2 * fft.size);
  const steps = Math.floor((samples.length * 1000) / (rateHz * hopMs)) + 1;
  const powers = new Float64Array(steps * bands);
  for (let step = 0; step < steps; step++) {
    const from = Math.floor((step * hopMs * rateHz) / 1000 + 0.5) + margin - Math.floor(margin / 2);
    for (let i = 0; i < margin; i++) wave[i] = window[i]! * padded[from + i]!;
    fft.realTransform(spectrum, wave);
    for (const [band, { first, weights }] of filters.entries()) {
      let power = 0;
      for (let i = 0, at = 2 * first; i < weights.length; i++, at += 2)
        power += weights[i]! * (spectrum[at]! * spectrum[at]! + spectrum[at + 1]! * spectrum[at + 1]!);
      powers[step * bands + band] = power;
    }
  }
  // Of a sine of full scale at its frequency, or of the loudest band.
  const sum = window.reduce((a, b) => a + b, 0);
  const top = floorBelow === 'full-scale' ? (sum / 2) ** 2 : powers.reduce((a, b) => Math.max(a, b), 0);
  const floor = top / exponential((floorDb * Math.LN10) / 10);
  if (floor === 0) return powers;
  return powers.map((power) => (10 / Math.LN10) * naturalLog(1 + power / floor));
}

/**
 * Send on delta: a band sends an event each time its level has moved by `thresholdDb` from that of its last event, or at first from that at
 * time 0. From one measurement to the next, the level is a straight line. A level that lies on a threshold has reached it.
 *
 * @param levels [steps, bands], dB
 */
export function eventsOfLevels(
  levels: Float64Array,
  { bands, hopMs, thresholdDb }: Pick<AudioSettings, 'bands' | 'hopMs' | 'thresholdDb'>,
) {
  // Time, band and polarity in one number, exact below 2^53, which sorts by all three.
  const keys: number[] = [];
  for (let band = 0; band < bands; band++) {
    const first = levels[band]!;
    let before = first;
    let crossed = 0;
    for (let step = 1; step * bands < levels.length; step++) {
      const level = levels[step * bands + band]!;
      const send = (polarity: 0 | 1): void => {
        crossed += 2 * polarity - 1;
        const share = (first + crossed * thresholdDb - before) / (level - before);
        const tUs = Math.floor((step - 1 + share) * hopMs * 1000 + 0.5);
        keys.push((tUs * bands + band) * 2 + polarity);
      };
      while (level >= first + (crossed + 1) * thresholdDb) send(1);
      while (level <= first + (crossed - 1) * thresholdDb) send(0);
      before = level;
    }
  }
  const events = makeEvents(keys.length);
  for (const [i, key] of Float64Array.from(keys).sort().entries()) {
    const place = Math.floor(key / 2);
    events.p[i] = key % 2;
    events.x[i] = place % bands;
    events.tUs[i] = Math.floor(place / bands);
  }
  return events;
}

/** Of the last recording: nearly all have the same. */
let last: ({ readonly key: string } & ReturnType<typeof makeAnalyser>) | undefined;

function makeAnalyser(rateHz: number, settings: AudioSettings, file: string) {
  const { bands, lowHz, highHz, windowMs } = settings;
  const fail = (what: string, fix: string): never => {
    throw new ReproError('audio-bands', `${what}.`, { where: file, fix });
  };
  if (highHz > rateHz / 2) {
    const what = `the bands go up to ${highHz} Hz, but sound of ${rateHz} Hz only to ${rateHz / 2} Hz`;
    fail(what, `Use sound of at least ${2 * highHz} Hz, or set audio.highHz to at most ${rateHz / 2}.`);
  }
  const length = Math.max(2, Math.floor((windowMs * rateHz) / 1000 + 0.5));
  const window = Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * cosineOfTurns(i / (length - 1)));
  let size = 2;
  while (size < length) size *= 2;
  const fft = new FFT(size);
  // It has made its table by Math.sin, whose last bit differs between versions of V8.
  for (let i = 0; i < fft.table.length; i += 2) {
    fft.table[i] = cosineOfTurns(i / (2 * fft.size));
    fft.table[i + 1] = -sineOfTurns(i / (2 * fft.size));
  }
  // HTK's mel is proportional to ln(1 + f / 700).
  const lowest = naturalLog(1 + lowHz / 700);
  const apart = (naturalLog(1 + highHz / 700) - lowest) / (bands + 1);
  const edge = (i: number) => ((exponential(lowest + i * apart) - 1) * 700 * fft.size) / rateHz;
  const filters = Array.from({ length: bands }, (_, band) => {
    const [low, middle, high] = [edge(band), edge(band + 1), edge(band + 2)];
    const first = Math.floor(low) + 1;
    const triangle = Array.from({ length: Math.max(0, Math.ceil(high) - first) }, (_, i) =>
      Math.min((first + i - low) / (middle - low), (high - first - i) / (high - middle)),
    );
    const sum = triangle.reduce((a, b) => a + b, 0);
    if (sum === 0) {
      const what = `band ${band + 1} of ${bands} has no frequency of the spectrum, whose step is ${rateHz / fft.size} Hz`;
      fail(what, 'Correct `audio` of the data set: lowHz < highHz, fewer bands, or a longer windowMs.');
    }
    return { first, weights: triangle.map((weight) => weight / sum) };
  });
  return { window, fft, filters };
}
