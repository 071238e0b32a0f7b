import { compile, instantiate, type WasmInstance } from 'plif-native/wasm';
import wasm from '../../../native/wasm/plif.wasm';
import { type ForwardNetwork, prepareNetwork, runForward } from '../../snn/forward.ts';
import { buildNetwork } from '../../snn/networks.ts';
import { applyEdits } from '../edits.ts';
import type { Answer, NetworkValues, Request } from '../messages.ts';
import { stateOf } from '../network-values.ts';
import { trainSteps } from '../training.ts';

// The thread that computes. Each request gets its answer, or what went wrong.

const networks = new Map<string, { readonly given: NetworkValues; readonly ready: ForwardNetwork }>();
let engine: WasmInstance | undefined;
let isStopped = false;

addEventListener('message', ({ data: request }: MessageEvent<Request>) => {
  answer(request).catch((error: unknown) => {
    send({ id: request.id, kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});

function send(reply: Answer): void {
  postMessage(reply);
}

async function answer(request: Request): Promise<void> {
  const { id } = request;
  switch (request.kind) {
    case 'network': {
      const { network: given } = request;
      const spec = buildNetwork(given.config);
      networks.set(request.key, { given, ready: prepareNetwork(spec, stateOf(given)) });
      return send({ id, kind: 'done' });
    }
    case 'run': {
      const network = requireNetwork(request.key).ready;
      const startedMs = performance.now();
      const neurons = applyEdits(network.neurons, request.edits);
      const trace = runForward({ ...network, neurons }, request.frames, request.steps);
      return send({ id, kind: 'trace', trace, milliseconds: performance.now() - startedMs });
    }
    case 'train':
      engine ??= instantiate(compile(wasm));
      isStopped = false;
      for (const progress of trainSteps(engine, request.network, request.task, () => isStopped)) {
        send({ id, kind: 'trained', progress });
        // Lets other messages in.
        await new Promise((resolve) => setTimeout(resolve));
      }
      return;
    case 'stop':
      isStopped = true;
      return send({ id, kind: 'done' });
  }
}

function requireNetwork(key: string): { readonly given: NetworkValues; readonly ready: ForwardNetwork } {
  const network = networks.get(key);
  if (network === undefined) throw new Error(`no network "${key}" was sent`);
  return network;
}
