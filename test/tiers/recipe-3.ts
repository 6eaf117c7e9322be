import { registerShare } from './share.js';

await registerShare('recipe', 3, 8);
