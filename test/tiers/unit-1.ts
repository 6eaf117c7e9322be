import { registerShare } from './share.js';

await registerShare(1, 4);
