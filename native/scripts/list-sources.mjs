// Lists the C++ sources of folders for binding.gyp, so that a new file needs no entry there: `list-sources.mjs src/network …`.
import process from 'node:process';
import { listSources } from './sources.mjs';

for (const file of listSources(...process.argv.slice(2))) console.log(file);
