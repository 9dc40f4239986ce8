import {createPublicKey} from 'node:crypto';

/** What keeps a text from being a public key. The text itself is in neither: it may be a secret. */
export interface KeyProblem {
  readonly message: string;
  readonly hint: string;
}

/**
 * What is wrong with a text as an Ed25519 public key, which is the base64 of its SPKI DER: what stands between the first and
 * the last line of what `openssl pkey -pubout` prints.
 */
export function publicKeyProblem(text: string): KeyProblem | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (/PRIVATE KEY/.test(text) || isPrivate(bytes)) {
    const hint =
      'make another with `mixdown cache key`, for whoever read this file knows this one; others trust its public half';
    return {message: 'that is a private key', hint};
  }
  if (/^\s*-----BEGIN/.test(text)) return {message: 'that is a whole file, with its lines of dashes', hint: form};
  if (text.startsWith('ssh-')) return {message: 'that is a key in the form of OpenSSH', hint: form};
  try {
    const key = createPublicKey({key: bytes, format: 'der', type: 'spki'});
    const kind = key.asymmetricKeyType ?? '';
    if (kind !== 'ed25519') return {message: `that is a key for ${kind}, not for ed25519`, hint: form};
    if (key.export({format: 'der', type: 'spki'}).toString('base64') === text) return undefined;
  } catch {
    // Not a key at all.
  }
  return {message: 'that is no public key', hint: form};
}

const form = '`mixdown cache key` prints one; `openssl pkey -in key.pem -pubout` has it between the lines of dashes';

/** Whether DER begins like a private key: a sequence whose first member is a version number (PKCS #8, PKCS #1, SEC 1). */
function isPrivate(der: Buffer): boolean {
  if (der[0] !== 0x30) return false;
  const length = der[1] ?? 0;
  const start = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return der[start] === 2 && der[start + 1] === 1;
}
