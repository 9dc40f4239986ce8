import {createPrivateKey, createPublicKey, generateKeyPairSync} from 'node:crypto';
import {sha256, type Sha256} from '../core/digest.ts';

/** A new Ed25519 key as PKCS #8 PEM. */
export function makeSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
}

/** The public half of an Ed25519 key, as `trust` names it; undefined when the text is no such key, or locked with a password. */
export function publicLineOf(pem: string): string | undefined {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') return undefined;
    return createPublicKey(key).export({type: 'spki', format: 'der'}).toString('base64');
  } catch {
    return undefined;
  }
}

/** What records call the key: the SHA-256 of its SPKI DER. */
export function keyIdOf(publicLine: string): Sha256 {
  return sha256(Buffer.from(publicLine, 'base64'));
}
