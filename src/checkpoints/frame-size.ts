import type { Findings } from './answers.ts';

/** The data sets for which the original has networks: pixels in each direction. */
const N_MNIST = 34;
const DVS128 = 128;

/**
 * Height and width of the frames that a network takes. Its shapes determine them only up to what pooling rounds away: with
 * two layers, both 32 x 32 and 35 x 35 leave a map of 8 x 8.
 */
export function inferFrameSize(
  evidence: {
    /** Poolings that halve, rounding down. */
    readonly layers: number;
    /** Pixels of the map after the last pooling. */
    readonly cells: number;
    /** Shape of the first layer's w if each neuron has its own: [1, C, H, W]. */
    readonly perNeuron: readonly number[] | undefined;
    readonly classes: number;
    readonly className: string | undefined;
    readonly answer: readonly [number, number] | undefined;
  },
  findings: Findings,
): [number, number] {
  const { layers, cells, perNeuron, classes, className, answer } = evidence;
  const scale = 2 ** layers;
  const fits = (height: number, width: number): boolean =>
    Math.floor(height / scale) * Math.floor(width / scale) === cells;

  const [, , height, width] = perNeuron?.length === 4 ? perNeuron : [];
  if (height !== undefined && width !== undefined) {
    if (answer !== undefined && (answer[0] !== height || answer[1] !== width)) {
      findings.contradict('frames of', `${height} x ${width}`, '--input');
    }
    return [height, width];
  }
  if (answer !== undefined) {
    if (!fits(...answer)) {
      findings.fail(
        `frames of ${answer[0]} x ${answer[1]} do not fit: ${layers} layers reduce them to ${Math.floor(answer[0] / scale)} x ` +
          `${Math.floor(answer[1] / scale)}, but "fc.2.weight" takes ${cells} pixels per channel`,
        'Set --input to the size of the frames that it was trained with.',
      );
    }
    return [...answer];
  }
  const known = className === undefined ? sizesOfClasses(classes) : sizesOfName(className);
  const size = known.find((one) => fits(one, one));
  if (size !== undefined) return [size, size];
  const side = Math.sqrt(cells);
  if (!Number.isInteger(side)) {
    findings.fail(
      `its frames are not square: "fc.2.weight" takes ${cells} pixels per channel`,
      'Give their size: --input HEIGHTxWIDTH.',
    );
  }
  const smallest = side * scale;
  findings.assume(
    `frames of ${smallest} x ${smallest}; ${smallest} to ${smallest + scale - 1} pixels would fit`,
    '--input',
  );
  return [smallest, smallest];
}

function sizesOfName(className: string): readonly number[] {
  return /NMNIST/i.test(className) ? [N_MNIST] : /DVS/i.test(className) ? [DVS128] : [];
}

/** N-MNIST and CIFAR10-DVS have 10 classes, DVS128 Gesture has 11. */
function sizesOfClasses(classes: number): readonly number[] {
  if (classes === 10) return [N_MNIST, DVS128];
  return classes === 11 ? [DVS128] : [];
}
