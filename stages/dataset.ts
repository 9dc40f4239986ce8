import {defineStage} from 'mixdown/stage';
import {makeDataset} from './lib/datasets/make-dataset.ts';
import {writeLabels} from './lib/experiment/labels.ts';

export default defineStage({
  name: 'dataset',
  summary: 'Labels of a folder of clips: reads the tables of a released dataset, any csv file, or the folders.',
  params: {
    layout: {
      type: 'string',
      enum: ['table', 'folders', 'fsdkaggle2018', 'esc50', 'urbansound8k'],
      default: 'table',
      about: 'how the labels are given; table: a csv file with a row a clip; folders: a folder a label',
    },
    missing: {
      type: 'string',
      enum: ['fail', 'skip'],
      default: 'fail',
      about: 'a labelled file that is not among the clips, as with a part of a dataset and its whole table',
    },
    unlabelled: {type: 'string', enum: ['fail', 'skip'], default: 'fail', about: 'a file without a label'},
    duplicates: {
      type: 'string',
      enum: ['group', 'fail', 'ignore'],
      default: 'group',
      about:
        'files with the same bytes; group: they stay in one fold. Fails in any case if their labels differ; ignore: not looked for',
    },
    subset: {
      type: 'string',
      enum: ['all', 'verified', 'esc10'],
      default: 'all',
      about: 'verified: only those train clips of fsdkaggle2018; esc10: the ten classes of esc50 that are ESC-10',
    },
    usage: {
      type: 'string',
      enum: ['both', 'public', 'private'],
      default: 'both',
      about: 'part of the test set of fsdkaggle2018',
    },
    fileColumn: {
      type: 'string',
      default: '',
      about: 'layout table: column of the file; empty: fname, filename, path ...',
    },
    labelColumn: {
      type: 'string',
      default: '',
      about: 'layout table: column of the label; empty: label, category, class ...',
    },
    verifiedColumn: {
      type: 'string',
      default: '',
      about: 'layout table: column that says whether a person confirmed the label, 0 or 1; empty: manually_verified',
    },
    splitColumn: {type: 'string', default: '', about: 'layout table: column of train or test; empty: split'},
    foldColumn: {type: 'string', default: '', about: 'layout table: column of the official fold; empty: fold'},
    groupColumn: {type: 'string', default: '', about: 'layout table: column of the source recording; empty: group'},
    firstFold: {
      type: 'integer',
      minimum: 0,
      maximum: 1,
      default: 1,
      about: 'number of the first fold in a fold column of table and fsdkaggle2018; with 1, fold 0 is the test',
    },
  },
  inputs: {
    clips: {kind: 'tree', about: 'the recordings'},
    labels: {kind: 'file', many: true, optional: true, about: "the dataset's csv files, in any order"},
    vocabulary: {
      kind: 'file',
      optional: true,
      about: 'the labels there may be: one a line, or a csv file with a column label or display_name',
    },
  },
  outputs: {
    labels: {
      kind: 'file',
      name: 'labels.csv',
      about:
        'csv: fname,label,manually_verified,split,fold,group; split and fold are empty where they are to be drawn; with usage where test clips have one',
    },
  },
  run({params, inputs, outputs, signal, log, metric}) {
    const {rows, counts} = makeDataset(params, inputs, signal, log);
    writeLabels(outputs.labels, rows);
    for (const [name, value] of Object.entries(counts)) metric(name, value);
  },
});
