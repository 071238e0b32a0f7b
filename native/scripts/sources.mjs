// What the sources are, for whatever compiles them besides binding.gyp.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const native = path.resolve(import.meta.dirname, '..');

/** The C++ sources of folders, relative to native/. */
export function listSources(...folders) {
  return folders.flatMap((folder) =>
    readdirSync(path.join(native, folder))
      .filter((name) => name.endsWith('.cc'))
      .sort()
      .map((name) => `${folder}/${name}`),
  );
}

/** The instruction sets that the kernels are compiled for, with the compiler's flags: the same as in binding.gyp. */
export function kernelFlags() {
  const common = ['-ffp-contract=fast', '-fno-math-errno', '-fno-trapping-math'];
  return [
    { name: 'baseline', options: common },
    ...(process.arch === 'x64'
      ? [
          { name: 'avx2', options: [...common, '-march=x86-64-v3'] },
          { name: 'avx512', options: [...common, '-march=x86-64-v4', '-mprefer-vector-width=512'] },
        ]
      : []),
  ];
}

/** The instruction sets that this processor can run, according to the addon. */
export function instructionSets() {
  return createRequire(import.meta.url)('../index.cjs').instructionSets;
}
