/** The outcome that was asked for. */
export type Ok<T> = { readonly ok: true; readonly value: T };

/** An expected refusal, as a named value; bugs throw instead. */
export type Err<E> = { readonly ok: false; readonly error: E };

/** Either the value or the reason why there is none. */
export type Result<T, E> = Ok<T> | Err<E>;

/** Wraps a value as a success. */
export const ok = <T>(value: T): Ok<T> => ({ ok: true, value });

/** Wraps a fault as a refusal. */
export const err = <E>(error: E): Err<E> => ({ ok: false, error });
