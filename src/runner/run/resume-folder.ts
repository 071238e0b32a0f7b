import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { syncFolder, writeFileAtomic } from '../../files/atomic-file.ts';
import { isSha256 } from '../../files/canonical-json.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import { fileNameOf } from '../store/cache-folder.ts';
import { isThere, moveFolder, partialOf, removeFolder } from '../store/whole-folders.ts';

/** The second line of the marker of what belongs to an execution that succeeded. */
const finished = 'finished';

/** The second line of the marker of what may come from an input that was altered meanwhile. */
const distrusted = 'distrusted';

/** What {@link ResumeFolder.open} found. */
export interface OpenedResume {
  readonly absolute: string;
  /**
   * What happened to content of another fingerprint: `set-aside` until that one runs again, or, if its owner is unknown,
   * `emptied`; or to content of any, after {@link ResumeFolder.distrust}: `distrusted`, and emptied.
   */
  readonly other: 'none' | 'set-aside' | 'emptied' | 'distrusted';
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

  /** Whether an interrupted execution of this fingerprint left something here, or set aside, to resume from. Changes nothing. */
  async canResume(fingerprint: string): Promise<boolean> {
    const { owner, isFinished, isDistrusted } = await this.#readMarker();
    const isOwn = owner === fingerprint && !isFinished && !isDistrusted;
    if (isOwn && (await fs.readdir(this.#absolute).catch(() => [])).length > 0) return true;
    return (await isThere(this.#asideOf(fingerprint))) && !(await isThere(this.#flagOf(fingerprint)));
  }

  async open(fingerprint: string): Promise<OpenedResume> {
    const { owner, isFinished, isDistrusted } = await this.#readMarker();
    let other: OpenedResume['other'] = 'none';
    if (owner !== fingerprint || isFinished || isDistrusted) {
      if (isDistrusted) other = await this.#discard();
      else if (owner !== fingerprint) other = await this.#clear(owner, isFinished);
      await fs.mkdir(path.dirname(this.#absolute), { recursive: true });
      await writeFileAtomic(this.#marker(), `${fingerprint}\n`);
    }
    const isBack = !(await isThere(this.#absolute)) && (await this.#bringBack(fingerprint));
    await fs.mkdir(this.#absolute, { recursive: true });
    return { absolute: this.#absolute, other, isBack };
  }

  /**
   * Before success is recorded: until {@link drop}, what is here tells a forced run, which is to compute everything again, that nothing is
   * left to do.
   */
  async markFinished(fingerprint: string): Promise<void> {
    await writeFileAtomic(this.#marker(), `${fingerprint}\n${finished}\n`);
  }

  /**
   * After an input of its stage was found altered: what is here may come from that, so nothing resumes from it. Until the stage runs again, it
   * stays for people to look at.
   */
  async distrust(): Promise<void> {
    const { owner } = await this.#readMarker();
    if (owner === null || !(await isThere(this.#absolute))) return;
    await writeFileAtomic(this.#marker(), `${owner}\n${distrusted}\n`);
  }

  /**
   * Before a forced run: drops what a kill kept the run of this fingerprint that finished from dropping, in place or set aside since. What an
   * interrupted one left stays.
   */
  async dropIfFinished(fingerprint: string): Promise<void> {
    const { owner, isFinished } = await this.#readMarker();
    if (owner === fingerprint && isFinished) return this.drop(fingerprint);
    const flag = this.#flagOf(fingerprint);
    if (!(await isThere(flag))) return;
    const aside = this.#asideOf(fingerprint);
    if (await isThere(aside)) await removeFolder(aside);
    await fs.rm(flag, { force: true });
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
  async #readMarker(): Promise<{
    readonly owner: string | null;
    readonly isFinished: boolean;
    readonly isDistrusted: boolean;
  }> {
    const text = await fs.readFile(this.#marker(), 'utf8').catch(() => '');
    const [owner = '', state] = text.trim().split('\n');
    return {
      owner: isSha256(owner) ? owner : null,
      isFinished: state === finished,
      isDistrusted: state === distrusted,
    };
  }

  async #discard(): Promise<OpenedResume['other']> {
    if (!(await isThere(this.#absolute))) return 'none';
    await this.#remove();
    await syncFolder(path.dirname(this.#absolute));
    return 'distrusted';
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
  async #clear(owner: string | null, isFinished: boolean): Promise<OpenedResume['other']> {
    const names = await fs.readdir(this.#absolute).catch(() => []);
    const isKept = owner !== null && names.length > 0;
    if (isKept) await this.#setAside(owner, isFinished);
    await fs.rm(this.#absolute, { recursive: true, force: true });
    if (!isKept && names.length === 0) return 'none';
    await syncFolder(path.dirname(this.#absolute));
    return isKept ? 'set-aside' : 'emptied';
  }

  async #setAside(owner: string, isFinished: boolean): Promise<void> {
    const aside = this.#asideOf(owner);
    await fs.mkdir(path.dirname(aside), { recursive: true });
    // Before the folder moves: the marker, which says the same until then, changes after that.
    if (isFinished) await writeFileAtomic(this.#flagOf(owner), '');
    else await fs.rm(this.#flagOf(owner), { force: true });
    // A copy left by a kill while it was being restored from another disk: older than what is in place.
    await fs.rm(aside, { recursive: true, force: true });
    await moveFolder(this.#absolute, aside);
  }

  async #bringBack(fingerprint: string): Promise<boolean> {
    const aside = this.#asideOf(fingerprint);
    if (!(await isThere(aside))) return false;
    // The execution continues, so it has not finished.
    await fs.rm(this.#flagOf(fingerprint), { force: true });
    await moveFolder(aside, this.#absolute);
    await syncFolder(path.dirname(this.#absolute));
    // Fails, as it should, if another folder of this fingerprint still exists.
    await fs.rmdir(path.dirname(aside)).catch(() => {});
    return true;
  }

  #asideOf(fingerprint: string): string {
    return path.join(this.#asideRoot, fingerprint, String(this.#index));
  }

  /** Beside what was set aside, and says that it had been marked as finished. */
  #flagOf(fingerprint: string): string {
    return `${this.#asideOf(fingerprint)}.${finished}`;
  }

  #marker(): string {
    return `${this.#absolute}.fingerprint`;
  }
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
