/* A text that grows, and JSON strings in it. */

#include <stdarg.h>

#include "internal.h"

static bool room(text_t *text, size_t more)
{
    if (text->failed || !grow(&text->data, &text->capacity, text->length + more + 1, 1)) {
        text->failed = true;
    }
    return !text->failed;
}

void text_put(text_t *text, const char *bytes, size_t length)
{
    if (room(text, length)) {
        memcpy(text->data + text->length, bytes, length);
        text->length += length;
        text->data[text->length] = 0;
    }
}

void text_add(text_t *text, const char *format, ...)
{
    char small[512];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(small, sizeof small, format, arguments);
    if (length < (int)sizeof small) {
        text_put(text, small, length < 0 ? 0 : (size_t)length);
    } else if (room(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

/* Bytes of the UTF-8 character at `at`; 0 where there is none. */
static size_t character_bytes(const unsigned char *at)
{
    if (at[0] < 0x80) {
        return 1;
    }
    size_t bytes = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    uint32_t code = at[0] & (0x7Fu >> bytes);
    if (at[0] < 0xC2 || at[0] > 0xF4) {
        return 0;
    }
    for (size_t next = 1; next < bytes; next++) {
        if ((at[next] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[next] & 0x3Fu);
    }
    bool too_long = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
    return too_long || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : bytes;
}

void text_json_string(text_t *text, const char *value)
{
    text_put(text, "\"", 1);
    for (const unsigned char *at = (const unsigned char *)value; *at != 0;) {
        size_t bytes = character_bytes(at);
        if (bytes == 0) {
            text_put(text, "\xEF\xBF\xBD", 3);
            bytes = 1;
        } else if (*at == '"' || *at == '\\') {
            text_add(text, "\\%c", *at);
        } else if (*at < 0x20 || *at == 0x7F) {
            text_add(text, "\\u%04x", *at);
        } else {
            text_put(text, (const char *)at, bytes);
        }
        at += bytes;
    }
    text_put(text, "\"", 1);
}

void text_free(text_t *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}
