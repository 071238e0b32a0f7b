import { parentPort } from 'node:worker_threads';
import { type Chunk, simulateChunk } from './trials.ts';

parentPort?.on('message', (chunk: Chunk) => parentPort?.postMessage(simulateChunk(chunk)));
