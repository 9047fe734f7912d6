/*
 * The cheap target of the load benchmarks: one thread, epoll, HTTP/1.1, 127.0.0.1 only.
 *
 *   cc -O2 -o load_server load_server.c && ./load_server PORT
 *
 *   POST /plain       a fixed JSON answer
 *   ...  /mcp         MCP sessions (initialize, notifications, tools/call, GET stream, DELETE), JSON answers
 *   ...  /mcp-sse     the same, answers as event streams: one send
 *   ...  /mcp-sse3    the same, answers as event streams: headers, event and end in a send each
 *   ...  /modern      the stateless era, JSON answers
 *   GET  /sse, POST /messages?session_id=   the legacy transport
 *   GET  /stats       counters as JSON
 *   GET  /stamps      when each POST arrived since the last look: 8-byte ns of CLOCK_MONOTONIC; forgets them
 *   GET  /stall/MS    the whole server sleeps so long after the answer
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1 << 16, SESSIONS = 1 << 20, INPUT = 1 << 15, STAMPS = 1 << 22, EVENTS = 512 };

typedef struct {
    int fd;
    uint32_t born;
    int length;
    int old; /* HTTP/1.0, which must be told that the connection is kept */
    long session; /* whose stream it carries */
    char *input;
} connection;

typedef struct {
    int fd; /* of its stream */
    uint32_t born;
    char live;
} session;

typedef struct {
    const char *method, *path, *headers, *body;
    int path_length, headers_length, body_length;
} request;

static connection *connections[CONNECTIONS];
static session sessions[SESSIONS];
static uint64_t stamps[STAMPS];
static long stamped, next_session = 1;
static uint32_t births;
static int poller;
static struct { unsigned long accepted, requests, initialize, notes, streams, deletes, calls, refused, open; } seen;

#define DATE "date: Sun, 22 Nov 2026 12:00:00 GMT\r\nserver: cheap\r\n"
#define STREAM "cache-control: no-store\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void put(connection *c, const char *text, long length) {
    while (length > 0) {
        ssize_t sent = send(c->fd, text, length, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) return;
            usleep(50);
            continue;
        }
        text += sent;
        length -= sent;
    }
}

static void drop(connection *c) {
    epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    connections[c->fd] = NULL;
    seen.open--;
    free(c->input);
    free(c);
}

static void answer(connection *c, const char *status, const char *extra, const char *body, int length) {
    char out[8192];
    int n = snprintf(out, sizeof out, "HTTP/1.1 %s\r\n" DATE "%s%scontent-type: application/json\r\ncontent-length: %d\r\n\r\n",
                     status, c->old ? "connection: keep-alive\r\n" : "", extra, length);
    if (length > (int)sizeof out - n) length = sizeof out - n;
    memcpy(out + n, body, length);
    put(c, out, n + length);
}

static int chunked_event(char *out, const char *name, const char *data, int length) {
    char event[8192];
    int n = snprintf(event, sizeof event, "event: %s\r\ndata: %.*s\r\n\r\n", name, length, data);
    return sprintf(out, "%x\r\n%.*s\r\n", n, n, event);
}

static void answer_stream(connection *c, const char *extra, const char *body, int length, int sends) {
    char out[12288];
    int n = sprintf(out, "HTTP/1.1 200 OK\r\n" DATE "%s" STREAM "\r\n", extra);
    if (sends) put(c, out, n), n = 0;
    n += chunked_event(out + n, "message", body, length);
    if (sends) put(c, out, n), n = 0;
    memcpy(out + n, "0\r\n\r\n", 5);
    put(c, out, n + 5);
}

static void begin_stream(connection *c, long number, const char *extra) {
    char out[1024];
    int n = sprintf(out, "HTTP/1.1 200 OK\r\n" DATE "%s" STREAM "\r\n", extra);
    put(c, out, n);
    c->session = number;
    sessions[number].fd = c->fd;
    sessions[number].born = c->born;
}

static connection *stream_of(long number) {
    connection *c = sessions[number].fd ? connections[sessions[number].fd] : NULL;
    return c && c->born == sessions[number].born ? c : NULL;
}

static long birth(void) {
    if (next_session >= SESSIONS) next_session = 1;
    sessions[next_session] = (session){0, 0, 1};
    return next_session++;
}

static int known(long number) { return number > 0 && number < SESSIONS && sessions[number].live; }

static long session_of(const request *r) {
    const char *end = r->headers + r->headers_length;
    for (const char *line = r->headers; line < end;) {
        const char *stop = memchr(line, '\n', end - line);
        if (!stop) break;
        if (!strncasecmp(line, "mcp-session-id:", 15)) return strtol(line + 15, NULL, 16);
        line = stop + 1;
    }
    return 0;
}

static void field(const request *r, const char *name, char *out, int most) {
    const char *at = NULL, *end = r->body + r->body_length, *found = r->body;
    int length = strlen(name), n = 0;
    if (!r->body_length) { *out = 0; return; }
    while ((found = memmem(found, end - found, name, length))) { at = at ? at : found; found += length; }
    if (at) {
        at += length;
        while (at < end && *at == ' ') at++;
        if (at < end && *at == '"') {
            out[n++] = *at++;
            while (at < end && *at != '"' && n < most - 2) out[n++] = *at++;
            out[n++] = '"';
        } else
            while (at < end && (isalnum((unsigned char)*at) || *at == '-') && n < most - 1) out[n++] = *at++;
    }
    out[n] = 0;
}

/* The JSON-RPC answer; 0 where there is none. */
static int rpc(const request *r, int modern, char *out, int *is_birth) {
    char method[64], id[80], version[40];
    const char *type = modern ? "\"resultType\":\"complete\"," : "";
    field(r, "\"method\":", method, sizeof method);
    field(r, "\"id\":", id, sizeof id);
    if (!strcmp(method, "\"tools/call\"")) {
        seen.calls++;
        return sprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s\"content\":[{\"type\":\"text\",\"text\":"
                       "\"the quick brown fox jumps over the lazy dog\"}],\"isError\":false}}", id, type);
    }
    if (!strncmp(method, "\"notifications/", 15)) {
        seen.notes++;
        return 0;
    }
    if (!strcmp(method, "\"initialize\"")) {
        seen.initialize++;
        *is_birth = 1;
        field(r, "\"protocolVersion\":", version, sizeof version);
        return sprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"protocolVersion\":%s,\"capabilities\":{\"tools\":{}},"
                       "\"serverInfo\":{\"name\":\"cheap\",\"version\":\"1\"}}}", id, version);
    }
    if (modern && !strcmp(method, "\"server/discover\""))
        return sprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s\"supportedVersions\":[\"2026-07-28\"],"
                       "\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"cheap\",\"version\":\"1\"},"
                       "\"ttlMs\":60000,\"cacheScope\":\"public\"}}", id, type);
    if (!strcmp(method, "\"tools/list\""))
        return sprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s\"tools\":[{\"name\":\"echo\",\"inputSchema\":"
                       "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}}}]}}", id, type);
    if (!strcmp(method, "\"ping\"")) return sprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%.*s}}", id,
                                                    modern ? 23 : 0, "\"resultType\":\"complete\"");
    return sprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}", id);
}

static void refuse(connection *c, const char *status) {
    static const char body[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"Session not found\"}}";
    seen.refused++;
    answer(c, status, "", body, sizeof body - 1);
}

static void mcp(connection *c, const request *r, int sse, int modern) {
    char out[4096], extra[80] = "";
    int length, is_birth = 0;
    long number = session_of(r);
    if (*r->method == 'G') {
        seen.streams++;
        if (modern || !known(number)) refuse(c, modern ? "405 Method Not Allowed" : "404 Not Found");
        else begin_stream(c, number, "");
        return;
    }
    if (*r->method == 'D') {
        seen.deletes++;
        if (!known(number)) { refuse(c, "404 Not Found"); return; }
        connection *stream = stream_of(number);
        sessions[number].live = 0;
        if (stream) { put(stream, "0\r\n\r\n", 5); stream->session = 0; }
        answer(c, "200 OK", "", "", 0);
        return;
    }
    length = rpc(r, modern, out, &is_birth);
    if (is_birth) sprintf(extra, "mcp-session-id: %032lx\r\n", birth());
    else if (!modern && !known(number)) { refuse(c, "404 Not Found"); return; }
    if (!length) answer(c, "202 Accepted", "", "", 0);
    else if (sse) answer_stream(c, extra, out, length, sse == 3);
    else answer(c, "200 OK", extra, out, length);
}

static void legacy(connection *c, const request *r) {
    char out[4096], event[8192];
    int length, is_birth = 0;
    if (*r->method == 'G') {
        long number = birth();
        seen.streams++;
        begin_stream(c, number, "");
        length = sprintf(out, "/messages/?session_id=%032lx", number);
        put(c, event, chunked_event(event, "endpoint", out, length));
        return;
    }
    const char *at = memmem(r->path, r->path_length, "session_id=", 11);
    long number = at ? strtol(at + 11, NULL, 16) : 0;
    connection *stream = known(number) ? stream_of(number) : NULL;
    if (!stream) { refuse(c, "404 Not Found"); return; }
    length = rpc(r, 0, out, &is_birth);
    answer(c, "202 Accepted", "", "Accepted", 8);
    if (length) put(stream, event, chunked_event(event, "message", out, length));
}

static void stats(connection *c) {
    char out[512];
    int n = sprintf(out, "{\"accepted\":%lu,\"requests\":%lu,\"initialize\":%lu,\"notes\":%lu,\"streams\":%lu,\"deletes\":%lu,"
                    "\"calls\":%lu,\"refused\":%lu,\"open\":%lu}", seen.accepted, seen.requests, seen.initialize, seen.notes,
                    seen.streams, seen.deletes, seen.calls, seen.refused, seen.open);
    answer(c, "200 OK", "", out, n);
}

static void send_stamps(connection *c) {
    char out[256];
    int n = sprintf(out, "HTTP/1.1 200 OK\r\n" DATE "content-length: %ld\r\n\r\n", stamped * 8);
    put(c, out, n);
    put(c, (char *)stamps, stamped * 8);
    stamped = 0;
}

static int starts(const request *r, const char *with) {
    int length = strlen(with);
    return r->path_length >= length && !memcmp(r->path, with, length);
}

static void serve(connection *c, const request *r) {
    static const char fixed[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":"
                                "\"the quick brown fox jumps over the lazy dog\"}],\"isError\":false}}";
    seen.requests++;
    if (*r->method == 'P' && stamped < STAMPS) stamps[stamped++] = now();
    if (starts(r, "/plain")) answer(c, "200 OK", "", fixed, sizeof fixed - 1);
    else if (starts(r, "/mcp")) mcp(c, r, starts(r, "/mcp-sse3") ? 3 : starts(r, "/mcp-sse"), 0);
    else if (starts(r, "/modern")) mcp(c, r, 0, 1);
    else if (starts(r, "/sse") || starts(r, "/messages")) legacy(c, r);
    else if (starts(r, "/stats")) stats(c);
    else if (starts(r, "/stamps")) send_stamps(c);
    else if (starts(r, "/stall/")) { answer(c, "200 OK", "", "{}", 2); usleep(1000 * atoi(r->path + 7)); }
    else answer(c, "404 Not Found", "", "{}", 2);
}

/* Serves what is whole in the input; true while the connection lives. */
static void take(connection *c) {
    char *from = c->input;
    int left = c->length;
    while (left > 0) {
        char *end = memmem(from, left, "\r\n\r\n", 4);
        if (!end) break;
        request r = {.method = from, .headers_length = end + 2 - from};
        long length = 0;
        r.path = memchr(from, ' ', end - from);
        r.headers = memchr(from, '\n', end + 2 - from) + 1;
        if (!r.path) { drop(c); return; }
        r.path++;
        r.path_length = (char *)memchr(r.path, ' ', end + 2 - r.path) - r.path;
        c->old = r.headers - r.path > 10 && !memcmp(r.headers - 5, "1.0", 3);
        r.headers_length = end + 2 - r.headers;
        for (const char *line = r.headers; line < end;) {
            if ((*line | 32) == 'c' && !strncasecmp(line, "content-length:", 15)) { length = atol(line + 15); break; }
            line = (char *)memchr(line, '\n', end + 2 - line) + 1;
        }
        r.body = end + 4;
        r.body_length = length;
        if (end + 4 + length > from + left) break;
        serve(c, &r);
        left -= end + 4 + length - from;
        from = end + 4 + length;
    }
    if (left && from != c->input) memmove(c->input, from, left);
    c->length = left;
}

static void welcome(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CONNECTIONS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->born = ++births;
        c->input = malloc(INPUT);
        connections[fd] = c;
        seen.accepted++;
        seen.open++;
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
    }
}

int main(int count, char **words) {
    static struct epoll_event events[EVENTS];
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(count > 1 ? atoi(words[1]) : 9100),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 8192)) { perror("bind"); return 1; }
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) { welcome(listener); continue; }
            connection *c = connections[fd];
            if (!c) continue;
            ssize_t got = recv(fd, c->input + c->length, INPUT - c->length, 0);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) { drop(c); continue; }
            c->length += got;
            take(c);
        }
    }
}
