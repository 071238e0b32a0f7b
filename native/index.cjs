'use strict';
// The addon: build/Release if it was compiled here, otherwise prebuilds/<platform>-<arch>. Throws if there is neither. Tests name another
// binary, such as one with sanitizers.
const { existsSync, readFileSync, statSync } = require('node:fs');
const path = require('node:path');

const { PLIF_NATIVE_BINARY: other } = process.env;
if (!other) refuseIncomplete(path.join(__dirname, 'build', 'Release', 'plif_native.node'));
module.exports = other ? require(other) : require('node-gyp-build')(__dirname);

/** A file that was cut short, by a full disk or a power failure, would end Node.js with SIGBUS. install.mjs notes how long it is. */
function refuseIncomplete(file) {
  const note = `${file}.size`;
  if (!existsSync(file) || !existsSync(note)) return;
  const expected = Number(readFileSync(note, 'utf8'));
  const { size } = statSync(file);
  if (size !== expected) throw new Error(`${file} is damaged: it has ${size} bytes instead of ${expected}`);
}
