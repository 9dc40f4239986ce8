/**
 * Entry that runs a kept stage job again: `node reproduce-main.js JOB.json`. Works in a fresh folder beside the job
 * file, prints what the stage logs, ends with 1 when it fails.
 */
import {mkdirSync, readFileSync, rmSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import type {StageJob} from './protocol.ts';
import {rerunFolder} from './reproduce-script.ts';
import {runStage} from './stage-run.ts';

const file = process.argv[2];
if (file === undefined) {
  console.error('usage: node reproduce-main.js JOB.json');
  process.exit(2);
}
const folder = join(dirname(resolve(file)), rerunFolder);
const job: StageJob = {...(JSON.parse(readFileSync(file, 'utf8')) as StageJob), folder};
rmSync(folder, {recursive: true, force: true});
mkdirSync(folder, {recursive: true});

const abort = new AbortController();
process.once('SIGINT', () => {
  process.exitCode = 130;
  abort.abort();
});
const {result} = await runStage(job, {
  signal: abort.signal,
  log: (text) => console.log(text),
  progress: () => {},
});
if (result.ok) {
  for (const [name, value] of Object.entries(result.value.metrics)) console.log(`metric ${name}: ${value}`);
  for (const port of Object.keys(job.outputs)) {
    console.log(`output ${port}: ${result.value.outputs[port] ?? 'left unwritten'}`);
  }
} else {
  const {code, message, hint, stack} = result.error;
  console.error([`${code}: ${message}`, stack, hint].filter((line) => line !== undefined).join('\n'));
  process.exitCode ??= 1;
}
// What a stage left going must not keep the script from ending.
process.exit();
