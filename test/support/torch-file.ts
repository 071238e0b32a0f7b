import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openTorchFile, type PickleValue, TorchTensor } from '../../src/formats/torch-pt.ts';

/** The bytes of a file in `test/fixtures/torch`. */
export function torchFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(torchFixturePath(name)));
}

/** The path of a file in `test/fixtures/torch`. */
export function torchFixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/torch/${name}`, import.meta.url));
}

/** Everything in a file, with its tensors loaded, for comparison in tests. */
export async function readWhole(source: string | Uint8Array, file = 'file.pt'): Promise<unknown> {
  const torch = await openTorchFile(source, file);
  const show = async (value: PickleValue): Promise<unknown> => {
    if (value instanceof TorchTensor) {
      const { dtype, shape, data } = await torch.readTensor(value);
      return { dtype, shape, data: [...data] };
    }
    if (value instanceof Map) {
      const entries = await Promise.all([...value].map(async ([key, one]) => [String(key), await show(one)]));
      return Object.fromEntries(entries);
    }
    return Array.isArray(value) ? Promise.all(value.map(show)) : value;
  };
  try {
    return await show(torch.value);
  } finally {
    await torch.close();
  }
}
