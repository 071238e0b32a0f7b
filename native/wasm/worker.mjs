// One network in a thread of Node.js, so that the event loop goes on while it computes: a message is a method and its arguments.
import { parentPort, workerData } from 'node:worker_threads';
import { instantiate } from './instance.mjs';

const stop = new Int32Array(workerData.stop);
const { open } = instantiate(workerData.module, () => Atomics.load(stop, 0) !== 0);
const network = { open: (options) => void Object.assign(network, open(options)) };

parentPort.on('messageerror', (error) => {
  throw error;
});
parentPort.on('message', ({ method, values }) => {
  try {
    parentPort.postMessage({ value: network[method](...values) });
  } catch (error) {
    // After anything else, such as memory accessed out of bounds, the network is of no use: the thread ends with it.
    if (error.code === undefined) throw error;
    const { message, code, bytes } = error;
    parentPort.postMessage({ problem: { message, code, bytes } });
  }
});
