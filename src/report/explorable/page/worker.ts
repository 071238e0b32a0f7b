import { compile, instantiate } from 'plif-native/wasm';
import wasm from '../../../../native/wasm/plif.wasm';
import { instanceEngine } from '../../../network/engines/native/addon-engine.ts';
import { runForward } from '../../../network/forward.ts';
import { readOwnClip } from '../own-clip.ts';
import { type RecomputeEvent, recompute } from '../recompute.ts';
import { trainFurther } from '../training.ts';
import type { Request } from './networks.ts';

// A thread that computes. What goes wrong in it is an `error` event of the worker.

const openEngine = () => instanceEngine(instantiate(compile(wasm)));

addEventListener('message', ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === 'run') postMessage(runForward(request.network, request.frames, request.steps));
  else if (request.kind === 'read') readOwnClip(request.task).then(postMessage, reportError);
  else if (request.kind === 'recompute') {
    const { recipe, model, seed } = request;
    const tell = (event: RecomputeEvent) => postMessage(event);
    recompute(recipe, { model, seed, engine: openEngine(), tell }).catch(reportError);
  } else trainFurther(openEngine(), request.network, request.task, postMessage).catch(reportError);
});
