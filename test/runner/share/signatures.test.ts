import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/runner/run/events.ts';
import { createFetchStage } from '../../../src/runner/share/pull.ts';
import { actionKeyOf, fileKeyOf, type Remote } from '../../../src/runner/share/remote.ts';
import {
  readSigner,
  readTrustedKeys,
  type Signer,
  whyUntrusted,
} from '../../../src/runner/share/signatures.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createCopy, createPushed, createRun, pull, push, recordOf, statesOf } from './shared-project.ts';

/** The first key of RFC 8032, section 7.1, as `openssl pkey` writes it. */
const privateKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
`;
const publicKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`;

/** `openssl pkey -pubout -outform DER | sha256sum` of it. */
const keyId = '06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9';

const otherKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });

/** `printf 'DSSEv1 38 application/vnd.plif-repro.record+json 8 {"τ":2}'`, signed by `openssl pkeyutl -sign -rawin`. */
const envelope = {
  payloadType: 'application/vnd.plif-repro.record+json',
  payload: 'eyLPhCI6Mn0=',
  signatures: [
    {
      keyid: keyId,
      sig: 'qrcmzRtyEs8ufGCUr0pAJBCjaIRQ5dwA6qi/v0wj6vFi6B3JfoCSXsdDt7gv77VldDnnlgEMfrwShy9hwVcsDg==',
    },
  ],
};

async function write(text: string | Buffer): Promise<string> {
  const file = path.join(await temporaryFolder(), 'keys.pem');
  writeFileSync(file, text);
  return file;
}

describe('a signature', () => {
  test("of openssl's is accepted, in both alphabets of base64, also beside that of an unknown key", async () => {
    const trust = readTrustedKeys(await write(otherKey + publicKey));
    expect(whyUntrusted(envelope, trust)).toBe(null);
    const sig = envelope.signatures[0]?.sig.replaceAll('/', '_').replaceAll('+', '-');
    const signatures = [{ keyid: 'f00', sig: 'AAAA' }, { sig }];
    expect(whyUntrusted({ ...envelope, signatures }, trust)).toBe(null);
  });

  test('is refused for other content, another type, another key and another object, each with its reason', async () => {
    const trust = readTrustedKeys(await write(publicKey));
    const altered = `its content does not match the signature with the key ${keyId}`;
    expect(whyUntrusted({ ...envelope, payload: 'eyLPhCI6M30=' }, trust)).toBe(altered);
    expect(whyUntrusted({ ...envelope, payloadType: 'text/plain' }, trust)).toBe(altered);
    expect(whyUntrusted({ ...envelope, signatures: [{ keyid: keyId, sig: '' }] }, trust)).toBe(altered);
    const others = readTrustedKeys(await write(otherKey));
    expect(whyUntrusted(envelope, others)).toBe(
      `it is signed with the key ${keyId}, which is not in ${others.file}`,
    );
    for (const value of [{ ...envelope, signatures: [] }, { fingerprint: 'x' }, null, 'text']) {
      expect(whyUntrusted(value, trust)).toBe('it is not signed');
    }
  });

  test('needs Ed25519 keys of the right kind', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ecPublic = ec.publicKey.export({ type: 'spki', format: 'pem' });
    const ecPrivate = ec.privateKey.export({ type: 'pkcs8', format: 'pem' });
    for (const [text, found] of [
      ['', 'there is no public key in it'],
      [publicKey + ecPublic, 'it is a key for ec'],
      [privateKey, 'there is no public key in it'],
    ] as const) {
      const file = await write(text);
      const error = expect.objectContaining({ code: 'key-file', where: file });
      expect(() => readTrustedKeys(file)).toThrow(error);
      expect(() => readTrustedKeys(file)).toThrow(`expected public Ed25519 keys in PEM (SPKI): ${found}`);
    }
    const file = await write(ecPrivate);
    expect(() => readSigner(file)).toThrow('without a passphrase): it is a key for ec');
    expect(() => readSigner('/nowhere.pem')).toThrow('ENOENT');
  });
});

describe('a remote cache with signed records', () => {
  const createSigned = async () => {
    const { project, remote } = await createRun('folder');
    const signer = readSigner(await write(privateKey));
    await push(project, remote, { signer });
    return { project, remote, signer, trust: readTrustedKeys(await write(publicKey)) };
  };
  const read = (remote: Remote, key: string) =>
    JSON.parse(readFileSync(path.join(remote.address, key), 'utf8'));

  test('refuses what another key or nobody has signed, what was altered, and the record of something else', async () => {
    const { project, remote, trust } = await createSigned();
    const [a, b] = [await recordOf(project, 'a'), await recordOf(project, 'b')];
    const key = actionKeyOf(a.fingerprint);
    const sealed = read(remote, key);
    const forged = { ...a, outputs: [{ ...a.outputs[0], files: 9 }] };
    const payload = Buffer.from(JSON.stringify(forged)).toString('base64');
    for (const [stored, reason] of [
      [a, 'it is not signed'],
      ['cut off', 'it is not signed'],
      [{ ...sealed, payload }, `its content does not match the signature with the key ${keyId}`],
      [read(remote, actionKeyOf(b.fingerprint)), 'it is the record of another fingerprint'],
    ] as const) {
      await remote.write(key, JSON.stringify(stored));
      const copy = await createCopy();
      const pulled = await pull(copy, remote, { trust });
      expect(statesOf(pulled), reason).toBe('a failed, b waiting');
      expect(pulled[0]?.error).toMatchObject({
        code: 'remote-untrusted',
        where: `${remote.address}/${key}`,
        message: `this record is refused: ${reason}`,
      });
      expect(copy.has('artifacts/a')).toBe(false);
    }
  });

  test('fails the stage of a run whose record is refused, and runs what has none or a damaged file', async () => {
    const { project, remote, trust } = await createSigned();
    const [a, b] = [await recordOf(project, 'a'), await recordOf(project, 'b')];
    const copy = await createCopy();
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => void events.push(event);
    const run = () => copy.run({ fetchStage: createFetchStage(async () => remote, onEvent, trust), onEvent });
    await remote.write(fileKeyOf(b.outputs[0]?.digest ?? ''), 'damaged');
    expect(await run()).toMatchObject({ outcome: 'ok', cached: ['a'], ran: ['b'] });
    await copy.remove('artifacts');
    await remote.write(actionKeyOf(a.fingerprint), JSON.stringify(a));
    expect(await run()).toMatchObject({ outcome: 'failed', cached: [], ran: [] });
    expect(events.filter(({ kind }) => kind === 'failed')).toMatchObject([
      { id: 'a', code: 'remote-untrusted', text: expect.stringContaining('it is not signed') },
    ]);
  });

  test('is signed by a later push, which replaces what is unsigned or of another key; one without a key changes nothing, and a pull may ask for none', async () => {
    const { project, remote } = await createPushed('folder');
    const key = actionKeyOf((await recordOf(project, 'a')).fingerprint);
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    const signers: Signer[] = [readSigner(await write(privateKey)), readSigner(await write(pem))];
    for (const signer of signers) {
      expect(statesOf(await push(project, remote, { signer }))).toBe('a pushed, b pushed');
      expect(statesOf(await push(project, remote, { signer }))).toBe('a present, b present');
      expect(read(remote, key).signatures).toMatchObject([{ keyid: signer.own.keys[0]?.id }]);
    }
    expect(statesOf(await push(project, remote))).toBe('a present, b present');
    expect(read(remote, key).signatures).toHaveLength(1);
    expect(statesOf(await pull(await createCopy(), remote))).toBe('a fetched, b fetched');
  });
});
