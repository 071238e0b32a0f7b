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
import { selectInstances } from '../../runner/plan/selection.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { assertWritable } from '../../runner/store/outputs-in-place.ts';
import { formatCount, listSome } from '../../text.ts';
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
      const isLockedOut = await this.#runOnce();
      if (stop.aborted) return;
      this.#say(`watching ${formatCount(this.#watched.paths.size, 'path')}; Ctrl-C ends`);
      const files = await (isLockedOut ? this.#waitForLock(stop) : this.#changes.next(stop));
      const names = files.map((file) => toOneLine(path.relative(this.#projectRoot, file)));
      if (files.length > 0) this.#say(`${listSome(names, namesAtMost)} changed`);
    }
  }

  close(): void {
    this.#watcher.close();
  }

  /** The next changes, or none as soon as no other run holds the folder. */
  async #waitForLock(stop: AbortSignal): Promise<readonly string[]> {
    const folder = cacheFolderOf({ projectRoot: this.#projectRoot });
    for (;;) {
      const files = await this.#changes.next(AbortSignal.any([stop, AbortSignal.timeout(lookAgainMs)]));
      if (files.length > 0 || stop.aborted) return files;
      if ((await isHeld(folder.lock)) || listOutstanding(folder).length > 0) continue;
      this.#say('the other run has ended');
      return [];
    }
  }

  /**
   * Runs what is stale, and watches what that depends on. Problems are printed: a change may mend them.
   *
   * @returns whether another run held the folder
   */
  async #runOnce(): Promise<boolean> {
    const read = new Set<string>();
    this.#restart = new AbortController();
    try {
      const plan = await loadCheckedPlan(this.#options, printWarning, (file) => {
        read.add(path.resolve(this.#projectRoot, file));
        this.#watchAlso(read);
      });
      const selection = selectInstances(plan, { targets: this.#targets });
      const watchPlan = async (): Promise<void> => {
        const facts = factsOf(plan.projectRoot);
        const { paths, leftOut } = await listWatchedPaths(plan, { selected: selection.selected, facts });
        this.#watch({ paths: new Set([...paths, ...read]), leftOut });
      };
      await watchPlan();
      const stop = AbortSignal.any([this.#signals.stop, this.#restart.signal]);
      await runShown(plan, this.#options, { ...selection, stop, kill: this.#signals.kill });
      // The run may depend on more files now, such as newly imported sources.
      if (!this.#signals.stop.aborted) await watchPlan();
      return false;
    } catch (error) {
      // If nothing can be written here, no change of a file helps.
      await assertWritable(cacheFolderOf({ projectRoot: this.#projectRoot })).catch(() => {
        throw explainDiskError(error);
      });
      const blamed = listBlamedFiles(error).map((file) => path.resolve(this.#projectRoot, file));
      this.#watchAlso(new Set([...read, ...blamed]));
      this.#watcher.update(this.#watched);
      process.stderr.write(`${toLines(describeError(explainDiskError(error))).join('\n')}\n`);
      return error instanceof ReproError && error.code === 'locked';
    }
  }

  #watchAlso(more: ReadonlySet<string>): void {
    const { paths, leftOut } = this.#watched;
    if (![...more].every((one) => paths.has(one)))
      this.#watch({ paths: new Set([...paths, ...more]), leftOut });
  }

  #watch(watched: WatchedPaths): void {
    this.#watched = watched;
    this.#watcher.update(watched);
  }

  #say(text: string): void {
    process.stderr.write(`${colorsFor(process.stderr).dim(text)}\n`);
  }
}
