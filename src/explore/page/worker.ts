import { compile, instantiate, type WasmInstance } from 'plif-native/wasm';
import wasm from '../../../native/wasm/plif.wasm';
import { describeError } from '../../errors.ts';
import { type ForwardNetwork, prepareNetwork, runForward } from '../../snn/forward.ts';
import { buildNetwork } from '../../snn/networks.ts';
import { applyEdits } from '../edits.ts';
import type { Answer, Request } from '../messages.ts';
import { stateOf } from '../network-values.ts';
import { trainSteps } from '../training.ts';

// The thread that computes. Each request gets its answer, or what went wrong.

const networks = new Map<string, ForwardNetwork>();
let engine: WasmInstance | undefined;
let isStopped = false;
/** Whether the page asked for something since the last training step. */
let isAsked = false;

addEventListener('message', ({ data: request }: MessageEvent<Request>) => {
  isAsked = true;
  answer(request).catch((error: unknown) => {
    send({ id: request.id, kind: 'failed', message: describeError(error) });
  });
});

function send(reply: Answer): void {
  postMessage(reply);
}

async function answer(request: Request): Promise<void> {
  const { id } = request;
  switch (request.kind) {
    case 'run': {
      const { key, network: given, edits, frames, steps } = request;
      const network =
        given === null ? networks.get(key)! : prepareNetwork(buildNetwork(given.config), stateOf(given));
      networks.set(key, network);
      const startedMs = performance.now();
      const neurons = applyEdits(network.neurons, edits);
      const trace = runForward({ ...network, neurons }, frames, steps);
      return send({ id, kind: 'trace', trace, milliseconds: performance.now() - startedMs });
    }
    case 'train':
      engine ??= instantiate(compile(wasm));
      isStopped = false;
      for (const progress of trainSteps(engine, request.network, request.task, () => isStopped)) {
        send({ id, kind: 'trained', progress });
        // Lets other messages in. What the page shows comes first: it asks for several things, one after the other.
        do {
          isAsked = false;
          await new Promise((resolve) => setTimeout(resolve, 20));
        } while (isAsked);
      }
      return;
    case 'stop':
      isStopped = true;
  }
}
