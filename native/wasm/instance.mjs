// The engine in WebAssembly, as plain functions; they block while they compute. Nothing here needs Node.js: a browser runs it as it is.
// The arguments and results are those of NativeAddon and NativeNetwork (src/engines/native/addon-types.ts).

// In the order of LayerKind (spec.h), of Surrogate (table.h) and of slotOf (glue.cc). Pooling and FrameType are written as numbers below.
const layerKinds = ['conv', 'batch-norm', 'neuron', 'repeat', 'pool', 'flatten', 'dropout', 'linear', 'vote'];
const surrogates = ['atan', 'sigmoid', 'triangle'];
const slots = ['value', 'first', 'second', 'gradient'];

/** Compiles plif.wasm. */
export const compile = (bytes) => new WebAssembly.Module(bytes);

/**
 * @param {WebAssembly.Module} module plif.wasm, compiled
 * @param {() => boolean} mustStop asked between the parts of a layer: whether the step in progress is to end with `PLIF_ABORTED`
 */
export function instantiate(module, mustStop = () => false) {
  // What the C library needs to print, which it never does.
  const wasi = { fd_write: () => 52, fd_seek: () => 52, fd_close: () => 52 };
  const { exports: engine } = new WebAssembly.Instance(module, {
    plif: { mustStop },
    wasi_snapshot_preview1: wasi,
  });
  const { memory } = engine;
  engine._initialize();

  function textAt(at) {
    const bytes = new Uint8Array(memory.buffer, at >>> 0);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  /** Calls into the engine; what it throws becomes an Error with `code`. */
  function call(name, ...values) {
    const stack = engine.__stack_pointer.value;
    try {
      return engine[name](...values);
    } catch (error) {
      if (!(error instanceof WebAssembly.Exception)) throw error;
      // Functions that an exception leaves without a destructor to run do not give their stack back.
      engine.__stack_pointer.value = stack;
      const problem = Object.assign(new Error(textAt(engine.problemText())), {
        code: textAt(engine.problemCode()),
      });
      const bytes = engine.problemBytes();
      throw bytes > 0 ? Object.assign(problem, { bytes }) : problem;
    }
  }

  /** Calls `work` with the places of copies of these arrays, which are freed afterwards. */
  function withCopies(arrays, work) {
    const places = [];
    try {
      for (const array of arrays) {
        // Beyond 2 GB, JavaScript sees a pointer as a negative number.
        const at = call('allocate', array.byteLength) >>> 0;
        places.push(at);
        new Uint8Array(memory.buffer, at).set(
          new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
        );
      }
      return work(...places);
    } finally {
      for (const at of places) engine.release(at);
    }
  }

  const copyOf = (Type, at, length) => new Type(memory.buffer, at >>> 0, length).slice();
  const withName = (name, work) => withCopies([namesOf([name])], work);

  function open({ layers, input, classes, winogradTile }) {
    const numbers = [winogradTile, ...input, classes, layers.length];
    for (const layer of layers) numbers.push(indexOf(layerKinds, layer.kind), ...numbersOf(layer));
    const names = namesOf(layers.map(({ name = '' }) => name));
    const session = withCopies([Float64Array.from(numbers), names], (...places) => call('open', ...places));
    const repeated = layers.find(({ kind }) => kind === 'repeat')?.steps;
    /** The frames of a sample; a still image has one. */
    function framesOf(samples, steps) {
      if (repeated !== undefined) expectLength('steps', { length: steps }, repeated);
      if (!(samples * steps < 2 ** 31)) throw argumentError('samples: more frames than can be counted');
      return repeated === undefined ? steps : 1;
    }
    const frameSize = input.reduce((product, size) => product * size);
    const featureCount = layers.reduce(
      (sum, { kind, features }) => sum + (kind === 'dropout' ? features : 0),
      0,
    );

    function setTensor(name, slot, data) {
      withName(name, (at) => {
        expectLength(name, data, call('elements', session, at));
        withCopies([data], (from) => call('setTensor', session, at, indexOf(slots, slot), from));
      });
    }
    function getTensor(name, slot) {
      return withName(name, (at) => {
        const length = call('elements', session, at);
        return withCopies([new Float32Array(length)], (to) => {
          call('getTensor', session, at, indexOf(slots, slot), to);
          return copyOf(Float32Array, to, length);
        });
      });
    }
    function forwardOf(samples, steps) {
      return {
        rates: copyOf(Float32Array, engine.rates(session), samples * classes),
        outputs: copyOf(Float32Array, engine.outputs(session), samples * steps * classes),
        spikeRates: copyOf(Float64Array, engine.spikeRates(session), engine.spikingLayers(session)),
      };
    }
    function trainStep(frames, samples, steps, labels, masks, options) {
      const frameSteps = framesOf(samples, steps);
      expectLength('frames', frames, samples * frameSteps * frameSize);
      expectLength('labels', labels, samples);
      if (labels.some((label) => label < 0 || label >= classes))
        throw argumentError('labels: there is no such class');
      const allMasks = new Float32Array(samples * featureCount);
      expectLength('masks', { length: masks.reduce((sum, { length }) => sum + length, 0) }, allMasks.length);
      let end = 0;
      for (const mask of masks) {
        allMasks.set(mask, end);
        end += mask.length;
      }
      const numbers = Float64Array.of(
        options.learningRate,
        options.lambda,
        options.regularise === 'tau',
        options.loss === 'step',
        options.step,
      );
      return withCopies([frames, labels, allMasks, numbers], (...places) => {
        const [at, ...rest] = places;
        call('trainStep', session, frameTypeOf(frames), at, samples, frameSteps, ...rest);
        return { ...forwardOf(samples, steps), loss: engine.loss(session) };
      });
    }
    function evaluate(frames, samples, steps) {
      const frameSteps = framesOf(samples, steps);
      expectLength('frames', frames, samples * frameSteps * frameSize);
      return withCopies([frames], (at) => {
        call('evaluate', session, frameTypeOf(frames), at, samples, frameSteps);
        return forwardOf(samples, steps);
      });
    }
    const bytesFor = (samples, steps, training) =>
      call('bytesFor', session, samples, framesOf(samples, steps), training);
    const dispose = () => engine.close(session);
    return { setTensor, getTensor, bytesFor, trainStep, evaluate, dispose };
  }

  function runNeurons({ neuron, shape, current, coefficients, logits = new Float32Array() }) {
    const [steps, samples, ...rest] = shape;
    const neurons = rest.reduce((product, size) => product * size, 1);
    const count = steps * samples * neurons;
    expectLength('current', current, count);
    expectLength('coefficients', coefficients, count);
    if (logits.length > 1) expectLength('logits', logits, neurons);
    const numbers = Float64Array.of(steps, samples, neurons, logits.length, ...neuronNumbers(neuron));
    const results = new Float32Array(3 * count + logits.length);
    const arrays = [numbers, current, coefficients, logits, results, new Float64Array(1)];
    return withCopies(arrays, (...places) => {
      call('runNeurons', ...places);
      const [to, alpha] = places.slice(-2);
      const part = (i) => copyOf(Float32Array, to + 4 * i * count, count);
      const result = { spikes: part(0), potentials: part(1), currentGradient: part(2) };
      const alphaGradient = new Float64Array(memory.buffer, alpha, 1)[0];
      const logitsGradient = copyOf(Float32Array, to + 12 * count, logits.length);
      return { ...result, alphaGradient, ...(neuron.kind === 'plif' ? { logitsGradient } : {}) };
    });
  }

  return {
    open,
    runNeurons,
    sourceDigest: textAt(engine.sourceDigest()),
    compiler: textAt(engine.compiler()),
  };
}

/** What `readLayer` of glue.cc reads, in its order. */
function numbersOf(layer) {
  switch (layer.kind) {
    case 'conv':
      return [layer.inChannels, layer.outChannels, layer.kernel, layer.padding];
    case 'batch-norm':
      return [layer.channels, layer.momentum, layer.epsilon];
    case 'neuron':
      return [...neuronNumbers(layer.neuron), layer.shape.reduce((product, size) => product * size, 1)];
    case 'repeat':
      return [layer.steps];
    case 'pool':
      return [layer.mode === 'max' ? 1 : 2, layer.size];
    case 'linear':
      return [layer.inFeatures, layer.outFeatures];
    case 'vote':
      return [layer.group];
    default:
      return [];
  }
}

function neuronNumbers({ kind, tau, reset, threshold, surrogate }) {
  const rest = reset.kind === 'hard' ? reset.potential : 0;
  // Channels that only fill up a block rest forever, and must not fire.
  if (!(rest < threshold)) throw argumentError('neuron: the reset potential must be below the threshold');
  const ofTau = [Number(kind === 'plif'), Number(tau.per === 'neuron'), tau.mean];
  const ofReset = [Number(reset.kind === 'hard'), rest, Number(reset.detach)];
  const { alpha, learnable } = surrogate;
  return [...ofTau, ...ofReset, threshold, indexOf(surrogates, surrogate.kind), alpha, Number(learnable)];
}

function frameTypeOf(frames) {
  if (frames instanceof Uint16Array) return 1;
  if (frames instanceof Float32Array) return 2;
  if (frames instanceof Uint8Array) return 0;
  throw argumentError('frames: expected a Uint8Array, Uint16Array or Float32Array');
}

const namesOf = (names) => new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));

function indexOf(list, value) {
  const index = list.indexOf(value);
  if (index < 0) throw argumentError(`there is no "${value}" among ${list.join(', ')}`);
  return index;
}

function expectLength(what, { length }, expected) {
  if (length !== expected) throw argumentError(`${what}: expected ${expected} numbers, got ${length}`);
}

const argumentError = (text) => Object.assign(new Error(text), { code: 'PLIF_ARGUMENT' });
