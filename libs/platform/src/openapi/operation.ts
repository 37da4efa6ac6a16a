import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';
import type { ProblemException } from '../http/problem';

const OPERATION = 'tallygate:operation';
const API = 'tallygate:api';
const SCOPES = 'tallygate:feed-scopes';

/** A part of the product, as readers of the document look for it: a service. */
export interface ApiTag {
  readonly name: string;
  readonly description: string;
}

/** What is sent as a body: its media type, or several, and one that is taken. */
export interface BodyContract {
  readonly example: unknown;
  /** Only for a handler that reads the request itself; else the schema is that of its `ZodBody`. */
  readonly schema?: z.ZodType;
  readonly types?: readonly string[];
  readonly optional?: boolean;
}

/**
 * What a route answers. What it takes is not said here but read from the handler's own pipes, guards and parameters,
 * so that the document cannot say otherwise than the code does.
 */
export interface OperationContract<A extends z.ZodType = z.ZodType> {
  /** Unique in the whole product; becomes the name of a method in generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly body?: BodyContract;
  readonly answer: A;
  readonly example: z.input<A>;
  /** When the handler chooses among several; by status what each means. Else the one that Nest would send. */
  readonly statuses?: Readonly<Record<number, string>>;
  /** Of an answer that is not JSON. */
  readonly answerType?: string;
  /** Further media types of the same answer, with an example of each as text. */
  readonly otherTypes?: Readonly<Record<string, string>>;
  /** Beyond those of every route of its kind: credentials, bodies, idempotency. Each is also the example of its body. */
  readonly refusals?: readonly ProblemException[];
  /** Headers that the handler reads by itself. */
  readonly headers?: Readonly<Record<string, z.ZodType>>;
}

/** What may be sent where a schema's value is expected. */
type Sent<T> = T extends readonly (infer E)[]
  ? readonly Sent<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Sent<T[K]> }
    : T;

/** Handlers that answer a stored or hand-written reply have no type to compare; `CHECK_ANSWERS` compares those. */
type Fitting<R, A> =
  unknown extends Awaited<R>
    ? unknown
    : [Awaited<R>] extends [Sent<A> | void]
      ? unknown
      : { readonly 'the handler answers something else than its contract': A };

/** Puts a handler into the OpenAPI document. Its result must be what the contract says. */
export function Operation<A extends z.ZodType>(contract: OperationContract<A>) {
  return <T extends (...args: never[]) => unknown>(
    _controller: object,
    _name: string,
    descriptor: TypedPropertyDescriptor<T> & Fitting<ReturnType<T>, z.input<A>>,
  ): void => {
    Reflect.defineMetadata(OPERATION, contract, descriptor.value as object);
  };
}

/** Groups a controller's operations. */
export function Api(tag: ApiTag): ClassDecorator {
  return (controller) => Reflect.defineMetadata(API, tag, controller);
}

/** Scopes of which a key needs one, on routes that have a guard of their own beside the one for API keys. */
export const OneOfScopes = (...scopes: readonly string[]) => SetMetadata(SCOPES, scopes);
export const ONE_OF_SCOPES = SCOPES;

export const contractOf = (handler: object): OperationContract | undefined =>
  Reflect.getMetadata(OPERATION, handler) as OperationContract | undefined;

export const tagOf = (controller: object): ApiTag | undefined =>
  Reflect.getMetadata(API, controller) as ApiTag | undefined;
