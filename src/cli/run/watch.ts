import path from 'node:path';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { findProjectRoot, loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { describeError, ReproError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { isHeld } from '../../files/lock.ts';
import { Changes, PathWatcher } from '../../runner/extras/watch/path-watcher.ts';
import {
  listBlamedFiles,
  listWatchedPaths,
  type WatchedPaths,
} from '../../runner/extras/watch/watched-paths.ts';
import { listOutstanding } from '../../runner/jobs/jobs-folder.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { type Selected, selectInstances } from '../../runner/plan/selection.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { assertWritable } from '../../runner/store/outputs-in-place.ts';
import { listSome } from '../../text.ts';
import { exitCodeOfSignal, listenForSignals, type SignalListener } from '../process/ending.ts';
import { colorsFor, printWarning } from '../view/print.ts';
import { toLines, toOneLine } from '../view/safe-text.ts';
import { runShown } from './run.ts';

interface WatchOptions extends PipelineOptions {
  readonly jobs?: number;
  /** Whether a change stops a run, instead of waiting for its end. */
  readonly restart?: boolean;
  readonly poll?: number;
}

const namesAtMost = 3;

/** How often to look whether another run still holds the folder. */
const lookAgainMs = 1000;

/** `repro watch [STAGE]`: runs what is stale, now and after every change, until Ctrl-C. */
export async function watch(targets: readonly string[], options: WatchOptions): Promise<void> {
  const signals = listenForSignals();
  const session = new WatchSession(targets, options, signals);
  try {
    await session.watch();
  } finally {
    session.close();
    signals.dispose();
  }
  process.exitCode = exitCodeOfSignal(signals.received());
}

class WatchSession {
  readonly #targets: readonly string[];
  readonly #options: WatchOptions;
  readonly #signals: SignalListener;
  readonly #projectRoot: string;
  readonly #changes = new Changes();
  readonly #watcher: PathWatcher;
  #watched: WatchedPaths = { paths: new Set(), leftOut: new Set() };
  /** Whether another run held the folder when this one was to begin. */
  #isLockedOut = false;
  /** Stops the present run if a change is to restart it. */
  #restart = new AbortController();

  constructor(targets: readonly string[], options: WatchOptions, signals: SignalListener) {
    this.#targets = targets;
    this.#options = options;
    this.#signals = signals;
    this.#projectRoot = findProjectRoot(options.project ?? process.cwd());
    const onChange = (absolute: string): void => {
      this.#changes.note(absolute);
      if (options.restart === true) this.#restart.abort();
    };
    this.#watcher = new PathWatcher(options.poll, onChange);
  }

  async watch(): Promise<void> {
    const { stop } = this.#signals;
    while (!stop.aborted) {
      await this.#runOnce();
      if (stop.aborted) return;
      const count = this.#watched.paths.size;
      this.#say(`watching ${count} ${count === 1 ? 'path' : 'paths'}; Ctrl-C ends`);
      const files = await (this.#isLockedOut ? this.#waitForLock(stop) : this.#changes.next(stop));
      if (files.length > 0) this.#say(this.#describeChanges(files));
    }
  }

  /** The next changes, or none as soon as no other run holds the folder. */
  async #waitForLock(stop: AbortSignal): Promise<readonly string[]> {
    const folder = cacheFolderOf({ projectRoot: this.#projectRoot });
    while (!stop.aborted) {
      const files = await this.#changes.next(AbortSignal.any([stop, AbortSignal.timeout(lookAgainMs)]));
      if (files.length > 0) return files;
      if (stop.aborted || isHeld(folder.lock) || listOutstanding(folder).length > 0) continue;
      this.#say('the other run has ended');
      return [];
    }
    return [];
  }

  close(): void {
    this.#watcher.close();
  }

  /** Runs until what is watched covers what the run depended on. Problems are shown; a change may mend them. */
  async #runOnce(): Promise<void> {
    const read = new Set<string>();
    this.#isLockedOut = false;
    this.#restart = new AbortController();
    try {
      const plan = await loadCheckedPlan(this.#options, printWarning, (file) => {
        read.add(path.resolve(this.#projectRoot, file));
        this.#watchAlso(read);
      });
      const selection = selectInstances(plan, { targets: this.#targets });
      await this.#watchPlan(plan, selection, read);
      const stop = AbortSignal.any([this.#signals.stop, this.#restart.signal]);
      await runShown(plan, this.#options, { ...selection, stop, kill: this.#signals.kill });
      // A source that was imported meanwhile; without a change to it, nothing would tell.
      if (!this.#signals.stop.aborted) await this.#watchPlan(plan, selection, read);
    } catch (error) {
      // No change of a file mends that, and every run would meet it again.
      await assertWritable(cacheFolderOf({ projectRoot: this.#projectRoot })).catch(() => {
        throw explainDiskError(error);
      });
      this.#isLockedOut = error instanceof ReproError && error.code === 'locked';
      const blamed = listBlamedFiles(error).map((file) => path.resolve(this.#projectRoot, file));
      this.#watchAlso(new Set([...read, ...blamed]));
      // A folder that is gone for now takes its watch with it.
      this.#watcher.update(this.#watched);
      process.stderr.write(`${toLines(describeError(explainDiskError(error))).join('\n')}\n`);
    }
  }

  async #watchPlan(plan: Plan, { selected }: Selected, read: ReadonlySet<string>): Promise<void> {
    const { paths, leftOut } = await listWatchedPaths(plan, { selected, facts: factsOf(plan.projectRoot) });
    this.#watched = { paths: new Set([...paths, ...read]), leftOut };
    this.#watcher.update(this.#watched);
  }

  #watchAlso(more: ReadonlySet<string>): void {
    const { paths, leftOut } = this.#watched;
    if ([...more].every((one) => paths.has(one))) return;
    this.#watched = { paths: new Set([...paths, ...more]), leftOut };
    this.#watcher.update(this.#watched);
  }

  #describeChanges(files: readonly string[]): string {
    const names = files.map((file) => toOneLine(path.relative(this.#projectRoot, file)));
    return `${listSome(names, namesAtMost)} changed`;
  }

  #say(text: string): void {
    process.stderr.write(`${colorsFor(process.stderr).dim(text)}\n`);
  }
}
