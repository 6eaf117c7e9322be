import { registerShare } from './share.js';

await registerShare('recipe', 5, 8);
