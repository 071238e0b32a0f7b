import v8 from 'node:v8';

/** V8's own limit for a function. */
const optimisedBytesAtMost = 61_440;

/**
 * Whether V8 compiles what runs often to optimised code. It does so in threads that take a core from the main one: a run that finds
 * nothing to do would spend a third of its time on that, and ends before it pays.
 *
 * The setting is that of the whole process, and must be back at the end: V8 takes the code that `bin/repro.js` keeps only with the same
 * settings.
 */
export function setOptimising(isOn: boolean): void {
  // Not `--no-opt`: in Node 22, `--opt` does not bring back the settings from before, with which alone V8 takes kept code.
  v8.setFlagsFromString(`--max-optimized-bytecode-size=${isOn ? optimisedBytesAtMost : 0}`);
}
