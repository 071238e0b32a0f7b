import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describeError, ReproError } from '../../base/errors.ts';
import { parseJson, type Value } from '../../base/files/shape.ts';
import type { RunRecord } from '../store/records.ts';

/** What is signed is a record of a run, as JSON. */
const recordType = 'application/vnd.plif-repro.record+json';

/** A DSSE envelope, as far as this program needs it. */
const envelopeShape = v.object({
  payloadType: v.string(),
  /** base64, as each `sig`; as the specification demands, the URL-safe alphabet is read, too. */
  payload: v.string(),
  signatures: v.array(v.object({ keyid: v.exactOptional(v.string()), sig: v.string() })),
});

/** A private Ed25519 key that signs records, and the trust in it alone. */
export interface Signer {
  readonly key: KeyObject;
  readonly own: TrustedKeys;
}

/** Public Ed25519 keys whose signatures are trusted. */
export interface TrustedKeys {
  /** The file that they are from. */
  readonly file: string;
  readonly keys: readonly { readonly id: string; readonly key: KeyObject }[];
}

/**
 * The bytes that a DSSE signature covers: `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in bytes, in decimal.
 *
 * @see https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
 */
function encodeSigned(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `),
    payload,
  ]);
}

/** A record in a DSSE envelope with one Ed25519 signature, as JSON. */
export function signRecord(record: RunRecord, { key, own }: Signer): string {
  const payload = Buffer.from(JSON.stringify(record));
  const sig = sign(null, encodeSigned(recordType, payload), key).toString('base64');
  const envelope: Value<typeof envelopeShape> = {
    payloadType: recordType,
    payload: payload.toString('base64'),
    signatures: own.keys.map(({ id }) => ({ keyid: id, sig })),
  };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}

/** What an envelope contains, undefined if it is not JSON that can be used; or the value, if it is none. Nothing is verified. */
export function openEnvelope(value: unknown): unknown {
  if (!v.is(envelopeShape, value)) return value;
  try {
    return parseJson(Buffer.from(value.payload, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Why a stored record must not be trusted; null if one of the keys has signed exactly this content.
 *
 * @param value a record, an envelope, or anything that an attacker put there
 */
export function whyUntrusted(value: unknown, { file, keys }: TrustedKeys): string | null {
  if (!v.is(envelopeShape, value) || value.signatures.length === 0) return 'it is not signed';
  const signed = encodeSigned(value.payloadType, Buffer.from(value.payload, 'base64'));
  // The ids are not signed, so they only serve the message.
  const isGood = value.signatures.some(({ sig }) =>
    keys.some(({ key }) => verify(null, signed, key, Buffer.from(sig, 'base64'))),
  );
  if (isGood) return value.payloadType === recordType ? null : `it is not a record but ${value.payloadType}`;
  const named = value.signatures.map(({ keyid = '(unnamed)' }) => keyid);
  const known = named.find((id) => keys.some((one) => one.id === id));
  return known === undefined
    ? `it is signed with the key ${named.join(', ')}, which is not in ${file}`
    : `its content does not match the signature with the key ${known}`;
}

/**
 * Reads a private key.
 *
 * @throws {ReproError} `key-file` unless the file has an Ed25519 key in PKCS #8, as PEM, without a passphrase
 */
export function readSigner(file: string): Signer {
  try {
    const key = createPrivateKey(readFileSync(file));
    return { key, own: { file, keys: [describeKey(createPublicKey(key))] } };
  } catch (cause) {
    throw unusable(file, 'a private Ed25519 key in PEM (PKCS #8, without a passphrase)', MAKE_KEYS, cause);
  }
}

/**
 * Reads public keys, one after another in a file.
 *
 * @throws {ReproError} `key-file` unless the file has at least one Ed25519 key in SPKI, as PEM, and no other key
 */
export function readTrustedKeys(file: string): TrustedKeys {
  try {
    const blocks =
      readFileSync(file, 'utf8').match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
    if (blocks.length === 0) throw new Error('there is no public key in it');
    return { file, keys: blocks.map((pem) => describeKey(createPublicKey(pem))) };
  } catch (cause) {
    throw unusable(
      file,
      'public Ed25519 keys in PEM (SPKI)',
      'The person who signs has the public key.',
      cause,
    );
  }
}

/** The id is the sha256 of the key in SPKI, as DER. */
function describeKey(key: KeyObject): TrustedKeys['keys'][number] {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is a key for ${key.asymmetricKeyType}`);
  const der = key.export({ type: 'spki', format: 'der' });
  return { id: createHash('sha256').update(der).digest('hex'), key };
}

const MAKE_KEYS =
  'To make keys:\n  openssl genpkey -algorithm ed25519 -out sign.pem\n  openssl pkey -in sign.pem -pubout -out trust.pem';

function unusable(file: string, expected: string, fix: string, cause: unknown): ReproError {
  const said = describeError(cause);
  // OpenSSL only names places in its code.
  const found = said.startsWith('error:') ? 'it is something else' : said;
  return new ReproError('key-file', `expected ${expected}: ${found}`, { where: file, fix, cause });
}
