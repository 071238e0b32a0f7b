#!/usr/bin/env node
// Hands over to the compiled program.
require('./node-version.js');

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const entry = path.join(path.dirname(__dirname), 'dist', 'app', 'main.js');
if (!fs.existsSync(entry)) {
  process.stderr.write(
    'repro is not compiled yet: dist/app/main.js is missing.\n  Run `npm ci`, or `npm run build` after a pull.\n',
  );
  process.exit(2);
}
// Node 20 has none.
if (Module.enableCompileCache) Module.enableCompileCache();
import(pathToFileURL(entry).href).then(({ main }) => main(process.argv));
