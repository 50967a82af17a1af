/* A desktop in place of the board. */
#include <stdio.h>
#include <stdlib.h>

#include "board.h"

void board_say(const char *text)
{
    puts(text);
}

_Noreturn void board_exit(unsigned code)
{
    exit((int)code);
}
