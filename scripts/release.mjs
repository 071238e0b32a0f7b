// Checks that all files name the version in package.json, and prints the notes of its release: its section of CHANGELOG.md.
//   node scripts/release.mjs v1.0.0       before a release with this tag
//   node scripts/release.mjs --dry-run    at any time: as if the tag were that of package.json

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const { version } = readJson('package.json');
const [tag] = process.argv.slice(2);
const lock = readJson('package-lock.json');
const pages = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
const named = [
  ['the tag', tag === '--dry-run' ? version : tag?.replace(/^v/, '')],
  ['native/package.json', readJson('native/package.json').version],
  ['package-lock.json', lock.version],
  ['package-lock.json, native', lock.packages.native.version],
  ['src/report/report.ts', /'plif-repro ([\d.]+)'/.exec(read('src/report/report.ts'))?.[1]],
  ['CITATION.cff', /^version: (.*)$/m.exec(read('CITATION.cff'))?.[1]],
  // The action of this project, as pages show it: `uses: ACCOUNT/plif-repro@v1.0.0`.
  ...pages.flatMap((page) => {
    const uses = read(`docs/${page}`).matchAll(/uses: (?!actions\/)\S+@v([\d.]+)/g);
    return [...uses].map(([, found]) => [`docs/${page}`, found]);
  }),
];
const wrong = named
  .filter(([, found]) => found !== version)
  .map(([where, found]) => `${where} names version ${found ?? 'none'}; package.json has ${version}.`);
const notes = readNotes();
if (notes === '') wrong.push(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD" with changes.`);
if (wrong.length > 0) {
  console.error(`${wrong.join('\n')}\n  Correct these and commit, then set the tag.`);
  process.exitCode = 1;
} else console.log(notes);

/** Each entry in one line: a release on GitHub shows every line break. */
function readNotes() {
  const section = read('CHANGELOG.md')
    .split(/^## /m)
    .find((one) => one.startsWith(`[${version}] - `));
  const [, text = ''] = /^\S+ - \d{4}-\d\d-\d\d\n(.*)/s.exec(section ?? '') ?? [];
  return text.trim().replaceAll(/(?<!\n)\n {0,2}(?![-#\n ])/g, ' ');
}

function readJson(file) {
  return JSON.parse(read(file));
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8');
}
