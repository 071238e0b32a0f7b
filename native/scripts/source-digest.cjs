'use strict';
// A short digest of everything that the binary is compiled from; binding.gyp bakes it in, so a binary can be told from its sources.
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');

/** @returns {string} the first 12 hex digits of sha256 over binding.gyp and the sources, sorted by name */
function sourceDigest() {
  const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => `src/${name.split(path.sep).join('/')}`);
  const hash = createHash('sha256');
  for (const name of ['binding.gyp', ...sources].sort()) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(root, name)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

module.exports = { sourceDigest };

if (require.main === module) process.stdout.write(sourceDigest());
