import { registerShare } from './share.js';

await registerShare('recipe', 1, 8);
