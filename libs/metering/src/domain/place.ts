import { parsePath } from '@tallygate/contracts';
import type { PathStep } from '@tallygate/contracts';
import type { Json, JsonObject } from './json';

/** Looks into an event's data; undefined when nothing is there. */
export type Look = (data: JsonObject) => Json | undefined;

/** A compiled path: how to look, and how a fault names the place. */
export interface Place {
  readonly look: Look;
  readonly field: string;
}

/** A text that is no path (the contract refuses it when a catalog is applied) finds nothing. */
export function compilePath(text: string): Place {
  const parsed = parsePath(text);
  if (!parsed.ok) return { field: text, look: () => undefined };
  return { field: `data${text.slice(1)}`, look: lookFor(parsed.value) };
}

function lookFor(steps: readonly PathStep[]): Look {
  const [first] = steps;
  // Nearly every path is one name: no loop for it.
  if (steps.length === 1 && typeof first === 'string')
    return (data) => (Object.hasOwn(data, first) ? data[first] : undefined);
  return (data) => {
    let found: Json | undefined = data;
    for (const step of steps) {
      found = stepInto(found, step);
      if (found === undefined) return undefined;
    }
    return found;
  };
}

/** Own properties only, so that a path such as `$.constructor` finds data and nothing else. */
function stepInto(value: Json | undefined, step: PathStep): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return typeof step === 'number' ? (value as readonly Json[])[step] : undefined;
  const object = value as JsonObject;
  return Object.hasOwn(object, step) ? object[step] : undefined;
}
