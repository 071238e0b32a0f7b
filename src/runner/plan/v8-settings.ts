import v8 from 'node:v8';
import vm from 'node:vm';

/** Below this many instances, what planning leaves behind is small beside what Node takes to start. */
const manyInstances = 2000;

/** V8's own limit for a function. */
const optimisedBytesAtMost = 61_440;

/**
 * Whether V8 compiles what runs often to optimised code. It does so after some milliseconds, in threads that take a core from the main one:
 * of a run that finds nothing to do it would take a third of the time, and the run ends before it pays. For thousands of instances it does.
 */
export function setOptimising(isOn: boolean, instances = 0): void {
  // Not `--no-opt`: in Node 22, `--opt` does not bring back the settings from before, with which alone V8 takes kept code.
  const bytes = isOn || instances >= manyInstances ? optimisedBytesAtMost : 0;
  v8.setFlagsFromString(`--max-optimized-bytecode-size=${bytes}`);
}

/** At the end of a run, or the code that is kept then (`bin/repro.js`) is of no use to the next: V8 takes it only with the same settings. */
export function restoreSettings(): void {
  setOptimising(true);
  v8.setFlagsFromString('--semi-space-growth-factor=2');
}

/**
 * Keeps the memory of planning near what it uses, for graphs of thousands of instances. Left to itself, V8 lets the young generation grow
 * to 32 MB, and everything to twice or three times what was in use at the last collection before it looks again.
 */
export class SparingMemory {
  constructor() {
    // A young generation that has grown does not shrink soon.
    v8.setFlagsFromString('--semi-space-growth-factor=1');
  }

  /** At moments at which much of what was made is no longer needed; takes some 20 ms for 10,000 instances. */
  collect(instances: number): void {
    if (instances < manyInstances) return;
    v8.setFlagsFromString('--expose-gc');
    const collect: unknown = vm.runInNewContext('gc');
    if (typeof collect === 'function') collect();
  }

  /**
   * Also after planning has failed, since the setting is that of the whole process. A run of few instances may use memory as usual from now
   * on. One of many keeps the setting: it allocates for each of them, and with a young generation that grows its heap would take up to three
   * times as much.
   *
   * @param instances 0 if there is no plan
   */
  end(instances: number): void {
    if (instances < manyInstances) v8.setFlagsFromString('--semi-space-growth-factor=2');
  }
}
