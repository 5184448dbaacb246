/* What was set aside goes when it is too old, and the oldest first when all is too much. The files being written
   are counted and never touched, nor is anything that has not the name this runtime gives. */

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

typedef struct kept_file {
    char *path;
    uint64_t bytes, modified_s;
    char set_aside_ns[21];
} kept_file_t;
typedef struct kept_files {
    kept_file_t *items;
    size_t count, capacity;
    uint64_t bytes;
} kept_files_t;

/* "trades.<20 digits>.jsonl" and "book.<20 digits>.jsonl"; *digits then points at the digits. */
static bool is_set_aside(const char *name, const char **digits)
{
    size_t prefix = strncmp(name, "trades.", 7) == 0 ? 7 : strncmp(name, "book.", 5) == 0 ? 5 : 0;
    *digits = name + prefix;
    return prefix > 0 && strspn(*digits, "0123456789") == 20 && strcmp(*digits + 20, ".jsonl") == 0;
}

static bool is_active(const char *name)
{
    return strcmp(name, "trades.jsonl") == 0 || strcmp(name, "book.jsonl") == 0;
}

static void add_file(kept_files_t *files, const char *folder, const char *name)
{
    const char *digits;
    struct stat status;
    text_t path = {0};
    text_add(&path, "%s/%s", folder, name);
    bool aside = is_set_aside(name, &digits);
    if (path.failed || !(aside || is_active(name)) || lstat(path.data, &status) != 0 || !S_ISREG(status.st_mode)) {
        text_free(&path);
        return;
    }
    files->bytes += (uint64_t)status.st_size;
    if (!aside || !grow(&files->items, &files->capacity, files->count + 1, sizeof *files->items)) {
        text_free(&path);
        return;
    }
    kept_file_t *file = &files->items[files->count++];
    *file = (kept_file_t){path.data, (uint64_t)status.st_size, (uint64_t)status.st_mtime, ""};
    memcpy(file->set_aside_ns, digits, 20);
    file->set_aside_ns[20] = 0;
}

/* The venue folders of the data folder, the symbol folders of those, the files of these. */
static void gather(kept_files_t *files, const char *folder, int depth)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (depth == 2) {
            add_file(files, folder, entry->d_name);
            continue;
        }
        text_t path = {0};
        text_add(&path, "%s/%s", folder, entry->d_name);
        if (!path.failed) {
            gather(files, path.data, depth + 1);
        }
        text_free(&path);
    }
    closedir(entries);
}

static int oldest_first(const void *left, const void *right)
{
    return strcmp(((const kept_file_t *)left)->set_aside_ns, ((const kept_file_t *)right)->set_aside_ns);
}

void retention_run(of_engine_t *engine, uint64_t now_s)
{
    kept_files_t files = {0};
    engine->retention_checked_s = now_s;
    gather(&files, engine->data_root, 0);
    if (files.count > 0) {
        qsort(files.items, files.count, sizeof *files.items, oldest_first);
    }
    for (size_t at = 0; at < files.count; at++) {
        const kept_file_t *file = &files.items[at];
        bool old = engine->retention_age_max_s > 0 && now_s > file->modified_s &&
                   now_s - file->modified_s > engine->retention_age_max_s;
        bool much = engine->retention_bytes_max > 0 && files.bytes > engine->retention_bytes_max;
        if ((old || much) && unlink(file->path) == 0) {
            files.bytes -= file->bytes;
        }
    }
    for (size_t at = 0; at < files.count; at++) {
        free(files.items[at].path);
    }
    free(files.items);
}
