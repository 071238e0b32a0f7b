import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ReproError } from '../errors.ts';
import { quoteName } from '../text.ts';
import { decodeTfRecords, encodeTfRecord } from './tfrecord.ts';

/** One point of a curve in TensorBoard. */
export interface ScalarEvent {
  readonly tag: string;
  /** A whole number; what it counts depends on the tag. */
  readonly step: number;
  /** Stored in single precision. */
  readonly value: number;
  /** Unix time. */
  readonly wallTimeSeconds: number;
}

export interface EventFile {
  readonly scalars: readonly ScalarEvent[];
  /** Where a truncated last record starts in the file; null if the last record is whole. */
  readonly truncatedAt: number | null;
}

/** Field numbers of the messages in TensorBoard's event.proto, summary.proto and tensor.proto. */
const FIELD = {
  event: { wallTime: 1, step: 2, fileVersion: 3, summary: 5 },
  summary: { value: 1 },
  value: { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 },
  metadata: { pluginData: 1 },
  pluginData: { pluginName: 1 },
  tensor: { dtype: 1, content: 4, floats: 5, doubles: 6 },
} as const;

/** The element types of tensor.proto supported for scalars. */
const FLOAT = 1;
const DOUBLE = 2;

const FILE_VERSION = 'brain.Event:2';
const SCALARS_PLUGIN = 'scalars';

/** The first record of an event file. */
export function encodeEventFileHeader(wallTimeSeconds: number): Uint8Array {
  return encodeTfRecord(
    encodeEvent(wallTimeSeconds, 0, (event) =>
      event.tag(FIELD.event.fileVersion, WireType.LengthDelimited).string(FILE_VERSION),
    ),
  );
}

/**
 * Records to append to an event file: one event per scalar, in the older form (`simple_value`), which PyTorch's SummaryWriter
 * also writes and every version of TensorBoard reads.
 *
 * @throws {RangeError} if a step is not a whole number
 */
export function encodeScalarEvents(events: readonly ScalarEvent[]): Uint8Array {
  return Buffer.concat(
    events.map(({ tag, step, value, wallTimeSeconds }) => {
      if (!Number.isSafeInteger(step))
        throw new RangeError(`the step of ${tag} is ${step}, expected a whole number`);
      return encodeTfRecord(
        encodeEvent(wallTimeSeconds, step, (event) => {
          event.tag(FIELD.event.summary, WireType.LengthDelimited).fork();
          event.tag(FIELD.summary.value, WireType.LengthDelimited).fork();
          event.tag(FIELD.value.tag, WireType.LengthDelimited).string(tag);
          event.tag(FIELD.value.simpleValue, WireType.Bit32).float(Math.fround(value));
          event.join().join();
        }),
      );
    }),
  );
}

/** Omits zeros, as every protobuf writer does, so that the bytes equal TensorBoard's own. */
function encodeEvent(
  wallTimeSeconds: number,
  step: number,
  writeWhat: (event: BinaryWriter) => void,
): Uint8Array {
  const event = new BinaryWriter();
  if (wallTimeSeconds !== 0) event.tag(FIELD.event.wallTime, WireType.Bit64).double(wallTimeSeconds);
  if (step !== 0) event.tag(FIELD.event.step, WireType.Varint).int64(step);
  writeWhat(event);
  return event.finish();
}

/**
 * Reads the scalars of an event file, in the older form (`simple_value`) or the newer (a tensor of the plugin "scalars").
 * Skips everything else (graphs, histograms, images, texts).
 *
 * @param file its name, for errors
 * @throws {ReproError} `tfrecord-invalid` if a checksum is wrong, `tfevents-invalid` if a record is not an event
 * @see https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
 */
export function decodeEventFile(bytes: Uint8Array, file: string): EventFile {
  const { records, truncatedAt } = decodeTfRecords(bytes, file);
  const pluginOfTag = new Map<string, string>();
  const scalars: ScalarEvent[] = [];
  for (const { offset, data } of records) {
    const event = readEvent(data, pluginOfTag, `${file}, record at byte ${offset}`);
    if (offset === 0 && !/^brain\.Event:\d+$/.test(event.fileVersion ?? '')) {
      const found = event.fileVersion === undefined ? 'no version' : quoteName(event.fileVersion);
      refuse(
        file,
        `This is not a TensorBoard event file: expected the version "${FILE_VERSION}" in its first record, found ${found}.`,
      );
    }
    const { wallTimeSeconds, step } = event;
    for (const { tag, value } of event.values) scalars.push({ tag, step, value, wallTimeSeconds });
  }
  return { scalars, truncatedAt };
}

function refuse(file: string, message: string, cause?: unknown): never {
  throw new ReproError('tfevents-invalid', message, {
    where: file,
    fix: 'Use a file that TensorBoard reads (events.out.tfevents.…), or copy it again from where it was written.',
    cause,
  });
}

interface Event {
  wallTimeSeconds: number;
  step: number;
  fileVersion: string | undefined;
  readonly values: { readonly tag: string; readonly value: number }[];
}

/** @param pluginOfTag the plugins of tags so far: a file may name a tag's plugin only with the tag's first value */
function readEvent(bytes: Uint8Array, pluginOfTag: Map<string, string>, where: string): Event {
  const event: Event = { wallTimeSeconds: 0, step: 0, fileVersion: undefined, values: [] };
  const readSummary = (bytes: Uint8Array) =>
    readMessage(bytes, {
      [FIELD.summary.value]: [
        WireType.LengthDelimited,
        (from) => {
          const { tag, value } = readValue(from.bytes(), pluginOfTag);
          if (value !== undefined) event.values.push({ tag, value });
        },
      ],
    });
  try {
    readMessage(bytes, {
      [FIELD.event.wallTime]: [WireType.Bit64, (from) => (event.wallTimeSeconds = from.double())],
      [FIELD.event.step]: [WireType.Varint, (from) => (event.step = toStep(from.int64()))],
      [FIELD.event.fileVersion]: [
        WireType.LengthDelimited,
        (from) => (event.fileVersion = from.string(true)),
      ],
      [FIELD.event.summary]: [WireType.LengthDelimited, (from) => readSummary(from.bytes())],
    });
  } catch (cause) {
    refuse(where, `This record is not an event: ${String(cause)}.`, cause);
  }
  return event;
}

/** @returns only the tag if it is not a scalar */
function readValue(bytes: Uint8Array, pluginOfTag: Map<string, string>): { tag: string; value?: number } {
  const found: { tag: string; simpleValue?: number; tensor?: Uint8Array; metadata?: Uint8Array } = {
    tag: '',
  };
  readMessage(bytes, {
    [FIELD.value.tag]: [WireType.LengthDelimited, (from) => (found.tag = from.string(true))],
    [FIELD.value.simpleValue]: [WireType.Bit32, (from) => (found.simpleValue = from.float())],
    [FIELD.value.tensor]: [WireType.LengthDelimited, (from) => (found.tensor = from.bytes())],
    [FIELD.value.metadata]: [WireType.LengthDelimited, (from) => (found.metadata = from.bytes())],
  });
  const { tag, simpleValue, tensor, metadata } = found;
  if (metadata !== undefined) pluginOfTag.set(tag, readPlugin(metadata));
  if (simpleValue !== undefined) return { tag, value: simpleValue };
  if (tensor === undefined || pluginOfTag.get(tag) !== SCALARS_PLUGIN) return { tag };
  return { tag, value: readScalarTensor(tensor, tag) };
}

function readPlugin(metadata: Uint8Array): string {
  const found = { plugin: '' };
  const readPluginData = (bytes: Uint8Array) =>
    readMessage(bytes, {
      [FIELD.pluginData.pluginName]: [WireType.LengthDelimited, (from) => (found.plugin = from.string(true))],
    });
  readMessage(metadata, {
    [FIELD.metadata.pluginData]: [WireType.LengthDelimited, (from) => readPluginData(from.bytes())],
  });
  return found.plugin;
}

/** The single number of a tensor, from the field for any type or, packed, from the field for its own type. */
function readScalarTensor(bytes: Uint8Array, tag: string): number {
  const found: { dtype: number; number?: Uint8Array } = { dtype: 0 };
  const keepNumber = (from: BinaryReader) => (found.number = from.bytes());
  readMessage(bytes, {
    [FIELD.tensor.dtype]: [WireType.Varint, (from) => (found.dtype = from.int32())],
    [FIELD.tensor.content]: [WireType.LengthDelimited, keepNumber],
    [FIELD.tensor.floats]: [WireType.LengthDelimited, keepNumber],
    [FIELD.tensor.doubles]: [WireType.LengthDelimited, keepNumber],
  });
  const { dtype, number = new Uint8Array() } = found;
  const view = new DataView(number.buffer, number.byteOffset, number.byteLength);
  if (dtype === FLOAT && number.length === 4) return view.getFloat32(0, true);
  if (dtype === DOUBLE && number.length === 8) return view.getFloat64(0, true);
  throw new TypeError(`the scalar ${quoteName(tag)} is not one number in single or double precision`);
}

function toStep(value: bigint | string): number {
  const step = Number(value);
  if (!Number.isSafeInteger(step)) throw new RangeError(`its step is ${value}, beyond 2^53`);
  return step;
}

type FieldReaders = Readonly<Record<number, readonly [WireType, (from: BinaryReader) => unknown]>>;

/** Reads a message field by field, skipping unknown fields. The library rejects anything that reaches beyond the bytes. */
function readMessage(bytes: Uint8Array, fields: FieldReaders): void {
  const from = new BinaryReader(bytes);
  while (from.pos < from.len) {
    const [field, wireType] = from.tag();
    const [expected, read] = fields[field] ?? [];
    if (read !== undefined && wireType === expected) read(from);
    else from.skip(wireType, field);
  }
}
