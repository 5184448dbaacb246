/* The text of a thread's latest refusal. */

#include <stdarg.h>

#include "internal.h"

static _Thread_local char latest[512];

int32_t fail(int32_t code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(latest, sizeof latest, format, arguments);
    va_end(arguments);
    return code;
}

int32_t fail_memory(void)
{
    return fail(OF_ERR_MEMORY, "out of memory: nothing was changed");
}

const char *ofx_last_error(void)
{
    return latest;
}
