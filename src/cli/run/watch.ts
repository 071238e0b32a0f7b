import path from 'node:path';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { findProjectRoot, loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { describeError, ReproError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { isHeld } from '../../files/lock.ts';
import { PathWatcher } from '../../runner/extras/watch/path-watcher.ts';
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
import { exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { colorsFor, toLines, toOneLine } from '../view/print.ts';
import { runShown } from './run.ts';

interface WatchOptions extends PipelineOptions {
  readonly jobs?: number;
  /** Whether a change stops a run, instead of waiting for its end. */
  readonly restart?: boolean;
}

const namesAtMost = 3;

/** How often to look whether another run still holds the folder. */
const lookAgainMs = 1000;

/** `repro watch [STAGE]`: runs what is stale, now and after every change, until Ctrl-C. */
export async function watch(targets: readonly string[], options: WatchOptions): Promise<void> {
  const signals = listenForSignals();
  const { stop, kill } = signals;
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const folder = cacheFolderOf({ projectRoot });
  let watched: WatchedPaths = { paths: new Set(), leftOut: new Set() };
  const watcher = new PathWatcher();

  const watchAlso = (more: Iterable<string>): void => {
    watched = { ...watched, paths: new Set([...watched.paths, ...more]) };
    watcher.update(watched);
  };

  /**
   * Runs what is stale, and watches what that depends on. Problems are printed: a change may mend them.
   *
   * @returns whether another run held the folder
   */
  const runOnce = async (): Promise<boolean> => {
    const read = new Set<string>();
    const restart = new AbortController();
    const ended = new AbortController();
    try {
      const plan = await loadCheckedPlan(options, (file) => {
        const absolute = path.resolve(projectRoot, file);
        read.add(absolute);
        if (!watched.paths.has(absolute)) watchAlso([absolute]);
      });
      const selection = selectInstances(plan, { targets });
      const watchPlan = async (): Promise<void> => {
        watched = await listWatchedPaths(plan, { selected: selection.selected, facts: factsOf(projectRoot) });
        watchAlso(read);
      };
      await watchPlan();
      if (options.restart === true) {
        const isNews = watcher.hasChanged(AbortSignal.any([stop, ended.signal]));
        void isNews.then((found) => found && restart.abort());
      }
      await runShown(plan, options, { ...selection, stop: AbortSignal.any([stop, restart.signal]), kill });
      // The run may depend on more files now, such as newly imported sources.
      if (!stop.aborted) await watchPlan();
      return false;
    } catch (error) {
      // If nothing can be written here, no change of a file helps.
      await assertWritable(folder).catch(() => {
        throw explainDiskError(error);
      });
      watchAlso([...read, ...listBlamedFiles(error).map((file) => path.resolve(projectRoot, file))]);
      process.stderr.write(`${toLines(describeError(explainDiskError(error))).join('\n')}\n`);
      return error instanceof ReproError && error.code === 'locked';
    } finally {
      ended.abort();
    }
  };

  /** The next changes, or none as soon as no other run holds the folder. */
  const waitForLock = async (): Promise<readonly string[]> => {
    for (;;) {
      const files = await watcher.next(AbortSignal.any([stop, AbortSignal.timeout(lookAgainMs)]));
      if (files.length > 0 || stop.aborted) return files;
      if (isHeld(folder.lock) || listOutstanding(folder).length > 0) continue;
      say('the other run has ended');
      return [];
    }
  };

  try {
    while (!stop.aborted) {
      const isLockedOut = await runOnce();
      if (stop.aborted) break;
      say(`watching ${formatCount(watched.paths.size, 'path')}; Ctrl-C ends`);
      const files = await (isLockedOut ? waitForLock() : watcher.next(stop));
      const names = files.map((file) => toOneLine(path.relative(projectRoot, file)));
      if (files.length > 0) say(`${listSome(names, namesAtMost)} changed`);
    }
  } finally {
    signals.dispose();
  }
  process.exitCode = exitCodeOfSignal(signals.received());
}

function say(text: string): void {
  process.stderr.write(`${colorsFor(process.stderr).dim(text)}\n`);
}
