export * from './attempt';
export * from './card-caps';
export * from './collection';
export * from './decline';
export * from './outage';
export * from './policy';
export * from './schedule';
export * from './campaign';
