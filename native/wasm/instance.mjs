// The engine in WebAssembly, as plain functions; they block while they compute. Nothing here needs Node.js: a browser runs it as it is.
// The arguments and results are those of NativeAddon and NativeNetwork (src/network/engines/native/addon-types.ts). Whatever a caller passes ends in an
// error with a code: types and ranges are checked here, as in native/src/addon/arguments.cc, names and numbers of masks by the network.

// In the order of LayerKind (spec.h), of Surrogate (table.h) and of slotOf (glue.cc). Pooling and FrameType are written as numbers below.
const layerKinds = ['conv', 'batch-norm', 'neuron', 'repeat', 'pool', 'flatten', 'dropout', 'linear', 'vote'];
const surrogates = ['atan', 'sigmoid', 'triangle'];
const slots = ['value', 'first', 'second', 'gradient'];

const MOST_CHANNELS = 2 ** 20;
const MOST_PIXELS = 2 ** 14; // along one side
const MOST_SAMPLES = 2 ** 24;
const MOST_STEPS = 2 ** 20;

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
  function withName(name, work) {
    if (typeof name !== 'string') throw argumentError('name: expected a string');
    return withCopies([namesOf([name])], work);
  }

  function open(options) {
    const { layers, input, classes: givenClasses, winogradTile } = expectObject('options', options);
    const sizes = expectObject('input', input);
    const [channels, height, width] = [
      expectWhole('input channels', sizes[0], 1, MOST_CHANNELS),
      expectWhole('input height', sizes[1], 1, MOST_PIXELS),
      expectWhole('input width', sizes[2], 1, MOST_PIXELS),
    ];
    const classes = expectWhole('classes', givenClasses, 1, MOST_CHANNELS);
    if (winogradTile !== 2 && winogradTile !== 4) throw argumentError('winogradTile: expected 2 or 4');
    if (!Array.isArray(layers) || layers.length > 10_000) throw argumentError('layers: expected an array');
    const numbers = [winogradTile, channels, height, width, classes, layers.length];
    const names = [];
    for (const layer of layers) {
      const { kind, name } = expectObject('layer', layer);
      numbers.push(indexOf('layers', layerKinds, kind), ...numbersOf(kind, layer));
      names.push(typeof name === 'string' ? name : '');
    }
    let session = withCopies([Float64Array.from(numbers), namesOf(names)], (...places) =>
      call('open', ...places),
    );
    /** Calls into the engine with the network; reading the arguments may have called the caller's getters, which may have called anything. */
    function ask(name, ...values) {
      if (session === 0) throw argumentError('the network was disposed of');
      return call(name, session, ...values);
    }
    /** The frames of a sample; a still image has one. */
    function framesOf(samples, steps) {
      expectWhole('samples', samples, 1, MOST_SAMPLES);
      expectWhole('steps', steps, 1, MOST_STEPS);
      if (samples * steps >= 2 ** 31) throw argumentError('samples: more frames than can be counted');
      const repeated = ask('repeatSteps');
      if (repeated === 0) return steps;
      if (steps === repeated) return 1;
      throw argumentError(`steps: the network repeats a still image for ${repeated} steps`);
    }
    const frameSize = channels * height * width;
    const spikingLayers = layers.filter(({ kind }) => kind === 'neuron').length;

    function setTensor(name, slot, data) {
      withName(name, (at) => {
        expectArray(name, data, Float32Array, ask('elements', at));
        withCopies([data], (from) => ask('setTensor', at, indexOf('slot', slots, slot), from));
      });
    }
    function getTensor(name, slot) {
      return withName(name, (at) => {
        const length = ask('elements', at);
        return withCopies([new Float32Array(length)], (to) => {
          ask('getTensor', at, indexOf('slot', slots, slot), to);
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
      const frameType = frameTypeOf(frames, samples * frameSteps * frameSize);
      expectArray('labels', labels, Int32Array, samples);
      const unknown = labels.find((label) => label < 0 || label >= classes);
      if (unknown !== undefined) throw argumentError(`labels: there is no class ${unknown}`);
      if (!Array.isArray(masks)) throw argumentError('masks: expected an array');
      for (const mask of masks) expectArray('mask', mask, Float32Array);
      const allMasks = new Float32Array(masks.reduce((sum, { length }) => sum + length, 0));
      let end = 0;
      for (const mask of masks) {
        allMasks.set(mask, end);
        end += mask.length;
      }
      const { learningRate, tauRate, lambdas, regularise, loss, step } = expectObject('options', options);
      expectArray('lambdas', lambdas, Float64Array, spikingLayers);
      const numbers = Float64Array.of(
        expectNumber('learningRate', learningRate),
        expectNumber('tauRate', tauRate),
        indexOf('regularise', ['w', 'tau'], regularise),
        indexOf('loss', ['rate', 'step'], loss),
        expectWhole('step', step, 1, 2 ** 53),
        ...lambdas,
      );
      ask('reserve', samples, frameSteps, true);
      return withCopies([frames, labels, numbers, allMasks], (at, ...rest) => {
        ask('trainStep', frameType, at, samples, frameSteps, ...rest, allMasks.length);
        return { ...forwardOf(samples, steps), loss: engine.loss(session) };
      });
    }
    function evaluate(frames, samples, steps) {
      const frameSteps = framesOf(samples, steps);
      const frameType = frameTypeOf(frames, samples * frameSteps * frameSize);
      ask('reserve', samples, frameSteps, false);
      return withCopies([frames], (at) => {
        ask('evaluate', frameType, at, samples, frameSteps);
        const operations = copyOf(Float64Array, engine.operations(session), engine.synapticLayers(session));
        return { ...forwardOf(samples, steps), operations };
      });
    }
    const bytesFor = (samples, steps, training) =>
      ask('bytesFor', samples, framesOf(samples, steps), expectFlag('training', training));
    function dispose() {
      engine.close(session);
      session = 0;
    }
    return { setTensor, getTensor, bytesFor, trainStep, evaluate, dispose };
  }

  function runNeurons(options) {
    const { neuron, shape, current, coefficients, logits: given } = expectObject('options', options);
    const settings = neuronNumbers(neuron);
    const isLearned = settings[0] === 1;
    if (!Array.isArray(shape)) throw argumentError('shape: expected an array');
    const [steps, samples, ...rest] = shape;
    expectWhole('shape', steps, 1, MOST_STEPS);
    const neurons = rest.reduce((product, size) => product * expectWhole('shape', size, 1, MOST_SAMPLES), 1);
    const count = steps * expectWhole('shape', samples, 1, MOST_SAMPLES) * neurons;
    expectArray('current', current, Float32Array, count);
    expectArray('coefficients', coefficients, Float32Array, count);
    const logits = isLearned ? given : new Float32Array();
    if (isLearned) expectArray('logits', logits, Float32Array, given?.length === 1 ? 1 : neurons);
    const numbers = Float64Array.of(steps, samples, neurons, logits.length, ...settings);
    const results = new Float32Array(3 * count + logits.length);
    const arrays = [numbers, current, coefficients, logits, results, new Float64Array(1)];
    return withCopies(arrays, (...places) => {
      call('runNeurons', ...places);
      const [to, alpha] = places.slice(-2);
      const part = (i) => copyOf(Float32Array, to + 4 * i * count, count);
      const result = { spikes: part(0), potentials: part(1), currentGradient: part(2) };
      const alphaGradient = new Float64Array(memory.buffer, alpha, 1)[0];
      const logitsGradient = copyOf(Float32Array, to + 12 * count, logits.length);
      return { ...result, alphaGradient, ...(isLearned ? { logitsGradient } : {}) };
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
function numbersOf(kind, layer) {
  const count = (key, most) => expectWhole(key, layer[key], 1, most);
  switch (kind) {
    case 'conv':
      return [
        count('inChannels', MOST_CHANNELS),
        count('outChannels', MOST_CHANNELS),
        count('kernel', 63),
        expectWhole('padding', layer.padding, 0, 62),
      ];
    case 'batch-norm':
      return [
        count('channels', MOST_CHANNELS),
        expectNumber('momentum', layer.momentum),
        expectNumber('epsilon', layer.epsilon),
      ];
    case 'neuron': {
      const { shape } = layer;
      if (!Array.isArray(shape)) throw argumentError('shape: expected an array');
      const neurons = shape.reduce(
        (product, size) => product * expectWhole('shape', size, 1, MOST_CHANNELS),
        1,
      );
      return [
        ...neuronNumbers(layer.neuron),
        expectWhole('shape', neurons, 1, 2 ** 40),
        expectFlag('recurrent', layer.recurrent ?? false),
      ];
    }
    case 'repeat':
      return [count('steps', MOST_STEPS)];
    case 'pool':
      return [1 + indexOf('pool', ['max', 'average'], layer.mode), count('size', MOST_PIXELS)];
    case 'linear':
      return [count('inFeatures', 2 ** 30), count('outFeatures', MOST_CHANNELS)];
    case 'vote':
      return [count('group', MOST_CHANNELS)];
    default:
      return [];
  }
}

/** What `readNeuron` of glue.cc reads, in its order. */
function neuronNumbers(neuron) {
  const { kind, tau, reset, threshold: givenThreshold, surrogate } = expectObject('neuron', neuron);
  const { per, mean } = expectObject('tau', tau);
  const { kind: how, potential, detach } = expectObject('reset', reset);
  const { kind: shape, alpha, learnable } = expectObject('surrogate', surrogate);
  const isHard = indexOf('reset', ['soft', 'hard'], how);
  const rest = isHard === 1 ? expectNumber('potential', potential) : 0;
  const threshold = expectNumber('threshold', givenThreshold);
  // Channels that only fill up a block rest forever, and must not fire.
  if (!(Math.fround(rest) < Math.fround(threshold)))
    throw argumentError('neuron: the reset potential must be below the threshold');
  return [
    indexOf('neuron', ['lif', 'plif'], kind),
    indexOf('tau', ['layer', 'channel', 'neuron'], per),
    expectNumber('mean', mean),
    isHard,
    rest,
    expectFlag('detach', detach),
    threshold,
    indexOf('surrogate', surrogates, shape),
    expectNumber('alpha', alpha),
    expectFlag('learnable', learnable),
  ];
}

function frameTypeOf(frames, count) {
  const type = [Uint8Array, Uint16Array, Float32Array].findIndex((Type) => frames instanceof Type);
  if (type < 0) throw argumentError('frames: expected a Uint8Array, Uint16Array or Float32Array');
  expectLength('frames', frames, count);
  return type;
}

const namesOf = (names) => new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));

function indexOf(what, list, value) {
  const index = list.indexOf(value);
  if (index < 0) throw argumentError(`${what}: expected ${list.join(' or ')}`);
  return index;
}

function expectObject(what, value) {
  if (typeof value !== 'object' || value === null) throw argumentError(`${what}: expected an object`);
  return value;
}

function expectNumber(what, value) {
  if (!Number.isFinite(value)) throw argumentError(`${what}: expected a finite number`);
  return value;
}

function expectWhole(what, value, least, most) {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw argumentError(`${what}: expected a whole number from ${least} to ${most}`);
  return value;
}

function expectFlag(what, value) {
  if (typeof value !== 'boolean') throw argumentError(`${what}: expected true or false`);
  return Number(value);
}

function expectArray(what, value, Type, count) {
  if (!(value instanceof Type)) throw argumentError(`${what}: expected a ${Type.name}`);
  if (count !== undefined) expectLength(what, value, count);
}

function expectLength(what, { length }, expected) {
  if (length !== expected) throw argumentError(`${what}: expected ${expected} numbers, got ${length}`);
}

const argumentError = (text) => Object.assign(new Error(text), { code: 'PLIF_ARGUMENT' });
