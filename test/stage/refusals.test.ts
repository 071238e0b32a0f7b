import { expect, test } from 'vitest';
import { isProbe, type ProbedMachine } from '../../src/stage/refusals.ts';

const linux: ProbedMachine = { projectRoot: '/home/me/thesis', platform: 'linux', environment: {} };
const mac: ProbedMachine = { projectRoot: '/Users/me/thesis', platform: 'darwin', environment: {} };
const windows: ProbedMachine = {
  projectRoot: 'D:\\thesis',
  platform: 'win32',
  environment: { SystemRoot: 'D:\\WinNT', ProgramFiles: 'C:\\Programme' },
};

/** The stack of a call that came from a file, through Node's and the watch's own frames. */
function stackFrom(file: string): string {
  return [
    'Error: Access to this API has been restricted',
    '    at readFileSync (node:fs:441:20)',
    '    at observed (file:///app/dist/stage/refusals.js:40:20)',
    `    at look (${file}:3:4)`,
    '    at node:internal/modules/esm/loader:1:1',
  ].join('\n');
}

const ofPackage = stackFrom('file:///home/me/thesis/node_modules/detect-libc/lib/process.js');
const ofWindowsPackage = stackFrom('D:\\thesis\\node_modules\\detect-libc\\lib\\process.js');

function isLook(machine: ProbedMachine, resource: string, stack = ofPackage): boolean {
  return isProbe({ permission: 'FileSystemRead', resource, stack }, machine);
}

test.each([
  ['Linux', linux, '/proc/self/exe'],
  ['Linux', linux, '/lib64/ld-linux-x86-64.so.2'],
  ['macOS', mac, '/usr/lib/libSystem.dylib'],
  ['macOS', mac, '/System/Library/CoreServices/SystemVersion.plist'],
  ['macOS', mac, '/private/etc/hosts'],
  ['macOS', mac, '/opt/homebrew/bin/ldd'],
  ['Windows', windows, 'D:\\WinNT\\System32\\nvcuda.dll'],
  ['Windows', windows, '\\\\?\\d:\\winnt\\system32\\nvcuda.dll'],
  ['Windows', windows, 'C:/Programme/NVIDIA/nvml.dll'],
  ['Windows', windows, 'C:\\Program Files (x86)\\x.dll'],
  ['Windows', windows, '/usr/bin/ldd'],
  ['Windows', windows, '\\WinNT\\System32\\nvcuda.dll'],
])('on %s a package may look for files of the system', (_, machine, resource) => {
  expect(isLook(machine, resource)).toBe(true);
  expect(isLook(machine, resource, ofWindowsPackage)).toBe(true);
  // The stage's own code may not.
  expect(isLook(machine, resource, stackFrom('/home/me/thesis/stages/s.ts'))).toBe(false);
});

test.each([
  ['Linux', linux, '/home/me/.npmrc'],
  ['Linux', linux, '/usr/../home/me/data.csv'],
  ['Linux', linux, '/System/Library/x'],
  ['Linux', linux, 'undeclared.txt'],
  ['Linux', linux, '/proc/self/cwd/undeclared.txt'],
  ['Linux', linux, '/proc/4711/task/4712/root/home/me/data.csv'],
  ['macOS', mac, '/Users/me/data.csv'],
  ['macOS', mac, '/private/tmp/x'],
  ['Windows', windows, 'C:\\Users\\me\\data.csv'],
  ['Windows', windows, 'C:\\Windows\\win.ini'],
  ['Windows', windows, 'D:\\WinNT\\..\\data.csv'],
  ['Windows', windows, 'D:\\WinNT2\\x'],
])('on %s other files must be declared, whoever reads them: %#', (_, machine, resource) => {
  expect(isLook(machine, resource)).toBe(false);
});

test('a project in a folder of the system is no part of it', () => {
  const inUsr = { ...linux, projectRoot: '/usr/src/app' };
  expect(isLook(inUsr, '/usr/src/app/undeclared.txt')).toBe(false);
  expect(isLook(inUsr, '/usr/src/apple/x')).toBe(true);
  const inPrograms = { ...windows, projectRoot: 'C:\\Programme\\Thesis' };
  expect(isLook(inPrograms, 'c:\\programme\\thesis\\undeclared.txt')).toBe(false);
});

test('neither is one that is reached through a link, by either path', () => {
  const linked = { ...linux, projectRoot: '/home/me/app', realRoot: '/usr/src/app' };
  expect(isLook(linked, '/usr/src/app/undeclared.txt')).toBe(false);
  expect(isLook({ ...linked, projectRoot: '/usr/src/app', realRoot: '/home/me/app' }, '/usr/src/app/x')).toBe(
    false,
  );
  // Without a drive.
  const inPrograms = { ...windows, projectRoot: 'C:\\Programme\\Thesis' };
  expect(isLook(inPrograms, '\\programme\\thesis\\undeclared.txt')).toBe(false);
  expect(isLook(inPrograms, 'undeclared.txt')).toBe(false);
});

test('a package may ask for a program, the code of a stage may not', () => {
  const refused = { permission: 'ChildProcess' };
  expect(isProbe({ ...refused, stack: ofPackage }, mac)).toBe(true);
  expect(isProbe({ ...refused, stack: stackFrom('/home/me/thesis/s.ts') }, mac)).toBe(false);
});
