// The classic digit network: conv32 - pool - conv64 - pool - dense128 - dense10, 225,034 parameters.
import { type Architecture, conv, dense, flatten, maxPool, relu } from './layers.js';

export const mnistCnn: Architecture = {
  name: 'mnist-cnn',
  input: { channels: 1, height: 28, width: 28 },
  layers: [conv(32), relu, maxPool(), conv(64), relu, maxPool(), flatten, dense(128), relu, dense(10)],
};
