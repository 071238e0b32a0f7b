import { constants } from 'node:fs';
import process from 'node:process';
import type { Dataset } from 'h5wasm';
import { messageOf, ReproError } from '../../base/errors.ts';
import { type Events, makeEvents, type Sensor } from '../events/events.ts';

/*
 * The HDF5 files of Spiking Heidelberg Digits and Spiking Speech Commands: `spikes/times`, lists of float16 in seconds; `spikes/units`, lists
 * of uint16; `labels` and `extra/speaker`, [clips].
 * See Cramer et al. 2020, "The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural Networks".
 */

/** What of a data set its files must fit. */
export interface HeidelbergShape {
  readonly classes: number;
  /** Neighbouring units that count as one pixel. */
  readonly unitsPerPixel: number;
  /** Its width holds all units. */
  readonly sensor: Sensor;
}

/** Clips that are read at once: some MB. */
const READ_AT_ONCE = 256;

/** HDF5's own library, compiled to WebAssembly; this build reads files where they are, however large. */
async function loadHdf5() {
  // As it loads, it asks `process.binding` for these, which stages may not call, and nothing here calls it.
  Reflect.set(process, 'binding', () => ({ fs: constants }));
  const hdf5 = await import('h5wasm/node');
  const library = await hdf5.ready;
  // It would print them.
  library.activate_throwing_error_handler();
  return { library, open: (path: string) => new hdf5.File(path, 'r') };
}

export class ClipFile {
  readonly #name: string;
  readonly #shape: HeidelbergShape;
  readonly #hdf5: Awaited<ReturnType<typeof loadHdf5>>;
  readonly #file: ReturnType<Awaited<ReturnType<typeof loadHdf5>>['open']>;

  private constructor(
    name: string,
    shape: HeidelbergShape,
    hdf5: Awaited<ReturnType<typeof loadHdf5>>,
    path: string,
  ) {
    this.#name = name;
    this.#shape = shape;
    this.#hdf5 = hdf5;
    this.#file = this.#try(() => hdf5.open(path));
  }

  /** @param name for messages @throws {ReproError} `heidelberg-file` if it is not HDF5 */
  static async open(path: string, name: string, shape: HeidelbergShape): Promise<ClipFile> {
    return new ClipFile(name, shape, await loadHdf5(), path);
  }

  /**
   * The class and the speaker of each clip.
   *
   * @throws {ReproError} `heidelberg-file` if something is missing, of another type or another length, or a label is not of the data set
   */
  readLabels(): { readonly class: number; readonly user: number }[] {
    const [labels, speakers] = (['labels', 'extra/speaker'] as const).map((path) =>
      Array.from(this.#try(() => this.#dataset(path).value) as ArrayLike<number | bigint>, Number),
    ) as [number[], number[]];
    for (const path of ['spikes/times', 'spikes/units', 'extra/speaker']) {
      const length = this.#dataset(path).shape?.[0];
      if (length !== labels.length)
        this.#fail(`\`${path}\` has ${length} clips, but \`labels\` ${labels.length}`);
    }
    return labels.map((label, clip) => {
      const user = speakers[clip]!;
      if (!(Number.isInteger(label) && label >= 0 && label < this.#shape.classes))
        this.#fail(`label ${label} is not one of 0 to ${this.#shape.classes - 1}`, clip);
      if (!(Number.isInteger(user) && user >= 0)) this.#fail(`speaker ${user} is not a whole number`, clip);
      return { class: label, user };
    });
  }

  /**
   * Visits the events of some clips.
   *
   * @param wanted ascending
   * @throws {ReproError} `heidelberg-file` if a clip has more times than units or fewer, or an event is not one of the data set
   */
  async eachClip(
    wanted: readonly number[],
    visit: (clip: number, events: Events) => Promise<void>,
  ): Promise<void> {
    for (let at = 0; at < wanted.length; ) {
      const first = wanted[at]!;
      const within = wanted.slice(at).findIndex((clip) => clip >= first + READ_AT_ONCE);
      const some = wanted.slice(at, within < 0 ? undefined : at + within);
      const end = some.at(-1)! + 1;
      const [times, units] = [
        this.#readLists('spikes/times', first, end),
        this.#readLists('spikes/units', first, end),
      ];
      for (const clip of some)
        await visit(clip, this.#decode(clip, times[clip - first]!, units[clip - first]!));
      at += some.length;
    }
  }

  close(): void {
    this.#file.close();
  }

  #decode(clip: number, times: Uint16Array, units: Uint16Array): Events {
    if (times.length !== units.length) this.#fail(`${times.length} times, but ${units.length} units`, clip);
    const { unitsPerPixel, sensor } = this.#shape;
    const events = makeEvents(times.length);
    events.p.fill(1);
    for (const [i, bits] of times.entries()) {
      const [seconds, x] = [float16(bits), Math.floor(units[i]! / unitsPerPixel)];
      if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY))
        this.#fail(`event ${i} is at ${seconds} s, not at a time from 0 on`, clip);
      if (x >= sensor.width)
        this.#fail(`event ${i} is of unit ${units[i]}, but there are ${sensor.width * unitsPerPixel}`, clip);
      events.tUs[i] = Math.round(1e6 * seconds);
      events.x[i] = x;
    }
    return events;
  }

  /** Lists of numbers of two bytes, of the clips [first, end). The library reads float16, but makes no numbers of them. */
  #readLists(path: string, first: number, end: number): Uint16Array[] {
    const type = this.#dataset(path).metadata.vlen_type;
    if (type?.size !== 2 || !type.littleEndian)
      this.#fail(
        `\`${path}\` does not consist of lists of ${path === 'spikes/times' ? 'float16' : 'uint16'}`,
      );
    const { library } = this.#hdf5;
    const count = [BigInt(end - first)];
    const pointer = library._malloc(8 * (end - first));
    try {
      const file = this.#file.file_id;
      this.#try(() => library.get_dataset_data(file, path, count, [BigInt(first)], [1n], BigInt(pointer)));
      // For each list its length and where it is. Memory may have grown, and moved.
      const lists = new Uint32Array(library.HEAPU8.buffer, pointer, 2 * (end - first)).slice();
      const read = Array.from({ length: end - first }, (_, i) => {
        return new Uint16Array(library.HEAPU8.buffer, lists[2 * i + 1], lists[2 * i]).slice();
      });
      library.reclaim_vlen_memory_count(file, path, '', BigInt(pointer), count);
      return read;
    } finally {
      library._free(pointer);
    }
  }

  #dataset(path: string): Dataset {
    const found = this.#try(() => this.#file.get(path));
    if (found === null || !('metadata' in found)) return this.#fail(`it has no \`${path}\``);
    return found as Dataset;
  }

  #try<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof ReproError) throw error;
      const [line = ''] = messageOf(error).split('\n');
      return this.#fail(`HDF5 cannot read it (${line.trim()})`);
    }
  }

  #fail(what: string, clip?: number): never {
    throw new ReproError('heidelberg-file', `${what}.`, {
      where: clip === undefined ? this.#name : `${this.#name}: clip ${clip}`,
      fix: 'The file is damaged, or not of this data set: download it again.',
    });
  }
}

/** A number of IEEE 754's format of 16 bits. */
function float16(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 === 0 ? 1 : -1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction / 1024 : 1 + fraction / 1024) * 2 ** (Math.max(1, exponent) - 15);
}
