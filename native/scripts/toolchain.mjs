// What compiling the addon needs besides Node.js, and how to get it.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** For each package manager: what to type for a compiler, make and Python. */
const installations = {
  'apt-get': 'apt install g++ make python3',
  dnf: 'dnf install gcc-c++ make python3',
  zypper: 'zypper install gcc-c++ make python3',
  pacman: 'pacman -S gcc make python',
  apk: 'apk add g++ make python3',
};

/** Where macOS has programs that only offer to install the Command Line Tools, as long as these are missing. */
const stubFolder = '/usr/bin';

/** The names of missing tools, in the words of a message. */
export function missingTools(environment = process.env, platform = process.platform) {
  const here = withoutStubs(environment, platform);
  const { CXX, PYTHON, npm_config_python } = environment;
  const wanted = [
    ['a C++ compiler', CXX?.split(' ')[0] ?? 'g++', 'g++', 'clang++'],
    ['make', 'make', 'gmake'],
    ['Python 3', npm_config_python ?? PYTHON ?? 'python3', 'python3', 'python'],
  ];
  return wanted.filter(([, ...names]) => !names.some((name) => isProgram(name, here))).map(([tool]) => tool);
}

/** The variables that make node-gyp use Clang, if that is the only compiler. */
export function compilerVariables(environment = process.env, platform = process.platform) {
  const { CC, CXX } = environment;
  const here = withoutStubs(environment, platform);
  if (CC !== undefined || CXX !== undefined || isProgram('g++', here)) return {};
  return isProgram('clang++', here) ? { CC: 'clang', CXX: 'clang++' } : {};
}

/** What went wrong according to node-gyp's output: its first error; null if there is none. */
export function explainBuildLog(text) {
  // node-gyp says this in three lines, after a first error that says nothing.
  if (text.includes('related to network connectivity')) {
    return `the headers of Node.js could not be downloaded: ${/^gyp http GET (\S+)/m.exec(text)?.[1]}`;
  }
  const first = text.split('\n').find((line) => /\berror\b:?/i.test(line) && !/^gyp (info|verb)/.test(line));
  if (first === undefined) return null;
  return first
    .replace(/^gyp ERR! (stack )?/, '')
    .trim()
    .slice(0, 160);
}

/** `a C++ compiler and make are missing. Run …, then …`. */
export function describeMissing(missing, environment = process.env, platform = process.platform) {
  const what = `${new Intl.ListFormat('en-GB').format(missing)} ${missing.length > 1 ? 'are' : 'is'} missing.`;
  if (platform === 'darwin') return `${what} Run \`xcode-select --install\`, then \`npm run build:native\`.`;
  const manager = Object.keys(installations).find((name) => isProgram(name, environment));
  const itself = missing.length > 1 ? 'Install them' : 'Install it';
  const command = manager === undefined ? itself : `Run \`${installations[manager]}\``;
  return `${what} ${command}, then \`npm run build:native\`.`;
}

/** The environment with only real programs in its PATH. */
function withoutStubs(environment, platform) {
  const { PATH = '' } = environment;
  if (platform !== 'darwin') return environment;
  if (spawnSync('xcode-select', ['-p'], { env: { PATH } }).status === 0) return environment;
  const folders = PATH.split(path.delimiter).filter((one) => one !== stubFolder);
  return { ...environment, PATH: folders.join(path.delimiter) };
}

function isProgram(name, { PATH = '' }) {
  const files = name.includes(path.sep)
    ? [name]
    : PATH.split(path.delimiter).map((one) => path.join(one, name));
  return files.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}
