export * from './descriptor';
export * from './messages';
