import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFolder, writeFileAtomic } from '../../base/files/atomic-file.ts';
import { isSha256 } from '../../base/files/canonical-json.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import { type CacheFolder, fileNameOf } from '../store/cache-folder.ts';
import { isThere, moveFolder, partialOf, removeFolder } from '../store/outputs-in-place.ts';
import { listFileStates } from '../store/tree.ts';
import { findTouched, type InputState } from './start-state.ts';

/** The second line of the marker of what belongs to an execution that succeeded. */
const finished = 'finished';

const started = 'started ';

/**
 * The second line while an execution is under way, and after it was killed: the inputs that it works from. If they are others by now, they may
 * have been changed, and changed back, while it read them.
 */
function startedWith({ stamps, way }: InputState): string {
  return `${started}${JSON.stringify({ stamps, way })}`;
}

export interface OpenedResume {
  /** What happened to content of another fingerprint: `emptied` if its owner is unknown, as after {@link ResumeFolder.distrust}. */
  readonly other: 'none' | 'set-aside' | 'emptied';
  /** Whether content set aside earlier for this fingerprint is back in place. */
  readonly isBack: boolean;
}

interface Marker {
  readonly owner: string | null;
  readonly state: string | undefined;
}

/**
 * A folder in which a stage keeps what it can resume from. It survives interruption and failure, and belongs to one fingerprint, named by a
 * marker beside it. Another fingerprint must not start from it, so it is set aside in the cache until that one runs again.
 *
 * Nothing is lost if the runner is killed at any moment: a folder moves by a rename, and the marker changes only while no folder exists.
 */
export class ResumeFolder {
  readonly absolute: string;
  readonly #index: number;
  readonly #asideRoot: string;
  /** The name that the folder has while it is being removed: by the cache, where `repro gc` finds what a kill leaves. */
  readonly #removed: string;

  /**
   * @param index its place in the instance's list: its name when set aside
   * @param asideRoot absolute; contains `<fingerprint>/<index>`
   */
  constructor(projectRoot: string, relative: string, index: number, asideRoot: string) {
    this.absolute = path.resolve(projectRoot, relative);
    this.#index = index;
    this.#asideRoot = asideRoot;
    this.#removed = partialOf(path.join(asideRoot, fileNameOf(relative)));
  }

  /** Whether an execution would find something here, or set aside, to resume from. Changes nothing. */
  async canResume(fingerprint: string, inputs: InputState): Promise<boolean> {
    const { owner, state } = await this.#readMarker();
    const isHere = owner === fingerprint && (await this.#hasContent());
    if (isHere) return state !== finished && isTrusted(state, inputs);
    const isAside = await isThere(this.#asideOf(fingerprint));
    return isAside && isTrusted(await this.#readAsideState(fingerprint), inputs);
  }

  async open(fingerprint: string, inputs: InputState): Promise<OpenedResume> {
    const { owner, state } = await this.#readMarker();
    let other: OpenedResume['other'] = 'none';
    // What finished and was never recorded has only little left to do.
    if (owner !== fingerprint) other = await this.#clear({ owner, state });
    else if (!isTrusted(state, inputs)) other = await this.#clear({ owner: null, state });
    if (!(await isThere(this.absolute)) && !isTrusted(await this.#readAsideState(fingerprint), inputs)) {
      await this.#dropAside(fingerprint);
      other = 'emptied';
    }
    await fs.mkdir(path.dirname(this.absolute), { recursive: true });
    await this.#mark(fingerprint, startedWith(inputs));
    const isBack = !(await isThere(this.absolute)) && (await this.#bringBack(fingerprint));
    await fs.mkdir(this.absolute, { recursive: true });
    return { other, isBack };
  }

  /**
   * After an execution that did not succeed, and whose inputs are known to be as they were: from here on, only the fingerprint counts. On
   * another machine, that is not the runner's, so the folder is known by its inputs.
   */
  async settle(inputs: InputState): Promise<void> {
    const { owner, state } = await this.#readMarker();
    if (owner !== null && state === startedWith(inputs)) await this.#mark(owner);
  }

  /** Before success is recorded: until {@link drop}, this tells a forced run, which is to compute everything again, that nothing is left to do. */
  async markFinished(fingerprint: string): Promise<void> {
    await this.#mark(fingerprint, finished);
  }

  /** After an input was found changed while the stage ran: nothing resumes from what is here. Until then, it stays for people to look at. */
  async distrust(): Promise<void> {
    if (await isThere(this.absolute)) await this.#mark('distrusted');
  }

  /** Before a forced run: drops what a kill kept a finished run of this fingerprint from dropping. What an interrupted one left stays. */
  async dropIfFinished(fingerprint: string): Promise<void> {
    const { owner, state } = await this.#readMarker();
    if (owner === fingerprint && state === finished) await this.drop(fingerprint);
  }

  /** After success, when the outputs are all that is needed. What belongs to another fingerprint stays. */
  async drop(fingerprint: string): Promise<void> {
    if ((await this.#readMarker()).owner === fingerprint) {
      // In one step: half of it, after a kill, would look like a whole one to a forced run of this fingerprint.
      if (await isThere(this.absolute)) await this.#remove();
      // It tells the next attempt that there is something to drop.
      await fs.rm(this.#marker, { force: true });
    }
    await this.#dropAside(fingerprint);
  }

  async #dropAside(fingerprint: string): Promise<void> {
    const aside = path.join(this.#asideRoot, fingerprint);
    if (await isThere(aside)) await removeFolder(aside);
  }

  async #readMarker(): Promise<Marker> {
    const text = await fs.readFile(this.#marker, 'utf8').catch(() => '');
    const [owner = '', state] = text.trim().split('\n');
    return { owner: isSha256(owner) ? owner : null, state };
  }

  async #mark(...lines: readonly string[]): Promise<void> {
    await writeFileAtomic(this.#marker, `${lines.join('\n')}\n`);
  }

  async #hasContent(): Promise<boolean> {
    return (await fs.readdir(this.absolute).catch(() => [])).length > 0;
  }

  async #remove(): Promise<void> {
    await fs.mkdir(this.#asideRoot, { recursive: true });
    await removeFolder(this.absolute, this.#removed);
  }

  /** Clears the place; afterwards no folder exists, and the marker may change. */
  async #clear({ owner, state }: Marker): Promise<OpenedResume['other']> {
    if (!(await this.#hasContent())) {
      await fs.rm(this.absolute, { recursive: true, force: true });
      return 'none';
    }
    const isKept = owner !== null && state !== finished;
    if (isKept) {
      const aside = this.#asideOf(owner);
      await fs.mkdir(path.dirname(aside), { recursive: true });
      await fs.rm(aside, { recursive: true, force: true });
      await writeFileAtomic(`${aside}.state`, state ?? '');
      await moveFolder(this.absolute, aside);
    } else await this.#remove();
    await syncFolder(path.dirname(this.absolute));
    // Of what finished, the outputs are all that is needed.
    return isKept ? 'set-aside' : state === finished ? 'none' : 'emptied';
  }

  async #bringBack(fingerprint: string): Promise<boolean> {
    const aside = this.#asideOf(fingerprint);
    if (!(await isThere(aside))) return false;
    await moveFolder(aside, this.absolute);
    await fs.rm(`${aside}.state`, { force: true });
    // Fails, as it should, if another folder of this fingerprint still exists.
    await fs.rmdir(path.dirname(aside)).catch(() => {});
    return true;
  }

  /** undefined as after {@link settle}, and if nothing was set aside. */
  async #readAsideState(fingerprint: string): Promise<string | undefined> {
    const state = await fs.readFile(`${this.#asideOf(fingerprint)}.state`, 'utf8').catch(() => '');
    return state === '' ? undefined : state;
  }

  #asideOf(fingerprint: string): string {
    return path.join(this.#asideRoot, fingerprint, String(this.#index));
  }

  get #marker(): string {
    return `${this.absolute}.fingerprint`;
  }
}

function isTrusted(state: string | undefined, inputs: InputState): boolean {
  if (state === undefined || state === finished) return true;
  try {
    return findTouched(JSON.parse(state.slice(started.length)), inputs) === null;
  } catch {
    return false;
  }
}

export function resumeFoldersOf({ plan, folder }: Session, { resume }: StageInstance): ResumeFolder[] {
  return resume.map((one, i) => new ResumeFolder(plan.projectRoot, one, i, folder.resume));
}

/**
 * Takes note that an execution begins, so that the time of all that led to a result can be told. Each counts until it last saved something
 * into its resume folders: what it did after that is done again. It only informs, so what cannot be read or written counts as none.
 *
 * @param resume its resume folders, absolute, as they are now
 * @returns the seconds that earlier executions spent on what is there
 */
export async function beginSpending(
  folder: CacheFolder,
  fingerprint: string,
  resume: readonly string[],
): Promise<number> {
  if (resume.length === 0) return 0;
  const file = spentFile(folder, fingerprint);
  const nowMs = Date.now();
  const savedMs = await findLastSave(resume);
  let seconds = 0;
  try {
    const before = JSON.parse(await fs.readFile(file, 'utf8')) as { startedAt: string; seconds: number };
    const spentMs = Math.min(savedMs ?? 0, nowMs) - Date.parse(before.startedAt);
    const found = before.seconds + Math.max(0, spentMs) / 1000;
    if (savedMs !== null && Number.isFinite(found)) seconds = found;
  } catch {
    // The first execution, or one whose note was lost.
  }
  const spent = { version: 1, startedAt: new Date(nowMs).toISOString(), seconds };
  await writeFileAtomic(file, `${JSON.stringify(spent)}\n`).catch(() => {
    // A full or read-only disk: the run itself says so.
  });
  return seconds;
}

export async function forgetSpending(folder: CacheFolder, fingerprint: string): Promise<void> {
  // Nothing reads a file that stays behind.
  await fs.rm(spentFile(folder, fingerprint), { force: true }).catch(() => {});
}

export async function findLastSave(folders: readonly string[]): Promise<number | null> {
  const states = await Promise.all(folders.map(listFileStates)).catch(() => []);
  const times = states.flat().map(({ changedNs }) => Number(changedNs / 1_000_000n));
  return times.length === 0 ? null : times.reduce((last, one) => Math.max(last, one));
}

function spentFile(folder: CacheFolder, fingerprint: string): string {
  return path.join(folder.attempts, `${fingerprint}.spent.json`);
}
