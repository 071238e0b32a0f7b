// Writes the project's address on GitHub into every page that names it, and a link to the published page into README.md. CITATION.cff is the
// home of the address. A second call changes nothing, or replaces the first address by another.
//   node scripts/set-address.mjs                                      that of the git remote `origin`
//   node scripts/set-address.mjs https://github.com/ACCOUNT/NAME      this one

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const fix = 'Name it: node scripts/set-address.mjs https://github.com/ACCOUNT/NAME';
/** In README.md, the line after it links the published page. */
const mark = '<!-- node scripts/set-address.mjs links the published page here. -->\n';

/** What users can mend, in words for them. */
class Refusal extends Error {}

try {
  const [address = readRemote()] = process.argv.slice(2);
  const repository = parseAddress(address);
  setAddress(repository);
  console.log(`The address is https://github.com/${repository}.`);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function readRemote() {
  const options = { cwd: root, encoding: 'utf8' };
  const { status, stdout } = spawnSync('git', ['remote', 'get-url', 'origin'], options);
  if (status !== 0)
    throw new Refusal(`expected an address or a git remote "origin", found neither.\n  ${fix}`);
  return stdout.trim();
}

/** `ACCOUNT/NAME`. What git has before `@` in an address may be a token: it is written and shown nowhere. */
function parseAddress(address) {
  const place = address.replace(/^(?:(?:https|ssh):\/\/)?(?:[^/@]*@)?/, '');
  const [, repository] = /^github\.com[:/]([\w-]+\/[\w-][\w.-]*?)(?:\.git)?\/?$/.exec(place) ?? [];
  if (repository !== undefined) return repository;
  throw new Refusal(`${place}  expected the address of a repository on GitHub.\n  ${fix}`);
}

function setAddress(repository) {
  const [, old] = /^repository-code: "https:\/\/github\.com\/(.+)"$/m.exec(read('CITATION.cff')) ?? [];
  if (old === undefined)
    throw new Refusal(
      'CITATION.cff  expected the old address, as in: repository-code: "https://github.com/OWNER/plif-repro"\n  Add this line.',
    );
  // In an address or as an action; `lab/plif` is not named by `lab/plif-more`.
  const named = new RegExp(`(?<=github\\.com/|uses: )${old.replaceAll('.', '\\.')}(?![\\w-])`, 'g');
  const pages = ['.', 'docs'].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name)),
  );
  const changes = ['CITATION.cff', ...pages.sort()].map((file) => {
    const before = read(file);
    const text = before.replaceAll(named, repository);
    return { file, before, after: file === 'README.md' ? linkPage(text, repository) : text };
  });
  for (const { file, before, after } of changes) {
    if (after === before) continue;
    writeFileSync(path.join(root, file), after);
    console.log(`changed ${file}`);
  }
}

function linkPage(text, repository) {
  const [before, after] = text.split(mark);
  if (after === undefined)
    throw new Refusal(
      `README.md  expected a line for the link to the published page.\n  Add it: ${mark.trim()}`,
    );
  const [account, name] = repository.split('/');
  const link = `**Without installing anything:** [watch the networks and read the results in your browser](https://${account}.github.io/${name}/).\n`;
  return `${before}${mark}${link}${after.replace(/^.+\n/, '')}`;
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8');
}
