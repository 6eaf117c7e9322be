import { registerShare } from './share.js';

await registerShare(4, 4);
