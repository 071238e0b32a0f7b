/** A number, or the beginning of a UUID. */
export function isDeviceId(text: string): boolean {
  return /^(\d+|(GPU|MIG)-[\w/-]+)$/.test(text);
}

/** The ids of `--gpus 0,1`; null if they are none. */
export function parseGpuList(text: string): readonly string[] | null {
  const ids = text.split(',').map((one) => one.trim());
  return ids.every(isDeviceId) && new Set(ids).size === ids.length ? ids : null;
}
