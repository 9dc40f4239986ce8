import {createHash, generateKeyPairSync} from 'node:crypto';

/** An Ed25519 key pair in the forms that people keep. */
export interface KeyPair {
  /** Base64 of the SPKI DER. */
  readonly publicKey: string;
  /** PKCS #8 PEM. */
  readonly privateKey: string;
  /** SHA-256 of the SPKI DER. */
  readonly id: string;
}

export function keyPair(): KeyPair {
  const {publicKey, privateKey} = generateKeyPairSync('ed25519');
  const der = publicKey.export({format: 'der', type: 'spki'});
  return {
    publicKey: der.toString('base64'),
    privateKey: privateKey.export({format: 'pem', type: 'pkcs8'}).toString(),
    id: createHash('sha256').update(der).digest('hex'),
  };
}
