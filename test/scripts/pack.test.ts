import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pages, repository } from '../docs/pages.ts';

test('the package has what runs the project once it is installed, and nothing of its tests and measurements, and of its results only the answers', () => {
  const words = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
  const printed = execFileSync('npm', words, {
    cwd: repository,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(printed);
  const packed: string[] = files.map((file: { readonly path: string }) => file.path);
  const own = packed.filter((file) => !file.startsWith('node_modules/'));
  expect([...new Set(own.map((file) => file.split('/')[0]))].sort()).toEqual([
    ...['CHANGELOG.md', 'CITATION.cff', 'LICENSE', 'README.md', 'bin', 'configs', 'dist', 'docs'],
    ...['package.json', 'pipeline.yaml', 'results', 'schemas', 'scripts', 'src', 'stages', 'tsconfig.json'],
  ]);
  const below = (folder: string) =>
    readdirSync(path.join(repository, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => path.posix.join(folder, name))
      .filter((name) => path.extname(name) !== '');
  const docs = pages.filter((page) => page.startsWith('docs/'));
  // Baselines refer to them.
  const answers = below('results').filter((file) => /^results\/[^/]+\/answers\.csv$/.test(file));
  expect(packed.filter((file) => file.startsWith('results/')).sort()).toEqual(answers.sort());
  const needed = [...['src', 'stages', 'configs', 'schemas', 'bin'].flatMap(below), ...docs];
  expect(needed.filter((file) => !packed.includes(file))).toEqual([]);
  // The compiled program is not made on installation.
  expect(packed).toEqual(
    expect.arrayContaining(['dist/app/main.js', 'dist/runner/stage/host.js', 'dist/explore.js']),
  );
  // A workspace is not part of a package, so it is bundled, with what compiles it: its sources, but nothing that has been compiled here.
  const native = packed.filter((file) => file.startsWith('node_modules/plif-native/'));
  const ofNative = native.map((file) => file.replace('node_modules/plif-native/', 'native/'));
  expect([...new Set(ofNative.map((file) => file.split('/')[1]))].sort()).toEqual([
    ...[
      'README.md',
      'binding.gyp',
      'index.cjs',
      'index.d.cts',
      'install.mjs',
      'package.json',
      'scripts',
      'src',
      'wasm',
    ],
  ]);
  const sources = ['native/src', 'native/wasm', 'native/scripts'].flatMap(below);
  expect(sources.filter((file) => !ofNative.includes(file))).toEqual([]);
  expect(packed.some((file) => file.startsWith('node_modules/node-gyp/'))).toBe(true);
  expect(packed.filter((file) => /\.map$|\.test\.\w+$|\.pem$/.test(file) && own.includes(file))).toEqual([]);
});
