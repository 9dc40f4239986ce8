import type {InputTree} from 'mixdown/stage';
import type {CsvTable} from '../formats/csv.ts';
import type {Usage} from '../experiment/dataset.ts';
import type {Problems} from '../problems.ts';

/** A csv file given to the stage, with the name that stands for it in messages. */
export interface LabelsTable extends CsvTable {
  readonly name: string;
}

/** What a layout says of one file, before the file is looked for. */
export interface LabelledFile {
  /** The file as the table writes it, then other names to look for. */
  readonly names: readonly string[];
  readonly label: string;
  /** A person has confirmed the label. */
  readonly verified: boolean;
  /** Undefined: to be drawn, unless there is a fold. */
  readonly split: 'train' | 'test' | undefined;
  /** Official fold of a train clip, from 1. */
  readonly fold: number | undefined;
  /** Part of the official test set. */
  readonly usage?: Usage;
  /** Source recording; empty when it is not known. */
  readonly group: string;
  /** Why the file is no clip, though the dataset has it: what it is, or is not. */
  readonly leftOut: string | undefined;
  readonly place: Place;
}

/** Where a clip was named: a line of a table, or the folder tree itself. */
export interface Place {
  readonly table: string;
  /** From 1; 0 for a tree. */
  readonly line: number;
}

/** How a dataset is laid out as it is released. */
export interface Layout {
  /**
   * Kinds of header: a table must have all columns of one kind. None: the layout needs no table.
   * Other columns are allowed.
   */
  readonly headers: (options: LayoutOptions) => readonly (readonly string[])[];
  /** Labels in use, where the dataset has a closed list. */
  readonly vocabulary: readonly string[] | undefined;
  /** The tables repeat each other's rows, which may add up but not disagree. */
  readonly tablesOverlap: boolean;
  /** A split is known only when there are test clips too: without them, where each clip goes is still to be drawn. */
  readonly splitNeedsTest: boolean;
  /** A file of another extension serves as well when only one has the name: recordings are often converted. */
  readonly anyExtension: boolean;
  /** Adds to `problems` what cannot be read. */
  readonly read: (table: LabelsTable, options: LayoutOptions, problems: Problems) => readonly LabelledFile[];
  /** Why a file that was found by its name cannot be the one; undefined when it can. */
  readonly contradiction?: (file: LabelledFile, path: string) => string | undefined;
  /** Reads the labels off the paths; undefined when the layout needs a table. */
  readonly readTree: ((clips: InputTree, problems: Problems) => readonly LabelledFile[]) | undefined;
}

export interface LayoutOptions {
  readonly subset: 'all' | 'esc10' | 'verified';
  readonly usage: 'both' | 'public' | 'private';
  /** Names of columns; empty: the usual ones. */
  readonly fileColumn: string;
  readonly labelColumn: string;
  readonly verifiedColumn: string;
  readonly splitColumn: string;
  readonly foldColumn: string;
  readonly groupColumn: string;
  /** Number of the first fold in a fold column: 0 or 1. */
  readonly firstFold: number;
}

export function placeText({table, line}: Place): string {
  return line === 0 ? table : `${table}, line ${line}`;
}
