/** koffi, which calls functions of shared libraries. Its settings hold for a process, and until the first library is loaded. */
import koffi from 'koffi';

/**
 * What a function has of a stack, here and on another thread: what threads of a system have. koffi's 2 MiB and 128 KiB are for small
 * functions, not for compilers.
 */
const [sync_stack_size, async_stack_size] = [8 * 2 ** 20, 8 * 2 ** 20];

koffi.config({ ...koffi.config(), sync_stack_size, async_stack_size });

export default koffi;
