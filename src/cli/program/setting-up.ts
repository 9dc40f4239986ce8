import type {Command} from 'commander';
import {importExamples} from '../examples.ts';
import type {Does} from './arguments.ts';

/** Commands for a machine and for a new project. */
export function addSettingUp(program: Command, does: Does): void {
  program.commandsGroup('Setting up');
  program
    .command('devices')
    .description('what this machine offers to a run: cores, GPUs, tensor engines')
    .option('--refresh', 'try the tensor engines again, whatever is remembered')
    .action(does(async () => (await import('../commands/devices.ts')).devicesCommand));
  program
    .command('doctor')
    .description('check this machine and project for what commonly goes wrong')
    .option('--refresh', 'as for devices')
    .action(does(async () => (await import('../commands/doctor.ts')).doctorCommand));
  program
    .command('init')
    .description('write a small pipeline.yaml and a stage to start from; never overwrites')
    .action(does(async () => (await import('../commands/init.ts')).initCommand));
  program
    .command('import')
    .argument('<dvc.yaml>', 'a pipeline of DVC')
    .description('write pipeline.yaml from a pipeline of DVC, and say what is to be done by hand')
    .option('-o, --output <path>', 'the file to write (default: pipeline.yaml beside it)')
    .option('--force', 'write over a file that is there')
    .addHelpText('after', importExamples)
    .action(does(async () => (await import('../commands/import.ts')).importCommand));
}
