// A program that runs one job, read from the file named by its argument, and is meant to be killed.
import {readFileSync} from 'node:fs';
import {createRunner} from '../../../dist/exec/runner.js';
import {createWorkFolders} from '../../../dist/exec/work-folders.js';

const {job, dir, runId} = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const folders = await createWorkFolders({dir, failedDir: `${dir}-failed`, runId, env: process.env});
const folder = await folders.create(job.node);
const runner = createRunner({workers: 1, env: process.env});
await runner.run(
  {...job, folder},
  (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  new AbortController().signal,
);
