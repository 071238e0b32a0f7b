'use strict';
// The addon that install.mjs compiled. Throws if there is none. Tests name another binary, such as one with sanitizers.
const { existsSync, readFileSync, statSync } = require('node:fs');
const path = require('node:path');

const file = process.env.PLIF_NATIVE_BINARY || path.join(__dirname, 'build', 'Release', 'plif_native.node');
refuseIncomplete();
// Taken before it is loaded: if the file still has it when its bytes are read, they are what was loaded.
const stamp = existsSync(file) ? stampOf(file) : '';
module.exports = { ...require(file), files: [file], stamp };

/** As `stampFiles` in src/network/engines/native/addon.ts. */
function stampOf(name) {
  const { ino, size, mtimeNs, ctimeNs } = statSync(name, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

/** A file that was cut short, by a full disk or a power failure, would end Node.js with SIGBUS. install.mjs notes how long it is. */
function refuseIncomplete() {
  const note = `${file}.size`;
  if (!existsSync(file) || !existsSync(note)) return;
  const expected = Number(readFileSync(note, 'utf8'));
  const { size } = statSync(file);
  if (size !== expected) throw new Error(`${file} is damaged: it has ${size} bytes instead of ${expected}`);
}
