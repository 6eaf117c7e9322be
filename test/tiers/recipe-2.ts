import { registerShare } from './share.js';

await registerShare('recipe', 2, 8);
