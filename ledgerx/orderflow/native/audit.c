/* The audit log: one JSON line for each thing done to an engine, with the redacted tokens out of every text. */

#include <errno.h>
#include <inttypes.h>
#include <strings.h>
#include <unistd.h>

#include "internal.h"

int32_t audit_open(audit_t *audit, const char *path, const of_engine_config_t *config)
{
    audit->path = strdup(path);
    audit->tokens = strdup(config->audit_redact_tokens_csv ? config->audit_redact_tokens_csv : "");
    audit->bytes_max = config->audit_max_bytes;
    audit->files_max = config->audit_max_files;
    if (audit->path == NULL || audit->tokens == NULL) {
        return fail_memory();
    }
    audit->file = make_folders(path) ? fopen(path, "ae") : NULL;
    if (audit->file == NULL && errno == ENOMEM) {
        return fail_memory();
    }
    if (audit->file == NULL) {
        return fail(OF_ERR_IO, "audit_path %s cannot be written: %s", path, strerror(errno));
    }
    fseek(audit->file, 0, SEEK_END);
    audit->bytes = (uint64_t)ftell(audit->file);
    return OF_OK;
}

/* Length of the token that `at` begins with, in any case; 0: none. */
static size_t token_at(const audit_t *audit, const char *at)
{
    size_t longest = 0;
    for (const char *token = audit->tokens; *token != 0;) {
        size_t length = strcspn(token, ",");
        const char *first = token;
        size_t bare = length;
        while (bare > 0 && *first == ' ') {
            first++, bare--;
        }
        while (bare > 0 && first[bare - 1] == ' ') {
            bare--;
        }
        if (bare > longest && strncasecmp(at, first, bare) == 0) {
            longest = bare;
        }
        token += length + (token[length] == ',');
    }
    return longest;
}

static void add_redacted(text_t *out, const audit_t *audit, const char *value)
{
    text_t clean = {0};
    for (const char *at = value; *at != 0;) {
        size_t length = token_at(audit, at);
        if (length > 0) {
            text_put(&clean, "[REDACTED]", 10);
        } else {
            text_put(&clean, at, 1);
        }
        at += length ? length : 1;
    }
    text_json_string(out, clean.length ? clean.data : "");
    out->failed |= clean.failed;
    text_free(&clean);
}

/* <path>.1 is the newest of the files set aside. */
static void rotate(of_engine_t *engine)
{
    audit_t *audit = &engine->audit;
    fclose(audit->file);
    audit->file = NULL;
    for (uint32_t number = audit->files_max; number > 0; number--) {
        text_t from = {0}, to = {0};
        text_add(&from, number > 1 ? "%s.%u" : "%s", audit->path, number - 1);
        text_add(&to, "%s.%u", audit->path, number);
        if (!from.failed && !to.failed && rename(from.data, to.data) != 0 && errno != ENOENT) {
            disk_fault(engine, audit->path, errno);
        }
        text_free(&from);
        text_free(&to);
    }
    audit->file = fopen(audit->path, "we");
    audit->bytes = 0;
}

static void put_line(of_engine_t *engine, const text_t *line)
{
    audit_t *audit = &engine->audit;
    if (audit->bytes_max > 0 && audit->bytes > 0 && audit->bytes + line->length > audit->bytes_max) {
        rotate(engine);
    }
    if (audit->file == NULL) {
        audit->file = fopen(audit->path, "ae");
    }
    if (audit->file == NULL || fwrite(line->data, 1, line->length, audit->file) != line->length ||
        fflush(audit->file) != 0) {
        disk_fault(engine, audit->path, errno);
        if (audit->file != NULL) {
            clearerr(audit->file);
        }
        return;
    }
    audit->bytes += line->length;
}

void audit_write(of_engine_t *engine, const char *event, const audit_field_t *fields, size_t count)
{
    if (engine->audit.path == NULL) {
        return;
    }
    text_t line = {0};
    text_add(&line, "{\"event\":\"%s\",\"details\":{", event);
    for (size_t at = 0; at < count; at++) {
        text_add(&line, "%s\"%s\":", at ? "," : "", fields[at].name);
        if (fields[at].text != NULL) {
            add_redacted(&line, &engine->audit, fields[at].text);
        } else if (fields[at].is_truth) {
            text_add(&line, fields[at].number ? "true" : "false");
        } else {
            text_add(&line, "%" PRIu64, fields[at].number);
        }
    }
    text_add(&line, "},\"ts\":%" PRIu64 "}\n", (uint64_t)(wall_ns() / 1000000000ull));
    if (line.failed) {
        disk_fault(engine, engine->audit.path, ENOMEM);
    } else {
        put_line(engine, &line);
    }
    text_free(&line);
}

void audit_symbol(of_engine_t *engine, const char *event, const instrument_t *instrument, const char *more_name,
                  uint64_t more)
{
    audit_field_t fields[] = {
        {"venue", instrument->venue, 0, false},
        {"symbol", instrument->symbol, 0, false},
        {more_name, NULL, more, false},
    };
    audit_write(engine, event, fields, more_name ? 3 : 2);
}

void audit_close(audit_t *audit)
{
    if (audit->file != NULL) {
        fclose(audit->file);
    }
    free(audit->path);
    free(audit->tokens);
}
