/** Puts a large blob under a limit on file sizes, and then a small one: `filler <cache dir> <file>`. */
import {statSync, writeFileSync} from 'node:fs';
import {FailureError} from '../../../../src/core/failure.ts';
import {openStore} from '../../../../src/store/store.ts';

const [dir = '', file = ''] = process.argv.slice(2);
// Otherwise the system ends the process at the limit, instead of letting the write fail as on a full disk.
process.on('SIGXFSZ', () => undefined);
const opened = openStore({dir, what: 'a filler', warn: () => undefined});
if (!opened.ok) throw new Error('no store');
const {cas} = opened.value;
const attempt = async (put: Promise<unknown>): Promise<void> => {
  try {
    await put;
    process.stdout.write('stored\n');
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    process.stdout.write(`${error.failure.code}: ${error.failure.message.replaceAll(dir, '')}\n`);
  }
};
await attempt(cas.putBytes(Buffer.alloc(1 << 20)));
await attempt(cas.putFile(file, 'copy'));
await attempt(cas.putBytes('small'));
writeFileSync(`${dir}/done`, String(statSync(file).size));
