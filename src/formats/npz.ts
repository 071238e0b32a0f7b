import { ZipFile } from 'yazl';
import { ReproError } from '../errors.ts';
import type { State, Tensor } from '../snn/tensor.ts';
import { encodeNpy } from './npy.ts';
import { quoteName } from './shown-text.ts';

/**
 * Encodes an `.npz` as NumPy's `savez` writes it: an uncompressed zip with one `.npy` per tensor. `numpy.load` returns them
 * under their names.
 *
 * @throws {ReproError} `npz-unwritable` for a name that is not valid for a file: empty, or with a slash or backslash
 * @see https://numpy.org/doc/stable/reference/generated/numpy.savez.html
 */
export async function encodeNpz(tensors: State): Promise<Uint8Array> {
  const zip = new ZipFile();
  // A fixed local time, as zips store it, so that the same tensors give the same bytes anywhere.
  const options = { compress: false, forceDosTimestamp: true, mtime: new Date(1980, 0, 1) };
  for (const [name, tensor] of tensors) {
    if (name === '' || /[\\/\0]/.test(name)) {
      throw new ReproError('npz-unwritable', `A tensor in an .npz cannot be called ${quoteName(name)}.`);
    }
    zip.addBuffer(Buffer.from(encodeTensor(tensor)), `${name}.npy`, options);
  }
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream) {
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function encodeTensor({ dtype, shape, data }: Tensor): Uint8Array {
  return encodeNpy({ dtype: dtype === 'F32' ? 'float32' : 'int64', shape, data: data.slice() });
}
