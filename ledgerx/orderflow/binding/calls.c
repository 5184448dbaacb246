/* Calls into a library, which may call back: what callbacks raise waits until the call returns. */

#include "binding.h"

static _Thread_local call_t *current;

call_t *call_current(void)
{
    return current;
}

bool call_begin(runtime_t *runtime, call_t *call)
{
    if (UNLIKELY(runtime->engine == NULL)) {
        PyErr_SetString(runtime->state->state_error, "engine is closed");
        return false;
    }
    runtime->calls++;
    call->exception = NULL;
    call->outer = current;
    current = call;
    return true;
}

/* The first exception is raised; one that asks the program to end comes before it. The others are reported. */
void call_caught(call_t *call)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (call == NULL) {
        PyErr_SetRaisedException(raised);
        PyErr_WriteUnraisable(NULL);
        return;
    }
    if (call->exception == NULL) {
        call->exception = raised;
        return;
    }
    bool ends = !PyErr_GivenExceptionMatches(raised, PyExc_Exception);
    bool kept_ends = !PyErr_GivenExceptionMatches(call->exception, PyExc_Exception);
    PyObject *told = raised;
    if (ends && !kept_ends) {
        told = call->exception;
        call->exception = raised;
    }
    PyErr_SetRaisedException(told);
    PyErr_WriteUnraisable(NULL);
}

void set_failure(const runtime_t *runtime, int32_t code, const char *function, const char *prefix)
{
    const module_state_t *state = runtime->state;
    if (code == OF_ERR_MEMORY) {
        PyErr_NoMemory();
        return;
    }
    PyObject *type = code == OF_ERR_ARG ? state->arg_error : code == OF_ERR_STATE ? state->state_error : state->error;
    if (runtime->library.own) {
        PyErr_Format(type, "%s%s", prefix, runtime->library.ofx_last_error());
    } else {
        PyErr_Format(type, "%s%s was refused by the library with code %d", prefix, function, (int)code);
    }
}

bool call_end(runtime_t *runtime, call_t *call, int32_t code, const char *function)
{
    current = call->outer;
    if (UNLIKELY(call->exception != NULL)) {
        PyErr_SetRaisedException(call->exception);
    } else if (UNLIKELY(code != OF_OK)) {
        set_failure(runtime, code, function, "");
    }
    if (--runtime->calls == 0 && UNLIKELY(runtime->doomed != NULL || runtime->dying != NULL)) {
        PyObject *raised = PyErr_GetRaisedException();
        if (runtime->dying != NULL) {
            of_engine_t *dying = runtime->dying;
            runtime->dying = NULL;
            runtime->library.of_engine_destroy(dying);
            subscribers_free(&runtime->subscribers);
        }
        subscribers_free(&runtime->doomed);
        PyErr_SetRaisedException(raised);
    }
    return code == OF_OK && call->exception == NULL;
}
