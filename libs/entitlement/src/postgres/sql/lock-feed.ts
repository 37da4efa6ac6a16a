/** Taken first in every transaction that writes entries; held to its end. Readers are not kept out. */
export const lockFeed = {
  name: 'entitlement_lock_feed',
  text: `select epoch, seq from feed_position for update`,
};

export const readPosition = {
  name: 'entitlement_read_position',
  text: `select epoch, seq from feed_position`,
};
