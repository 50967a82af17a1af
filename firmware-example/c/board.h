/* What the program asks of the board. */
#ifndef BOARD_H
#define BOARD_H

/* Says a line on the debugger's console, or the emulator's. */
void board_say(const char *text);

/* Ends the program. */
_Noreturn void board_exit(unsigned code);

#endif
