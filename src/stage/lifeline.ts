import { Worker } from 'node:worker_threads';
import { lifelineDescriptor } from './protocol.ts';

/**
 * In a thread of its own, so that it acts while the stage is in the midst of a long computation. Plain JavaScript in a
 * string, so that it needs no file beside the compiled program. Signal 9 to process 0 ends the whole process group: this
 * process, and every program that the stage has started.
 */
const watchSource = `
const { Socket } = require('node:net');
const { workerData } = require('node:worker_threads');
const end = () => process.kill(0, 'SIGKILL');
const socket = new Socket({ fd: workerData, readable: true, writable: false });
socket.on('end', end).on('close', end).on('error', end).resume();
`;

/**
 * Ends this process and all that it has started, at once, when the runner is gone, however it went.
 *
 * @returns when the watch is kept
 */
export function keepWatch(): Promise<void> {
  const thread = new Worker(watchSource, { eval: true, workerData: lifelineDescriptor });
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('online', () => {
      // A stage that has nothing left to do ends, watched or not.
      thread.unref();
      resolve();
    });
  });
}
