import {groupBy} from '../group-by.ts';
import {count} from '../problems.ts';
import {mistakesOf, type Confusion, type Mistake} from './confusion.ts';
import type {Table} from './table.ts';

export interface MistakeTableOptions {
  readonly title: string;
  /** Wrong classes that a row names; the others are counted. */
  readonly most: number;
  /** Groups of classes that are known to be taken for each other. */
  readonly groups: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** The wrong predictions of one true class. */
interface ClassMistakes {
  readonly label: string;
  /** Clips of the class, and how many of them were taken for another. */
  readonly of: number;
  readonly wrong: number;
  /** The most frequent first. */
  readonly mistakes: readonly Mistake[];
}

/** A row for each class with mistakes, from the one with the largest part of its clips wrong down, and what they were taken for. */
export function mistakeTable(confusion: Confusion, {title, most, groups, notes}: MistakeTableOptions): Table {
  const rows = mistakesByClass(confusion);
  const wrong = rows.reduce((sum, row) => sum + row.wrong, 0);
  const all = confusion.counts.reduce((sum, clips) => sum + clips, 0);
  const wrongOnes = new Set(rows.map(({label}) => label));
  const size = confusion.classes.length;
  const withClips = confusion.classes.filter((_, c) =>
    confusion.counts.slice(c * size, (c + 1) * size).some((clips) => clips > 0),
  );
  const faultless = withClips.filter((label) => !wrongOnes.has(label));
  return {
    title,
    head: ['Class', 'clips', 'wrong', 'error rate', 'taken for'],
    textColumns: [0, 4],
    longColumn: 4,
    rows: rows.map((row) =>
      [row.label, String(row.of), String(row.wrong), percent(row.wrong / row.of), takenFor(row, most)].map((text) => ({
        text,
      })),
    ),
    notes: [
      [`${count(wrong, 'clip')} of ${all} ${wrong === 1 ? 'has its' : 'have their'} highest score at a wrong class.`],
      ...(faultless.length === 0 ? [] : [[`Classes without a mistake: ${faultless.join(', ')}`]]),
      ...groups.flatMap((group) => groupLine(rows, group)),
      ...notes.map((note) => [note]),
    ],
  };
}

/** A row a mistake, in the order of the table. */
export const MISTAKE_COLUMNS = ['label', 'clips', 'wrong', 'predicted', 'count'];

export function mistakeCells(confusion: Confusion): readonly (readonly (string | number)[])[] {
  return mistakesByClass(confusion).flatMap(({label, of, wrong, mistakes}) =>
    mistakes.map(({predicted, clips}) => [label, of, wrong, predicted, clips]),
  );
}

function mistakesByClass(confusion: Confusion): readonly ClassMistakes[] {
  const place = new Map(confusion.classes.map((label, c) => [label, c]));
  return [...groupBy(mistakesOf(confusion), ({label}) => label)]
    .map(([label, mistakes]) => ({
      label,
      of: mistakes[0]?.of ?? 0,
      wrong: mistakes.reduce((sum, {clips}) => sum + clips, 0),
      mistakes,
    }))
    .sort(
      (a, b) =>
        b.wrong / b.of - a.wrong / a.of || b.wrong - a.wrong || (place.get(a.label) ?? 0) - (place.get(b.label) ?? 0),
    );
}

function takenFor({mistakes}: ClassMistakes, most: number): string {
  // One other takes no less room than its name.
  const shown = mistakes.length === most + 1 ? mistakes.length : most;
  const named = mistakes.slice(0, shown).map(({predicted, clips}) => `${predicted} ${clips}`);
  const rest = mistakes.slice(shown);
  const others = rest.reduce((sum, {clips}) => sum + clips, 0);
  return [...named, ...(rest.length === 0 ? [] : [`${rest.length} others: ${others}`])].join(', ');
}

function groupLine(rows: readonly ClassMistakes[], group: readonly string[]): readonly (readonly string[])[] {
  const own = rows.filter(({label}) => group.includes(label)).flatMap(({mistakes}) => mistakes);
  if (own.length === 0) return [];
  const sum = (list: readonly Mistake[]): number => list.reduce((total, {clips}) => total + clips, 0);
  const inside = sum(own.filter(({predicted}) => group.includes(predicted)));
  return [[`Mistakes on ${group.join(', ')}: ${sum(own)}, of them ${inside} for one another.`]];
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
