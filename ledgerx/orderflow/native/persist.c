/* Trades and books as JSON lines: <data_root>/<venue>/<symbol>/{trades,book}.jsonl, the newest at the end.

   A file that has grown to its share of the retention is set aside as <kind>.<ns>.jsonl. What a full or broken disk
   does not take is counted and told, and never leaves half a line. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "internal.h"

#define BUFFER_BYTES (64 * 1024)
#define SEGMENT_BYTES_MIN 4096
#define SEGMENTS_OF_RETENTION 8
#define RETENTION_EVERY_S 60

typedef struct recorder {
    char *path;
    int fd;
    uint64_t bytes; /* in the file, all of them whole lines */
    text_t lines;   /* not written yet */
} recorder_t;

void disk_fault(of_engine_t *engine, const char *path, int error)
{
    if (engine->fault[0] == 0) {
        engine->health_seq++;
    }
    engine->counters.disk_faults++;
    snprintf(engine->fault, sizeof engine->fault, "cannot write %.160s: %s", path, strerror(error));
}

static void disk_well(of_engine_t *engine)
{
    if (engine->fault[0] != 0) {
        engine->fault[0] = 0;
        engine->health_seq++;
    }
}

static char *data_path(const of_engine_t *engine, const instrument_t *instrument, const char *kind)
{
    text_t path = {0};
    text_add(&path, "%s/", engine->data_root);
    path_name(&path, instrument->venue);
    text_put(&path, "/", 1);
    path_name(&path, instrument->symbol);
    text_add(&path, "/%s.jsonl", kind);
    if (path.failed) {
        text_free(&path);
        return NULL;
    }
    return path.data;
}

/* A line that a crash cut short is taken off. Returns the file's length, or -1. */
static int64_t cut_torn_line(int fd)
{
    int64_t length = lseek(fd, 0, SEEK_END);
    char block[4096];
    for (int64_t end = length; end > 0;) {
        int64_t begin = end > (int64_t)sizeof block ? end - (int64_t)sizeof block : 0;
        if (pread(fd, block, (size_t)(end - begin), begin) != end - begin) {
            return -1;
        }
        for (int64_t at = end; at > begin; at--) {
            if (block[at - begin - 1] == '\n') {
                return at == length || ftruncate(fd, at) == 0 ? at : -1;
            }
        }
        end = begin;
    }
    return length == 0 || ftruncate(fd, 0) == 0 ? 0 : -1;
}

/* Of more instruments than a process may have files, those not written just now are closed until they are again. */
static void close_files(of_engine_t *engine)
{
    for (size_t at = 0; at < engine->instrument_count; at++) {
        for (int which = 0; which < 2; which++) {
            recorder_t *recorder = engine->instruments[at]->recorders[which];
            if (recorder != NULL && recorder->fd >= 0) {
                close(recorder->fd);
                recorder->fd = -1;
            }
        }
    }
}

static bool open_file(of_engine_t *engine, recorder_t *recorder)
{
    if (recorder->fd >= 0) {
        return true;
    }
    const int how = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC;
    recorder->fd = make_folders(recorder->path) ? open(recorder->path, how, 0666) : -1;
    if (recorder->fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        close_files(engine);
        recorder->fd = open(recorder->path, how, 0666);
    }
    int64_t length = recorder->fd < 0 ? -1 : cut_torn_line(recorder->fd);
    if (length < 0) {
        disk_fault(engine, recorder->path, errno);
        if (recorder->fd >= 0) {
            close(recorder->fd);
            recorder->fd = -1;
        }
        return false;
    }
    recorder->bytes = (uint64_t)length;
    return true;
}

static void set_aside(of_engine_t *engine, recorder_t *recorder)
{
    uint64_t now_ns = wall_ns();
    text_t path = {0};
    text_put(&path, recorder->path, strlen(recorder->path) - strlen("jsonl"));
    text_add(&path, "%020" PRIu64 ".jsonl", now_ns);
    close(recorder->fd);
    recorder->fd = -1;
    if (path.failed || rename(recorder->path, path.data) != 0) {
        disk_fault(engine, recorder->path, errno);
    }
    text_free(&path);
    retention_run(engine, now_ns / 1000000000ull);
}

static void write_lines(of_engine_t *engine, recorder_t *recorder)
{
    text_t *lines = &recorder->lines;
    if (lines->length == 0 || !open_file(engine, recorder)) {
        lines->length = 0;
        return;
    }
    size_t written = 0;
    while (written < lines->length) {
        ssize_t bytes = write(recorder->fd, lines->data + written, lines->length - written);
        if (bytes < 0 && errno == EINTR) {
            continue;
        }
        if (bytes <= 0) {
            disk_fault(engine, recorder->path, bytes < 0 ? errno : ENOSPC);
            break;
        }
        written += (size_t)bytes;
    }
    if (written == lines->length) {
        recorder->bytes += written;
        disk_well(engine);
    } else if (ftruncate(recorder->fd, (off_t)recorder->bytes) != 0) {
        close(recorder->fd); /* what is torn is cut when it is opened again */
        recorder->fd = -1;
    }
    lines->length = 0;
    uint64_t segment = engine->retention_bytes_max / SEGMENTS_OF_RETENTION;
    segment = segment < SEGMENT_BYTES_MIN ? SEGMENT_BYTES_MIN : segment;
    if (engine->retention_bytes_max > 0 && recorder->fd >= 0 && recorder->bytes >= segment) {
        set_aside(engine, recorder);
    }
}

static recorder_t *recorder_of(of_engine_t *engine, instrument_t *instrument, int which)
{
    if (instrument->recorders[which] == NULL) {
        recorder_t *recorder = calloc(1, sizeof *recorder);
        char *path = data_path(engine, instrument, which == 0 ? "trades" : "book");
        if (recorder == NULL || path == NULL) {
            free(recorder);
            free(path);
            disk_fault(engine, instrument->symbol, ENOMEM);
            return NULL;
        }
        recorder->path = path;
        recorder->fd = -1;
        instrument->recorders[which] = recorder;
    }
    return instrument->recorders[which];
}

static void line_added(of_engine_t *engine, recorder_t *recorder)
{
    if (recorder->lines.failed) {
        disk_fault(engine, recorder->path, ENOMEM);
        text_free(&recorder->lines);
    } else if (recorder->lines.length >= BUFFER_BYTES) {
        write_lines(engine, recorder);
    }
}

void persist_trade(of_engine_t *engine, instrument_t *instrument, const of_trade_t *trade)
{
    recorder_t *recorder = recorder_of(engine, instrument, 0);
    if (recorder == NULL) {
        return;
    }
    text_add(&recorder->lines,
             "{\"schema\":1,\"seq\":%" PRIu64 ",\"price\":%" PRId64 ",\"size\":%" PRId64
             ",\"aggressor\":\"%s\",\"ts_exchange_ns\":%" PRIu64 ",\"ts_recv_ns\":%" PRIu64 "}\n",
             trade->sequence, trade->price, trade->size, trade->aggressor_side == OF_SIDE_ASK ? "Ask" : "Bid",
             trade->ts_exchange_ns, trade->ts_recv_ns);
    line_added(engine, recorder);
}

void persist_book(of_engine_t *engine, instrument_t *instrument, const of_book_t *book)
{
    recorder_t *recorder = recorder_of(engine, instrument, 1);
    if (recorder == NULL) {
        return;
    }
    text_add(&recorder->lines,
             "{\"schema\":1,\"seq\":%" PRIu64 ",\"side\":\"%s\",\"level\":%u,\"price\":%" PRId64 ",\"size\":%" PRId64
             ",\"action\":\"%s\",\"ts_exchange_ns\":%" PRIu64 ",\"ts_recv_ns\":%" PRIu64 "}\n",
             book->sequence, book->side == OF_SIDE_ASK ? "Ask" : "Bid", book->level, book->price, book->size,
             book->action == OF_BOOK_DELETE ? "Delete" : "Upsert", book->ts_exchange_ns, book->ts_recv_ns);
    line_added(engine, recorder);
}

void persist_flush(of_engine_t *engine, instrument_t *instrument)
{
    for (int which = 0; which < 2; which++) {
        if (instrument->recorders[which] != NULL) {
            write_lines(engine, instrument->recorders[which]);
        }
    }
}

void persist_flush_all(of_engine_t *engine)
{
    if (!engine->persistence) {
        return;
    }
    for (size_t at = 0; at < engine->instrument_count; at++) {
        persist_flush(engine, engine->instruments[at]);
    }
    uint64_t now_s = wall_ns() / 1000000000ull;
    if (now_s - engine->retention_checked_s >= RETENTION_EVERY_S) {
        retention_run(engine, now_s);
    }
}

void persist_close(instrument_t *instrument)
{
    for (int which = 0; which < 2; which++) {
        recorder_t *recorder = instrument->recorders[which];
        if (recorder != NULL) {
            if (recorder->fd >= 0) {
                close(recorder->fd);
            }
            text_free(&recorder->lines);
            free(recorder->path);
            free(recorder);
        }
    }
}
