import {mistake, right, type Reading} from './reading.ts';

/**
 * An address, or the path of a folder. The text itself is in no message: it may hold a password.
 *
 * @param folder - as a `file:` URL that ends in a slash: what a relative path starts at
 */
export function readAddress(text: string, folder: URL): Reading<URL> {
  if (text === '') return mistake('the address of the remote cache is empty');
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    const path = text.split('/').map(encodeURIComponent).join('/');
    return right(new URL(path, folder));
  }
  if (!URL.canParse(text)) return mistake('the address of the remote cache is not understood');
  const url = new URL(text);
  if (!['http:', 'https:', 'file:'].includes(url.protocol)) {
    return mistake(`a remote cache is reached by http, https or a folder, not by ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return mistake(
      'the address of the remote cache holds more than a host and a path',
      'name the place of a password or token under `credentials`',
    );
  }
  return right(url);
}
