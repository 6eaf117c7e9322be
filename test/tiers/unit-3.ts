import { registerShare } from './share.js';

await registerShare(3, 4);
