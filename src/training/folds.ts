import { ReproError } from '../base/errors.ts';
import { mixSeed, TorchRandom } from '../network/torch-random.ts';
import type { CachedClip } from '../results/clip-index.ts';

/** `dataset.folds` of a profile: how many folds of users, with a seed for ties or 1; or the users of each. */
export type Folds = number | Readonly<Record<'count' | 'seed', number>> | readonly (readonly number[])[];

export function countFolds(folds: Folds): number {
  if (typeof folds === 'number') return folds;
  return 'count' in folds ? folds.count : folds.length;
}

/** Distinguishes the order in which users are dealt from other streams with the same seed: "deal" in ASCII. */
const DEALING_STREAM = 0x6465616c;

type DealtClip = Pick<CachedClip, 'user' | 'light'>;

interface DealtClips {
  readonly dataset: string;
  readonly splits: Readonly<Record<'train' | 'test', readonly DealtClip[]>>;
}

/**
 * The users whom a training tests: those of fold `seed mod n` of pass `⌊seed / n⌋`, each of which deals the users anew. So n consecutive seeds from
 * a multiple of n on test each user once, what is odd about the users that a fold trains on is not in every pass, and a fold does not depend on
 * which other seeds a profile has.
 *
 * @returns in ascending order
 */
export function chooseTestUsers(
  { dataset, splits }: DealtClips,
  folds: Folds,
  seed: number,
): readonly number[] {
  const count = countFolds(folds);
  const clips = [...splits.train, ...splits.test];
  return dealUsers(clips, folds, dataset, Math.floor(seed / count))[seed % count]!;
}

interface Fold {
  readonly users: number[];
  /** Clips under each. */
  readonly lights: Map<string | null, number>;
}

/**
 * Deals users to folds: those with the most clips first, ties in a random order. Each goes to one of the folds that have the fewest users so
 * far, to the one where lights overlap least, `Σ clips of the user · clips of the fold` over lights being smallest; of ties, to the first.
 *
 * @param clips of both splits
 * @param pass each has an order of its own; lists are the same in all
 * @throws {ReproError} `folds-invalid` if clips have no users, if a fold would have none, or unless lists have each user once
 */
export function dealUsers(
  clips: readonly DealtClip[],
  folds: Folds,
  dataset: string,
  pass: number,
): number[][] {
  const counts = new Map<number, Fold['lights']>();
  for (const { user, light } of clips) {
    if (user === null) throw invalid(`the clips of ${dataset} have no users`, 'Remove it.');
    const lights = counts.get(user) ?? new Map();
    counts.set(user, lights.set(light, (lights.get(light) ?? 0) + 1));
  }
  const users = [...counts.keys()].sort((a, b) => a - b);
  if (typeof folds !== 'number' && !('count' in folds)) return checkLists(folds, users);
  const { count, seed } = typeof folds === 'number' ? { count: folds, seed: 1 } : folds;
  if (count > users.length)
    throw invalid(`${count} folds are too many for ${users.length} users`, 'Ask for fewer.');
  const total = (user: number) => [...counts.get(user)!.values()].reduce((sum, clips) => sum + clips, 0);
  const order = new TorchRandom(mixSeed(seed, pass, DEALING_STREAM)).permutation(users.length);
  const dealt = Array.from({ length: count }, (): Fold => ({ users: [], lights: new Map() }));
  for (const user of [...order].map((at) => users[at]!).sort((a, b) => total(b) - total(a))) {
    const own = [...counts.get(user)!];
    const overlap = ({ lights }: Fold) =>
      own.reduce((sum, [light, clips]) => sum + clips * (lights.get(light) ?? 0), 0);
    const fewest = Math.min(...dealt.map((fold) => fold.users.length));
    const open = dealt.filter((one) => one.users.length === fewest);
    const fold = open.sort((a, b) => overlap(a) - overlap(b))[0]!;
    fold.users.push(user);
    for (const [light, clips] of own) fold.lights.set(light, (fold.lights.get(light) ?? 0) + clips);
  }
  return dealt.map((fold) => fold.users.sort((a, b) => a - b));
}

function checkLists(folds: readonly (readonly number[])[], users: readonly number[]): number[][] {
  const listed = folds.flat();
  const fix = `List each of these users once: ${users.join(', ')}.`;
  for (const user of new Set([...listed, ...users])) {
    const times = listed.filter((one) => one === user).length;
    if (!users.includes(user)) throw invalid(`user ${user} has no clips`, fix);
    if (times !== 1) throw invalid(`user ${user} is in ${times === 0 ? 'no fold' : `${times} folds`}`, fix);
  }
  return folds.map((fold) => [...fold].sort((a, b) => a - b));
}

function invalid(problem: string, fix: string): ReproError {
  return new ReproError('folds-invalid', `${problem}.`, { where: 'dataset.folds', fix });
}
