import { Worker } from 'node:worker_threads';
import { lifelineDescriptor } from './protocol.ts';

/**
 * Runs in its own thread, so that it acts even during a long computation. Plain JavaScript in a
 * string, so that it needs no file beside the compiled program. Signal 9 to process 0 kills the whole process group: this
 * process and every program that the stage has started.
 */
const watchSource = `
const { Socket } = require('node:net');
const { workerData } = require('node:worker_threads');
const end = () => process.kill(0, 'SIGKILL');
const socket = new Socket({ fd: workerData, readable: true, writable: false });
socket.on('end', end).on('close', end).on('error', end).resume();
`;

/**
 * Kills this process and everything it has started as soon as the runner is gone, for whatever reason.
 *
 * @returns once the watch is running
 */
export function keepWatch(): Promise<void> {
  const thread = new Worker(watchSource, { eval: true, workerData: lifelineDescriptor });
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('online', () => {
      // The watch must not keep a finished stage alive.
      thread.unref();
      resolve();
    });
  });
}
