import { createHash } from 'node:crypto';
import { ReproError } from '../../errors.ts';
import { decodeNmnist } from '../../events/nmnist.ts';
import { type Manifest, type ManifestFile, type ReadOptions, SPLITS, type Split } from '../dataset.ts';
import { hashChunks, hashFile } from '../file-hash.ts';
import { readWhole } from '../file-tree.ts';
import { describeProblem, foldNames, formatBytes, formatCount, Problems } from '../problems.ts';
import { showPath } from '../show-path.ts';
import {
  ARCHIVES,
  CLASSES,
  FOLDERS,
  howToGetNmnist,
  LARGEST_SAMPLE_BYTES,
  parseSampleName,
  SAMPLES,
} from './facts.ts';
import { locateNmnist, type NmnistPlace } from './locate.ts';

/** Sample warnings shown; if there are more, they usually have one cause. */
const MOST_WARNINGS = 20;

/** What samples are called, for messages. */
const SAMPLE_NAMES = 'Train/<digit>/<number>.bin, Test/<digit>/<number>.bin';

/** What was found for one split. */
interface FoundSplit {
  readonly files: readonly ManifestFile[];
  /** Samples per digit. */
  readonly digits: readonly number[];
  /** One per sample that is accepted but not right. */
  readonly sampleWarnings: readonly string[];
}

/**
 * Reads every sample to its end and checks its events; zips also by md5 and checksums. An incomplete data set
 * is accepted with a warning.
 *
 * @throws {ReproError} `data-missing`, `data-kind` if simulated samples are asked for, or `data-corrupt`
 */
export async function verifyNmnist(root: string, options: ReadOptions): Promise<Manifest> {
  if (options.simulated) {
    throw new ReproError('data-kind', 'there are no simulated N-MNIST samples.', {
      where: 'dataset.simulated',
      fix:
        'For real samples: npx repro run verify --profile nmnist\n' +
        'For simulated gestures: npx repro run --profile quick',
    });
  }
  const places = await locateNmnist(root);
  const shown = showPath(root);
  const problems = new Problems();
  const warnings: string[] = [];
  const lists = { train: await listSamples(places.train), test: await listSamples(places.test) };
  const total = lists.train.length + lists.test.length;
  let done = 0;
  const progress = () => options.progress?.(++done, total);
  const found: Partial<Record<Split, FoundSplit>> = {};
  for (const split of SPLITS) {
    found[split] = await verifySplit(places[split], { problems, warnings, progress, signal: options.signal });
    checkCounts(split, found[split].digits, problems, warnings);
  }
  problems.throwIfAny({
    where: shown,
    what: 'N-MNIST',
    fix:
      'Download or unpack these again, then `repro run verify`; `repro logs verify` names all of them.\n' +
      howToGetNmnist(root),
    log: options.log,
  });
  const [train, test] = [found.train!, found.test!];
  const sum = (digits: readonly number[]) => digits.reduce((a, b) => a + b, 0);
  const count = (digits: readonly number[]) => ({ recordings: sum(digits), clips: sum(digits) });
  return {
    version: 1,
    dataset: 'nmnist',
    simulated: false,
    archive: SPLITS.every((split) => places[split].archive !== null),
    splits: { train: count(train.digits), test: count(test.digits) },
    perUser: {},
    perLight: {},
    perClass: Object.fromEntries(CLASSES.map((name, i) => [name, train.digits[i]! + test.digits[i]!])),
    warnings: [
      ...warnings,
      ...describeIgnored([...train.files, ...test.files]),
      ...foldWarnings([...train.sampleWarnings, ...test.sampleWarnings]),
    ],
    files: [...test.files, ...train.files],
  };
}

async function listSamples(place: NmnistPlace): Promise<string[]> {
  return (await place.tree.list()).filter((name) => parseSampleName(name)?.split === place.split);
}

async function verifySplit(
  place: NmnistPlace,
  run: {
    readonly problems: Problems;
    readonly warnings: string[];
    readonly progress: () => void;
    readonly signal: AbortSignal | undefined;
  },
): Promise<FoundSplit> {
  const { split, archive, tree } = place;
  const files: ManifestFile[] = [];
  const digits = CLASSES.map(() => 0);
  const sampleWarnings: string[] = [];
  if (archive !== null) files.push(await checkArchive(archive, split, run.warnings, run.signal));
  await tree.walk(async (file) => {
    const sample = parseSampleName(file.path);
    let bytes: Uint8Array;
    try {
      if (sample?.split !== split) {
        files.push({ path: file.path, ...(await hashChunks(file.open(), run.signal)), status: 'unlisted' });
        return;
      }
      bytes = await readWhole(file, LARGEST_SAMPLE_BYTES);
      sampleWarnings.push(...decodeNmnist(bytes, file.path).warnings);
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      run.problems.addPlace('samples cannot be read', describeProblem(error));
      return;
    }
    const md5 = createHash('md5').update(bytes).digest('hex');
    files.push({ path: file.path, sizeBytes: bytes.length, md5, status: 'ok' });
    digits[sample.digit]! += 1;
    run.progress();
  }, run.signal);
  return { files, digits, sampleWarnings };
}

async function checkArchive(
  archive: string,
  split: Split,
  warnings: string[],
  signal: AbortSignal | undefined,
): Promise<ManifestFile> {
  const { name, md5 } = ARCHIVES[split];
  const found = await hashFile(archive, signal);
  if (found.md5 !== md5) {
    warnings.push(
      `${name} (${formatBytes(found.sizeBytes)}): md5 ${found.md5} is not ${md5}: intact, but not the published archive.`,
    );
  }
  return { path: name, ...found, status: 'archive' };
}

function checkCounts(split: Split, digits: readonly number[], problems: Problems, warnings: string[]): void {
  const samples = digits.reduce((a, b) => a + b, 0);
  const noun = split === 'train' ? 'training sample' : 'test sample';
  if (samples === 0) {
    problems.addPlace('no samples', `${FOLDERS[split]}: no <digit>/<number>.bin`);
  } else if (samples < SAMPLES[split]) {
    const all = formatCount(SAMPLES[split], noun);
    warnings.push(`subset of N-MNIST: ${samples.toLocaleString('en-US')} of ${all}.`);
  } else if (samples > SAMPLES[split]) {
    warnings.push(
      `${formatCount(samples, noun)}: more than N-MNIST's ${SAMPLES[split].toLocaleString('en-US')}.`,
    );
  }
  const absent = CLASSES.filter((_, i) => digits[i] === 0);
  if (samples > 0 && absent.length > 0) warnings.push(`no ${noun} of ${absent.join(', ')}.`);
}

/** Otherwise a sample under another name would be missed silently. */
function describeIgnored(files: readonly ManifestFile[]): string[] {
  const names = files.filter(({ status }) => status === 'unlisted').map((file) => file.path);
  if (names.length === 0) return [];
  const many = names.length === 1 ? 'file is not a sample' : 'files are not samples';
  return [`${names.length} ${many} (${SAMPLE_NAMES}) and not used: ${foldNames(names)}.`];
}

function foldWarnings(warnings: readonly string[]): string[] {
  if (warnings.length <= MOST_WARNINGS) return [...warnings];
  return [
    ...warnings.slice(0, MOST_WARNINGS),
    `and ${warnings.length - MOST_WARNINGS} more sample warnings.`,
  ];
}
