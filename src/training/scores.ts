/** How well some clips were classified. */
export interface Score {
  readonly clips: number;
  readonly correct: number;
  /** The share of clips classified correctly, 0 to 1. */
  readonly accuracy: number;
  /** Mean squared error of the firing rates against one-hot labels, over clips and classes. */
  readonly loss: number;
}

/** The class with each clip's highest firing rate, the first of ties. `rates` is [clips, classes]. */
export function predictClasses(rates: Float32Array, classes: number): Int32Array {
  const predicted = new Int32Array(rates.length / classes);
  for (let clip = 0; clip < predicted.length; clip++) {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if (rates[clip * classes + c]! > rates[clip * classes + best]!) best = c;
    }
    predicted[clip] = best;
  }
  return predicted;
}

export function countCorrect(predicted: Int32Array, labels: Int32Array): number {
  return predicted.reduce((correct, label, clip) => correct + (label === labels[clip] ? 1 : 0), 0);
}

/** @param rates [clips, classes] */
export function scoreClips(rates: Float32Array, labels: Int32Array, classes: number): Score {
  const clips = labels.length;
  const correct = countCorrect(predictClasses(rates, classes), labels);
  let squares = 0;
  for (let i = 0; i < rates.length; i++) {
    const target = i % classes === labels[Math.floor(i / classes)] ? 1 : 0;
    squares += (rates[i]! - target) ** 2;
  }
  return { clips, correct, accuracy: correct / clips, loss: squares / rates.length };
}

/** Counts of clips by [true class][predicted class]. */
export function confusionMatrix(predicted: Int32Array, labels: Int32Array, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, clip) => {
    const row = matrix[label];
    const column = predicted[clip];
    if (row?.[column ?? -1] === undefined || column === undefined) {
      throw new RangeError(`clip ${clip}: class ${label} predicted as ${column}, of ${classes} classes`);
    }
    row[column] = row[column]! + 1;
  });
  return matrix;
}
