import { ReproError } from '../errors.ts';

const SIDE = 32;
const PIXEL_BYTES = 3 * SIDE * SIDE;
const RECORD_BYTES = 1 + PIXEL_BYTES;
const CLASSES = 10;

/**
 * Reads a batch of CIFAR-10's binary version: records of 1 byte label (0-9) and 3,072 bytes of pixels: 32 x 32 of red,
 * then green, then blue, row by row.
 *
 * @param file name for messages
 * @returns labels [N] and pixels [N, 3, 32, 32], C order; a published batch has N = 10,000
 * @throws {ReproError} `cifar-size` if the file is empty or its size is no multiple of 3,073, `cifar-label` for a label beyond 9;
 *   each with file and byte
 * @see https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version"
 */
export function decodeCifarBatch(
  bytes: Uint8Array,
  file: string,
): { readonly labels: Uint8Array; readonly pixels: Uint8Array } {
  const length = Math.floor(bytes.length / RECORD_BYTES);
  const left = bytes.length % RECORD_BYTES;
  if (bytes.length === 0 || left !== 0) {
    const what =
      bytes.length === 0
        ? 'the file is empty'
        : `${bytes.length} bytes are not a whole number of images of ${RECORD_BYTES} bytes: ${left} left over`;
    const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    throw new ReproError('cifar-size', `${what}.`, {
      where: `${file}: byte ${length * RECORD_BYTES}`,
      fix: isCompressed
        ? 'It is gzip-compressed: unpack it first.'
        : "The file is cut off or damaged, or not one of the binary version's data_batch_1.bin to data_batch_5.bin and test_batch.bin: download it again.",
    });
  }
  const labels = new Uint8Array(length);
  const pixels = new Uint8Array(length * PIXEL_BYTES);
  for (let i = 0; i < length; i++) {
    const at = i * RECORD_BYTES;
    const label = bytes[at]!;
    if (label >= CLASSES) {
      throw new ReproError('cifar-label', `the label of image ${i} is ${label}, beyond ${CLASSES - 1}.`, {
        where: `${file}: byte ${at}`,
        fix: "The file is damaged, or not of CIFAR-10's binary version (CIFAR-100 has two labels): download it again.",
      });
    }
    labels[i] = label;
    pixels.set(bytes.subarray(at + 1, at + RECORD_BYTES), i * PIXEL_BYTES);
  }
  return { labels, pixels };
}
