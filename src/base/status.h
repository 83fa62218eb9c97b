/*
 * How every fallible function of the library reports: it returns an enum status, and when the
 * caller passes a struct err it also leaves one sentence that names the file, the field, what was
 * expected and what was found. A function that fails leaves its outputs unset and owns nothing.
 */
#ifndef EAD_BASE_STATUS_H
#define EAD_BASE_STATUS_H

enum status {
    ST_OK = 0,
    ST_IO,       /* the operating system refused: open, map, read, write */
    ST_FORMAT,   /* a file breaks its own format */
    ST_SUPPORT,  /* well-formed, but asks for something this build does not do */
    ST_ARG,      /* the caller's argument is out of range or contradicts another */
    ST_MEMORY,   /* an allocation failed or a ceiling was reached */
    ST_FULL,     /* the context has no room for the rows asked for */
    ST_CANCELLED /* the caller's callback asked to stop */
};

enum { ERR_MESSAGE_MAX = 1024 };

struct err {
    enum status code;
    char message[ERR_MESSAGE_MAX]; /* one sentence, no newline, NUL-terminated */
};

#define MUST_USE __attribute__((warn_unused_result))

/* Leave on the first failure; the callee has already filled the message. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum status try_status_ = (call);                                                          \
        if (try_status_ != ST_OK) return try_status_;                                              \
    } while (0)

/* Fill `err` (NULL is allowed) and return `code`, so that a caller can `return err_set(...)`. */
enum status err_set(struct err *err, enum status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "prefix: " in front of the message; for callers that know the file when the callee did not.
 * Returns the code unchanged. */
enum status err_prefix(struct err *err, enum status code, const char *prefix);

/* ST_MEMORY and "no memory for ...": the one way to say so. `what` is a format. */
enum status err_memory(struct err *err, const char *what, ...)
    __attribute__((format(printf, 2, 3)));

/* The name of a status for messages and JSON: "ok", "io", "format", ... Never NULL. */
const char *status_name(enum status code);

#endif
