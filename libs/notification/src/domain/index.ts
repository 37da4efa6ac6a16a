export * from './links';
export * from './message';
export * from './notice';
export * from './reminders';
export * from './retry';
export * from './rules';
export * from './thresholds';
