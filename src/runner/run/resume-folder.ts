import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { syncFolder, writeFileAtomic } from '../../files/atomic-file.ts';
import { hashText, isSha256 } from '../../files/canonical-json.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import { fileNameOf } from '../store/cache-folder.ts';
import { isThere, moveFolder, partialOf, removeFolder } from '../store/whole-folders.ts';

/** The second line of the marker of what belongs to an execution that succeeded. */
const finished = 'finished';

/**
 * The second line while an execution is under way, and after it was killed: the inputs that it works from. If they are others by now, they may
 * have been changed, and changed back, while it read them.
 */
function startedWith(inputs: string): string {
  return `started ${hashText(inputs)}`;
}

/** What {@link ResumeFolder.open} found. */
export interface OpenedResume {
  readonly absolute: string;
  /**
   * What happened to content of another fingerprint: `set-aside` until that one runs again, or, if its owner is unknown, as after
   * {@link ResumeFolder.distrust}, `emptied`.
   */
  readonly other: 'none' | 'set-aside' | 'emptied';
  /** Whether content set aside earlier for this fingerprint is back in place. */
  readonly isBack: boolean;
}

/**
 * A folder in which a stage keeps what it can resume from. It survives interruption and failure, and belongs to one
 * fingerprint, named by a marker beside it. Another fingerprint must not start from it, so it is set aside in
 * the cache, where its path names the fingerprint, until that one runs again.
 *
 * Nothing is lost if the runner is killed at any moment: a folder moves by a rename, and the marker changes only while no
 * folder exists. Across disks a copy is completed before the original is removed.
 */
export class ResumeFolder {
  readonly #absolute: string;
  readonly #index: number;
  readonly #asideRoot: string;
  /** The name that the folder has while it is being removed: in the cache. */
  readonly #removed: string;

  /**
   * @param index its place in the instance's list: its name when set aside
   * @param asideRoot absolute; contains `<fingerprint>/<index>`
   */
  constructor(projectRoot: string, relative: string, index: number, asideRoot: string) {
    this.#absolute = path.resolve(projectRoot, relative);
    this.#index = index;
    this.#asideRoot = asideRoot;
    this.#removed = partialOf(path.join(asideRoot, fileNameOf(relative)));
  }

  get absolute(): string {
    return this.#absolute;
  }

  /** Whether an interrupted execution left something here, or set aside, to resume from. Changes nothing. */
  async canResume(fingerprint: string): Promise<boolean> {
    const { owner, state } = await this.#readMarker();
    const names = await fs.readdir(this.#absolute).catch(() => []);
    const isHere = owner === fingerprint && state !== finished && names.length > 0;
    return isHere || isThere(this.#asideOf(fingerprint));
  }

  /** @param inputs names the state of the inputs: see `nameInputs` */
  async open(fingerprint: string, inputs: string): Promise<OpenedResume> {
    const { owner, state } = await this.#readMarker();
    const started = startedWith(inputs);
    let other: OpenedResume['other'] = 'none';
    // What finished and was never recorded has only little left to do.
    if (owner !== fingerprint) other = await this.#clear(owner, state);
    else if (!isTrusted(state, started)) other = await this.#clear(null, state);
    if (!(await isThere(this.#absolute)) && !isTrusted(await this.#readAsideState(fingerprint), started)) {
      await this.#dropAside(fingerprint);
      other = 'emptied';
    }
    await fs.mkdir(path.dirname(this.#absolute), { recursive: true });
    await writeFileAtomic(this.#marker(), `${fingerprint}\n${started}\n`);
    const isBack = !(await isThere(this.#absolute)) && (await this.#bringBack(fingerprint));
    await fs.mkdir(this.#absolute, { recursive: true });
    return { absolute: this.#absolute, other, isBack };
  }

  /**
   * After an execution that did not succeed, and whose inputs are known to be as they were: from here on, only the fingerprint counts. On
   * another machine, that is not the runner's, so the folder is known by its inputs.
   */
  async settle(inputs: string): Promise<void> {
    const { owner, state } = await this.#readMarker();
    if (owner !== null && state === startedWith(inputs)) await writeFileAtomic(this.#marker(), `${owner}\n`);
  }

  /**
   * Before success is recorded: until {@link drop}, what is here tells a forced run, which is to compute everything again, that nothing is
   * left to do.
   */
  async markFinished(fingerprint: string): Promise<void> {
    await writeFileAtomic(this.#marker(), `${fingerprint}\n${finished}\n`);
  }

  /**
   * After an input of its stage was found changed while the stage ran: what is here may come from that, so nothing resumes from it. Until the
   * stage runs again, it stays for people to look at.
   */
  async distrust(): Promise<void> {
    if (await isThere(this.#absolute)) await writeFileAtomic(this.#marker(), 'distrusted\n');
  }

  /** Before a forced run: drops what a kill kept a finished run of this fingerprint from dropping. What an interrupted one left stays. */
  async dropIfFinished(fingerprint: string): Promise<void> {
    const { owner, state } = await this.#readMarker();
    if (owner === fingerprint && state === finished) await this.drop(fingerprint);
  }

  /** After success: the outputs are all that is needed. */
  async drop(fingerprint: string): Promise<void> {
    // In one step: half of it, after a kill, would look like a whole one to a forced run of this fingerprint.
    if (await isThere(this.#absolute)) await this.#remove();
    await fs.rm(partialOf(this.#absolute), { recursive: true, force: true });
    await this.#dropAside(fingerprint);
    // Last: it tells the next attempt that there is something to drop.
    await fs.rm(this.#marker(), { force: true });
  }

  /**
   * Drops what a kill between the record and {@link drop} left: a later forced run would resume from it. What belongs to another
   * fingerprint stays.
   */
  async dropFinished(fingerprint: string): Promise<void> {
    if ((await this.#readMarker()).owner === fingerprint) await this.drop(fingerprint);
    else await this.#dropAside(fingerprint);
  }

  async #dropAside(fingerprint: string): Promise<void> {
    const aside = path.join(this.#asideRoot, fingerprint);
    if (await isThere(aside)) await removeFolder(aside);
  }

  /** `owner` is null also for a marker that names no fingerprint. */
  async #readMarker(): Promise<{ readonly owner: string | null; readonly state: string | undefined }> {
    const text = await fs.readFile(this.#marker(), 'utf8').catch(() => '');
    const [owner = '', state] = text.trim().split('\n');
    return { owner: isSha256(owner) ? owner : null, state };
  }

  /** In the cache, where `repro gc` finds what a kill leaves; in its place if the cache is on another disk. */
  async #remove(): Promise<void> {
    await fs.mkdir(this.#asideRoot, { recursive: true });
    await removeFolder(this.#absolute, this.#removed).catch((error: unknown) => {
      if (!hasErrorCode(error, 'EXDEV')) throw error;
      return removeFolder(this.#absolute);
    });
  }

  /** Clears the place; afterwards no folder exists, and the marker may change. */
  async #clear(owner: string | null, state: string | undefined): Promise<OpenedResume['other']> {
    const names = await fs.readdir(this.#absolute).catch(() => []);
    const isKept = owner !== null && state !== finished && names.length > 0;
    if (isKept) {
      const aside = this.#asideOf(owner);
      await fs.mkdir(path.dirname(aside), { recursive: true });
      // A copy left by a kill while it was being restored from another disk: older than what is in place.
      await fs.rm(aside, { recursive: true, force: true });
      await writeFileAtomic(`${aside}.state`, state ?? '');
      await moveFolder(this.#absolute, aside);
    } else if (names.length > 0) await this.#remove();
    await fs.rm(this.#absolute, { recursive: true, force: true });
    if (names.length === 0) return 'none';
    await syncFolder(path.dirname(this.#absolute));
    if (isKept) return 'set-aside';
    // Of what finished, the outputs are all that is needed.
    return state === finished ? 'none' : 'emptied';
  }

  async #bringBack(fingerprint: string): Promise<boolean> {
    const aside = this.#asideOf(fingerprint);
    if (!(await isThere(aside))) return false;
    await moveFolder(aside, this.#absolute);
    await syncFolder(path.dirname(this.#absolute));
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

  #marker(): string {
    return `${this.#absolute}.fingerprint`;
  }
}

function isTrusted(state: string | undefined, started: string): boolean {
  return state === undefined || state === finished || state === started;
}

export function resumeFoldersOf({ plan, folder }: Session, { resume }: StageInstance): ResumeFolder[] {
  return resume.map((one, i) => new ResumeFolder(plan.projectRoot, one, i, folder.resume));
}

/**
 * Marks what the instances that read an instance could resume from: an output of it was found altered, and they may have read that before
 * they were interrupted.
 */
export async function distrustResumes(session: Session, made: string): Promise<void> {
  for (const [id, dependencies] of session.plan.dependencies) {
    const reader = session.plan.instances.get(id);
    if (reader === undefined || reader.resume.length === 0 || !dependencies.includes(made)) continue;
    for (const folder of resumeFoldersOf(session, reader)) await folder.distrust();
  }
}
