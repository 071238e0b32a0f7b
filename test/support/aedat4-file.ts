import { Builder } from 'flatbuffers';

/** The description of a stream of events. */
export function describeSensor(width: number, height: number): string {
  return (
    '<dv version="2.0"><node name="outInfo" path="/"><node name="0" path="/0/">' +
    '<attr key="typeIdentifier" type="string">EVTS</attr><node name="info" path="/0/info/">' +
    `<attr key="sizeX" type="int">${width}</attr><attr key="sizeY" type="int">${height}</attr></node></node></node></dv>`
  );
}

interface Made {
  readonly info?: string | null;
  readonly compression?: number;
  readonly table?: bigint;
  /** Contents of packets of stream 0. */
  readonly packets?: readonly Uint8Array[];
}

/** A recording in AEDAT 4. */
export function makeAedat4({
  info = describeSensor(8, 4),
  compression = 0,
  table = -1n,
  packets = [],
}: Made): Buffer {
  const builder = new Builder(256);
  const text = info === null ? 0 : builder.createString(info);
  builder.startObject(3);
  builder.addFieldInt32(0, compression, 0);
  builder.addFieldInt64(1, table, -1n);
  builder.addFieldOffset(2, text, 0);
  builder.finishSizePrefixed(builder.endObject(), 'IOHE');
  const parts = [Buffer.from('#!AER-DAT4.0\r\n'), builder.asUint8Array()];
  for (const packet of packets) {
    const head = Buffer.alloc(8);
    head.writeInt32LE(packet.length, 4);
    parts.push(head, packet);
  }
  return Buffer.concat(parts);
}

/** Contents of a packet of [time, x, y, polarity]. */
export function makePacket(rows: readonly (readonly [bigint, number, number, number])[]): Uint8Array {
  const builder = new Builder(256);
  builder.startVector(16, rows.length, 8);
  for (const [t, x, y, p] of rows.toReversed()) {
    builder.prep(8, 16);
    builder.pad(3);
    builder.writeInt8(p);
    builder.writeInt16(y);
    builder.writeInt16(x);
    builder.writeInt64(t);
  }
  const elements = builder.endVector();
  builder.startObject(1);
  builder.addFieldOffset(0, elements, 0);
  builder.finishSizePrefixed(builder.endObject(), 'EVTS');
  return builder.asUint8Array();
}
