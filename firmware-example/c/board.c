/* The board mps2-an386 without an operating system: start-up, and semihosting for words and the end. */
#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* No C library is needed: these two are in the static library. */
void *memcpy(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];
int main(void);

/* Coprocessor access control register. */
#define CPACR (*(volatile uint32_t *)0xE000ED88u)

static uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void board_say(const char *text)
{
    semihosting(0x04, text); /* SYS_WRITE0 */
    semihosting(0x04, "\n");
}

_Noreturn void board_exit(unsigned code)
{
    const uint32_t reason[2] = {0x20026, code}; /* ADP_Stopped_ApplicationExit */
    semihosting(0x20, reason);                  /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

_Noreturn void reset(void)
{
    CPACR |= 0xFu << 20; /* The floating-point unit, which is off at reset. */
    __asm__ volatile("dsb\n isb" ::: "memory");
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    board_exit((unsigned)main());
}

static _Noreturn void fault(void)
{
    board_say("fault of the processor");
    board_exit(102);
}

/* The first entries of the vector table; no interrupt is on. */
__attribute__((section(".vectors"), used)) static const struct {
    void *stack;
    void (*handlers[6])(void);
} vectors = {stack_top, {reset, fault, fault, fault, fault, fault}};
