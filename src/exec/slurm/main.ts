/**
 * Entry on a compute node that sees the submission: `node main.js FOLDER`. Leaves a result for each job of its array
 * task in that folder; a job that has one already is left alone.
 */
import {appendFileSync, mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {ok} from '../../core/result.ts';
import {eventsName, readJson, resultName, taskName, workName, type ResultFile, type TaskFile} from './files.ts';
import {hasEnded} from './submissions.ts';
import {carryOut, whichTask} from './task-loop.ts';
import {writeWhole} from '../write-whole.ts';

const folder = process.argv[2] ?? '';
const {task, start} = whichTask();
const order = readJson<TaskFile>(join(folder, taskName(task)), 'slurm-task/1');
if (!order) {
  console.error(`${folder} is gone: whoever submitted this job does not wait for it any more`);
  process.exit(0);
}
const {jobs} = order;
const end = await carryOut(order, {
  hasEnded: (index) => hasEnded(folder, task, index),
  async prepare(index, lease) {
    const work = join(folder, workName(task, index, start));
    rmSync(work, {recursive: true, force: true});
    mkdirSync(work, {recursive: true});
    return ok({...jobs[index]!, folder: work, lease});
  },
  note(event) {
    try {
      appendFileSync(join(folder, eventsName(task)), `${JSON.stringify(event)}\n`);
    } catch {
      // The result carries the log as well.
    }
  },
  leave(index, end) {
    const work = workName(task, index, start);
    mkdirSync(join(folder, work), {recursive: true});
    const file: ResultFile = {type: 'slurm-result/1', work, ...end};
    writeWhole(join(folder, resultName(task, index)), JSON.stringify(file), true);
    return true;
  },
});
process.exit(end === 'done' ? 0 : 1);
