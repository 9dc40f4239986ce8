import {createPrivateKey, createPublicKey, sign, verify, type KeyObject} from 'node:crypto';
import {isSha256, sha256, type Sha256} from '../core/digest.ts';
import {canonicalJson, isObject, type Json, type JsonObject} from '../core/json.ts';

/** An Ed25519 public key (RFC 8032), known by the SHA-256 of its SPKI DER (RFC 8410). */
export interface PublicKey {
  readonly id: Sha256;
  readonly key: KeyObject;
}

/** An Ed25519 private key, known by the id of its public key. */
export interface SigningKey {
  readonly id: Sha256;
  readonly key: KeyObject;
}

export interface Signature {
  /** Id of the public key that it is checked with. */
  readonly key: Sha256;
  /** Base64 of its 64 bytes. */
  readonly value: string;
}

/** Where an entry lies: the same one elsewhere is not signed. */
export interface Place {
  readonly namespace: string;
  readonly salt: string;
}

/** What the SPKI DER of each Ed25519 key begins with; the 32 bytes of the key follow. */
const spkiStart = Buffer.from('302a300506032b6570032100', 'hex');
const spkiBytes = 44;
const signatureBytes = 64;

/** Reads the base64 of an SPKI DER, as `openssl pkey -pubout` prints it between its lines of dashes. Undefined when it is none. */
export function readPublicKey(text: string): PublicKey | undefined {
  const der = exactly(text, spkiBytes);
  if (!der?.subarray(0, spkiStart.length).equals(spkiStart)) return undefined;
  return {id: sha256(der), key: createPublicKey({key: der, format: 'der', type: 'spki'})};
}

/** Reads a PKCS #8 PEM, as `openssl genpkey -algorithm ed25519` prints it. Undefined when it is none, or is encrypted. */
export function readSigningKey(pem: string): SigningKey | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return undefined;
  }
  if (key.asymmetricKeyType !== 'ed25519') return undefined;
  return {id: sha256(createPublicKey(key).export({format: 'der', type: 'spki'})), key};
}

/**
 * What is signed: the whole entry with the place that it is for.
 *
 * @param entry - without `signature`
 * @throws RangeError when it is nested too deeply, TypeError when a number in it is none of JSON
 */
export function signedText(entry: JsonObject, {namespace, salt}: Place): string {
  return canonicalJson({type: 'signed/1', namespace, salt, entry});
}

export function signEntry(entry: JsonObject, place: Place, {id, key}: SigningKey): Signature {
  return {key: id, value: sign(null, Buffer.from(signedText(entry, place)), key).toString('base64')};
}

/** Whether the holder of this key signed this entry for this place. */
export function isSignedBy(entry: JsonObject, place: Place, {value}: Signature, {key}: PublicKey): boolean {
  try {
    return verify(null, Buffer.from(signedText(entry, place)), key, Buffer.from(value, 'base64'));
  } catch (error) {
    // Nested too deeply, or with a number like 1e999, which is read as an infinity: nobody could sign that.
    if (error instanceof RangeError || error instanceof TypeError) return false;
    throw error;
  }
}

/** Reads a `signature` that came with an entry; undefined when it cannot be one. */
export function readSignature(value: Json | undefined): Signature | undefined {
  if (!isObject(value)) return undefined;
  const {key, value: text} = value;
  if (typeof key !== 'string' || !isSha256(key) || typeof text !== 'string') return undefined;
  return exactly(text, signatureBytes) && {key, value: text};
}

/** So many bytes from their one base64; undefined when the text is anything else. */
function exactly(text: string, bytes: number): Buffer | undefined {
  const data = Buffer.from(text, 'base64');
  return data.byteLength === bytes && data.toString('base64') === text ? data : undefined;
}
