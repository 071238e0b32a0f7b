import { type LoadStorage, PickleMachine } from './pickle-machine.ts';
import type { Fail, PickleValue } from './values.ts';

const PROTOCOL = 0x80;
const STOP = 0x2e;

/** The opcodes of protocols 2 to 5 that PyTorch uses. */
const OPCODES: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map<
  number,
  (machine: PickleMachine) => void
>([
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4b, (m) => m.push(m.input.uint8())], // BININT1
  [0x4d, (m) => m.push(m.input.uint16())], // BININT2
  [0x4a, (m) => m.push(m.input.int32())], // BININT
  [0x8a, (m) => m.push(m.input.integer(m.input.uint8()))], // LONG1
  [0x8b, (m) => m.push(m.input.integer(m.input.uint32()))], // LONG4
  [0x47, (m) => m.push(m.input.float64())], // BINFLOAT
  [0x8c, (m) => m.push(m.input.text(m.input.uint8()))], // SHORT_BINUNICODE
  [0x58, (m) => m.push(m.input.text(m.input.uint32()))], // BINUNICODE
  [0x8d, (m) => m.push(m.input.text(m.input.uint64()))], // BINUNICODE8
  [0x43, (m) => m.push(m.input.bytes(m.input.uint8()))], // SHORT_BINBYTES
  [0x42, (m) => m.push(m.input.bytes(m.input.uint32()))], // BINBYTES
  [0x8e, (m) => m.push(m.input.bytes(m.input.uint64()))], // BINBYTES8
  [0x96, (m) => m.push(m.input.bytes(m.input.uint64()))], // BYTEARRAY8
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x8f, (m) => m.push(new Set())], // EMPTY_SET
  [0x28, (m) => m.mark()], // MARK
  [0x74, (m) => m.push(m.popMarked())], // TUPLE
  [0x6c, (m) => m.push(m.popMarked())], // LIST
  [0x85, (m) => m.push(m.popMany(1))], // TUPLE1
  [0x86, (m) => m.push(m.popMany(2))], // TUPLE2
  [0x87, (m) => m.push(m.popMany(3))], // TUPLE3
  [0x64, (m) => m.push(new Map(m.pairs(m.popMarked())))], // DICT
  [0x91, (m) => m.push(new Set(m.popMarked()))], // FROZENSET
  [0x61, (m) => m.append(m.popMany(1))], // APPEND
  [0x65, (m) => m.append(m.popMarked())], // APPENDS
  [0x73, (m) => m.setItems(m.popMany(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMarked())], // SETITEMS
  [0x90, (m) => m.addItems(m.popMarked())], // ADDITEMS
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMarked()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x71, (m) => m.memoise(m.input.uint8())], // BINPUT
  [0x72, (m) => m.memoise(m.input.uint32())], // LONG_BINPUT
  [0x94, (m) => m.memoise()], // MEMOIZE
  [0x68, (m) => m.recall(m.input.uint8())], // BINGET
  [0x6a, (m) => m.recall(m.input.uint32())], // LONG_BINGET
  [0x63, (m) => m.pushName(m.input.line(), m.input.line())], // GLOBAL
  [0x93, (m) => m.pushName(...pair(m.popMany(2)))], // STACK_GLOBAL
  [0x52, (m) => m.call(m.popMany(2))], // REDUCE
  [0x81, (m) => m.call(m.popMany(2))], // NEWOBJ
  [0x62, (m) => m.build(m.pop())], // BUILD
  [0x51, (m) => m.load(m.pop())], // BINPERSID
  [0x95, (m) => void m.input.uint64()], // FRAME: a hint for streams
]);

/**
 * Reads a pickle (protocols 2 to 5) as plain values. Nothing is run or imported: names are looked up in an allow-list
 * (`globals.ts`), and objects become records.
 *
 * @throws {ReproError} through `fail`
 * @see https://docs.python.org/3/library/pickletools.html
 */
export function unpickle(bytes: Uint8Array, fail: Fail, load: LoadStorage): PickleValue {
  const machine = new PickleMachine(bytes, fail, load);
  if (machine.nextOpcode() !== PROTOCOL) machine.fail('broken', 'expected a pickle of protocol 2 or later');
  const protocol = machine.input.uint8();
  if (protocol < 2 || protocol > 5) {
    machine.fail('unsupported', `its pickle has protocol ${protocol}; 2 to 5 are read`);
  }
  for (let opcode = machine.nextOpcode(); opcode !== STOP; opcode = machine.nextOpcode()) {
    const run = OPCODES.get(opcode);
    if (run === undefined) {
      const shown = `0x${opcode.toString(16).padStart(2, '0')}`;
      machine.fail('refused', `its pickle has the opcode ${shown}, which PyTorch does not write`);
    } else run(machine);
  }
  return machine.finish();
}

function pair([first, second]: readonly PickleValue[]): [PickleValue | undefined, PickleValue | undefined] {
  return [first, second];
}
