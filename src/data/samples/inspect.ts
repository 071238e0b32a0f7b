import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { formatCount, listSome } from '../../base/text.ts';
import { CONVERT, decodeWav, OTHER_SOUND } from '../../formats/wav.ts';
import { AUDIO_DEFAULTS } from '../../results/audio-settings.ts';
import { isSound, type SampleFacts, type SampleFiles } from '../../results/dataset-facts.ts';
import { showPath } from '../contract/how-to-get.ts';
import { countClasses, describeProblem, Problems } from '../contract/problems.ts';
import { spanOf } from '../events/clips.ts';
import type { Sensor } from '../events/events.ts';
import { guessNpySettings, type NpySettings } from '../events/npy-events.ts';
import { findReader } from '../events/readers.ts';
import { extentOf, isOfAnyProgram, SENSORS, smallestSensor } from '../events/recording.ts';
import { encodeSound } from '../events/sound-events.ts';
import { FolderTree, kindOfSource, readWhole, type TreeFile } from '../reading/file-tree.ts';
import { warnOfBothSplits } from './both-splits.ts';
import { guessNames, LAYOUTS } from './guess-names.ts';
import { LARGEST_SAMPLE_BYTES, SAMPLE_READERS, sampleLayout, splitSamples } from './layout.ts';

/** A split, a user and a class, and the file. */
const DEPTH = 4;
const TEST_SHARE = 0.2;

/** No event camera is larger: an event beyond it is damage. */
const NO_LARGER: Sensor = { height: 4096, width: 4096 };

type Progress = (done: number, total: number) => Promise<void>;

/** What was found out, and where `sensor` and `split` come from, in words. */
export type Inspection = Awaited<ReturnType<typeof inspectRecordings>>;

/**
 * Finds out what a folder of recordings tells: the classes by the names; the formats, the sensor and the length of a clip by reading all
 * of them, one at a time.
 *
 * @param about with the sensor, if it is known
 * @throws {ReproError} `data-new-…` with what was looked for; `data-corrupt` with those that cannot be read
 */
export async function inspectRecordings(
  folder: string,
  about: Pick<SampleFacts, 'name' | 'title' | 'root'> & { readonly sensor: Sensor | undefined },
  progress: Progress,
) {
  const where = showPath(folder);
  if ((await kindOfSource(folder)) !== 'folder') {
    throw new ReproError('data-new-folder', 'there is no such folder.', { where });
  }
  const tree = new FolderTree(folder, DEPTH);
  const paths = findRecordings(await tree.list(), where);
  const guess = guessNames(paths);
  if (guess === null)
    throw explainNames(
      where,
      `the names of ${listSome(paths)} do not tell two classes with two recordings each`,
    );
  const names = new Map(guess.files.map((file) => [file.path, file.names]));
  const { samples, audio, durationsUs, warnings, ...size } = await readAll(tree, names, progress, where);
  const { sensor, sensorFrom } = chooseSensor(size, about.sensor, samples, where);
  const classes = [...new Set(guess.files.map((file) => file.class))].sort(compareCodeUnits);
  const users = sortUsers(guess.files.flatMap(({ user }) => user ?? []));
  const { split, splitFrom } = chooseSplit(guess.folders, users);
  const count = formatCount(guess.files.length, 'recording');
  const facts: SampleFacts = {
    ...about,
    kind: 'events',
    summary: `${count} in ${classes.length} classes, ${describeRecorder(sensor, samples)}.`,
    ...{ classes, sensor, published: { train: 1, test: 1 } },
    ...{ licence: 'not stated', citation: 'not stated', profile: about.name },
    ...{ layout: 'samples', samples, split, remarks: [], hints: [], files: [], ...users.facts },
    ...(audio && { audio }),
  };
  const layout = sampleLayout(facts);
  const odd = guess.files.find((file) => classes[layout.parseName(file.path)?.class ?? -1] !== file.class);
  if (odd !== undefined) throw explainNames(where, `${odd.path} could be of more than one class`);
  const splits = splitSamples(layout, [...names.keys()]);
  const { train, test } = splits;
  const countOf = (of: typeof train) =>
    countClasses(
      classes,
      of.map((sample) => sample.class),
    );
  return {
    facts: { ...facts, published: { train: train.length, test: test.length } },
    ...{ sensorFrom, splitFrom, users: users.shown },
    warnings: [...warnOfBothSplits(facts, splits), ...warnings],
    clips: { train: countOf(train), test: countOf(test) },
    /** Those in training. */
    people: new Set(train.flatMap(({ user }) => user ?? [])).size,
    first: paths.find((path) => names.has(path)) ?? '',
    medianUs: durationsUs.sort((a, b) => a - b)[durationsUs.length >> 1] ?? 0,
    longestUs: durationsUs.at(-1) ?? 0,
    unused: paths.filter((path) => !names.has(path)),
  };
}

function findRecordings(all: readonly string[], where: string): string[] {
  const endings = [...new Set(Object.values(SAMPLE_READERS).flatMap(({ endings }) => endings))];
  const paths = all.filter((file) => endings.some((ending) => file.toLowerCase().endsWith(ending)));
  if (paths.length > 0) return paths;
  const there = all.length === 0 ? 'no files' : listSome(all);
  const text = `expected recordings (${endings.join(', ')}), at most ${DEPTH - 1} folders deep, found ${there}.`;
  const fix = all.some((file) => OTHER_SOUND.test(file))
    ? CONVERT
    : 'Unpack archives. Convert other formats to .npy: docs/data.md.';
  throw new ReproError('data-new-empty', text, { where, fix });
}

function explainNames(where: string, problem: string): ReproError {
  const fix = ['Use one of these layouts, or write the files by hand (docs/data.md):', ...LAYOUTS];
  return new ReproError('data-new-names', `${problem}.`, { where, fix: fix.join('\n  ') });
}

async function readAll(
  tree: FolderTree,
  names: ReadonlyMap<string, string>,
  progress: Progress,
  where: string,
) {
  const entries = new Map<string, SampleFiles>();
  const headers = new Map<string, Sensor>();
  const durationsUs: number[] = [];
  const warnings: string[] = [];
  const problems = new Problems();
  let extent: Sensor = { height: 1, width: 1 };
  /** The lowest sample rate so far. */
  let rateHz = Number.POSITIVE_INFINITY;
  const npy = await guessNpy(tree, names);
  let done = 0;
  const read = async (bytes: Uint8Array, file: string): Promise<void> => {
    const reader = findReader(SAMPLE_READERS, file, bytes) ?? 'aedat4';
    const sound = reader === 'wav' ? decodeWav(bytes, file) : undefined;
    if (sound !== undefined) rateHz = Math.min(rateHz, sound.rateHz);
    // As training reads it, but of any sensor.
    const of = { title: 'the data set', sensor: NO_LARGER, npy };
    const decoded = sound
      ? encodeSound(sound, file, chooseBands(rateHz))
      : await SAMPLE_READERS[reader].decode(bytes, file, of);
    const { events, sensor } = decoded;
    const entry = { names: names.get(file)!, reader, ...(reader === 'npy' ? npy : {}) };
    entries.set(`${reader} ${entry.names}`, entry);
    if (sensor !== undefined) headers.set(showSensor(sensor), sensor);
    const { height, width } = extentOf(events);
    extent = { height: Math.max(extent.height, height), width: Math.max(extent.width, width) };
    const { startUs, endUs } = spanOf(events);
    // Frames of sound begin at 0, and the last one has its end.
    durationsUs.push(reader === 'wav' ? Math.max(0, endUs - 1) : endUs - startUs);
    warnings.push(...decoded.warnings);
  };
  await tree.walk(
    async (file) => {
      const bytes = await readWhole(file, LARGEST_SAMPLE_BYTES);
      await read(bytes, file.path).catch((error: unknown) => {
        if (!(error instanceof ReproError)) throw error;
        problems.addPlace('recordings cannot be read', describeProblem(error));
      });
      await progress(++done, names.size);
    },
    undefined,
    new Set(names.keys()),
  );
  const fix = [
    'Repair them, or move them out of the folder. What can be read:',
    '.bin as in N-MNIST; AEDAT 2.0, 3.1 and 4; .mat with ts, x, y, pol; .npy and .npz with t, x, y, p; .wav.',
  ].join('\n  ');
  problems.throwIfAny({ where, what: 'The folder', fix });
  // The first matching entry reads a file, so exact names come first.
  const vague = ({ names }: SampleFiles) => names.split('*').length;
  const samples = [...entries.values()].sort(
    (a, b) => vague(a) - vague(b) || compareCodeUnits(a.names, b.names),
  );
  const twice = samples.find(({ names }, i) => names === samples[i - 1]?.names);
  if (twice !== undefined) {
    const text = `files named ${twice.names} are of several formats.`;
    throw new ReproError('data-new-formats', text, { where, fix: 'Make a folder for each format.' });
  }
  const audio = chooseBands(rateHz);
  return { samples, audio, headers: [...headers.values()], durationsUs, extent, warnings };
}

/** Of the largest file, whose numbers tell most. */
async function guessNpy(
  tree: FolderTree,
  names: ReadonlyMap<string, string>,
): Promise<NpySettings | undefined> {
  const files: TreeFile[] = [];
  await tree.walk(
    async (file) => void (names.has(file.path) && /\.np[yz]$/i.test(file.path) && files.push(file)),
  );
  const [largest] = files.sort((a, b) => b.sizeBytes - a.sizeBytes);
  return largest && guessNpySettings(await readWhole(largest, LARGEST_SAMPLE_BYTES), largest.path);
}

/** Bands that all sound has: the defaults, or if these end too high for the lowest sample rate, up to 95 % of the half of it. */
function chooseBands(rateHz: number): SampleFacts['audio'] {
  if (rateHz >= 2 * AUDIO_DEFAULTS.highHz) return undefined;
  return { highHz: 100 * Math.floor((rateHz * 19) / 4000) };
}

function showSensor({ width, height }: Sensor): string {
  return `${width} x ${height}`;
}

function describeRecorder({ width, height }: Sensor, samples: readonly SampleFiles[]): string {
  if (isSound(samples)) return `heard by ${width} bands of sound`;
  if (height === 1) return `recorded by a sensor with a row of ${width} pixels`;
  return `seen by an event camera with ${width} x ${height} pixels`;
}

function chooseSensor(
  { headers, extent }: { readonly headers: readonly Sensor[]; readonly extent: Sensor },
  given: Sensor | undefined,
  samples: readonly SampleFiles[],
  where: string,
) {
  const sensor = given ?? headers[0];
  if (sensor !== undefined) {
    const others = headers.filter((one) => showSensor(one) !== showSensor(sensor));
    const fits = others.length === 0 && sensor.width >= extent.width && sensor.height >= extent.height;
    const read = isSound(samples) ? 'the bands of the sound' : 'from the headers of the recordings';
    if (fits) return { sensor, sensorFrom: given ? 'as --sensor says' : read };
    const noun = isSound(samples) ? 'bands' : 'pixels';
    const text = `the recordings are of sensors with ${showSensor(sensor)} and ${showSensor(others[0] ?? extent)} ${noun}.`;
    const correct = isSound(samples)
      ? 'leave out --sensor, and for other bands change `audio.bands` and `sensor` in its file afterwards'
      : 'correct --sensor';
    const fix = `A data set has one sensor: ${given ? correct : 'make a folder for each'}.`;
    throw new ReproError('data-new-sensor', text, { where, fix });
  }
  if (extent.height === 1)
    return { sensor: extent, sensorFrom: `one row, as y is always 0; the largest x is ${extent.width - 1}` };
  const mayBeSmall = samples.every(({ reader }) => isOfAnyProgram(reader));
  return {
    sensor: smallestSensor(extent, mayBeSmall ? SENSORS : undefined),
    sensorFrom: `the smallest common camera for the largest coordinates, x ${extent.width - 1} and y ${extent.height - 1}`,
  };
}

/** As the facts of a data set number them: by their digits, or if there is more to them, by a list. */
function sortUsers(told: readonly string[]) {
  const digits = (user: string) => Number(/\d+$/.exec(user)?.[0]);
  const names = [...new Set(told)].sort((a, b) => digits(a) - digits(b) || compareCodeUnits(a, b));
  if (names.some((name) => /\D/.test(name)))
    return { numbers: names.map((_, i) => i + 1), shown: names, facts: { users: names } };
  const numbers = [...new Set(names.map(Number))];
  return { numbers, shown: numbers.map(String), facts: {} };
}

function chooseSplit(
  folders: SampleFacts['split']['folders'],
  { numbers, shown }: ReturnType<typeof sortUsers>,
): { readonly split: SampleFacts['split']; readonly splitFrom: string } {
  if (folders !== undefined)
    return { split: { folders }, splitFrom: `by the folders ${folders.train}/ and ${folders.test}/` };
  if (numbers.length > 1) {
    const first = -Math.max(1, Math.floor(numbers.length * TEST_SHARE));
    const splitFrom = `by user: for testing ${shown.slice(first).join(', ')}`;
    return { split: { testUsers: numbers.slice(first) }, splitFrom };
  }
  return {
    split: { trainShare: 1 - TEST_SHARE },
    splitFrom: 'the first 80 % of each class for training',
  };
}
