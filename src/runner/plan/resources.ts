import type { Json } from '../../base/schema/json.ts';
import { show } from '../../base/schema/schema-problems.ts';
import type { Resources } from './plan.ts';
import { parseTemplate } from './profile-settings.ts';
import type { Combination, StageReader } from './stage-reader.ts';

export type Parsed<Value = number> =
  | { readonly value: Value }
  | { readonly message: string; readonly fix: string };

const bytesPerUnit: { readonly [unit: string]: number } = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

const secondsPerUnit: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86400 };

/** `4G`, `512M`, `4 GiB` or a number of bytes, as bytes; units are powers of 1024. */
export function parseMemory(value: Json): Parsed {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(String(value).trim());
  const unit = bytesPerUnit[(match?.[2] ?? '').toLowerCase()];
  const bytes = match === null || unit === undefined ? 0 : Math.round(Number(match[1]) * unit);
  if (isScalar(value) && bytes > 0 && Number.isSafeInteger(bytes)) return { value: bytes };
  return { message: `memory ${show(value)} is not a size.`, fix: 'Write it as 512M or 4G.' };
}

/** `90s`, `30m`, `48h`, `2d` or `1h30m`, in seconds. `name` is its key, for messages. */
export function parseDuration(name: string, value: Json): Parsed {
  const text = String(value).replaceAll(' ', '');
  const seconds = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (secondsPerUnit[unit ?? ''] ?? Number.NaN),
    0,
  );
  const fix = 'Write it as 90s, 30m, 48h or 2d.';
  if (isScalar(value) && /^(\d+(\.\d+)?[smhd])+$/.test(text)) {
    if (seconds > 0) return { value: seconds };
    return { message: `${name} has to be longer than ${show(value)}.`, fix };
  }
  return { message: `${name} ${show(value)} is not a duration.`, fix };
}

function parseCpus(value: Json): Parsed<number | 'share'> {
  if (value === 'share') return { value };
  const parsed = parseCount('cpu', value, 1);
  return 'value' in parsed
    ? parsed
    : { ...parsed, fix: 'Write a whole number >= 1, or share for an equal share of all cores.' };
}

function parseCount(name: string, value: Json, minimum: number): Parsed {
  const count = isScalar(value) && /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(count) && count >= minimum) return { value: count };
  return {
    message: `${name} ${show(value)} is not a whole number.`,
    fix: `Write a whole number >= ${minimum}.`,
  };
}

function isScalar(value: Json): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

type Written = string | number | undefined;

export function readResources(reader: StageReader, combination: Combination): Resources | undefined {
  const { cpu, memory, gpu, time } = reader.entry.resources ?? {};
  let isComplete = true;
  /** A single value with its references expanded; `fallback` if it is left out or wrong. */
  const read = <Value, Default>(
    key: string,
    written: Written,
    parse: (value: Json) => Parsed<Value>,
    fallback: Default,
  ): Value | Default => {
    if (written === undefined) return fallback;
    const path = ['resources', key];
    const value = findDefault(reader, written) ?? reader.expand(written, path, combination);
    const parsed = value === undefined ? undefined : parse(value);
    if (parsed !== undefined && 'value' in parsed) return parsed.value;
    isComplete = false;
    if (parsed !== undefined) reader.report(reader.at(path), parsed.message, parsed.fix);
    return fallback;
  };
  const result: Resources = {
    cpu: read('cpu', cpu, parseCpus, 1),
    memoryBytes: read('memory', memory, parseMemory, 2 ** 30),
    gpu: read('gpu', gpu, (value) => parseCount('gpu', value, 0), 0),
    timeSeconds: read('time', time, (value) => parseDuration('time', value), null),
  };
  return isComplete ? result : undefined;
}

/** The default of the key that `"${key}"` names, if the profile leaves it out. */
function findDefault(reader: StageReader, written: number | string): Json | undefined {
  const parsed = parseTemplate(String(written));
  if ('fault' in parsed || parsed.template.length !== 1) return undefined;
  const [reference] = parsed.template;
  return typeof reference === 'object' ? reader.context.settings.defaultOf(reference.path) : undefined;
}
