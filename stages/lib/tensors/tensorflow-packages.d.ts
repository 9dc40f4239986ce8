/** Packages that need not be installed. What they register is reached through the library's own functions. */
declare module '@tensorflow/tfjs-node';
declare module '@tensorflow/tfjs-node-gpu';
