import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { pages, readPage, repository } from '../docs/pages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const fix = 'Name it: node scripts/set-address.mjs https://github.com/ACCOUNT/NAME\n';
const lab = 'https://github.com/lab/plif.js';

/** A copy of what names the address, and a page that names it in all ways. */
async function createProject() {
  const root = await temporaryFolder();
  for (const part of ['scripts/set-address.mjs', 'CITATION.cff', 'README.md', 'docs'])
    cpSync(path.join(repository, part), path.join(root, part), { recursive: true });
  const at = (file: string) => path.join(root, file);
  const read = (file: string) => readFileSync(at(file), 'utf8');
  const [, old = ''] = /repository-code: "https:\/\/github\.com\/(.*)"/.exec(read('CITATION.cff')) ?? [];
  const page = `https://github.com/${old}/releases. https://github.com/${old}-more\n- uses: ${old}@v1.0.0\nOWNER/${old}\n`;
  writeFileSync(at('docs/page.md'), page);
  const call = (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/set-address.mjs', ...words], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const git = (...words: readonly string[]) => execFileSync('git', ['-C', root, ...words]);
  return { old, read, write: (file: string, text: string) => writeFileSync(at(file), text), call, git };
}

/** The lines of README.md that link a published page. */
const links = (text: string) => text.match(/^.*github\.io.*$/gm) ?? [];

test('one command sets the address everywhere and links the published page, and again for another address', async () => {
  const { old, read, call } = await createProject();
  for (const [account, name] of [
    ['lab', 'plif.js'],
    ['other', 'fork'],
  ]) {
    expect(call(`https://github.com/${account}/${name}`)).toMatchObject({ status: 0, stderr: '' });
    expect(read('CITATION.cff')).toContain(`repository-code: "https://github.com/${account}/${name}"\n`);
    expect(links(read('README.md'))).toEqual([
      `**Without installing anything:** [watch the networks and read the results in your browser](https://${account}.github.io/${name}/).`,
    ]);
    expect(read('docs/page.md')).toBe(
      `https://github.com/${account}/${name}/releases. https://github.com/${old}-more\n- uses: ${account}/${name}@v1.0.0\nOWNER/${old}\n`,
    );
    const again = call(`https://github.com/${account}/${name}`);
    expect(again.stdout).toBe(`The address is https://github.com/${account}/${name}.\n`);
  }
  expect(read('README.md').replace(/^.*github\.io.*\n/m, '')).toBe(
    readPage('README.md').replace(/^.*github\.io.*\n/m, ''),
  );
});

test.each([
  lab,
  `${lab}.git`,
  `${lab}/`,
  'https://ann:secret@github.com/lab/plif.js.git',
  'git@github.com:lab/plif.js.git',
  'ssh://git@github.com/lab/plif.js',
])('without an address, it is that of the git remote: %s', async (remote) => {
  const { read, call, git } = await createProject();
  git('init', '--quiet');
  git('remote', 'add', 'origin', remote);
  const { status, stdout } = call();
  expect([status, stdout]).toEqual([0, expect.stringContaining(`The address is ${lab}.`)]);
  expect(read('CITATION.cff')).toContain(`repository-code: "${lab}"\n`);
});

test('what is no address on GitHub is refused without a change, and no token is shown', async () => {
  const { read, write, call, git } = await createProject();
  const refusal = (problem: string, how = fix) => ({ status: 1, stdout: '', stderr: `${problem}\n  ${how}` });
  git('init', '--quiet');
  expect(call()).toEqual(refusal('expected an address or a git remote "origin", found neither.'));
  git('remote', 'add', 'origin', 'https://ann:secret@gitlab.com/lab/plif.git');
  const problem = 'gitlab.com/lab/plif.git  expected the address of a repository on GitHub.';
  expect(call()).toEqual(refusal(problem));
  for (const wrong of ['lab/plif', 'https://github.com/lab', `${lab}/issues`])
    expect(call(wrong)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(fix) });
  write('README.md', 'No place for a link.\n');
  expect(call(lab)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^README\.md .*\n {2}Add it: <!--/),
  });
  expect(read('CITATION.cff')).toBe(readPage('CITATION.cff'));
  write('CITATION.cff', 'version: 1.0.0\n');
  expect(call(lab)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^CITATION\.cff .*\n {2}Add this line/),
  });
});

test('README.md links the published page only if there is an address, which all pages share', () => {
  const [, address = ''] =
    /repository-code: "https:\/\/github\.com\/(.*)"/.exec(readPage('CITATION.cff')) ?? [];
  const [account, name] = address.split('/');
  const isSet = account !== 'OWNER';
  expect(links(readPage('README.md'))).toHaveLength(isSet ? 1 : 0);
  if (!isSet) return;
  expect(readPage('README.md')).toContain(`https://${account}.github.io/${name}/`);
  expect(pages.filter((page) => readPage(page).includes('OWNER'))).toEqual([]);
});
