/* Loading a runtime's library and finding its functions. */

#include <dlfcn.h>

#include "binding.h"

typedef struct wanted {
    const char *name;
    size_t offset;
} wanted_t;

static const wanted_t WANTED[] = {
#define FUNCTION(name) {#name, offsetof(library_t, name)},
#include "functions.h"
#undef FUNCTION
};

bool library_load(library_t *library, const module_state_t *state, const char *path)
{
    memset(library, 0, sizeof *library);
    library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL) {
        PyErr_Format(PyExc_OSError, "library_path %s cannot be loaded: %s", path, dlerror());
        return false;
    }
    library->own = true;
    for (size_t at = 0; at < sizeof WANTED / sizeof *WANTED; at++) {
        void *found = dlsym(library->handle, WANTED[at].name);
        memcpy((char *)library + WANTED[at].offset, &found, sizeof found);
        if (found != NULL) {
            continue;
        }
        library->own = false;
        if (strncmp(WANTED[at].name, "ofx_", 4) != 0) {
            PyErr_Format(state->error, "library_path %s is not an order-flow runtime: it has no %s", path,
                         WANTED[at].name);
            library_unload(library);
            return false;
        }
    }
    return true;
}

void library_unload(library_t *library)
{
    if (library->handle != NULL) {
        dlclose(library->handle);
        library->handle = NULL;
    }
}
