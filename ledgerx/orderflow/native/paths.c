/* Names as parts of paths: whatever an instrument is called, its files stand in the data folder. */

#include <errno.h>
#include <sys/stat.h>

#include "internal.h"

#define ENCODED_BYTES_MAX 200

static bool plain(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '-' || letter == '_' || letter == '.';
}

/* Percent-encoded; a name beginning with a dot has it encoded. One too long for a file system is cut, and a hash of
   the whole keeps it apart from others. */
void path_name(text_t *out, const char *name)
{
    size_t begin = out->length;
    uint64_t hash = 0xCBF29CE484222325ull;
    for (const char *at = name; *at != 0; at++) {
        hash = (hash ^ (unsigned char)*at) * 0x100000001B3ull;
        if (out->length - begin > ENCODED_BYTES_MAX) {
            continue;
        }
        if (plain(*at) && !(at == name && *at == '.')) {
            text_put(out, at, 1);
        } else {
            text_add(out, "%%%02X", (unsigned char)*at);
        }
    }
    if (out->length - begin > ENCODED_BYTES_MAX) {
        text_add(out, "~%016llx", (unsigned long long)hash);
    }
}

bool make_folders(const char *path)
{
    char *copy = strdup(path);
    bool made = copy != NULL;
    errno = made ? 0 : ENOMEM;
    for (char *at = copy == NULL ? NULL : strchr(copy + 1, '/'); made && at != NULL; at = strchr(at + 1, '/')) {
        *at = 0;
        made = mkdir(copy, 0777) == 0 || errno == EEXIST;
        *at = '/';
    }
    int error = errno;
    free(copy);
    errno = error;
    return made;
}
